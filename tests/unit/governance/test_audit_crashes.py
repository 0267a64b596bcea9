"""A kill, a full disk or another process at the worst moment: no event that was acknowledged is ever lost.

Crashes are played deterministically: the log's system calls are counted, and the n-th one dies, before or in
the middle of its effect, for every n. Then real processes are killed, and a real limit on file size plays
the full disk.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub_config.governance.audit import (
    AuditChain,
    AuditDiskFull,
    AuditEvent,
    AuditFailure,
    Decision,
    read_records,
    verify,
)

CALLS = ("pwrite", "fsync", "rename", "ftruncate")


class Killed(BaseException):
    """The process is gone: nothing after this point runs."""


@dataclass
class Ticking:
    """A clock that advances ten days a reading: an append in four begins a segment."""

    day: int = 0

    def __call__(self) -> datetime:
        self.day += 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=10 * self.day)


@dataclass
class Failing:
    """Counts the log's system calls; the chosen one fails, half done if it is a write and `half` is set."""

    at: int
    error: BaseException
    half: bool
    seen: list[str] = field(default_factory=list)

    def around(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object) -> object:
            self.seen.append(name)
            if len(self.seen) != self.at:
                return real(*args)
            if self.half and name == "pwrite":
                descriptor, content, offset = args
                real(descriptor, content[: len(content) // 2], offset)  # type: ignore[index, arg-type]
            raise self.error

        return call


@contextmanager
def failing(at: int, error: BaseException, *, half: bool = False) -> Iterator[Failing]:
    fault = Failing(at, error, half)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("pwrite", "fsync", "ftruncate"):
            patch.setattr(os, name, fault.around(name, getattr(os, name)))
        real = Path.rename
        patch.setattr(Path, "rename", lambda path, target: fault.around("rename", real)(path, target))
        yield fault


def event(number: int) -> AuditEvent:
    return AuditEvent("ines", "query", "these-ines", Decision.ALLOWED, {"n": number})


def numbers(home: Path) -> list[int]:
    return [int(record.details["n"] or 0) for record in read_records(home / "audit", home / "keys")]


def faults_of_one_run(home: Path) -> int:
    chain = AuditChain(home / "audit", home / "keys", clock=Ticking())
    with failing(0, Killed()) as counted:
        for number in range(5):
            chain.append(event(number))
    assert set(counted.seen) == set(CALLS) - {"ftruncate"}
    return len(counted.seen)


@pytest.mark.parametrize("half", [False, True], ids=["before the call", "in the middle of a write"])
def test_killed_at_any_system_call_nothing_acknowledged_is_lost(tmp_path: Path, half: bool) -> None:
    for at in range(1, faults_of_one_run(tmp_path / "count") + 1):
        home, done = tmp_path / str(at), []
        chain = AuditChain(home / "audit", home / "keys", clock=Ticking())
        with failing(at, Killed(), half=half), pytest.raises(Killed):
            for number in range(5):
                chain.append(event(number))
                done.append(number)
        outcome = verify(home / "audit", home / "keys")
        assert outcome.intact, (at, outcome.broken)
        assert numbers(home) in (done, [*done, len(done)]), f"call {at}: acknowledged {done}"
        chain.append(event(100))
        outcome = verify(home / "audit", home / "keys")
        assert (outcome.intact, outcome.torn, outcome.quarantined) == (True, False, ()), (at, outcome.broken)
        assert numbers(home) in ([*done, 100], [*done, len(done), 100])


def test_a_full_disk_at_any_system_call_is_said_and_loses_nothing(tmp_path: Path) -> None:
    for at in range(1, faults_of_one_run(tmp_path / "count") + 1):
        home, done = tmp_path / str(at), []
        chain = AuditChain(home / "audit", home / "keys", clock=Ticking())
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with failing(at, full, half=True), pytest.raises(AuditDiskFull, match="No space left"):
            for number in range(5):
                chain.append(event(number))
                done.append(number)
        chain.append(event(100))
        assert verify(home / "audit", home / "keys").intact
        assert [number for number in numbers(home) if number in done or number == 100] == [*done, 100]


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file stands where the log should be")
    with pytest.raises(AuditFailure, match="can't be written"):
        AuditChain(tmp_path / "audit", tmp_path / "keys").append(event(1))


def test_bytes_that_no_head_vouches_for_are_set_aside_and_the_repair_recorded(tmp_path: Path) -> None:
    chain = AuditChain(tmp_path / "audit", tmp_path / "keys")
    for number in range(3):
        chain.append(event(number))
    segment = tmp_path / "audit" / "000001.jsonl"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:2]) + b"\0" * 40)  # what some file systems leave after a power cut
    assert not verify(tmp_path / "audit", tmp_path / "keys").intact
    chain.append(event(4))
    outcome = verify(tmp_path / "audit", tmp_path / "keys")
    assert outcome.intact
    assert [(tmp_path / "audit" / name).read_bytes() for name in outcome.quarantined] == [b"\0" * 40]
    written = list(read_records(tmp_path / "audit", tmp_path / "keys"))
    assert [record.what for record in written] == ["query", "query", "query", "audit.repair", "query"]
    assert written[3].details == {"segment": 1, "quarantined_bytes": 40}


