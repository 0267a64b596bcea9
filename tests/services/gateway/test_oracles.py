"""An error is a bit about a person: what fails for one row only must be NULL there, and an answer everywhere.

Each computation below fails on the one row of patient 3. Compiled plainly the engine raises, so anybody could
ask "is patient 3 in this group?" and read the answer in the error. Hardened, it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import duckdb
import ibis
import pytest
from ibis.backends.sql.compilers import DuckDBCompiler

from hub_config.gateway import compile as compiling
from hub_config.gateway import harden
from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.engine import Session, scratch
from hub_config.gateway.stopping import Stop
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import PLANTED_TEXT, Workspace, table

with duckdb.connect() as _engine:
    AGGREGATES = frozenset(
        name
        for (name,) in _engine.execute(
            "SELECT lower(function_name) FROM duckdb_functions() WHERE function_type = 'aggregate'"
        ).fetchall()
    )
HUGE = 9_000_000_000_000_000_000
ROWS = ibis.table(
    {"patient": "int64", "n": "int64", "x": "float64", "text": "string", "day": "date"}, name="people"
)


def only_three(then: ibis.Value, other: ibis.Value | int | float | str) -> ibis.Value:
    return (ROWS.patient == 3).ifelse(then, other)


def value(expression: ibis.Value) -> ibis.Table:
    return ROWS.select(v=expression)


COMPUTATIONS: dict[str, Callable[[], ibis.Table]] = {
    "a cast": lambda: value(only_three(ROWS.text, "1").cast("int64")),
    "a cast to a date": lambda: value(only_three(ROWS.text, "2020-01-01").cast("date")),
    "a multiplication": lambda: value(only_three(ROWS.n, 0) * HUGE),
    "an addition": lambda: value(only_three(ROWS.n * 0 + HUGE, 0) + HUGE),
    "a subtraction": lambda: value(-only_three(ROWS.n * 0 + HUGE, 0) - HUGE),
    "a power": lambda: value((only_three(ROWS.n * 0 + HUGE, 1) * 2).cast("float64") ** 2),
    "a logarithm": lambda: value(only_three(ROWS.x * 0, 1.0).ln()),
    "a square root": lambda: value(only_three(ROWS.x * 0 - 1, 1.0).sqrt()),
    "a pattern": lambda: value(ROWS.text.re_search(only_three(ROWS.text.substr(0, 0) + "(", "a"))),
    "a date far away": lambda: value(ROWS.day + only_three(ROWS.n * 0 + 10**9, 0).as_interval("D")),
    "a predicate": lambda: ROWS.filter(only_three(ROWS.n, 0) * HUGE * ROWS.n > 0).aggregate(v=ibis._.count()),
    "a key": lambda: ROWS.group_by(k=only_three(ROWS.n, 0) * HUGE).agg(v=ibis._.count()).select("v"),
    "a sum's value": lambda: ROWS.aggregate(v=(only_three(ROWS.n, 0) * HUGE).sum()),
    "a condition": lambda: ROWS.aggregate(v=ROWS.n.sum(where=only_three(ROWS.n, 0) * HUGE * ROWS.n > 0)),
    "a count, multiplied": lambda: counted().mutate(v=ibis._.c * HUGE).select("v"),
    "a count, multiplied in the aggregate": lambda: (
        ROWS.group_by("patient").agg(v=counts() * HUGE).select("v")
    ),
    "a count, filtered on": lambda: (
        counted().filter(ibis._.c * HUGE * ibis._.c > 0).aggregate(v=ibis._.count())
    ),
    "a sum of great numbers": lambda: ROWS.aggregate(
        v=only_three(ROWS.n * 0 + HUGE, HUGE).cast("decimal(38,0)").sum()
    ),
    "a spread": lambda: ROWS.aggregate(v=only_three(ROWS.x * 0 + 1e200, 1.0).std()),
    "a variance": lambda: ROWS.aggregate(v=only_three(ROWS.x * 0 + 1e200, 1.0).var()),
    "a covariance": lambda: ROWS.aggregate(v=only_three(ROWS.x * 0 + 1e200, 1.0).cov(ROWS.x)),
    "a window, multiplied": lambda: value(windowed() * HUGE),
    "a window, filtered on": lambda: ROWS.filter(windowed() * HUGE * ROWS.n > 0).aggregate(v=ibis._.count()),
    "a window's order": lambda: value(
        ibis.row_number().over(group_by="patient", order_by=only_three(ROWS.n, 0) * HUGE)
    ),
    "membership, multiplied": lambda: value(
        (ROWS.patient.isin(ROWS.filter(ROWS.patient == 3).patient).cast("int64") + 1) * HUGE
    ),
}
HARMLESS_IN_DUCKDB = {"a power", "a sum of great numbers", "a covariance"}


def counts() -> ibis.Value:
    """2 for patient 3, else 1."""
    return only_three(ROWS.n, 1).max()


def counted() -> ibis.Table:
    return ROWS.group_by("patient").agg(c=counts())


def windowed() -> ibis.Value:
    return only_three(ROWS.n, 0).max().over(group_by="patient")


@pytest.fixture
def session() -> Iterator[Session]:
    with scratch(Stop(10), AGGREGATES) as opened:
        opened.run(
            "CREATE TABLE people AS SELECT range AS patient, 2 AS n, 1.0::DOUBLE AS x, 'secret' AS text,"
            " DATE '2020-01-01' AS day FROM range(10)"
        )
        yield opened


@pytest.mark.parametrize("case", [c for c in COMPUTATIONS if c not in HARMLESS_IN_DUCKDB])
def test_compiled_plainly_the_engine_tells(session: Session, case: str) -> None:
    sql = DuckDBCompiler().to_sqlglot(COMPUTATIONS[case]()).sql("duckdb")
    with pytest.raises(duckdb.Error):
        session.connection.execute(sql).fetchall()


@pytest.mark.parametrize("case", COMPUTATIONS)
def test_hardened_it_answers(session: Session, case: str) -> None:
    expression = COMPUTATIONS[case]()
    found = session.fetch(compile_hardened(expression, session.aggregates).sql)
    assert found.num_rows in (1, 2, 10)
    assert found.column_names == ["v"]


SAME_AS_BEFORE: dict[str, Callable[[], ibis.Table]] = {
    "arithmetic": lambda: value((ROWS.n + ROWS.patient) * 3 - 1),
    "division": lambda: value(ROWS.x / (ROWS.patient + 1)),
    "floor and remainder": lambda: value((ROWS.patient // 3) * 10 + ROWS.patient % 3),
    "text": lambda: value(ROWS.text.upper() + "-" + ROWS.patient.cast("string").lpad(3, "0")),
    "replacement": lambda: value(ROWS.text.replace("s", "ss")),
    "dates": lambda: value(ROWS.day.delta(ibis.date("2019-12-01"), unit="day") + ROWS.day.year()),
    "ratio of aggregates": lambda: (
        ROWS.group_by(ROWS.patient % 2).agg(v=ROWS.n.sum() / ROWS.count()).select("v")
    ),
    "many aggregates": lambda: ROWS.aggregate(
        a=ROWS.n.sum(),
        b=ROWS.x.mean(),
        c=ROWS.patient.nunique(),
        d=ROWS.x.median(),
        e=ROWS.n.max() - ROWS.n.min(),
    ),
    "spread": lambda: ROWS.aggregate(v=ROWS.patient.std(), w=ROWS.patient.var(how="pop")),
    "first of a group": lambda: ROWS.aggregate(
        v=ROWS.text.first(order_by=ROWS.day), w=ROWS.n.argmax(ROWS.patient)
    ),
    "windows": lambda: ROWS.mutate(
        r=ibis.row_number().over(order_by="patient"), s=ROWS.n.cumsum(order_by="patient"), l=ROWS.n.lag() + 1
    ),
    "share": lambda: value(ROWS.n / ROWS.n.sum().over()),
    "membership": lambda: ROWS.filter(~ROWS.patient.isin(ROWS.filter(ROWS.n * ROWS.patient > 6).patient)),
    "membership and arithmetic": lambda: ROWS.filter(
        ROWS.patient.isin(ROWS.filter(ROWS.patient > 3).patient) & (ROWS.patient * 2 < 14)
    ),
    "case": lambda: value(ibis.cases((ROWS.patient < 3, "low"), (ROWS.patient < 6, "mid"), else_="high")),
    "join": lambda: ROWS.join(ROWS.view(), "patient").select("patient"),
    "pivot": lambda: ROWS.mutate(k=(ROWS.patient % 2).cast("string")).pivot_wider(
        id_cols="n", names_from="k", values_from="x", values_agg="sum", names=["0", "1"]
    ),
}


@pytest.mark.parametrize("case", SAME_AS_BEFORE)
def test_what_computes_without_an_error_computes_the_same(session: Session, case: str) -> None:
    expression = SAME_AS_BEFORE[case]()
    plain = session.fetch(DuckDBCompiler().to_sqlglot(expression).sql("duckdb"))
    hardened = session.fetch(compile_hardened(expression, session.aggregates).sql)
    assert hardened.column_names == plain.column_names
    assert ordered(hardened.to_pylist()) == ordered(plain.to_pylist())


def ordered(rows: list[dict[str, object]]) -> list[str]:
    """Rows in any order; numbers as floats, for a sum may come back with fewer bits."""
    return sorted(
        str({k: round(float(v), 9) if isinstance(v, int | float | Decimal) else v for k, v in row.items()})
        for row in rows
    )


@pytest.mark.parametrize(
    "grown",
    [
        ROWS.text.lpad(only_three(ROWS.n * 0 + 2_000_000_000, 1), "x"),
        ROWS.text.rpad(only_three(ROWS.n * 0 + 2_000_000_000, 1), "x"),
        ROWS.text.repeat(only_three(ROWS.n * 0 + 2_000_000_000, 1)),
    ],
    ids=["lpad", "rpad", "repeat"],
)
def test_a_text_that_grows_for_one_patient_costs_neither_time_nor_memory(
    session: Session, grown: ibis.Value
) -> None:
    found = session.fetch(compile_hardened(value(grown.length()), session.aggregates).sql)
    assert max(v for v in found["v"].to_pylist() if v is not None) <= harden.LONGEST_TEXT


def test_doubling_a_text_again_and_again_stays_small(session: Session) -> None:
    text = ROWS.text
    for _ in range(30):
        text = text.replace("s", "ss")
    found = session.fetch(compile_hardened(value(text.length()), session.aggregates).sql)
    assert max(found["v"].to_pylist()) <= harden.LONGEST_TEXT


# --- through the gateway -----------------------------------------------------------------------------------


def raw_as_number() -> ibis.Table:
    rows = table("biometrics", "patient_id", "value_raw")
    return rows.mutate(number=rows.value_raw.cast("int64")).select("number")


async def test_a_cast_that_fails_is_null(rachid: Workspace) -> None:
    answer, _ = await rachid.answer(raw_as_number())
    assert set(answer["number"].to_pylist()) == {None}


async def test_should_the_engine_fail_all_the_same_its_words_stay_inside(
    rachid: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With hardening taken out DuckDB does fail, and quotes the value."""
    caplog.set_level("DEBUG")
    monkeypatch.setattr(compiling, "harden", lambda query, _: query)
    response = await rachid.ask(raw_as_number())
    assert (response.status_code, response.json()["code"]) == (500, ErrorCode.ENGINE_FAILED)
    events = "".join(str(event) for event in rachid.enclave.events())
    assert PLANTED_TEXT not in response.text + caplog.text + events


async def test_a_predicate_that_fails_for_one_code_is_an_answer(ines: Workspace) -> None:
    """Whether any patient has a code that is no number can't be read in an error."""
    rows = table("diagnoses")
    asked = rows.filter(rows.cisp2.substr(0, 1).cast("int64") > 80)
    assert (await ines.ask(asked.group_by("cisp2").agg(n=asked.patient_id.nunique()))).status_code == 200
