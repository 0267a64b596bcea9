"""What is put into a request: results give the tables they were published as, and names stay apart."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from p4dp_sdk.figures.proof import Proof
from p4dp_sdk.releases.errors import NotReleasableError
from p4dp_sdk.releases.parcels import parcels
from tests.unit.sdk.signed_tables import table


class Result(SimpleNamespace):
    """Stands in for an indicator's result, a flow chart, a Table 1."""


Result.__module__ = "p4dp_sdk.cohorts.results.table_one"


def test_a_result_gives_its_publication_tables() -> None:
    made = parcels(
        [Result(tables=(table(title="Un"), table(title="Deux"))), Result(table=table(title="Trois"))]
    )
    assert [parcel.name for parcel in made] == ["un.csv", "deux.csv", "trois.csv"]
    assert [Proof.from_json(parcel.content).document.statement.title for parcel in made][2] == "Trois"


def test_a_result_that_was_not_published_is_refused() -> None:
    for draft in (Result(table=None), Result(tables=())):
        with pytest.raises(NotReleasableError, match=r"ws\.publish"):
            parcels([draft])


def test_names_stay_apart_and_may_be_chosen() -> None:
    made = parcels([table(), table(), table().plot.bar()])
    stem = "diabete-par-age-b-et-b-sexe"
    assert [parcel.name for parcel in made] == [f"{stem}.csv", f"{stem}-2.csv", f"{stem}.png"]
    assert [parcel.name for parcel in parcels({"Tableau 1.xlsx": table()})] == ["Tableau 1.xlsx"]
    assert parcels(table(title="…"))[0].name == "tableau.csv"
