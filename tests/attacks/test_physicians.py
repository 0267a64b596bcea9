"""Tables about GPs: the GP takes the patient's place, and is one whom centre and age single out.

In each group of forty GPs somebody is alone of their age; the secret is their sex, or whether they objected
in between. Asked for women with them and without, for their own cell, before and after; and in an exact
table. Rules and ledger must hold for GPs as they do for patients.
"""

from __future__ import annotations

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from hub_config.governance import actions
from hub_config.governance.facts import AccessLevel
from hub_config.governance.objections import actions as objections
from hub_config.governance.terms import SnapshotTerms, Terms, every_table
from hub_config.warehouse.snapshot import build_snapshot
from tests.attacks.arena import BLUR, PROJECT, Defence, Refused, Score, arena
from tests.attacks.population import BANDS, REFERENCE, seen
from tests.services.gateway.peer_enclave import grant

CENTRES, GROUPS, EACH = 30, 4, 40
KEYS = ["centre_id", "part"]
ALONE, CROWD = BANDS[:GROUPS], BANDS[GROUPS : 2 * GROUPS]


@pytest.fixture(scope="module")
def physicians():
    dice = np.random.default_rng(8)
    rows = [
        (f"P{centre:02}", band, number == EACH, f"{part}")
        for centre in range(CENTRES)
        for part in range(GROUPS)
        for number, band in enumerate([CROWD[part]] * EACH + [ALONE[part]])
    ]
    made = pd.DataFrame(rows, columns=["centre_id", "age_band", "alone", "part"])
    made["physician_no"] = np.arange(len(made), dtype="int32")
    return made.assign(sex=dice.choice(["F", "M"], len(made)), objects=dice.random(len(made)) < 0.5)


@pytest.fixture(scope="module")
def enrolled(physicians, tmp_path_factory):
    warehouse = tmp_path_factory.mktemp("physicians")
    centres = pd.DataFrame({"centre_id": physicians["centre_id"].unique()}).assign(region="R1", label="C")
    frames = {"centres": centres, "physicians": physicians[["physician_no", "centre_id", "sex", "age_band"]]}
    with build_snapshot(warehouse, source="red team", synthetic=True, public=False) as building:
        for name, frame in frames.items():
            building.connection.register("frame", frame)
            building.connection.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM frame')
            building.connection.unregister("frame")
        building.finish(REFERENCE, date(2015, 1, 1), REFERENCE)
    return warehouse


def grouped():
    g = seen("physicians")
    pairs = enumerate(zip(ALONE, CROWD, strict=True))
    part = ibis.cases(*((g.age_band.isin(pair), str(number)) for number, pair in pairs), else_="other")
    return g.mutate(part=part)


def count(rows):
    return rows.group_by(KEYS).agg(n=rows.count())


def placed(frame, physicians):
    """In the order of those who are alone."""
    index = pd.MultiIndex.from_frame(physicians.loc[physicians["alone"], KEYS])
    return frame.set_index(KEYS)["n"].astype(float).reindex(index).to_numpy()


def women(physicians):
    return (physicians.loc[physicians["alone"], "sex"] == "F").to_numpy()


def without_them(a, physicians, ask):
    g = grouped()
    ill = g.filter(g.sex == "F")
    more = placed(ask(a, count(ill)), physicians)
    less = placed(ask(a, count(ill.filter(~ill.age_band.isin(ALONE)))), physicians)
    return a.mark(more - less - 0.5, women(physicians))


def drafts(a, physicians):
    return without_them(a, physicians, lambda a, table: a.ask(table))


def published(a, physicians):
    def ask(a, table):
        try:
            return a.publish(table, "GPs")
        except Refused:
            return pd.DataFrame(columns=[*KEYS, "n"])

    return without_them(a, physicians, ask)


def own_cell(a, physicians):
    g = grouped()
    rows = g.filter(g.age_band.isin(ALONE) & (g.sex == "F"))
    shown = placed(a.ask(count(rows)), physicians)
    return a.mark(np.where(shown > 0, 1.0, -1.0), women(physicians))


def who_objects(a, physicians):
    """All of a centre are counted; some of those who are alone object; they are counted again."""
    before = placed(a.ask(count(grouped())), physicians)
    alone = physicians[physicians["alone"]]
    a.enclave.govern(objecting, alone.loc[alone["objects"], "physician_no"].tolist())
    after = placed(a.ask(count(grouped())), physicians)
    return a.mark(before - after - 0.5, alone["objects"].to_numpy(bool))


def objecting(session, numbers, *, audit):
    for number in numbers:
        objections.add_objection(session, physician_no=int(number), on=date(2023, 1, 1), audit=audit)


ATTACKS = {
    "without one": (drafts, BLUR),
    "own cell": (own_cell, (Defence.PRIMARY, *BLUR)),
    "objection": (who_objects, BLUR),
    "exact": (published, (Defence.MEMORY, Defence.SUPPRESSION)),
}


@pytest.fixture
def tried(enrolled, physicians, tmp_path, board):
    def play(name, out) -> Score:
        aside = (Defence.SELECTORS,) if name == "exact" else ()
        with arena(enrolled, tmp_path / "home", frozenset((*out, *aside))) as a:
            granted = {**every_table(), "physicians": None}
            terms = Terms(SnapshotTerms(1, synthetic=True))
            a.enclave.govern(
                actions.amend, PROJECT, grant(AccessLevel.AGGREGATE, tables=granted), terms=terms
            )
            a.enclave.govern(actions.approve, PROJECT)
            return board.add(f"physicians [{name}]", a, ATTACKS[name][0](a, physicians), aside=aside)

    return play


@pytest.mark.parametrize("name", ATTACKS)
def test_succeeds_without_the_defence(tried, name):
    assert tried(name, ATTACKS[name][1]).succeeds


@pytest.mark.parametrize("name", ATTACKS)
def test_fails(tried, name):
    assert tried(name, ()).is_guessing
