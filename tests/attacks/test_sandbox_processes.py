"""From inside a workspace: other processes of the machine: seen, signalled, traced; and programs that outlive
the box."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.attacks.sandbox_range import MODES, Range, python

VICTIM = """
import ctypes, sys, time
ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1))  # anybody may trace this one
print("up", flush=True)
time.sleep(600)
"""

TRACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print("traced" if libc.ptrace(16, {pid}, None, None) == 0 else os.strerror(ctypes.get_errno()))
"""


@pytest.fixture(params=MODES, ids=str)
def enclave(request: pytest.FixtureRequest) -> Iterator[Range]:
    made = Range(request.param)
    yield made
    made.close()


@contextmanager
def victim(enclave: Range, *marks: str) -> Iterator[int]:
    """A process of the machine under the box's very user: nothing but the box keeps the attacker off."""
    with enclave.program(None, (python(), "-I", "-c", VICTIM, *marks)) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "up\n"
        (pid,) = children_of(driver.pid)
        yield pid
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def running(mark: str) -> list[int]:
    """Processes of the machine with `mark` on their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_other_processes_are_not_seen(enclave: Range) -> None:
    mark = secrets.token_hex(8)
    attack = "import glob\nfor f in glob.glob('/proc/[0-9]*/cmdline'): print(open(f).read())"
    with victim(enclave, mark):
        assert mark in enclave.tell(replace(enclave.box(), own_processes=False), attack)
        assert mark not in enclave.tell(enclave.box(), attack)


def test_other_processes_are_not_signalled(enclave: Range) -> None:
    with victim(enclave) as pid:
        attack = f"import os; os.kill({pid}, 9)"
        enclave.tell(enclave.box(), attack)
        assert alive(pid)
        enclave.tell(replace(enclave.box(), own_processes=False), attack)
        assert not alive(pid)


def test_other_processes_are_not_traced(enclave: Range) -> None:
    """The defences are two, a user namespace and a view of the processes; the box is taken away whole."""
    with victim(enclave) as pid:
        attack = (python(), "-I", "-c", TRACE.format(pid=pid))
        with enclave.program(None, attack) as bare:
            assert bare.communicate(timeout=200)[0].strip() == "traced"
        assert enclave.tell_program(enclave.box(), attack).strip() != "traced"
        shared = replace(enclave.box(), own_processes=False)
        assert enclave.tell_program(shared, attack).strip() != "traced"


def test_nothing_outlives_the_box(enclave: Range) -> None:
    mark = secrets.token_hex(8)
    attack = f"""
import subprocess, sys, time
subprocess.Popen([{python()!r}, "-I", "-c", "import time; time.sleep(60)", {mark!r}], start_new_session=True,
                 stdin=-3, stdout=-3, stderr=-3)
time.sleep(0.5)
"""
    enclave.tell(replace(enclave.box(), own_processes=False, dies_with_parent=False), attack)
    survivors = running(mark)
    assert len(survivors) == 1
    os.kill(survivors[0], signal.SIGKILL)
    enclave.tell(enclave.box(), attack)
    wait_for(lambda: running(mark) == [])


def inside(mark: str, starter: int) -> list[int]:
    return [pid for pid in running(mark) if pid != starter]


def test_the_box_dies_with_the_one_who_started_it(enclave: Range) -> None:
    for dies in (False, True):
        mark = secrets.token_hex(8)
        box = replace(enclave.box(), dies_with_parent=dies)
        sleep = "import time; print('up', flush=True); time.sleep(60)"
        with enclave.program(box, (python(), "-I", "-c", sleep, mark)) as starter:
            assert starter.stdout is not None
            assert starter.stdout.readline() == "up\n"
            starter.kill()
            starter.wait()
            if dies:
                wait_for(lambda mark=mark, pid=starter.pid: not inside(mark, pid))
                continue
            time.sleep(0.5)
            assert inside(mark, starter.pid), "the power of it: what is not told goes on"
            for pid in inside(mark, starter.pid):
                with suppress(ProcessLookupError):  # the first takes the others along
                    os.kill(pid, signal.SIGKILL)


def test_a_token_is_on_no_command_line(enclave: Range) -> None:
    """Every user of the machine can read command lines."""
    token = secrets.token_hex(16)
    box = replace(enclave.box(), environment={"P4DP_TOKEN": token})
    sleep = (
        python(),
        "-I",
        "-c",
        "import os, time; print(os.environ['P4DP_TOKEN'], flush=True); time.sleep(60)",
    )
    with subprocess.Popen([python(), "-c", "import time; time.sleep(60)", *box.arguments()]) as told:
        wait_for(lambda: told.pid in running(token))
        told.kill()
    with enclave.program(box, sleep) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == token
        assert set(running(token)) <= {process.pid}  # the tests' own driver is told by its command line


def wait_for(what, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)
