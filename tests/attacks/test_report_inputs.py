"""A member gets code or data of their own into the enclave's run of an approved template, so that what it
leaves is taken for the enclave's: startup files of IPython, what an earlier run left, files that came in, a
parameter that is code.

In the real box of a run. Each first succeeds in the box with that defence taken out.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from papermill.translators import PythonTranslator

from hub_config.boxes.box import Box, Mount
from hub_config.governance.runs import Run
from hub_config.spawner.furnishing import ENTRIES_INSIDE, Place, furnish
from hub_config.spawner.order import Order
from hub_config.spawner.runs import as_run, prepare_run_home
from tests.attacks.sandbox_range import CHECKOUT, MODES, SECRET, Range, python

PROJECT, SERVICE = "these-ines", "svc-these-ines"
RUN = Run("0123456789ab", "essai", b"{}", {}, "fr", 60)
IPYTHON = (python(), "-m", "IPython", "--no-banner", "-c", "print('fini')")


@pytest.fixture(params=MODES, ids=str)
def enclave(request: pytest.FixtureRequest) -> Iterator[Range]:
    made = Range(request.param)
    yield made
    made.close()


def planted(enclave: Range, home: Path) -> None:
    """Code that IPython runs when it starts, wherever this is its home."""
    startup = home / ".ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text(f"print({SECRET!r})")
    for path in (home, *home.rglob("*")):
        if os.geteuid() == 0:
            os.chown(path, enclave.box_uid, enclave.box_uid)


def place_of(enclave: Range, home: Path) -> Place:
    return Place(SERVICE, home, enclave.runtime / "s/mine", enclave.runtime / "w/1/hub")


def run_home(enclave: Range) -> Path:
    """As the spawner makes it, for the uid that the box has."""
    uid = enclave.box_uid if os.geteuid() == 0 else None
    home = prepare_run_home(enclave.state / "homes", PROJECT, SERVICE, uid, RUN)
    if os.geteuid() == 0:  # the enclave's folder, which root made here
        os.chown(home.parent, enclave.enclave_uid, enclave.enclave_uid)
    return home


def box_of(place: Place) -> Box:
    """The box that the spawner makes for a run here."""
    environment = Path(sys.prefix)
    box = furnish(place, environment, CHECKOUT / "templates_notebooks", {})
    order = Order("", box, (), python(), "", "", {}, None, Path("/"), "", 0, 0)
    return as_run(order, place, environment, RUN, "token").box


def without(box: Box, *names: str) -> Box:
    return replace(box, environment={k: v for k, v in box.environment.items() if k not in names})


def test_startup_files_of_a_member_are_not_run(enclave: Range) -> None:
    planted(enclave, enclave.home)
    members = box_of(place_of(enclave, enclave.home))
    assert SECRET in enclave.tell_program(without(members, "IPYTHONDIR"), IPYTHON)
    assert SECRET not in enclave.tell_program(members, IPYTHON), "even in such a home"
    own = box_of(place_of(enclave, run_home(enclave)))
    said = enclave.tell_program(without(own, "IPYTHONDIR"), IPYTHON)
    assert SECRET not in said and "fini" in said, "and no member's home is the run's"
    assert SECRET not in enclave.tell_program(own, IPYTHON)


def test_what_an_earlier_run_left_is_not_found(enclave: Range) -> None:
    first = run_home(enclave)
    planted(enclave, first)
    left = without(box_of(place_of(enclave, first)), "IPYTHONDIR")
    assert SECRET in enclave.tell_program(left, IPYTHON)
    second = without(box_of(place_of(enclave, run_home(enclave))), "IPYTHONDIR")
    assert SECRET not in enclave.tell_program(second, IPYTHON)


def test_files_that_came_in_are_not_there(enclave: Range) -> None:
    entries = enclave.directory / "entrees"
    entries.mkdir(mode=0o755)
    (entries / "liste.py").write_text(SECRET)
    place = replace(place_of(enclave, run_home(enclave)), entries=entries)
    attack = f"print(open({ENTRIES_INSIDE + '/liste.py'!r}).read())"
    box = box_of(place)
    assert SECRET in enclave.tell(replace(box, mounts=(*box.mounts, Mount(entries, ENTRIES_INSIDE))), attack)
    assert SECRET not in enclave.tell(box, attack)


def test_all_that_is_writable_in_a_run_is_its_own_home(enclave: Range) -> None:
    home = run_home(enclave)
    assert [mount.source for mount in box_of(place_of(enclave, home)).mounts if mount.writable] == [home]


def test_no_variable_of_a_run_is_anyone_s_to_choose(enclave: Range) -> None:
    """The list is closed: none adds a path of modules, of kernels or of settings outside the box."""
    told = box_of(place_of(enclave, run_home(enclave))).environment
    assert not {"PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "JUPYTER_PATH", "LD_PRELOAD"} & set(told)
    assert told["PYTHONNOUSERSITE"] == "1"
    folders = ("IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR")
    assert all(told[name].startswith("/tmp/") for name in folders)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.lists(st.text(max_size=20), max_size=3))
def test_a_parameter_stays_a_value(value: str | list[str]) -> None:
    """As papermill writes it into the notebook; as it is, it would be code."""
    injected = f"code = {PythonTranslator.translate(value)}"
    (statement,) = ast.parse(injected).body
    assert isinstance(statement, ast.Assign) and ast.literal_eval(statement.value) == value


def test_a_parameter_written_as_it_is_would_be_code() -> None:
    attack = '"; import os; x = "'
    assert len(ast.parse(f'code = "{attack}"').body) == 3, "undefended, the attack succeeds"
    assert len(ast.parse(f"code = {PythonTranslator.translate(attack)}").body) == 1
