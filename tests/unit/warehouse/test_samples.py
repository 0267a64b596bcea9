"""An export to try a load with: invented people, under a source of their own, where nothing else is."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import hub_config.warehouse.mappings as shipped
from hub_config.cli import main
from hub_config.warehouse.commands import SAMPLED
from hub_config.warehouse.loader.load import require_permission
from hub_config.warehouse.loader.mapping import VendorMapping, read_mapping
from hub_config.warehouse.samples.writing import WRITERS, SampleProblem, write_sample
from hub_config.warehouse.snapshot import open_snapshot

MAPPINGS = Path(str(shipped.__path__[0]))


def enclave(home: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["warehouse", *words], env={"P4DP_HOME": str(home), "COLUMNS": "120"})


def test_every_shipped_mapping_but_that_of_a_real_data_set_has_a_sample() -> None:
    assert {*SAMPLED} == {*WRITERS} == {path.stem for path in MAPPINGS.glob("*.toml")} - {"nafld"}


@pytest.mark.parametrize("vendor", SAMPLED)
def test_a_sample_is_loaded_by_the_line_that_it_ends_with(vendor: str, tmp_path: Path) -> None:
    home, directory = tmp_path / "home", tmp_path / "an export"
    told = enclave(home, "sample", vendor, "--to", str(directory), "--patients", "40")
    assert told.exit_code == 0, told.output
    line = told.output.splitlines()[-1].removeprefix("Load them: ")
    words = shlex.split(line)
    assert words[:2] == ["p4dp-enclave", "warehouse"]
    loaded = enclave(home, *words[2:])
    assert loaded.exit_code == 0, loaded.output
    manifest = open_snapshot(home / "warehouse", 1).manifest
    assert manifest.source.startswith("mapping sample-") and manifest.public
    assert 30 < manifest.patients <= 40
    assert manifest.rows["biometrics"] > 1000


@pytest.mark.parametrize("vendor", SAMPLED)
def test_its_mapping_is_the_shipped_one_under_another_name(vendor: str, tmp_path: Path) -> None:
    own = read_mapping(write_sample(vendor, tmp_path, 2).mapping)
    model = read_mapping(MAPPINGS / f"{vendor}.toml")
    assert own.source.name == f"sample-{model.source.name}" and own.source.in_population != model.source.name
    assert _without_source(own) == _without_source(model)
    require_permission(own, own_uids=False)


def _without_source(mapping: VendorMapping) -> dict[str, object]:
    return mapping.model_dump(exclude={"source"})


def test_what_lies_there_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("real")
    with pytest.raises(SampleProblem, match="empty"):
        write_sample("cabineo", tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["patients.csv"]
    assert enclave(tmp_path, "sample", "cabineo", "--to", str(tmp_path)).exit_code == 2
    assert (tmp_path / "patients.csv").read_text() == "real"


def test_a_larger_sample_begins_with_the_smaller_one(tmp_path: Path) -> None:
    few, many = (write_sample("cabineo", tmp_path / str(count), count) for count in (3, 6))
    for one, other in zip(few.files, many.files, strict=True):
        if one.suffix == ".csv" and one.name != "cabinets.csv":
            assert other.read_bytes().startswith(one.read_bytes())
