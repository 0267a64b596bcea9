"""Runs: equal seeds give equal bytes on any threads; blocks lose nothing; a killed run leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hub_config.warehouse.snapshot import Snapshot, list_snapshots
from hub_config.warehouse.synthesis import Preset, presets, synthesise

Make = Callable[..., Snapshot]


def parquet(snapshot: Snapshot) -> dict[str, str]:
    return {name: sha for name, sha in snapshot.manifest.sha256.items() if name.endswith(".parquet")}


def use_threads(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    real = duckdb.connect

    def connect(
        path: str, config: dict[str, Any] | None = None, **arguments: Any
    ) -> duckdb.DuckDBPyConnection:
        return real(path, config={**(config or {}), "threads": threads}, **arguments)

    monkeypatch.setattr(duckdb, "connect", connect)


def test_equal_seeds_give_equal_parquet_on_any_number_of_threads(
    tiny: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a tenth of preset A the larger tables take several row groups: there threads could reorder them."""
    with monkeypatch.context() as patch:
        use_threads(patch, 1)
        one = tiny("one", scale=0.1)
    with monkeypatch.context() as patch:
        use_threads(patch, 4)
        four = tiny("four", scale=0.1)
    assert one.manifest.rows["lab_results"] > 122_880
    assert parquet(one) == parquet(four)


def test_another_seed_gives_other_people(tiny: Make) -> None:
    one, other = parquet(tiny("one", seed=1)), parquet(tiny("other", seed=2))
    same = {name for name in one if one[name] == other[name]}
    assert same == {
        "tables/centres.parquet",
        *(f"tables/{name}.parquet" for name in ("snds_claims", "snds_link", "snds_stays")),
    }


def test_blocks_lose_no_row_and_share_no_patient(tiny: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tiny("whole")
    monkeypatch.setattr(presets, "BLOCK", 60)
    cut = tiny("cut")
    by_chance = {"observation_periods", "practice_months", "prescriptions", "body_mass"}
    counted = set(whole.manifest.rows) - by_chance
    assert {t: cut.manifest.rows[t] for t in counted} == {t: whole.manifest.rows[t] for t in counted}
    with duckdb.connect(str(cut.database), read_only=True) as connection:
        ids = connection.execute(
            "SELECT count(DISTINCT consultation_id), max(consultation_id) + 1 FROM consultations"
        ).fetchone()
        patients = connection.execute("SELECT count(DISTINCT patient_no), max(patient_no) + 1 FROM patients")
        assert ids == (whole.manifest.rows["consultations"],) * 2
        assert patients.fetchone() == (261, 261)


@pytest.mark.parametrize(("preset", "scale"), [(Preset.A, 0.0001), (Preset.C, 0.002)])
def test_even_a_handful_of_patients_is_a_snapshot(tiny: Make, preset: Preset, scale: float) -> None:
    snapshot = tiny(preset=preset, scale=scale)
    assert snapshot.manifest.patients == snapshot.manifest.rows["patients"] > 0
    assert snapshot.manifest.source == f"preset {preset} × {scale:g}"


def test_progress_runs_from_little_to_all(tiny: Make) -> None:
    heard: list[tuple[str, float]] = []
    tiny(report=lambda label, fraction: heard.append((label, fraction)))
    fractions = [fraction for _, fraction in heard]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < 0.2
    assert fractions[-1] == pytest.approx(1.0)
    assert all(label for label, _ in heard)


def test_a_killed_run_leaves_no_snapshot_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    program = (
        "import sys; from pathlib import Path; "
        "from hub_config.warehouse.synthesis import Preset, synthesise; "
        "synthesise(Path(sys.argv[1]), preset=Preset.A, scale=0.05, "
        "report=lambda label, fraction: print(label, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(warehouse)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as process:
        assert process.stdout
        next(line for line in process.stdout if "biometrics" in line)
        process.send_signal(signal.SIGKILL)
    assert list_snapshots(warehouse) == []
    assert len(list(warehouse.glob(".building-*"))) == 1
    assert not [path for path in warehouse.iterdir() if path.name.isdecimal()]
    assert synthesise(warehouse, preset=Preset.A, scale=0.001).number == 1
    assert not list(warehouse.glob(".building-*"))
