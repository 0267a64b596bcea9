"""One file, one process, one answer: `inspect` never raises for a file's sake, and always ends in time.

The bytes are read once, here, without following a link; what the box says is believed no further than
`protocol` can read it. A process that crashes, is killed, takes too long, says too much or nonsense puts the
file aside (`Quarantine`), with the reason.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from hub_config.airlock.checks.bounds import Bounds
from hub_config.airlock.checks.inside.found import MOST_CANDIDATES, Context, Found, Order
from hub_config.airlock.checks.inside.kinds import also_looks_like, kind_of
from hub_config.airlock.checks.inside.names import findings_of_name
from hub_config.airlock.checks.inside.numbers import long_numbers
from hub_config.airlock.checks.inside.preview import Preview
from hub_config.airlock.checks.inside.protocol import Answer, BadAnswer, read_answer, write_order
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.airlock.checks.starting import NO_BOX
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import Finding, Rule, Severity

VERSION: Final = "4"
"""Raised with every change of what the checkers find; it stands in the record of each file."""

_CHECKOUT: Final = Path(__file__).parents[3]
_PIECE: Final = 2**16
_OURS: Final = frozenset({Reason.CRASHED, Reason.NONSENSE, Reason.TIMED_OUT, Reason.NO_BOX})
"""Reasons that may lie with us or this machine rather than with the file."""

_ENDINGS: Final = {
    NO_BOX: Reason.NO_BOX,
    128 + signal.SIGXCPU: Reason.TIMED_OUT,
    -signal.SIGXCPU: Reason.TIMED_OUT,
}
"""Exit codes that say more than that something went wrong."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Quarantine:
    """The file is for people to handle, without a preview. Words: `texts.why_quarantined`."""

    reason: Reason


@dataclass(frozen=True)
class Inspection:
    kind: FileKind
    findings: tuple[Finding, ...]
    preview: Preview
    quarantined: Quarantine | None
    candidates: tuple[int, ...]
    version: str
    sha256: str
    size: int
    anew: bytes = b""


def inspect(
    path: Path, name: str, *, bounds: Bounds | None = None, context: Context | None = None
) -> Inspection:
    """What there is to say about the file at `path`, which its requester calls `name`.

    Blocks until the box has answered: call it from a thread. Raises OSError where the file itself can't be
    opened or is a link.
    """
    bounds = bounds or Bounds()
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > bounds.input_bytes:
            return _unread(file, name, size, bounds)
        return inspect_bytes(file.read(bounds.input_bytes), name, bounds=bounds, context=context)


def inspect_bytes(
    content: bytes, name: str, *, bounds: Bounds | None = None, context: Context | None = None
) -> Inspection:
    """As `inspect`, of bytes at hand; larger ones than `bounds.input_bytes` are put aside."""
    bounds = bounds or Bounds()
    if len(content) > bounds.input_bytes:
        return _unread(io.BytesIO(content), name, len(content), bounds)
    kind = kind_of(content, name)
    about = (*findings_of_name(name, kind), *_size_findings(len(content), bounds))
    if also_looks_like(content, kind):
        answer = Answer(Found(), Reason.POLYGLOT)
    else:
        answer = _ask(content, Order(name, kind, context or Context(), bounds.sizes), bounds)
    return _told(answer, name, about, kind, hashlib.sha256(content).hexdigest(), len(content))


def _unread(file: IO[bytes], name: str, size: int, bounds: Bounds) -> Inspection:
    """Of a file too large to look into: its first bytes say the kind."""
    kind = kind_of(file.read(_PIECE), name)
    file.seek(0)
    about = (*findings_of_name(name, kind), *_size_findings(size, bounds))
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    return _told(Answer(Found(), Reason.TOO_LARGE), name, about, kind, sha256, size)


