"""The lists that ship: each resolves, names its source, and says what a physician would check."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.codelists import CodeList, CodeListError
from p4dp_sdk.disclosure.policy import Policy

ALL = p4dp.codes.all()
every_list = pytest.mark.parametrize("name", ALL)

# Of the classification, and not among the codes that ship: taken as soon as a site loads the whole table.
LACKING_GROUPS = {"B01AE07", "C02*", "C09D*", "N05CD*"}


@every_list
def test_every_list_resolves_in_each_of_its_systems(name: str) -> None:
    one = p4dp.codes(name)
    assert all(one.of(system) for system in one.systems)
    assert set(one.systems) <= {"cisp2", "atc", "cim10"}
    assert "cisp2" not in one.unresolved
    assert name == "metformine" or set(one.unresolved.get("atc", ())) <= LACKING_GROUPS


@every_list
def test_every_list_says_where_it_comes_from(name: str) -> None:
    one = p4dp.codes(name)
    assert one.source and one.author and one.label_fr and one.label_en and one.license
    assert bool(one.note_fr) == bool(one.note_en)
    assert not one.reviewed_by, "a review is recorded by whoever made it"


def test_there_are_lists_for_what_indicators_and_templates_need() -> None:
    assert len(ALL) >= 40


@pytest.mark.parametrize(
    ("said", "system", "codes"),
    [
        ("diabète de type 2", "cisp2", ("T90",)),
        ("Type 2 Diabetes", "cisp2", ("T90",)),
        ("diabete_type_2", "cisp2", ("T90",)),
        ("DT2", "cisp2", ("T90",)),
        ("MI or stroke", "cisp2", ("K75", "K76", "K90", "K91")),
        ("infarctus_aigu", "cisp2", ("K75",)),
        ("antecedent_infarctus", "cisp2", ("K75", "K76")),
        ("avc_aigu", "cisp2", ("K90",)),
        ("antecedent_avc", "cisp2", ("K90", "K91")),
        ("hta", "cisp2", ("K86", "K87")),
        ("mici", "cisp2", ("D94",)),
        ("conduites_addictives", "cisp2", ("P15", "P16", "P17", "P18", "P19")),
        ("vaccin_dtp", "atc", ("J07CA01", "J07CA02")),
        ("AVK", "atc", ("B01AA02", "B01AA03", "B01AA07")),
        ("insuline", "atc", ("A10AB05", "A10AE04")),
    ],
)
def test_definitions_are_those_of_the_dashboards(said: str, system: str, codes: tuple[str, ...]) -> None:
    assert p4dp.codes(said).of(system) == codes


def test_what_is_prescribed_for_obesity_or_the_heart_does_not_point_to_diabetes() -> None:
    every, pointing = (
        set(p4dp.codes(n).of("atc")) for n in ("antidiabetiques", "antidiabetiques_du_diabete")
    )
    assert every - pointing == {"A10BJ02", "A10BJ05", "A10BJ06", "A10BK01", "A10BK03"}
    assert "W85" not in p4dp.codes("diabete").of("cisp2")
    assert "J07AM01" not in p4dp.codes("vaccin_dtp").of("atc"), "tetanus alone"


@every_list
def test_every_list_reads_back_from_what_it_writes(name: str) -> None:
    from p4dp_sdk.catalogue.code_lists import parse_document

    one = p4dp.codes(name)
    again = CodeList.of_document(parse_document(one.to_toml().encode()), trusted=True)
    assert again == one
    assert again.comments == one.comments


def test_a_table_of_another_year_breaks_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = "code,label_fr,label_en,parent\nB01AE07,Dabigatran,Dabigatran,B01\n"
    (tmp_path / "atc.csv").write_text(table, encoding="utf-8")
    monkeypatch.setenv("P4DP_CODES", str(tmp_path))
    assert p4dp.codes("AOD").of("atc") == ("B01AE07", "B01AF01", "B01AF02")
    assert all(p4dp.codes(name).systems for name in p4dp.codes.all())
    with pytest.raises(CodeListError, match="no code of atc"):
        CodeList(codes={"atc": ["A10BX02"]})


@every_list
def test_every_list_says_little_enough_to_be_published(name: str) -> None:
    """A choice of codes counts its gaps, in the order of the catalogue's codes (ADR 0015)."""
    one = p4dp.codes(name)
    for system in one.systems:
        taken = set(one.of(system))
        marks = [code.code in taken for code in load_catalogue().code_systems[system].codes]
        runs = sum(mark and not before for before, mark in pairwise([False, *marks]))
        assert runs - 1 <= Policy().max_descriptions, f"{system}: {runs} runs"
