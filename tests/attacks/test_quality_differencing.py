"""Through `ws.quality`: how many values are missing with the victim, and without; which rules fired.

The neighbour knows when the victim was weighed; that the value was set aside is the secret. The report on a
table may be made of any rows of it, so of all but one patient's. Differencing as in Hundepool et al.,
Statistical Disclosure Control (Wiley 2012), § 5, by the questions that the SDK itself writes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pytest

from hub_config.warehouse.snapshot import build_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.quality.asking import Asked
from tests.attacks import population
from tests.attacks.arena import BLUR, Arena, Score, arena
from tests.attacks.population import REFERENCE, YEARS, Population, is_one_of, seen

BY = "centre_id"
TURNS = 8
RULE = "out_of_range"
BIOMETRICS = load_catalogue().tables["biometrics"]


@pytest.fixture(scope="module")
def weighed(people, tmp_path_factory):
    """Of everybody one weight; whether it was set aside is a fair coin, apart from all else."""
    secret = np.random.default_rng(5).random(len(people.people)) < 0.5
    known = Population(people.people.assign(secret=secret), people.dates)
    warehouse = tmp_path_factory.mktemp("weighed")
    with build_snapshot(warehouse, source="red team", synthetic=True, public=False) as building:
        population._fill(building, known, ())
        building.connection.register("frame", known.people[["patient_no", "secret"]])
        building.connection.execute(
            f"UPDATE biometrics SET value = NULL, dq_code = '{RULE}' FROM frame "
            "WHERE frame.patient_no = biometrics.patient_no AND frame.secret"
        )
        building.connection.unregister("frame")
        building.finish(REFERENCE, date(YEARS[0], 1, 1), REFERENCE)
    return known, warehouse


def missing(rows: Any) -> Any:
    found = Asked.of(rows, BIOMETRICS, BY).missing([BIOMETRICS.column("value")])
    return found.set_index(BY)["missing_value"]


def fired(rows: Any) -> Any:
    found = Asked.of(rows, BIOMETRICS, BY).fired()
    return found[found["dq_code"] == RULE].set_index(BY)["n"]


def with_and_without(a: Arena, people: Population, report: Callable[[Any], Any]) -> Score:
    score, b, p = Score(0, 0), seen("biometrics"), seen("patients")
    for turn in range(TURNS):
        victims = people.victims(turn, [BY])
        others = b.filter(b.patient_id.isin(p.filter(~is_one_of(p, victims)).patient_id))
        less, more = report(others), report(b)
        told = (more - less).reindex(victims[BY]).to_numpy(float, na_value=np.nan)
        score += a.mark(told - 0.5, victims["secret"].to_numpy(bool))
    return score


def tried(weighed, tmp_path, board, monkeypatch, attack, out):
    """The SDK's own questions, sent by the attacker."""
    people, warehouse = weighed
    with arena(warehouse, tmp_path, frozenset(out)) as a:
        monkeypatch.setattr(ir.Table, "execute", lambda asked: a.ask(asked))
        return board.add(f"quality_differencing [{attack.keywords['report'].__name__}]", a, attack(a, people))


ATTACKS = {each.__name__: partial(with_and_without, report=each) for each in (missing, fired)}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_without_noise_and_ledger(weighed, tmp_path, board, monkeypatch, attack):
    assert tried(weighed, tmp_path, board, monkeypatch, attack, BLUR).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_fails(weighed, tmp_path, board, monkeypatch, attack):
    assert tried(weighed, tmp_path, board, monkeypatch, attack, ()).is_guessing