def _told(
    answer: Answer, name: str, about: tuple[Finding, ...], kind: FileKind, sha256: str, size: int
) -> Inspection:
    """What was put aside shows nothing of what its checker said; a name leaves with its file in any case."""
    stopped = answer.stopped
    if stopped in _OURS:
        logger.warning("No check could read the file %s…: %s.", sha256[:12], stopped.value)
    return Inspection(
        kind=kind,
        findings=about if stopped else (*about, *answer.found.findings),
        preview=Preview() if stopped else Preview(answer.found.blocks),
        quarantined=Quarantine(stopped) if stopped else None,
        candidates=_candidates(name, Found() if stopped else answer.found),
        version=VERSION,
        sha256=sha256,
        size=size,
        anew=b"" if stopped else answer.found.anew,
    )


def _candidates(name: str, found: Found) -> tuple[int, ...]:
    """Long numbers of the file and of its name: those of the name first to be kept."""
    named = long_numbers(name)
    inside = [number for number in found.candidates if number not in named]
    return tuple(sorted([*named, *inside[: MOST_CANDIDATES - len(named)]]))


def _size_findings(size: int, bounds: Bounds) -> tuple[Finding, ...]:
    limit = bounds.sizes.file_bytes
    if size <= limit:
        return ()
    params = {"megabytes": -(-size // 10**6), "limit": limit // 10**6}
    return (Finding(Rule.TOO_LARGE, Severity.BLOCKING, None, params),)


def _ask(content: bytes, order: Order, bounds: Bounds) -> Answer:
    """What the box says; every way of failing is an answer too."""
    limits = {"memory": bounds.memory, "cpu_seconds": bounds.cpu_seconds, "processes": bounds.processes}
    try:
        process = _start(bounds)
    except OSError:
        return Answer(Found(), Reason.NO_BOX)
    try:
        document = _converse(process, write_order(order, limits) + content, bounds)
        if (ended := process.wait(timeout=5)) != 0:
            return Answer(Found(), _ENDINGS.get(ended, Reason.CRASHED))
        return read_answer(document)
    except (TimeoutError, subprocess.TimeoutExpired):
        return Answer(Found(), Reason.TIMED_OUT)
    except (BadAnswer, _TooMuchSaid):
        return Answer(Found(), Reason.NONSENSE)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


class _TooMuchSaid(Exception):
    """The answer is longer than any can be."""


def _start(bounds: Bounds) -> subprocess.Popen[bytes]:
    uid = bounds.uid if os.geteuid() == 0 else None
    order = json.dumps({"uid": uid, "parent": os.getpid(), "program": bounds.program})
    return subprocess.Popen(
        [sys.executable, "-P", "-s", "-m", "hub_config.airlock.checks.starting", order],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd="/",
        env={"PYTHONPATH": str(_CHECKOUT), "LANG": "C.UTF-8"},
        start_new_session=True,
    )


def _converse(process: subprocess.Popen[bytes], told: bytes, bounds: Bounds) -> bytes:
    """Write and read at once, whichever the process is ready for, until it has nothing more to say.

    Raises TimeoutError, _TooMuchSaid.
    """
    until = time.monotonic() + bounds.wall_seconds
    said, left = bytearray(), memoryview(told)
    stdin, stdout = _pipe(process.stdin), _pipe(process.stdout)
    with selectors.DefaultSelector() as waiting:
        waiting.register(stdin, selectors.EVENT_WRITE)
        waiting.register(stdout, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select(_left(until)):
                if key.fileobj is stdin:
                    left = _write(stdin, left)
                    if not left:
                        waiting.unregister(stdin)
                        stdin.close()
                elif piece := os.read(stdout.fileno(), _PIECE):
                    said += piece
                    if len(said) > bounds.output_bytes:
                        raise _TooMuchSaid
                else:
                    return bytes(said)


def _write(stdin: IO[bytes], left: memoryview) -> memoryview:
    """What is still to be written; nothing once the other side reads no more."""
    try:
        return left[os.write(stdin.fileno(), left[:_PIECE]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[:0]


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("the box has no line to talk on")
    os.set_blocking(pipe.fileno(), False)
    return pipe


def _left(until: float) -> float:
    if (left := until - time.monotonic()) <= 0:
        raise TimeoutError
    return left
