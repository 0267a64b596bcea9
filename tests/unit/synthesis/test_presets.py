"""Totals, scaled and cut into blocks, lose no row; what can't be made is refused before writing."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from hub_config.warehouse.snapshot import list_snapshots
from hub_config.warehouse.synthesis import Preset, PresetUnavailable, presets, synthesise
from hub_config.warehouse.synthesis.knowledge import load_knowledge
from hub_config.warehouse.synthesis.presets import Kind, apportion, blocks_of, plan_of


def test_preset_c_is_primege() -> None:
    plan = plan_of(Preset.C)
    assert plan.patients == 180_000
    assert plan.rows[Kind.CONSULTATIONS] == 3_500_000
    assert plan.physicians["CAE"] + plan.physicians["ROU"] == 39  # Normandie
    assert plan.physicians["MAR"] + plan.physicians["NCE"] == 31  # Provence-Alpes-Côte d'Azur


def test_preset_b_is_the_overweight_dashboard() -> None:
    plan = plan_of(Preset.B)
    assert (plan.patients, plan.measured) == (103_618, 71_719)
    assert plan.rows[Kind.CONSULTATIONS] == 3_437_656
    assert plan.rows[Kind.BIOMETRICS] == 1_323_146


def test_preset_d_is_the_national_target() -> None:
    plan = plan_of(Preset.D)
    assert plan.patients == 5_000_000
    assert (len(plan.physicians), sum(plan.physicians.values())) == (35, 2_000)
    assert plan.rows[Kind.CONSULTATIONS] == plan.rows[Kind.DIAGNOSES] == 100_000_000
    assert sum(plan.rows.values()) == 400_000_000


def test_as_many_patients_of_preset_b_have_a_biometry_as_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the patient, over several blocks."""
    monkeypatch.setattr(presets, "BLOCK", 700)
    snapshot = synthesise(tmp_path, preset=Preset.B, scale=0.02)
    plan = plan_of(Preset.B, 0.02)
    assert plan.blocks == 3
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        found = connection.execute("SELECT count(*), count(DISTINCT patient_no) FROM biometrics").fetchone()
    assert found == (plan.rows[Kind.BIOMETRICS], plan.measured) == (26_463, 1_434)


def test_preset_d_is_made_to_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "BLOCK", 1_000)
    made, plan = synthesise(tmp_path, preset=Preset.D, scale=0.0005).manifest, plan_of(Preset.D, 0.0005)
    assert (made.patients, made.rows["centres"], made.physicians) == (2_500, 35, 175)
    past = {Kind.ANTECEDENTS, Kind.HISTORIQUE}
    assert {kind: made.rows[kind] for kind in plan.rows if kind not in past} == {
        kind: rows for kind, rows in plan.rows.items() if kind not in past
    }
    assert made.rows["history"] == sum(plan.rows[kind] for kind in past)


@pytest.mark.parametrize(("scale", "blocks"), [(1.0, 3), (0.2, 1), (4.0, 11)])
def test_the_parts_of_all_blocks_add_up(scale: float, blocks: int) -> None:
    plan = plan_of(Preset.C, scale)
    parts = list(blocks_of(plan))
    assert len(parts) == blocks
    assert [part.first for part in parts] == [0, *(part.last for part in parts[:-1])]
    assert parts[-1].last == plan.patients
    assert max(part.size for part in parts) <= presets.BLOCK
    for total in (1, 7, *plan.rows.values()):
        assert sum(part.part(total) for part in parts) == total


@pytest.mark.parametrize("scale", [0.001, 0.01, 0.3])
def test_a_small_snapshot_keeps_five_gps_a_centre(scale: float) -> None:
    for preset in (Preset.A, Preset.C):
        assert min(plan_of(preset, scale).physicians.values()) >= 5


@pytest.mark.parametrize(
    ("total", "weights"), [(10, [1, 1, 1]), (0, [1, 2]), (3, [5, 0, 1, 1]), (262_352, [0.1, 7, 33])]
)
def test_apportioning_loses_nothing(total: int, weights: list[float]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    assert all(abs(p - total * w / sum(weights)) < 1 for p, w in zip(parts, weights, strict=True))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"preset": Preset.A, "scale": 0}, "choose one above 0"),
        ({"preset": Preset.A, "scale": float("nan")}, "choose one above 0"),
        ({"preset": Preset.A, "scale": 1e9}, "up to 100"),
        ({"preset": Preset.A, "seed": -1}, "choose 0 or more"),
    ],
)
def test_what_cannot_be_made_is_refused_and_says_what_can(
    arguments: dict[str, object], says: str, tmp_path: Path
) -> None:
    with pytest.raises(PresetUnavailable, match=says):
        synthesise(tmp_path / "warehouse", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "warehouse").exists()
    assert list_snapshots(tmp_path / "warehouse") == []


def test_the_country_has_35_centres_with_short_ids() -> None:
    centres = load_knowledge().centres
    assert len({centre.code for centre in centres}) == len({centre.label for centre in centres}) == 35
    assert all(len(centre.code) == 3 for centre in centres)
    assert {*plan_of(Preset.A).physicians, *plan_of(Preset.C).physicians} <= {c.code for c in centres}
