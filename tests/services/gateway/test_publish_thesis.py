"""An honest thesis: five tables of one cohort, one after the other; the same again, with one key more, with
wider classes, under another name. Each shows what it would alone, or nearly.

On the red team's population, through a real gateway with its ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import p4dp_sdk as p4dp
from hub_config.governance.objections import actions as objections
from p4dp_sdk.wire.publication import Document
from tests.attacks.arena import MEMBER, PROJECT, Arena, arena
from tests.attacks.population import having, make, plant, seen
from tests.services.gateway.publishing import publish

Enter = Callable[[], AbstractContextManager[Arena]]

P, L, D = seen("patients"), seen("lab_results"), seen("diagnoses")
COHORT = P.filter(having(P, "T90", "K86") & P.age.between(20, 84))
LAB = L.filter((L.analyte == "hba1c") & (L.value > 6.5)).join(
    COHORT.select("patient_id", "sex", "age_band"), "patient_id"
)
DX = D.filter(D.cisp2.isin(["P76", "P74", "R96"])).join(COHORT.select("patient_id", "sex"), "patient_id")
FIVE = {
    "everybody": COHORT.agg(n=COHORT.patient_id.nunique()),
    "sex and age": COHORT.group_by("sex", "age_band").agg(n=COHORT.patient_id.nunique()),
    "comorbidities": DX.group_by("cisp2", "sex").agg(n=DX.patient_id.nunique()),
    "age": COHORT.group_by("sex").agg(
        n=COHORT.patient_id.nunique(), mean=COHORT.age.mean(), sd=COHORT.age.std()
    ),
    "hba1c": LAB.group_by("sex").agg(mean=LAB.value.mean()),
}
MORE = {
    "hba1c by age": LAB.group_by("sex", "age_band").agg(mean=LAB.value.mean()),
    "renamed": COHORT.rename(sexe="sex")
    .group_by("sexe", "age_band")
    .agg(effectif=COHORT.patient_id.nunique()),
    "wider": COHORT.group_by("sex", c=p4dp.age_bands(COHORT.age, [40, 60])).agg(
        n=COHORT.patient_id.nunique()
    ),
}
ASKED = FIVE | MORE


@pytest.fixture(scope="module")
def enter(tmp_path_factory: pytest.TempPathFactory) -> Enter:
    """A gateway with an empty ledger."""
    warehouse = tmp_path_factory.mktemp("planted")
    plant(make(), warehouse)
    homes = tmp_path_factory.mktemp("homes")
    numbers = iter(range(100))
    return lambda: arena(warehouse, Path(homes) / str(next(numbers)))


@pytest.fixture(scope="module")
def alone(enter: Enter) -> dict[str, pd.DataFrame]:
    """Each table where nothing was published before."""
    found = {}
    for name, asked in ASKED.items():
        with enter() as a:
            found[name] = a.publish(asked, name)
    return found


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=[c for c in table if c in ("sex", "sexe", "age_band", "cisp2", "c")])


def kept(table: pd.DataFrame) -> int:
    return int(numbers(table).notna().to_numpy().sum())


@pytest.mark.parametrize("order", [list(FIVE), list(FIVE)[::-1]], ids=["forwards", "backwards"])
def test_each_table_shows_what_it_would_alone(
    enter: Enter, alone: dict[str, pd.DataFrame], order: list[str]
) -> None:
    with enter() as a:
        shown = {name: a.publish(ASKED[name], name) for name in order}
        again = {name: a.publish(ASKED[name], name) for name in order}
        more = {name: a.publish(ASKED[name], name) for name in MORE}
    for name in order:
        assert kept(shown[name]) == kept(alone[name]) > 0, name
        assert shown[name].equals(again[name]), name
    assert kept(more["renamed"]) == kept(alone["renamed"])
    assert kept(more["hba1c by age"]) >= 0.75 * kept(alone["hba1c by age"])
    assert kept(more["wider"]) >= 0.65 * kept(alone["wider"])


@pytest.fixture
def a(enter: Enter) -> Iterator[Arena]:
    with enter() as made:
        yield made


def document(a: Arena, name: str) -> Document:
    response = a.loop.run(publish(a.enclave.workspace(MEMBER, PROJECT), ASKED[name], name))
    assert response.status_code == 200, response.text
    return Document.from_json(response.content)


def test_a_table_is_given_again_whoever_objected_since(a: Arena) -> None:
    """With its date, and by what it is, not by its name."""
    first = document(a, "sex and age").statement
    objector = int(make().people.query("T90 and K86 and 20 <= age <= 84")["patient_no"].iloc[0])
    objected(a, objector)
    second = document(a, "sex and age").statement
    assert (second.rows, second.total) == (first.rows, first.total)
    assert second.request_id != first.request_id
    assert second.given_again and not first.given_again, "so that its reader is told"
    renamed = document(a, "renamed").statement
    assert (renamed.rows, renamed.date) == (first.rows, second.date), "the ledger's date of the first"


def test_a_part_of_a_table_is_given_again(a: Arena) -> None:
    whole = document(a, "sex and age").statement
    everybody = document(a, "everybody").statement
    assert whole.total is not None and everybody.rows[0][0] == whole.total[-1]
    assert everybody.date == document(a, "sex and age").statement.date


def objected(a: Arena, patient: int) -> None:
    def work(session: Any, *, audit: Any) -> None:
        objections.add_objection(session, patient_no=patient, on=date(2023, 1, 1), audit=audit)

    a.enclave.govern(work)


def test_what_is_asked_anew_is_without_them_and_so_near_that_it_is_withheld(a: Arena) -> None:
    document(a, "sex and age")
    men = make().people.query("T90 and K86 and 20 <= age <= 84 and sex == 'M'")
    objected(a, int(men["patient_no"].iloc[0]))
    anew = document(a, "wider").statement
    assert anew.total is not None and anew.total[-1] is None
