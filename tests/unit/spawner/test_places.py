"""Homes, user ids, interpreter and templates: who owns what, and what can't be talked into being written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub_config.boxes.box import Box, Mount
from hub_config.boxes.interpreter import NoEnvironment, interpreter_mounts
from hub_config.spawner.homes import UnusableName, prepare_home
from hub_config.spawner.order import NotStarted, Order, Started, read_answer, write_answer
from hub_config.spawner.uids import NoUidLeft, UidRegister

FIRST = 3_000_000_000  # no account of any machine


def test_a_uid_is_for_good_and_for_one(tmp_path: Path) -> None:
    register = UidRegister(tmp_path / "uids.json", FIRST, 3)
    ines = register.uid_for("ines", "these-ines")
    assert register.uid_for("ines", "bac-a-sable") != ines
    assert register.uid_for("rachid", "these-ines") != ines
    assert UidRegister(tmp_path / "uids.json", FIRST, 3).uid_for("ines", "these-ines") == ines
    with pytest.raises(NoUidLeft, match=r"enclave\.toml"):
        register.uid_for("dora", "these-ines")


def test_the_uid_of_an_account_is_skipped(tmp_path: Path) -> None:
    mine = os.getuid()
    assert UidRegister(tmp_path / "uids.json", mine, 70_000).uid_for("ines", "these-ines") > mine


def test_a_home_is_closed(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "homes", "these-ines", "ines", None)
    assert home == tmp_path / "homes" / "these-ines" / "ines"
    assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in (home, home.parent, home.parent.parent))


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", ".hidden", "a\0b", "é", "-rf", "x" * 65, "Ines"])
def test_a_name_that_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableName):
        prepare_home(tmp_path / "homes", "these-ines", name, None)
    with pytest.raises(UnusableName):
        prepare_home(tmp_path / "homes", name, "ines", None)
    assert not (tmp_path / "homes").exists()


def test_the_interpreter_comes_with_its_installation_under_every_name(tmp_path: Path) -> None:
    installed = tmp_path / "cpython-3.11.7" / "bin"
    installed.mkdir(parents=True)
    (installed / "python3.11").touch()
    (tmp_path / "cpython-3.11").symlink_to("cpython-3.11.7")
    environment = tmp_path / "workspace"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(tmp_path / "cpython-3.11" / "bin" / "python3.11")
    real = tmp_path / "cpython-3.11.7"
    assert set(interpreter_mounts(environment)) == {
        Mount(environment, str(environment)),
        Mount(real, str(real)),
        Mount(real, str(tmp_path / "cpython-3.11")),
    }
    with pytest.raises(NoEnvironment, match="make"):
        list(interpreter_mounts(tmp_path / "absent"))


def test_every_defence_of_a_box_is_an_argument_that_can_be_taken_out() -> None:
    box = Box(mounts=(Mount(Path("/usr"), "/usr"),), environment={"A": "b"})
    defences = [name for name, value in vars(box).items() if isinstance(value, bool)]
    assert len(defences) >= 9
    for name in defences:
        assert Box(**(vars(box) | {name: not getattr(box, name)})).arguments() != box.arguments()


def test_an_order_crosses_the_pipe_unchanged() -> None:
    box = Box(mounts=(Mount(Path("/usr"), "/usr", writable=True),), environment={"A": "b"})
    order = Order("x", box, ("a",), "p", "i", "t", {"processes": 1}, None, Path("/r"), "http://h", 1, 2)
    assert Order.from_json(order.to_json()) == order
    for answer in (Started(8), NotStarted("why")):
        assert read_answer(write_answer(answer)) == answer
    assert isinstance(read_answer(b""), NotStarted)
