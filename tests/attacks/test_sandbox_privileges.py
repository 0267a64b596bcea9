"""From inside a workspace: more rights than one was given: mounting, namespaces, setuid programs, the
terminal, memory."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.attacks.sandbox_range import MODES, Mode, Range, python, showing

MOUNT = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.unshare(0x20000)
print("mounted" if libc.mount(b"x", b"/tmp", b"tmpfs", 0, None) == 0 else os.strerror(ctypes.get_errno()))
"""
NEW_USER_NAMESPACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print("entered" if libc.unshare(0x10000000) == 0 else os.strerror(ctypes.get_errno()))
"""
STATUS = "print(*[l for l in open('/proc/self/status') if l.startswith(('NoNewPrivs', 'CapEff', 'CapBnd'))])"


@pytest.fixture(params=MODES, ids=str)
def enclave(request: pytest.FixtureRequest) -> Iterator[Range]:
    made = Range(request.param)
    yield made
    made.close()


def test_nothing_can_be_mounted(enclave: Range) -> None:
    assert enclave.tell(replace(enclave.box(), no_capabilities=False), MOUNT).strip() == "mounted"
    assert enclave.tell(enclave.box(), MOUNT).strip() != "mounted"


def test_no_further_user_namespace_gives_rights_back(enclave: Range) -> None:
    """A user namespace of one's own comes with every capability in it, and with the kernel's less tried
    doors."""
    assert (
        enclave.tell(replace(enclave.box(), further_namespaces=True), NEW_USER_NAMESPACE).strip() == "entered"
    )
    assert enclave.tell(enclave.box(), NEW_USER_NAMESPACE).strip() != "entered"


def test_no_program_gives_new_privileges(enclave: Range) -> None:
    with enclave.program(None, (python(), "-I", "-c", STATUS)) as bare:
        assert "NoNewPrivs:\t0" in bare.communicate(timeout=200)[0]
    status = enclave.tell(enclave.box(), STATUS)
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    assert "CapBnd:\t0000000000000000" in status


if Mode.OWN_UID in MODES:  # as root only: there is nothing to collect elsewhere

    def test_a_setuid_program_stays_the_users() -> None:
        """Root's own, put in the box's way: outside it makes root, inside it does not."""
        enclave = Range(Mode.OWN_UID)
        tools = enclave.directory / "tools"
        tools.mkdir()
        program = Path(shutil.copy("/usr/bin/id", tools / "id"))
        program.chmod(0o4755)
        command = (str(program), "-u")
        with enclave.program(None, command) as bare:
            assert bare.communicate(timeout=200)[0].strip() == "0"
        assert enclave.tell_program(showing(enclave.box(), tools), command).strip() == "1000"
        enclave.close()


def test_scratch_space_is_bounded(enclave: Range) -> None:
    """Memory-backed folders without a bound are half the machine's memory each."""
    attack = "import os; s = os.statvfs('/tmp'); print(s.f_blocks * s.f_frsize)"
    small = replace(enclave.box(), scratch=tuple(replace(s, size=2**20) for s in enclave.box().scratch))
    assert int(enclave.tell(enclave.box(), attack)) == 2**30
    assert int(enclave.tell(small, attack)) == 2**20


def test_the_terminal_of_the_enclave_is_out_of_reach(enclave: Range) -> None:
    """A program in the enclave's own session could type into its terminal."""
    attack = (
        "import os; print(os.getsid(0) == 0, end='')"  # 0: a session from outside the box's view of processes
    )
    assert enclave.tell(replace(enclave.box(), own_terminal_session=False), attack) == "True"
    assert enclave.tell(enclave.box(), attack) == "False"


def test_what_the_system_keeps_in_etc_is_absent(enclave: Range) -> None:
    attack = "import os; print(sorted(os.listdir('/etc')))"
    inside = set(ast.literal_eval(enclave.tell(enclave.box(), attack)))
    assert inside <= {
        "alternatives",
        "fonts",
        "group",
        "hosts",
        "ld.so.cache",
        "localtime",
        "nsswitch.conf",
        "passwd",
    }
    assert "shadow" in enclave.tell(showing(enclave.box(), Path("/etc")), attack)
