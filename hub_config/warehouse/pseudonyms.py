"""Source identifiers become dense numbers here, through a keyed hash, and go no further.

HMAC-SHA256 of (kind, source, identifier) under a key kept outside the warehouse; the hash's position in an
append-only register is the number. New hashes are appended in the order of the hash, so a number tells
nothing about the source's order. The register holds no identifier: without the key nobody can find a person
in it, without the register nobody can number one. Losing either would number everybody anew, so neither is
ever replaced silently.
"""

from __future__ import annotations

import fcntl
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hub_config.keys import ensure_key
from hub_config.warehouse.problems import WarehouseProblem

_KEY: Final = "pseudonyms.key"
_KEY_BYTES: Final = 32
_DIGEST_BYTES: Final = 32


class PseudonymProblem(WarehouseProblem):
    """Key and register can't be used together; the message says what to restore."""


class Kind(StrEnum):
    """Whose identifiers. Each kind has its own register and its own hashes."""

    PATIENT = "patient"
    PHYSICIAN = "physician"
    RECORD = "record"  # the software's own names of records: hashed to know one again, never numbered
    INVENTED = "invented-physician"  # hashed to draw an invented GP, never numbered


@dataclass(frozen=True)
class Enrolment:
    """The register of one kind, held alone: `numbered` has the columns digest and number."""

    numbered: Any
    path: Path

    def append(self, fresh: Iterable[Any]) -> None:
        """Number the digests of `fresh`, Arrow arrays in the order of the hash, none of them numbered yet."""
        for array in fresh:
            _append(self.path, array.to_pylist())


@dataclass(frozen=True)
class Pseudonyms:
    """The key and registers of one enclave. Several processes may use them at once."""

    directory: Path
    key: bytes = field(repr=False)

    @classmethod
    def open(cls, keys_dir: Path) -> Pseudonyms:
        """Those in `keys_dir`; the key is made on first use.

        Raises UnsafeKey when others can read the key, PseudonymProblem when it is damaged, or gone although a
        register exists.
        """
        keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(keys_dir):
            _require_known_key(keys_dir)
            return cls(keys_dir, _key(keys_dir))

    def digests(self, kind: Kind, source: str, identifiers: Sequence[str]) -> list[bytes]:
        """The keyed hash of each identifier, which is scoped by its source: "12" of two vendors is two
        people."""
        scope = f"{kind}\0{source}\0".encode()
        return [hmac.digest(self.key, scope + identifier.encode(), "sha256") for identifier in identifiers]

    def digest_array(self, kind: Kind, source: str, identifiers: Any) -> Any:
        """`digests` of an Arrow array of text without nulls, as an Arrow array of 32 bytes each."""
        scope, key = f"{kind}\0{source}\0".encode(), self.key
        content = b"".join(
            hmac.digest(key, scope + each, "sha256") for each in identifiers.cast(pa.binary()).to_pylist()
        )
        return _digests(content)

    @contextmanager
    def enrolling(self, kind: Kind) -> Iterator[Enrolment]:
        """The whole register of `kind`, closed to others meanwhile: to number millions without a list of
        them."""
        with _locked(self.directory):
            known = self._register(kind)
            numbers = pa.array(np.arange(len(known), dtype=np.int64))
            yield Enrolment(pa.table({"digest": known, "number": numbers}), self._path(kind))

    def numbers(self, kind: Kind, source: str, identifiers: Sequence[str]) -> list[int]:
        """The dense number of each identifier: the one it already has, else the next free ones."""
        wanted = pa.array(self.digests(kind, source, identifiers), type=pa.binary(_DIGEST_BYTES))
        with _locked(self.directory):
            known = self._register(kind)
            fresh = _fresh(wanted, known)
            _append(self._path(kind), fresh)
        numbered = pa.concat_arrays([known, pa.array(fresh, type=pa.binary(_DIGEST_BYTES))])
        positions: list[int] = pc.index_in(wanted, value_set=numbered).to_pylist()
        return positions

    def known(self, kind: Kind, source: str, identifiers: Sequence[str]) -> list[int | None]:
        """The number each identifier already has; None for one that was never numbered, and stays so."""
        wanted = pa.array(self.digests(kind, source, identifiers), type=pa.binary(_DIGEST_BYTES))
        with _locked(self.directory):
            positions: list[int | None] = pc.index_in(wanted, value_set=self._register(kind)).to_pylist()
        return positions

    def _path(self, kind: Kind) -> Path:
        return self.directory / f"{kind}s.register"

    def _register(self, kind: Kind) -> Any:
        path = self._path(kind)
        content = path.read_bytes() if path.exists() else b""
        return _digests(content)


def _digests(content: bytes) -> Any:
    whole = len(content) // _DIGEST_BYTES  # a crash may have torn the last record: it was never used
    buffer = pa.py_buffer(content[: whole * _DIGEST_BYTES])
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(_DIGEST_BYTES), whole, [None, buffer])


def _fresh(wanted: Any, known: Any) -> list[bytes]:
    new = wanted.filter(pc.invert(pc.is_in(wanted, value_set=known)))
    return sorted(set(new.to_pylist()))


def _append(path: Path, digests: Sequence[bytes]) -> None:
    if not digests:
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.seek(os.fstat(descriptor).st_size // _DIGEST_BYTES * _DIGEST_BYTES)
        file.write(b"".join(digests))
        file.truncate()
        file.flush()
        os.fsync(descriptor)


def _require_known_key(keys_dir: Path) -> None:
    registers = sorted(path.name for path in keys_dir.glob("*.register"))
    if registers and not (keys_dir / _KEY).exists():
        raise PseudonymProblem(
            f"{keys_dir / _KEY} is missing but {', '.join(registers)} exists: with a new key everybody "
            "would be a new person. Restore the key from a backup."
        )


def _key(keys_dir: Path) -> bytes:
    try:
        key = bytes.fromhex(ensure_key(keys_dir, _KEY, nbytes=_KEY_BYTES))
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise PseudonymProblem(f"{keys_dir / _KEY} is damaged. Restore it from a backup.")
    return key


@contextmanager
def _locked(keys_dir: Path) -> Iterator[None]:
    descriptor = os.open(keys_dir / ".pseudonyms.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
