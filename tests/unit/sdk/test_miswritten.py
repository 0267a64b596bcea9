"""A code that a column's list does not have is told before the question is asked: of nobody nothing is shown,
which looks like a small cell."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import ibis
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.backend.miswritten import warn_of_miswritten
from p4dp_sdk.catalogue import load_catalogue

CATALOGUE = load_catalogue()


def table(name: str) -> ibis.Table:
    columns = CATALOGUE.tables[name].columns
    return ibis.table({column.name: column.dtype for column in columns}, name=name)


D, P, C = table("diagnoses"), table("patients"), table("consultations")


def told(expr: ibis.Expr) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_miswritten(expr, lambda: CATALOGUE)
    assert all(each.category is p4dp.UnknownCodeWarning for each in caught)
    return [str(each.message) for each in caught]


@pytest.mark.parametrize(
    ("expr", "code", "near"),
    [
        (D.filter(D.cisp2 == "T9O"), "T9O", "T90"),  # a letter for a digit
        (D.filter(D.cisp2 == "t90"), "t90", "T90"),
        (D.filter(D.cisp2 == "T90 "), "T90 ", "T90"),
        (D.filter(ibis.literal("T9O") == D.cisp2), "T9O", "T90"),
        (D.filter(D.cisp2 != "T9O"), "T9O", "T90"),
        (D.filter(D.cisp2.isin(["T90", "K8I"])), "K8I", "K81"),
        (D.filter(~D.cisp2.notin(["T9O"])), "T9O", "T90"),
        (D.mutate(ill=D.cisp2 == "T9O"), "T9O", "T90"),
        (D.agg(n=D.patient_id.nunique(where=D.cisp2 == "T9O")), "T9O", "T90"),
        (D.join(P, "patient_id").filter(ibis._.cisp2 == "T9O"), "T9O", "T90"),
        (
            D.rename(code="cisp2").filter(ibis._.code == "T9O").group_by("code").agg(n=ibis._.count()),
            "T9O",
            "T90",
        ),
        (P.filter(P.sex == "f"), "f", "F"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_the_nearest_code_is_told(expr: ibis.Expr, code: str, near: str) -> None:
    (text,) = told(expr)
    assert f"« {code} »" in text and text.endswith(f"Vouliez-vous dire « {near} » ?")


def test_where_nothing_is_near_the_list_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "en")
    (text,) = told(D.filter(D.cisp2 == "diabetes mellitus of the second type"))
    assert text.endswith('The codes that there are: ws.catalogue.codes("cisp2").')


@pytest.mark.parametrize(
    "expr",
    [
        D.filter(D.cisp2.isin(["T90", "SC"])),
        D.filter(D.cisp2.isnull()),
        D.filter(D.cisp2 == D.cisp2),
        D.filter(D.cisp2.substr(0, 1) == "T"),  # computed: no longer a code
        D.filter(D.cisp2.fill_null("nothing") == "nothing"),
        D.filter(D.date == "2020-02-29"),
        D.group_by("cisp2").agg(n=D.count()).filter(ibis._.cisp2 == "T90"),
        ibis.memtable({"word": ["x"]}).filter(ibis._.word == "y"),
    ],
    ids=range(8),
)
def test_nothing_else_is_told(expr: ibis.Expr) -> None:
    assert told(expr) == []


def test_of_a_system_that_ships_in_part_nothing_is_said() -> None:
    rows = table("prescriptions")
    coded = {column.name: column.codes for column in CATALOGUE.tables["prescriptions"].columns}
    (name,) = [name for name, system in coded.items() if system == "atc"]
    assert told(rows.filter(rows[name] == "A10BA99")) == []


def test_a_question_without_codes_needs_no_catalogue() -> None:
    def never() -> Any:
        raise AssertionError

    warn_of_miswritten(D.count(), never)


def test_each_is_told_once() -> None:
    twice = D.filter(D.cisp2 == "T9O").agg(n=D.patient_id.nunique(where=D.cisp2 == "T9O"))
    assert len(told(twice)) == 1


ASKS: dict[str, Callable[[p4dp.Workspace, ibis.Table], object]] = {
    "execute": lambda ws, t: t.count().execute(),
    "to_pyarrow": lambda ws, t: t.to_pyarrow(),
    "to_pyarrow_batches": lambda ws, t: t.to_pyarrow_batches(),
    "noise": lambda ws, t: ws.noise(t.count()),
    "publish": lambda ws, t: ws.publish(t.group_by("cisp2").agg(n=t.count()), "Titre"),
}


@pytest.mark.parametrize("ask", ASKS)
def test_however_it_is_asked_the_warning_stands_on_ones_own_line(ask: str, peer: Any, workspace: Any) -> None:
    d = workspace.tables.diagnoses
    with pytest.warns(p4dp.UnknownCodeWarning, match="T9O") as caught, pytest.raises(p4dp.EnclaveError):
        ASKS[ask](workspace, d.filter(d.cisp2 == "T9O"))
    assert caught[0].filename == __file__
