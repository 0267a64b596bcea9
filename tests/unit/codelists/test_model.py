"""What a list holds, what it refuses, and the laws of include, exclude, union and difference."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from itertools import chain
from typing import Any

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import p4dp_sdk as p4dp
from p4dp_sdk.catalogue.code_lists import Flaw
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.codelists import CodeList, CodeListError, CodeListWarning
from p4dp_sdk.codelists.errors import ComparedCodeListError

CISP2 = sorted(code.code for code in load_catalogue().code_systems["cisp2"].codes)
ATC = sorted(code.code for code in load_catalogue().code_systems["atc"].codes)

beginnings = st.sampled_from(sorted({code[:n] for code in CISP2 if code != "SC" for n in (1, 2)}))
patterns = st.one_of(st.sampled_from(CISP2), beginnings.map(lambda text: f"{text}*"))
some = st.lists(patterns, min_size=1, max_size=4)


def cisp2(*codes: str) -> CodeList:
    return CodeList(codes={"cisp2": codes})


def held(one: CodeList) -> set[str]:
    """None where all is excluded, which is an error of `of`."""
    return set(one._worked_out("cisp2"))


@st.composite
def lists(draw: st.DrawFn) -> CodeList:
    """With exclusions, or without."""
    one = cisp2(*draw(some))
    return one.exclude(system="cisp2", codes=draw(some)) if draw(st.booleans()) else one


def flaw_of(**said: Any) -> Flaw:
    with pytest.raises(CodeListError) as problem:
        CodeList(**said)
    return problem.value.bad.flaw


# --- what it refuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("codes", [["A10"], "A10", ("T90", "T89")])
def test_a_bare_code_is_refused_and_its_systems_are_named(codes: Any) -> None:
    with pytest.raises(CodeListError, match="without its code system") as problem:
        CodeList(codes=codes)
    assert problem.value.bad.flaw is Flaw.BARE_CODE
    if "A10" in codes:
        assert "atc, cisp2" in str(problem.value)


@pytest.mark.parametrize(
    ("codes", "flaw", "near"),
    [
        ({"cisp2": ["T9O"]}, Flaw.BAD_PATTERN, "T90"),
        ({"cisp2": ["T88"]}, Flaw.UNKNOWN_CODE, "T8"),
        ({"cisp2": ["Q*"]}, Flaw.NOTHING_MATCHES, ""),
        ({"cisp2": ["T*9"]}, Flaw.BAD_PATTERN, ""),
        ({"cisp2": ["*"]}, Flaw.BAD_PATTERN, ""),
        ({"cisp2": [""]}, Flaw.BAD_PATTERN, ""),
        ({"cisp2": [90]}, Flaw.BAD_PATTERN, ""),
        ({"atc": ["metformine"]}, Flaw.BAD_PATTERN, "A10BA02"),
        ({"analyte": ["hba1"]}, Flaw.UNKNOWN_CODE, "hba1c"),
        ({"icpc2": ["T90"]}, Flaw.UNKNOWN_SYSTEM, "cisp2"),
        ({"centre": ["C01"]}, Flaw.UNKNOWN_SYSTEM, ""),
        ({}, Flaw.NO_CODES, ""),
    ],
)
def test_codes_that_do_not_exist_are_refused(codes: Any, flaw: Flaw, near: str) -> None:
    with pytest.raises(CodeListError) as problem:
        CodeList(codes=codes)
    assert problem.value.bad.flaw is flaw
    assert problem.value.bad.near.startswith(near)
    assert not near or "Did you mean" in str(problem.value)


def test_names_versions_days_and_texts_are_checked() -> None:
    good = {"cisp2": ["T90"]}
    assert flaw_of(codes=good, id="Diabète") is Flaw.BAD_ID
    assert flaw_of(codes=good, version="latest") is Flaw.BAD_VERSION
    assert flaw_of(codes=good, reviewed_on="yesterday") is Flaw.BAD_VALUE
    assert flaw_of(codes=good, label_fr="T90\u202e fsel") is Flaw.BAD_TEXT
    assert flaw_of(codes=good, note_en="two\nlines") is Flaw.BAD_TEXT
    assert str(CodeList(codes=good, reviewed_on="2026-03-31").reviewed_on) == "2026-03-31"  # type: ignore[arg-type]


def test_a_list_is_frozen_inside_too() -> None:
    one = cisp2("T90")
    with pytest.raises(FrozenInstanceError):
        one.version = "2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        one.codes["cisp2"] = ("T89",)  # type: ignore[index]
    assert len({one, cisp2("T90")}) == 1


# --- what codes name ---------------------------------------------------------------------------------------


def test_codes_are_read_as_they_are_typed() -> None:
    assert CodeList(codes={"cisp2": " t90 "}).of("cisp2") == ("T90",)
    assert cisp2("T90", "T90").codes["cisp2"] == ("T90",)


def test_a_chapter_is_all_its_codes_and_not_the_class_without_code() -> None:
    skin = cisp2("S").of("cisp2")
    assert skin == cisp2("S*").of("cisp2") == tuple(code for code in CISP2 if code[0] == "S" and code != "SC")
    assert cisp2("SC").of("cisp2") == ("SC",)


def test_a_group_of_drugs_is_all_its_substances() -> None:
    assert CodeList(codes={"atc": ["A10BJ"]}).of("atc") == ("A10BJ02", "A10BJ05", "A10BJ06")
    assert CodeList(codes={"atc": ["A10"]}).of("atc") == tuple(code for code in ATC if code.startswith("A10"))


def test_cim_10_is_written_with_its_point_and_without() -> None:
    assert CodeList(codes={"cim10": ["E11"]}).of("cim10") == ("E11",)
    with pytest.warns(CodeListWarning, match="E11\\.4"):
        CodeList(codes={"cim10": ["E11.4"]})


def test_what_a_partly_loaded_system_lacks_is_told_and_let_be() -> None:
    with pytest.warns(CodeListWarning, match="A10BX02"):
        both = CodeList(codes={"atc": ["A10BX02", "A10BA02"]})
    assert both.of("atc") == ("A10BA02",)
    assert both.unresolved == {"atc": ("A10BX02",)}


def test_systems_that_are_not_loaded_take_codes_in_full_only() -> None:
    with pytest.warns(CodeListWarning, match="loinc: 4548-4"):
        assert CodeList(codes={"loinc": ["4548-4"]}).of("loinc") == ("4548-4",)
    with pytest.warns(CodeListWarning):
        wild = CodeList(codes={"loinc": ["45*"]})
    with pytest.raises(CodeListError, match="codes load loinc") as problem:
        wild.of("loinc")
    assert problem.value.bad.flaw is Flaw.NOT_LOADED


def test_a_list_that_names_nobody_is_an_error_not_an_empty_answer() -> None:
    with pytest.raises(CodeListError) as problem:
        cisp2("T90").exclude(system="cisp2", codes="T9*").of("cisp2")
    assert problem.value.bad.flaw is Flaw.EMPTY
    with pytest.raises(CodeListError, match="has no codes of atc"):
        cisp2("T90").of("atc")


# --- laws --------------------------------------------------------------------------------------------------


@given(beginnings)
@settings(max_examples=60, deadline=None)
def test_an_asterisk_is_a_filter_by_beginning(text: str) -> None:
    assert cisp2(f"{text}*").of("cisp2") == tuple(c for c in CISP2 if c.startswith(text) and c != "SC")


@given(some)
@settings(max_examples=40, deadline=None)
def test_several_patterns_name_what_each_names(given_: list[str]) -> None:
    assert held(cisp2(*given_)) == set(chain.from_iterable(held(cisp2(one)) for one in given_))


@given(lists(), lists())
@settings(max_examples=80, deadline=None)
def test_union_holds_what_either_holds(one: CodeList, other: CodeList) -> None:
    assert held(one | other) == held(other | one) == held(one) | held(other)


@given(lists(), some)
@settings(max_examples=60, deadline=None)
def test_include_and_exclude_are_those_of_sets(one: CodeList, given_: list[str]) -> None:
    wanted = held(cisp2(*given_))
    without = one.exclude(system="cisp2", codes=given_)
    assert held(without) == held(one) - wanted
    assert held(without.include(system="cisp2", codes=given_)) == held(one) | wanted


@given(lists(), lists())
@settings(max_examples=60, deadline=None)
def test_a_difference_leads_from_one_list_to_the_other(one: CodeList, other: CodeList) -> None:
    change = one.diff(other)
    added, removed = (set(codes.get("cisp2", ())) for codes in (change.added, change.removed))
    assert (held(one) - removed) | added == held(other)
    assert added & held(one) == set() == removed & held(other)
    assert bool(change) == (held(one) != held(other))


@given(some, st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_fingerprint_is_of_what_is_named_not_of_its_order(given_: list[str], random: Any) -> None:
    mixed = [*given_, *given_]
    random.shuffle(mixed)
    a = CodeList(id="a", codes={"cisp2": given_, "atc": ["A10*"]})
    b = CodeList(id="b", version="2", codes={"atc": ["A10*"], "cisp2": mixed})
    assert a.fingerprint == b.fingerprint
    assert a.fingerprint != a.exclude(system="atc", codes="A10A*").fingerprint


def test_union_keeps_what_is_written_where_nothing_clashes() -> None:
    one = CodeList(codes={"atc": ["A10*"]}).exclude(system="atc", codes=["A10BJ*"])
    both = one | cisp2("T90")
    assert both.codes == {"atc": ("A10*",), "cisp2": ("T90",)}
    assert both.exclusions == {"atc": ("A10BJ*",)}
    again = one | CodeList(codes={"atc": ["A10BJ02"]})
    assert "A10BJ02" in again.of("atc")
    assert "A10BJ05" not in again.of("atc")


# --- in a query, and for people ----------------------------------------------------------------------------

DIAGNOSES = ibis.table({"patient_id": "int64", "cisp2": "string", "atc": "string"}, name="diagnoses")


def test_matches_takes_the_system_of_the_column() -> None:
    both = CodeList(codes={"cisp2": ["A10"], "atc": ["A10A*"]})
    assert both.matches(DIAGNOSES.cisp2).equals(DIAGNOSES.cisp2.isin(["A10"]))
    assert both.matches(DIAGNOSES.atc).equals(DIAGNOSES.atc.isin(["A10AB05", "A10AE04"]))
    renamed = DIAGNOSES.rename(diagnosis="cisp2")
    assert both.matches(renamed.diagnosis, system="cisp2").equals(renamed.diagnosis.isin(["A10"]))


def test_matches_does_not_mix_systems() -> None:
    drugs = CodeList(codes={"atc": ["A10A*"]})
    for ask in (lambda: drugs.matches(DIAGNOSES.cisp2), lambda: drugs.matches(DIAGNOSES.cisp2, system="atc")):
        with pytest.raises(CodeListError) as problem:
            ask()
        assert problem.value.bad.flaw is Flaw.OTHER_SYSTEM
    renamed = DIAGNOSES.rename(x="cisp2").x
    with pytest.raises(CodeListError) as problem:
        CodeList(codes={"cisp2": ["A10"], "atc": ["A10A*"]}).matches(renamed)
    assert problem.value.bad.flaw is Flaw.WHICH_SYSTEM


def test_a_list_shows_what_it_is() -> None:
    one = p4dp.codes("antidiabetiques_du_diabete")
    assert repr(one).splitlines()[1] == "  atc: A10* without A10BJ*, A10BK*"
    assert "<code>" not in one._repr_html_() and "A10BJ*" in one._repr_html_()
    assert list(one.listing().columns) == ["system", "code", "label"]
    assert one.label.startswith("Antidiabetics")
    assert repr(cisp2("T89").diff(cisp2("T90"))) == "+ cisp2 T90 Type 2 diabetes\n− cisp2 T89 " + (
        one.listing().iloc[0]["label"] and "Type 1 diabetes (insulin)"
    )


@pytest.mark.parametrize("compare", [operator.eq, operator.ne])
def test_a_column_compared_with_a_list_is_an_error_and_not_nobody(compare: Callable[..., object]) -> None:
    rows = ibis.table({"atc": "string"}, name="prescriptions")
    with pytest.raises(ComparedCodeListError, match="matches"):
        compare(rows.atc, p4dp.codes("statines"))
    assert p4dp.codes("statines") == p4dp.codes("statines") != p4dp.codes("avk")
