"""What an indicator costs before protection: its expression on DuckDB, against SQL written by hand that gives
the same numbers. `make bench` records the ratios; that the numbers are the same is asserted always.

The warehouse is preset C. `P4DP_BENCH_WAREHOUSE` names one that is there already: ten times preset C takes
seven minutes to make.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from hub_config.warehouse.snapshot import Snapshot, list_snapshots
from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from p4dp_sdk.indicators.indicator import Indicator
from p4dp_sdk.indicators.measure import Unit
from tests.benchmarks import indicators_sql
from tests.benchmarks.page import in_turn, section, table
from tests.benchmarks.thesis.raw import Raw, raw

ON = date(2022, 12, 31)
YEAR = (date(2022, 1, 1), ON)
GIVEN = "P4DP_BENCH_WAREHOUSE"
TURNS = 4
TOO_SHORT = 0.01  # seconds: below, a ratio is of the engine's mood


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    snapshot = synthesise(tmp_path_factory.mktemp("small"), preset=Preset.A, scale=0.2, seed=5)
    with raw(snapshot) as opened:
        yield opened


def expression(measure: str, opened: Raw) -> str:
    """The indicator's question in the engine's own words."""
    import ibis

    indicator: Indicator = opened.workspace.indicators[measure]
    counts_patients = indicator.measure_.unit is Unit.PATIENT
    return str(ibis.to_sql(indicator.expr(at=ON) if counts_patients else indicator.expr(between=YEAR)))


@pytest.mark.parametrize("measure", indicators_sql.measures())
def test_the_sql_by_hand_gives_the_same_numbers(measure: str, small: Raw) -> None:
    ours = small.connection.execute(expression(measure, small)).fetchall()
    by_hand = small.connection.execute(indicators_sql.statement(measure, ON)).fetchall()
    assert ours == by_hand
    assert ours[0][0] > 0


def test_every_measure_is_written_by_hand_or_a_plain_count(small: Raw) -> None:
    plain = {"motifs", "diagnostics", "carnet"}
    others = {name for name in small.workspace.indicators if not name.startswith("general_")} - plain
    assert others <= set(indicators_sql.measures())


def _warehouse(directory: Path) -> Snapshot:
    given = os.environ.get(GIVEN)
    if given:
        return list_snapshots(Path(given))[-1]
    return synthesise(directory, preset=Preset.C)


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_indicators_against_sql(tmp_path: Path) -> None:
    snapshot = _warehouse(tmp_path)
    rows, ratios = [], {}
    with raw(snapshot) as opened:
        for measure in indicators_sql.measures():
            texts = (expression(measure, opened), indicators_sql.statement(measure, ON))
            ours, by_hand = (opened.connection.execute(text).fetchall() for text in texts)
            assert ours == by_hand, measure
            works = [lambda text=text: opened.connection.execute(text).fetchall() for text in texts]
            took, least = in_turn(*works, turns=TURNS)
            if least >= TOO_SHORT:
                ratios[measure] = took / least
            rows.append((measure, f"{1000 * took:.0f}", f"{1000 * least:.0f}", f"{took / least:.2f}"))
            print(" | ".join(rows[-1]), flush=True)
    above = sorted(measure for measure, ratio in ratios.items() if ratio > 1.3)
    with section(f"Indicators against SQL by hand: {snapshot.manifest.source}") as page:
        page += [f"{snapshot.manifest.rows['patients']:,} patients, DuckDB, before protection.", ""]
        page += table(("indicator", "expression, ms", "SQL, ms", "ratio"), rows)
        page += [f"The largest ratio is {max(ratios.values()):.2f}. Above 1.3: {', '.join(above) or 'none'}."]
