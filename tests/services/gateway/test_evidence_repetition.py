"""How many rows one patient can have in a cell: what is told from facts of tables, against what is so."""

from __future__ import annotations

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
from hub_config.gateway.rules.plan import PATIENT
from hub_config.gateway.stopping import Stop, Stopped, StopReason
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
    rows = [(code, date(year, 5, 1), year, who) for code, year, who in facts]
    if rows:
        made.executemany("INSERT INTO warehouse.ill VALUES (?, ?, ?, ?)", rows)
    made.execute(f"CREATE VIEW ill AS SELECT *, patient_no AS {PATIENT}, 1 AS __physician FROM warehouse.ill")
    made.execute(f"CREATE VIEW who AS SELECT *, patient_no AS {PATIENT} FROM warehouse.who")
    return replace(session(), connection=made, stop=Stop(600.0), known={})


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
