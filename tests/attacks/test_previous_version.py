"""Through the version before the project's own: whose value was emptied between two loads.

The neighbour knows that the victim's weight was there at the last load, and that of nobody else anything
changed; whether it is empty now is the secret. What the version before may be asked is counts by codes and
periods, so the victim is looked for in their own centre and year. Wang & Fung, "Anonymizing sequential
releases", KDD 2006, 414–423.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from hub_config.warehouse.snapshot import build_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.quality.asking import Asked
from tests.attacks import population
from tests.attacks.arena import BLUR, MEMBER, Arena, Score, arena
from tests.attacks.population import REFERENCE, YEARS, Population, seen
from tests.services.gateway.peer_enclave import opened

BY = ("centre_id", "year")
TURNS = 4
PROJECT = "suivi-eve"
BIOMETRICS = load_catalogue().tables["biometrics"]


@pytest.fixture(scope="module")
def loads(people, tmp_path_factory):
    """By turn, a warehouse of two versions. A third of all weights is empty in both; in the second those of
    the victims whose coin says so, too."""
    dice = np.random.default_rng(7)
    known = people.people.assign(
        year=[YEARS[number // 720 % len(YEARS)] for number in people.people["patient_no"]],
        empty=dice.random(len(people.people)) < 1 / 3,
        secret=dice.random(len(people.people)) < 0.5,
    )
    weighed = Population(known, people.dates)
    return weighed, [_two_versions(weighed, turn, tmp_path_factory) for turn in range(TURNS)]


def _two_versions(people, turn, tmp_path_factory):
    warehouse = tmp_path_factory.mktemp(f"loads{turn}")
    named = people.victims(turn, [*BY])["patient_no"]
    victims = people.people["patient_no"].isin(named)
    for emptied in (False, people.people["secret"]):
        weighed = people.people[["patient_no", "year"]].assign(
            gone=np.where(victims, emptied, people.people["empty"])
        )
        _build(warehouse, people, weighed)
    return warehouse


def _build(warehouse, people, weighed):
    with build_snapshot(warehouse, source="red team", synthetic=True, public=False) as building:
        population._fill(building, people, ())
        building.connection.register("weighed", weighed)
        building.connection.execute(
            "UPDATE biometrics SET value = if(gone, NULL, value), date = make_date(year::INTEGER, 6, 1)"
            " FROM weighed WHERE weighed.patient_no = biometrics.patient_no"
        )
        building.connection.unregister("weighed")
        building.finish(REFERENCE, date(YEARS[0], 1, 1), REFERENCE)


def before(a: Arena, asked: ibis.Expr) -> pd.DataFrame:
    a.asked += 1
    response = a.loop.run(a.enclave.workspace(MEMBER, PROJECT).ask(asked, "/v1/previous"))
    assert response.status_code == 200, response.text
    return opened(response.content)[0].to_pandas()


def compared(a: Arena, people: Population, turn: int, turned: bool) -> Score:
    """The SDK's own questions of both versions. `turned`: the version before is asked first."""
    a.join(PROJECT, MEMBER, snapshot=2)
    victims = people.victims(turn, [*BY])
    sides: list[Any] = [lambda asked: a.ask(asked, project=PROJECT), lambda asked: before(a, asked)]
    counted = [_missing(ask) for ask in (sides[::-1] if turned else sides)]
    now, then = counted[::-1] if turned else counted
    cells = pd.MultiIndex.from_arrays([victims["centre_id"], victims["year"].astype(str)])
    told = (now - then).reindex(cells).to_numpy(float, na_value=np.nan)
    return a.mark(told - 0.5, victims["secret"].to_numpy(bool))


def _missing(ask):
    rows = Asked.of(seen("biometrics"), BIOMETRICS, BY, ask)
    return rows.missing([BIOMETRICS.column("value")]).set_index([*BY])["missing_value"]


def tried(loads, tmp_path, board, turned, out):
    people, warehouses = loads
    score = Score(0, 0)
    for turn, warehouse in enumerate(warehouses):
        with arena(warehouse, tmp_path / str(turn), frozenset(out), seed=turn) as a:
            score += compared(a, people, turn, turned)
    order = "before, then now" if turned else "now, then before"
    return board.add(f"previous_version [{order}]", a, score)


@pytest.mark.parametrize("turned", [False, True])
def test_succeeds_without_noise_and_ledger(loads, tmp_path, board, turned):
    assert tried(loads, tmp_path, board, turned, BLUR).succeeds


@pytest.mark.parametrize("turned", [False, True])
def test_fails(loads, tmp_path, board, turned):
    assert tried(loads, tmp_path, board, turned, ()).is_guessing
