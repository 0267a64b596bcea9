"""What an operator types and reads: outputs, messages and exit codes."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from hub_config.cli import main
from hub_config.isolation import workspaces_have_own_uid
from hub_config.warehouse.snapshot import list_snapshots

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Vendor

    from hub_config.warehouse.snapshot import Snapshot


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    def run(*arguments: str, home: Path = tmp_path) -> Result:
        return CliRunner().invoke(
            main, ["warehouse", *arguments], env={"P4DP_HOME": str(home), "COLUMNS": "120"}
        )

    return run


@pytest.fixture
def public(vendor: Vendor) -> str:
    """The path of the vendor's mapping, declared public so that it loads whoever runs the tests."""
    path = vendor.home / "public.toml"
    path.write_text(vendor.mapping.replace('label = "A vendor"', 'label = "A vendor"\npublic = true'))
    return str(path)


@pytest.mark.parametrize("command", [[], ["load"], ["list"], ["check"], ["synthesise"]])
def test_every_command_has_help(run: Callable[..., Result], command: list[str]) -> None:
    result = run(*command, "--help")
    assert (result.exit_code, result.output.startswith("Usage:")) == (0, True)


def test_load_prints_rows_and_the_rows_set_aside(
    run: Callable[..., Result], vendor: Vendor, public: str
) -> None:
    with (vendor.directory / "events.csv").open("a") as file:
        file.write("ZQX-1,2001-02-03,K866\n")
    result = run("load", "--mapping", public, str(vendor.directory))
    assert result.exit_code == 0
    assert "Snapshot 1 (mapping vendor): 6 patients, 2 GPs." in result.output
    assert "unknown-code" in result.output
    assert "rejected.csv" in result.output
    assert "K866" not in result.output


def test_synthesise_makes_a_snapshot(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("synthesise", "--preset", "A", "--scale", "0.02")
    assert result.exit_code == 0
    assert "Snapshot 1 (preset A" in result.output
    assert list_snapshots(tmp_path / "warehouse")[0].manifest.synthetic


def test_an_impossible_scale_is_explained(run: Callable[..., Result]) -> None:
    result = run("synthesise", "--preset", "A", "--scale", "1000000")
    assert result.exit_code == 2
    assert "can't be made: choose one above 0" in result.output


def test_a_refused_load_exits_with_2_and_one_message(
    run: Callable[..., Result], vendor: Vendor, public: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (vendor.directory / "events.csv").unlink()
    result = run("load", "--mapping", public, str(vendor.directory))
    assert result.exit_code == 2
    assert "events.csv is not in" in result.output
    assert "Traceback" not in result.output


def test_real_data_are_refused_where_workspaces_share_a_uid(
    run: Callable[..., Result], vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    path = vendor.home / "real.toml"
    path.write_text(vendor.mapping)
    result = run("load", "--mapping", str(path), str(vendor.directory))
    assert result.exit_code == 2
    assert "synthetic or public data only" in result.output


def test_an_unknown_mapping_names_the_shipped_ones(run: Callable[..., Result], vendor: Vendor) -> None:
    result = run("load", "--mapping", "nowhere", str(vendor.directory))
    assert result.exit_code == 2
    assert "Shipped mappings: " in result.output
    assert "nafld" in result.output


def test_list_shows_the_unusable_too(
    run: Callable[..., Result], build: Callable[..., Snapshot], tmp_path: Path
) -> None:
    assert "No snapshot yet" in run("list").output
    build()
    (build().directory / "manifest.json").unlink()
    lines = run("list").output.splitlines()
    assert lines[1].split()[:4] == ["1", "test", "synthetic", build().manifest.created_at[:10]]
    assert lines[2].split()[:2] == ["2", "corrupt:"]


def test_check_exits_with_1_when_a_snapshot_is_damaged(
    run: Callable[..., Result], build: Callable[..., Snapshot]
) -> None:
    build()
    assert run("check").exit_code == 0
    (build().directory / "tables" / "patients.parquet").unlink()
    result = run("check")
    assert result.exit_code == 1
    assert "Snapshot 1 is as it was built." in result.output
    assert "Snapshot 2 can't be used" in result.output
    assert run("check", "1").exit_code == 0
    assert run("check", "7").exit_code == 1


def test_check_prints_each_table_by_centre_and_by_month(
    run: Callable[..., Result], vendor: Vendor, public: str
) -> None:
    assert run("load", "--mapping", public, str(vendor.directory)).exit_code == 0
    assert "2001-02" not in run("check", "1").output
    said = run("check", "1", "--by", "month", "--by", "centre").output
    assert re.search(r"diagnoses +2001-02 +1\b", said) and re.search(r"diagnoses +2019-01 +1\b", said)
    assert re.search(r"^table +centre +rows", said, re.MULTILINE)


def test_only_root_in_its_own_home_gives_workspaces_their_own_uid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.getuid() == 0:
        assert workspaces_have_own_uid(tmp_path)
        os.chown(tmp_path, 1234, 1234)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not workspaces_have_own_uid(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not workspaces_have_own_uid(tmp_path / "absent")
