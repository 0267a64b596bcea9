"""Replaces the pseudonym key without renumbering anybody: begun, carried on by every load, finished.

While it is on both keys live. Whoever a load meets is found by the old key, and their hash under the new one
is noted at the same number in a register beside the old one; who is not numbered yet waits in a file of
pairs. Finishing puts the new registers and the new key in the place of the old ones. Each step leaves a state
from which the next one, or the same one again, goes on.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hub_config.keys import write_private
from hub_config.warehouse.pseudonym_keys import (
    KEY_BYTES,
    KEY_VARIABLE,
    NEXT_KEY,
    NEXT_KEY_VARIABLE,
    PseudonymProblem,
    State,
    from_text,
    proof,
    read_keys,
    read_state,
    write_state,
)
from hub_config.warehouse.registers import (
    DIGEST_BYTES,
    UNNOTED,
    append,
    locked,
    next_path,
    pad,
    read_register,
    register_path,
    registered_kinds,
    take_over,
    waiting_path,
    write_at,
)


@dataclass(frozen=True)
class Carried:
    """Of one kind of persons: how many there are, and of how many the new key knows nothing yet."""

    kind: str
    numbered: int
    missing: int


@dataclass(frozen=True)
class Rotation:
    since: str
    carried: tuple[Carried, ...]

    @property
    def missing(self) -> int:
        return sum(each.missing for each in self.carried)


def begin(keys_dir: Path, environ: Mapping[str, str] = os.environ) -> Rotation:
    """Have a second key, drawn here or given in the environment, and from now on note everybody under both.

    Raises PseudonymProblem where a rotation is on already, or nothing was ever numbered.
    """
    with locked(keys_dir):
        keys, state = read_keys(keys_dir, environ), _state(keys_dir)
        if state.next:
            raise PseudonymProblem(
                f"A rotation is on since {state.since}. Finish it: keys rotate-pseudonyms finish."
            )
        key, outside = _drawn(keys_dir, environ)
        if proof(key) == proof(keys.current):
            raise PseudonymProblem(f"{NEXT_KEY_VARIABLE} is the key in force. Set another one.")
        for kind in registered_kinds(keys_dir):
            next_path(keys_dir, kind).unlink(missing_ok=True)  # of an attempt that was cut short
            pad(next_path(keys_dir, kind), len(read_register(register_path(keys_dir, kind))))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write_state(keys_dir, replace(state, next=proof(key), since=now, outside=outside))
    return status(keys_dir)


def status(keys_dir: Path) -> Rotation:
    """How far it is. Raises PseudonymProblem where none is on."""
    with locked(keys_dir):
        return _told(keys_dir, _begun(keys_dir))


def finish(keys_dir: Path, *, leave_behind: bool, environ: Mapping[str, str] = os.environ) -> Rotation:
    """Drop the old key. Raises PseudonymProblem while the new one doesn't know everybody, unless
    `leave_behind`: whoever it doesn't know is a new person when a practice exports them again.

    Nobody is numbered between the count and the end. Who was numbered by a load that knows of no rotation
    keeps their place: a shorter register would give it to the next new person.
    """
    with locked(keys_dir):
        state = _begun(keys_dir)
        read_keys(keys_dir, environ)  # both are there, and the right ones
        told = _told(keys_dir, state)
        if told.missing and not leave_behind:
            raise PseudonymProblem(_unfinished(told))
        for kind in registered_kinds(keys_dir):
            pad(next_path(keys_dir, kind), len(read_register(register_path(keys_dir, kind))))
        finishing = replace(state, finishing=True)
        write_state(keys_dir, finishing)
        take_over(keys_dir, finishing)
    return told


def note_successors(keys_dir: Path, kind: str, known: Any, digests: Any, theirs: Any) -> None:
    """What persons of the old `digests` are called under the new key; who is in no register yet waits."""
    numbers = pc.index_in(digests, value_set=known)
    numbered = pc.is_valid(numbers)
    write_at(next_path(keys_dir, kind), numbers.filter(numbered), theirs.filter(numbered))
    waiting = pc.invert(numbered)
    if pc.any(waiting).as_py():
        _append_waiting(keys_dir, kind, digests.filter(waiting), theirs.filter(waiting))


def note_waiting(keys_dir: Path, kind: str, known: Any) -> None:
    """Who waited and is numbered now no longer waits."""
    path = waiting_path(keys_dir, kind)
    pairs = _pairs(path.read_bytes() if path.exists() else b"")
    if not len(pairs[0]):
        return
    numbers = pc.index_in(pairs[0], value_set=known)
    numbered = pc.is_valid(numbers)
    write_at(next_path(keys_dir, kind), numbers.filter(numbered), pairs[1].filter(numbered))
    path.unlink()
    waiting = pc.invert(numbered)
    _append_waiting(keys_dir, kind, pairs[0].filter(waiting), pairs[1].filter(waiting))


def _append_waiting(keys_dir: Path, kind: str, digests: Any, theirs: Any) -> None:
    pairs = zip(digests.to_pylist(), theirs.to_pylist(), strict=True)
    append(waiting_path(keys_dir, kind), [half for pair in pairs for half in pair], record=2 * DIGEST_BYTES)


def _pairs(content: bytes) -> tuple[Any, Any]:
    whole = len(content) // (2 * DIGEST_BYTES)
    halves = [content[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES] for place in range(2 * whole)]
    kind = pa.binary(DIGEST_BYTES)
    return pa.array(halves[::2], kind), pa.array(halves[1::2], kind)


def _drawn(keys_dir: Path, environ: Mapping[str, str]) -> tuple[bytes, bool]:
    """The new key, and whether it stays outside."""
    if NEXT_KEY_VARIABLE in environ:
        return from_text(environ[NEXT_KEY_VARIABLE], NEXT_KEY_VARIABLE), True
    if KEY_VARIABLE in environ:
        raise PseudonymProblem(
            f"The key in force is in {KEY_VARIABLE}. Put the new one into {NEXT_KEY_VARIABLE} "
            f"({2 * KEY_BYTES} hexadecimal digits) and begin again."
        )
    key = secrets.token_bytes(KEY_BYTES)
    write_private(keys_dir / NEXT_KEY, key.hex())
    return key, False


def _told(keys_dir: Path, state: State) -> Rotation:
    """Inside the lock. Who was numbered by a load that was cut short before it noted so waits no longer."""
    kinds = registered_kinds(keys_dir)
    for kind in kinds:
        note_waiting(keys_dir, kind, read_register(register_path(keys_dir, kind)))
    return Rotation(state.since or "", tuple(_carried(keys_dir, kind) for kind in kinds))


def _carried(keys_dir: Path, kind: str) -> Carried:
    """A number that an earlier rotation left behind is missing no more: nobody can be met under it."""
    old, new = (read_register(path) for path in (register_path(keys_dir, kind), next_path(keys_dir, kind)))
    unnoted = pa.scalar(UNNOTED, pa.binary(DIGEST_BYTES))
    lost = pc.sum(pc.equal(old, unnoted)).as_py() or 0
    noted = len(new) - (pc.sum(pc.equal(new, unnoted)).as_py() or 0)
    return Carried(kind, len(old) - lost, len(old) - lost - noted)


def _state(keys_dir: Path) -> State:
    state = read_state(keys_dir)
    if state is None:
        raise PseudonymProblem("Nobody was numbered yet: there is no pseudonym key to replace.")
    return state


def _begun(keys_dir: Path) -> State:
    state = _state(keys_dir)
    if state.next is None:
        raise PseudonymProblem("No rotation is on. Begin one: p4dp-enclave keys rotate-pseudonyms begin.")
    return state


def _unfinished(told: Rotation) -> str:
    missing = ", ".join(f"{each.missing:,} {each.kind}s" for each in told.carried if each.missing)
    return (
        f"The new key does not know {missing} yet. Load exports that hold them and finish then. Or finish "
        "with --leave-behind: their rows stay under their numbers, but when a practice exports them again "
        "they are new persons, without their earlier rows, and an objection of theirs no longer reaches them."
    )
