"""What the spawner asks of a launcher, and what the launcher answers: one line of JSON each way, over its
stdin and stdout.

The order holds the workspace's tokens, so it travels by a pipe and is written nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from hub_config.boxes.box import Box, Mount, ScratchSpace


@dataclass(frozen=True)
class Order:
    label: str  # whose workspace, for the log
    box: Box
    command: tuple[str, ...]  # started inside, after inside.py's preparations
    python: str  # the interpreter that runs inside.py
    preparations: str  # where inside.py lies in the box
    templates: str  # a folder in the box, or ""
    limits: Mapping[str, int]
    uid: int | None  # the workspace's own user, or None: the enclave's
    run_dir: Path  # the launcher's own folder; `hub/` in it is mounted into the box
    hub: str  # http://host:port or http+unix://%2Fpath
    server_port: int  # where the server listens inside
    parent: int  # the hub's process; its death is the workspace's
    grace: float = 3.0  # seconds the server has to close its kernels
    shut: bool = False  # a run: no way in for a browser, none out to the hub
    told: str = ""  # what its program reads on stdin: the job of a run, with its token
    silent: bool = False  # what it prints is no operator's to read: it may have seen rows of people
    daily_bytes: int = 0  # to the browser: passing so many a day is said at once; 0: only at the end

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), default=str).encode() + b"\n"

    @classmethod
    def from_json(cls, document: bytes) -> Order:
        fields = json.loads(document)
        box = fields.pop("box")
        box["mounts"] = tuple(Mount(Path(m["source"]), m["target"], m["writable"]) for m in box["mounts"])
        box["scratch"] = tuple(ScratchSpace(**space) for space in box["scratch"])
        fields["command"] = tuple(fields["command"])
        fields["run_dir"] = Path(fields["run_dir"])
        return cls(box=Box(**box), **fields)


@dataclass(frozen=True)
class Started:
    """The workspace runs; the proxy reaches it at 127.0.0.1:`port`."""

    port: int


@dataclass(frozen=True)
class NotStarted:
    """`detail` is for the log, never for the user."""

    detail: str


@dataclass(frozen=True)
class Sent:
    """Bytes that went to the browser: since the start, and on this day (UTC). `passed`: said because the
    day's reached the limit; else because the workspace ended."""

    bytes: int
    day: str
    day_bytes: int
    passed: bool


def write_sent(sent: Sent) -> bytes:
    return json.dumps(asdict(sent)).encode() + b"\n"


def read_sent(line: bytes) -> Sent | None:
    """None for a line that is none: the launcher died in the middle of it."""
    try:
        fields = json.loads(line)
        return Sent(
            int(fields["bytes"]), str(fields["day"]), int(fields["day_bytes"]), bool(fields["passed"])
        )
    except (ValueError, KeyError, TypeError):
        return None


def write_answer(answer: Started | NotStarted) -> bytes:
    return json.dumps(asdict(answer)).encode() + b"\n"


def read_answer(line: bytes) -> Started | NotStarted:
    """A launcher that died without a word has not started anything."""
    try:
        fields = json.loads(line)
    except ValueError:
        return NotStarted("the launcher ended without an answer")
    return Started(**fields) if "port" in fields else NotStarted(**fields)
