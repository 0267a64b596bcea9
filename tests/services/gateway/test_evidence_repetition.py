"""How many rows one patient can have in a cell: what is told from facts of tables, against what is so."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.engine import Session
from hub_config.gateway.evidence import repetition
from hub_config.gateway.evidence.fanout import most_rows
from hub_config.gateway.evidence.repetition import most_rows_of_cells
from hub_config.gateway.evidence.source import source
from hub_config.gateway.evidence.warming import warm
from hub_config.gateway.kept import Kept
from hub_config.gateway.rules.plan import PATIENT
from hub_config.gateway.stopping import Stop, Stopped, StopReason
from p4dp_sdk.catalogue.model import Catalogue, Column, Role, Table, Unit
from tests.services.gateway.evidence_world import COUNTED, release, session

FACTS = {"code": "string", "day": "date", "number": "int64", PATIENT: "int64", "__physician": "int32"}
PEOPLE = {"sex": "string", PATIENT: "int64"}
ILL, WHO = ibis.table(FACTS, name="ill"), ibis.table(PEOPLE, name="who")

Fact = st.tuples(st.sampled_from(["A", "B", "None", None]), st.integers(2019, 2021), st.integers(0, 7))


def warehouse(facts) -> Session:
    """Tables under their stored names, and the views of a project."""
    made = duckdb.connect(config={"threads": "1"})
    made.execute("ATTACH ':memory:' AS warehouse")
    made.execute("CREATE TABLE warehouse.ill (code VARCHAR, day DATE, number BIGINT, patient_no BIGINT)")
    made.execute("CREATE TABLE warehouse.who (sex VARCHAR, patient_no BIGINT)")
    made.execute("INSERT INTO warehouse.who SELECT if(i % 2 = 0, 'F', 'M'), i FROM range(8) t(i)")
    made.execute("CREATE TABLE warehouse.patients AS SELECT i AS patient_no FROM range(8) t(i)")
    rows = [(code, date(year, 5, 1), year, who) for code, year, who in facts]
    if rows:
        made.executemany("INSERT INTO warehouse.ill VALUES (?, ?, ?, ?)", rows)
    made.execute(f"CREATE VIEW ill AS SELECT *, patient_no AS {PATIENT}, 1 AS __physician FROM warehouse.ill")
    made.execute(f"CREATE VIEW who AS SELECT *, patient_no AS {PATIENT} FROM warehouse.who")
    return replace(session(), connection=made, stop=Stop(600.0), known={}, kept=Kept())


def plain(keyed):
    return keyed.select("code", PATIENT, "__physician")


BY_CODE = plain(ILL.mutate(code=ILL["code"]))
BY_YEAR = plain(ILL.mutate(code=ILL["day"].year()))
OF_CODE = plain(ILL.filter(ILL["code"] == "A").mutate(code=ibis._["number"].cast("string")))
BY_LENGTH = plain(ILL.mutate(code=ILL["code"].length()))
BY_SEX = plain(ILL.join(WHO, PATIENT).mutate(code=ibis._["sex"]))
JOINED = plain(ILL.left_join(WHO, PATIENT).mutate(code=ILL["code"]))
TWICE = plain(ILL.join(ILL.view(), PATIENT).mutate(code=ILL["code"]))
TOGETHER = plain(
    ILL.group_by(PATIENT, "day")
    .agg(__physician=ibis._["__physician"].min())
    .mutate(code=ibis._["day"].year())
)
CLOSE = (BY_CODE, BY_YEAR, JOINED)


def cells_of(connection, rows) -> tuple[pa.Table, np.ndarray, np.ndarray, int]:
    """The keys of all cells, the bound and the truth of each, and the most of anybody."""
    made = source(connection, release(keys=("code",), measures=(COUNTED,), rows=rows, domains=()))
    of_each = f"SELECT code, count(*) AS n FROM {made.view} GROUP BY code, {PATIENT}"
    found = connection.fetch(f"SELECT code, max(n) AS n FROM ({of_each}) GROUP BY code")
    most = most_rows(made)
    keys = found.select(["code"])
    return keys, most_rows_of_cells(made, keys, most), found.column("n").to_numpy(), most


@settings(max_examples=25, deadline=None)
@given(st.lists(Fact, max_size=40))
@pytest.mark.parametrize(
    "rows", [BY_CODE, BY_YEAR, OF_CODE, BY_LENGTH, BY_SEX, JOINED, TWICE, TOGETHER], ids=range(8)
)
def test_nobody_has_more_rows_than_the_bound(rows, facts):
    _, bound, truth, most = cells_of(warehouse(facts), rows)
    assert (truth <= bound).all() and (bound <= max(most, 1)).all()


@pytest.mark.parametrize("rows", CLOSE, ids=range(3))
def test_the_bound_of_a_code_or_year_is_the_most_of_it(rows):
    facts = [("A", 2020, p % 8) for p in range(32)] + [("B", 2021, 1), ("B", 2019, 1), ("A", 2019, 2)]
    keys, bound, truth, most = cells_of(warehouse(facts), rows)
    assert most > max(truth.min(), 1) and keys.num_rows > 1
    assert np.array_equal(bound, truth)


def test_a_condition_on_a_code_bounds_every_cell():
    facts = [("A", 2020, 1)] * 2 + [("B", 2020, 1)] * 30
    _, bound, _, most = cells_of(warehouse(facts), OF_CODE)
    assert bound.tolist() == [2] and most == 32


def test_facts_are_found_out_once_and_go_on_where_they_stopped(monkeypatch):
    monkeypatch.setattr(repetition, "_AT_ONCE", 4)
    facts = [("A", 2020, p % 8) for p in range(24)] + [("B", 2020, 7)] * 5
    connection, asked = warehouse(facts), []
    stopping = replace(connection, known=connection.known)
    real = repetition._by_value

    def interrupted(*arguments):
        asked.append(arguments[-2:])
        if len(asked) == 3:
            raise Stopped(StopReason.TIME)
        return real(*arguments)

    monkeypatch.setattr(repetition, "_by_value", interrupted)
    with pytest.raises(Stopped):
        cells_of(stopping, BY_CODE)
    _, bound, truth, _ = cells_of(stopping, BY_CODE)
    assert np.array_equal(bound, truth)
    ranges = len(asked) - 1
    assert len(set(asked)) == ranges == 8
    cells_of(stopping, BY_CODE)
    assert len(asked) == ranges + 1


def column(name: str, dtype: str, role: Role) -> Column:
    return Column(name, dtype, role, "", "")


CODE, DAY, NUMBER, SEX = (
    column("code", "string", Role.CODE),
    column("day", "date", Role.DATE),
    column("number", "int64", Role.NUMERIC),
    column("sex", "string", Role.CODE),
)
CATALOGUE = Catalogue(
    {
        name: Table(name, Unit.PERSON, "", "", "", "", columns)
        for name, columns in {"ill": (CODE, DAY, NUMBER), "who": (SEX,), "nowhere": (SEX,)}.items()
    },
    {},
)


@settings(max_examples=15, deadline=None)
@given(st.lists(Fact, min_size=1, max_size=40), st.integers(0, 20))
@pytest.mark.parametrize("rows", CLOSE, ids=range(3))
def test_an_answer_is_the_same_whether_its_facts_were_known(rows, facts, stopped_after):
    """All of them, none, or those that were found out until somebody asked."""
    cold, warmed, half = warehouse(facts), warehouse(facts), warehouse(facts)
    warm(warmed, CATALOGUE, larger_than=0)
    known = dict(warmed.known)
    with suppress(Stopped):
        warm(replace(half, stop=Few(stopped_after)), CATALOGUE, larger_than=0)
    bounds = [cells_of(each, rows)[1].tolist() for each in (cold, warmed, half)]
    assert bounds[0] == bounds[1] == bounds[2]
    assert warmed.known == known and cold.known.items() <= known.items()
    assert half.known.items() <= known.items()


class Few(Stop):
    """Lets so many statements pass."""

    def __init__(self, statements: int) -> None:
        super().__init__(600.0)
        self.left = statements

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Stopped(StopReason.SHUTDOWN)


def test_nothing_is_found_out_ahead_of_small_tables():
    connection = warehouse([("A", 2020, 1)])
    warm(connection, CATALOGUE, larger_than=8)
    assert not connection.known
