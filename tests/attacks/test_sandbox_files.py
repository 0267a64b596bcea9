"""From inside a workspace: the warehouse, the governance database, the keys, other projects' files, our own
programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub_config.spawner.furnishing import SERVER_CONFIG_INSIDE
from tests.attacks.sandbox_range import MODES, SECRET, Mode, Range, python, showing, with_mount

TARGETS = {
    "the warehouse": "warehouse/1/warehouse.duckdb",
    "the governance database": "governance.db",
    "the keys": "keys/pseudonyms",
    "another project's file": "homes/modeles-rachid/rachid/cohort.csv",
}


@pytest.fixture(params=MODES, ids=str)
def enclave(request: pytest.FixtureRequest) -> Iterator[Range]:
    made = Range(request.param)
    yield made
    made.close()


def reading(path: Path) -> str:
    return f"print(open({str(path)!r}).read())"


@pytest.mark.parametrize("name", TARGETS.values(), ids=TARGETS.keys())
def test_the_enclaves_files_are_not_in_the_box(enclave: Range, name: str) -> None:
    attack = reading(enclave.state / name)
    open_box = showing(enclave.box(), enclave.state)
    assert SECRET in enclave.tell(open_box, attack, own_uid=False)
    assert SECRET not in enclave.tell(enclave.box(), attack)


if Mode.OWN_UID in MODES:  # as root only: there is nothing to collect elsewhere

    def test_a_uid_of_its_own_alone_keeps_them() -> None:
        """Even a box with the state mounted in it, by mistake, shows nothing to who does not own it."""
        enclave = Range(Mode.OWN_UID)
        open_box = showing(enclave.box(), enclave.state / "keys")
        attack = reading(enclave.state / "keys/pseudonyms")
        assert SECRET in enclave.tell(open_box, attack, own_uid=False)
        assert "Permission" in enclave.tell(open_box, attack)
        enclave.close()


def test_a_link_in_the_home_leads_nowhere(enclave: Range) -> None:
    link = enclave.home / "shortcut"
    link.symlink_to(enclave.state / "governance.db")
    attack = "print(open('/home/ines/shortcut').read())"
    assert SECRET in enclave.tell(showing(enclave.box(), enclave.state), attack, own_uid=False)
    assert SECRET not in enclave.tell(enclave.box(), attack)


@pytest.mark.parametrize("target", [SERVER_CONFIG_INSIDE, "/opt/p4dp/templates", "/run/p4dp/gateway", "/usr"])
def test_nothing_but_the_home_is_writable(enclave: Range, target: str) -> None:
    """What is mounted here belongs to the box's own user, so that only the mount stands in the way.

    The system stays where it is, for the interpreter may be part of it: a folder stands in for it.
    """
    ours = enclave.directory / "ours"
    ours.mkdir()
    if os.geteuid() == 0:
        os.chown(ours, enclave.box_uid, enclave.box_uid)
    box = enclave.box()
    if target == "/usr":
        assert {mount.writable for mount in box.mounts if mount.target == "/usr"} == {False}
        box = showing(box, ours)
        target = str(ours)
    attack = f"open('{target}/planted', 'w').write('x'); print('planted')"
    assert "planted" in enclave.tell(with_mount(box, target, ours, writable=True), attack).split()
    assert "planted" not in enclave.tell(with_mount(box, target, ours, writable=False), attack).split()


def test_the_interpreter_is_mounted_read_only(enclave: Range) -> None:
    writable = {mount.target for mount in enclave.box().mounts if mount.writable}
    assert writable == {"/home/ines"}
    attack = (
        f"import os; print(os.access({python()!r}, os.W_OK), os.statvfs({python()!r}).f_flag & os.ST_RDONLY)"
    )
    assert enclave.tell(enclave.box(), attack).split() == ["False", str(os.ST_RDONLY)]


def test_the_root_of_the_box_is_fixed(enclave: Range) -> None:
    attack = "open('/planted', 'w').write('x'); print('planted')"
    assert "planted" in enclave.tell(replace(enclave.box(), fixed_root=False), attack).split()
    assert "planted" not in enclave.tell(enclave.box(), attack).split()


def test_the_home_is_writable_and_is_the_users(enclave: Range) -> None:
    enclave.tell(enclave.box(), "open('notes.txt', 'w').write('mine')")
    assert (enclave.home / "notes.txt").read_text() == "mine"
    assert (enclave.home / "notes.txt").stat().st_uid == enclave.box_uid
