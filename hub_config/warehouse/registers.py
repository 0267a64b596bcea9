"""The files of the registers: 32 bytes a number, appended, never shortened. And the lock over all of them.

A register beside another, of a rotation, has the same places: 32 zero bytes where nothing was noted yet.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from hub_config.warehouse.pseudonym_keys import (
    KEY,
    NEXT_KEY,
    State,
    read_state,
    write_state,
)

DIGEST_BYTES: Final = 32
UNNOTED: Final = bytes(DIGEST_BYTES)
_LOCK: Final = ".pseudonyms.lock"
_NEXT: Final = ".next-register"
_WAITING: Final = ".waiting"


def register_path(keys_dir: Path, kind: str) -> Path:
    return keys_dir / f"{kind}s.register"


def next_path(keys_dir: Path, kind: str) -> Path:
    return keys_dir / f"{kind}s{_NEXT}"


def waiting_path(keys_dir: Path, kind: str) -> Path:
    return keys_dir / f"{kind}s{_WAITING}"


def registered_kinds(keys_dir: Path) -> list[str]:
    """Of whom there is a register."""
    return sorted(path.name.removesuffix("s.register") for path in keys_dir.glob("*s.register"))


@contextmanager
def locked(keys_dir: Path) -> Iterator[None]:
    """The registers to oneself. A rotation whose last step was cut short is finished first."""
    descriptor = os.open(keys_dir / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if (state := read_state(keys_dir)) and state.finishing:
            take_over(keys_dir, state)
        yield
    finally:
        os.close(descriptor)


def take_over(keys_dir: Path, state: State) -> None:
    """The successors' registers and key become those in force. May be cut short and begun again anywhere."""
    if state.next is None:
        raise ValueError("a rotation is finished that never began")
    for path in sorted(keys_dir.glob(f"*{_NEXT}")):
        path.replace(path.with_name(path.name.removesuffix(_NEXT) + ".register"))
    if state.outside:
        (keys_dir / KEY).unlink(missing_ok=True)
    elif (keys_dir / NEXT_KEY).exists():
        (keys_dir / NEXT_KEY).replace(keys_dir / KEY)
    for path in keys_dir.glob(f"*{_WAITING}"):
        path.unlink()
    write_state(keys_dir, State(state.next))


def as_digests(content: bytes) -> Any:
    whole = len(content) // DIGEST_BYTES  # a crash may have torn the last record: it was never used
    buffer = pa.py_buffer(content[: whole * DIGEST_BYTES])
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(DIGEST_BYTES), whole, [None, buffer])


def read_register(path: Path) -> Any:
    return as_digests(path.read_bytes() if path.exists() else b"")


def append(path: Path, digests: Sequence[bytes], *, record: int = DIGEST_BYTES) -> None:
    """Behind the last whole record."""
    if not digests:
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.seek(os.fstat(descriptor).st_size // record * record)
        file.write(b"".join(digests))
        file.truncate()
        file.flush()
        os.fsync(descriptor)


def pad(path: Path, length: int) -> None:
    """As long as a register of `length` numbers: what follows is noted behind, never at another's number."""
    append(path, [UNNOTED] * (length - len(read_register(path))))


def write_at(path: Path, numbers: Any, digests: Any) -> None:
    """Put each digest at its number, where another stands."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        here = np.frombuffer(path.read_bytes(), dtype=f"V{DIGEST_BYTES}", count=_whole(descriptor))
        for number, digest in zip(numbers.to_pylist(), digests.to_pylist(), strict=True):
            if number >= len(here) or here[number].tobytes() != digest:
                os.pwrite(descriptor, digest, number * DIGEST_BYTES)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _whole(descriptor: int) -> int:
    return os.fstat(descriptor).st_size // DIGEST_BYTES
