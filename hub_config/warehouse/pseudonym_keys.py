"""Where the loading keys are, and which of them are in force. Nothing here shows or logs a key.

The pseudonym key names persons: `keys/pseudonyms.key` (0600) or `P4DP_PSEUDONYM_KEY`, both only if they are
equal. During a rotation its successor lives beside it: `keys/pseudonyms.next.key` or
`P4DP_PSEUDONYM_NEXT_KEY`. `keys/records.key` names what is no person (consultations, lines of an export): it
is drawn apart from the others, so that a rotation leaves what is landed as it is.

`keys/pseudonyms.state` is the one truth about what the registers were made with. It holds proofs of the
keys, by which another key is noticed before it numbers everybody anew; it is replaced whole or not at all.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hub_config.keys import UnsafeKey, ensure_key, write_private
from hub_config.warehouse.problems import WarehouseProblem

KEY: Final = "pseudonyms.key"
NEXT_KEY: Final = "pseudonyms.next.key"
RECORDS_KEY: Final = "records.key"
STATE: Final = "pseudonyms.state"
KEY_VARIABLE: Final = "P4DP_PSEUDONYM_KEY"
NEXT_KEY_VARIABLE: Final = "P4DP_PSEUDONYM_NEXT_KEY"
KEY_BYTES: Final = 32


class PseudonymProblem(WarehouseProblem):
    """Key and register can't be used together; the message says what to restore."""


@dataclass(frozen=True)
class State:
    """`check` proves the key in force, `next` its successor while a rotation is on. `outside`: the successor
    is in the environment. `finishing`: the successor takes over, and must, whoever comes next."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    check: str
    next: str | None = None
    since: str | None = None
    outside: bool = False
    finishing: bool = False


@dataclass(frozen=True)
class Keys:
    """`successor` is there while a rotation is on."""

    current: bytes = field(repr=False)
    records: bytes = field(repr=False)
    successor: bytes | None = field(default=None, repr=False)


_STATE: Final = TypeAdapter(State)


def proof(key: bytes) -> str:
    """By which a key is known again; it tells nothing of the key."""
    return hmac.digest(key, b"p4dp pseudonyms: proof of the key", "sha256").hex()


def read_state(keys_dir: Path) -> State | None:
    """None before the first use. Raises PseudonymProblem where it is damaged."""
    path = keys_dir / STATE
    if not path.exists():
        return None
    try:
        return _STATE.validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, ValidationError):
        raise PseudonymProblem(f"{path} is damaged. Restore it from a backup.") from None


def write_state(keys_dir: Path, state: State) -> None:
    write_private(keys_dir / STATE, json.dumps(_STATE.dump_python(state, mode="json")))


def read_keys(keys_dir: Path, environ: Mapping[str, str]) -> Keys:
    """Those in force, made on first use. Only under the lock of the registers.

    Raises UnsafeKey when others can read a key, PseudonymProblem when one is damaged, gone, another than the
    registers were made with, or given twice and not the same.
    """
    _require_known_keys(keys_dir, environ)
    current, state = _current(keys_dir, environ), read_state(keys_dir)
    records = _of_file(keys_dir, RECORDS_KEY)
    if state is None:
        write_state(keys_dir, State(proof(current)))
        return Keys(current, records)
    if not hmac.compare_digest(state.check, proof(current)):
        raise PseudonymProblem(_another(keys_dir, environ))
    return Keys(current, records, successor(keys_dir, environ, state) if state.next else None)


def successor(keys_dir: Path, environ: Mapping[str, str], state: State) -> bytes:
    """The key that is to take over. Raises PseudonymProblem where it is not the one of `begin`."""
    origin = NEXT_KEY_VARIABLE if state.outside else str(keys_dir / NEXT_KEY)
    given = NEXT_KEY_VARIABLE in environ if state.outside else (keys_dir / NEXT_KEY).exists()
    if not given:
        raise PseudonymProblem(
            f"A rotation of the pseudonym key is on, and its new key is not in {origin}. Restore it."
        )
    key = from_text(environ[origin], origin) if state.outside else _of_file(keys_dir, NEXT_KEY)
    if proof(key) != state.next:
        raise PseudonymProblem(f"{origin} is not the new key that the rotation began with. Restore that one.")
    return key


def from_text(text: str, origin: str) -> bytes:
    """The key that `text` says in hexadecimal. Raises PseudonymProblem, without the text."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        remedy = "Restore it from a backup." if "/" in origin else f"Set {2 * KEY_BYTES} hexadecimal digits."
        raise PseudonymProblem(f"{origin} is damaged. {remedy}")
    return key


def _current(keys_dir: Path, environ: Mapping[str, str]) -> bytes:
    if KEY_VARIABLE not in environ:
        return _of_file(keys_dir, KEY)
    given = from_text(environ[KEY_VARIABLE], KEY_VARIABLE)
    if (keys_dir / KEY).exists() and not hmac.compare_digest(given, _of_file(keys_dir, KEY)):
        raise PseudonymProblem(
            f"{KEY_VARIABLE} and {keys_dir / KEY} are different keys. Remove the one that the registers were "
            "not made with."
        )
    return given


def _of_file(keys_dir: Path, name: str) -> bytes:
    return from_text(ensure_key(keys_dir, name, nbytes=KEY_BYTES), str(keys_dir / name))


def _require_known_keys(keys_dir: Path, environ: Mapping[str, str]) -> None:
    registers = sorted(path.name for path in keys_dir.glob("*.register"))
    if (
        (registers or (keys_dir / STATE).exists())
        and not (keys_dir / KEY).exists()
        and KEY_VARIABLE not in environ
    ):
        raise PseudonymProblem(
            f"{keys_dir / KEY} is missing but {', '.join(registers) or STATE} exists: with a new key "
            f"everybody would be a new person. Restore the key from a backup, or set {KEY_VARIABLE}."
        )
    if (keys_dir / STATE).exists() and not (keys_dir / RECORDS_KEY).exists():
        raise PseudonymProblem(
            f"{keys_dir / RECORDS_KEY} is missing: with a new one every landed record would come twice. "
            "Restore it from a backup."
        )


def _another(keys_dir: Path, environ: Mapping[str, str]) -> str:
    origin = KEY_VARIABLE if KEY_VARIABLE in environ else str(keys_dir / KEY)
    return (
        f"{origin} is not the key that the registers were made with: everybody would be a new person. "
        f"Restore that key; after a finished rotation, {KEY_VARIABLE} is what {NEXT_KEY_VARIABLE} was."
    )


__all__ = ["KEY_VARIABLE", "NEXT_KEY_VARIABLE", "Keys", "PseudonymProblem", "State", "UnsafeKey", "read_keys"]