APPENDING = """
import sys
from pathlib import Path
from hub_config.governance.audit import AuditChain, AuditEvent, Decision

home, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
chain = AuditChain(home / "audit", home / "keys", segment_bytes=4_000)
for number in range(count):
    chain.append(AuditEvent(who, "query", None, Decision.ALLOWED, {"n": number}))
    print(number, flush=True)
"""


def appending(home: Path, who: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", APPENDING, str(home), who, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])


def test_several_processes_share_one_chain(tmp_path: Path) -> None:
    writers = [appending(tmp_path, f"writer-{place}", 25) for place in range(3)]
    assert [writer.wait(200) for writer in writers] == [0, 0, 0]
    outcome = verify(tmp_path / "audit", tmp_path / "keys")
    assert (outcome.intact, outcome.events) == (True, 75)
    for place, writer in enumerate(writers):
        assert writer.stdout is not None
        writer.stdout.close()
        said = [
            r.details["n"]
            for r in read_records(tmp_path / "audit", tmp_path / "keys")
            if r.who == f"writer-{place}"
        ]
        assert said == list(range(25)), "each one's events, in its order"


def test_processes_killed_in_full_flight_lose_nothing_they_acknowledged(tmp_path: Path) -> None:
    writers = [appending(tmp_path, f"writer-{place}", 10**6) for place in range(2)]
    try:
        pipes = [writer.stdout for writer in writers if writer.stdout]
        assert [pipe.readline() for pipe in pipes] == ["0\n", "0\n"]
        deadline = time.monotonic() + 30
        log = tmp_path / "audit" / "000002.jsonl"
        while not log.exists() and time.monotonic() < deadline:
            assert verify(tmp_path / "audit", tmp_path / "keys").intact, "verification runs beside writers"
            time.sleep(0.02)
    finally:
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
    acknowledged = [1 + pipe.read().count("\n") for pipe in pipes]
    for writer in writers:
        writer.communicate(timeout=60)
    assert verify(tmp_path / "audit", tmp_path / "keys").intact
    written = list(read_records(tmp_path / "audit", tmp_path / "keys"))
    for place, count in enumerate(acknowledged):
        assert sum(record.who == f"writer-{place}" for record in written) - count in (0, 1)


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))
from hub_config.governance.audit import AuditDiskFull
try:
    exec(compile({appending!r}, "appending", "exec"))
except AuditDiskFull as full:
    print("full:", full)
"""


def test_a_real_write_that_is_cut_short_says_disk_full(tmp_path: Path) -> None:
    program = LIMITED.format(appending=APPENDING.replace("4_000", "10**6"))
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), "ines", "1000"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    *acknowledged, last = run.stdout.splitlines()
    assert last.startswith("full: No space left for the audit log")
    outcome = verify(tmp_path / "audit", tmp_path / "keys")
    assert outcome.intact
    assert outcome.events - len(acknowledged) in (0, 1)
