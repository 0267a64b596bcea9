"""Source identifiers become dense numbers here, through a keyed hash, and go no further.

HMAC-SHA256 of (kind, source, identifier) under a key kept outside the warehouse (`pseudonym_keys`); the
hash's position in an append-only register is the number. New hashes are appended in the order of the hash,
so a number tells nothing about the source's order. The register holds no identifier: without the key nobody
can find a person in it, without the register nobody can number one. Losing either would number everybody
anew, so neither is ever replaced silently.

While a rotation is on (`rotation`), persons are found by the old key, and their hash under the new one is
noted at the same number, as they are met. Numbers never change.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hub_config.warehouse.pseudonym_keys import Keys, PseudonymProblem, proof, read_keys, read_state
from hub_config.warehouse.registers import (
    DIGEST_BYTES,
    append,
    as_digests,
    locked,
    read_register,
    register_path,
)
from hub_config.warehouse.rotation import note_successors, note_waiting

__all__ = ["Enrolment", "Kind", "PseudonymProblem", "Pseudonyms"]


class Kind(StrEnum):
    """Whose identifiers. Each kind has its own register and its own hashes."""

    PATIENT = "patient"
    PHYSICIAN = "physician"
    RECORD = "record"  # the software's own names of records: hashed to know one again, never numbered
    INVENTED = "invented-physician"  # hashed to draw an invented GP, never numbered


_NUMBERED: Final = (Kind.PATIENT, Kind.PHYSICIAN)


@dataclass(frozen=True)
class Enrolment:
    """The register of one kind, held alone: `numbered` has the columns digest and number."""

    numbered: Any
    path: Path
    noted: Callable[[], None] = field(repr=False)

    def append(self, fresh: Iterable[Any]) -> None:
        """Number the digests of `fresh`, Arrow arrays in the order of the hash, none of them numbered yet."""
        for array in fresh:
            append(self.path, array.to_pylist())
        self.noted()


@dataclass(frozen=True)
class Pseudonyms:
    """The keys and registers of one enclave. Several processes may use them at once."""

    directory: Path
    keys: Keys = field(repr=False)

    @classmethod
    def open(cls, keys_dir: Path, environ: Mapping[str, str] = os.environ) -> Pseudonyms:
        """Those in `keys_dir`; the key is made on first use.

        Raises UnsafeKey when others can read the key, PseudonymProblem when it is damaged, gone although a
        register exists, or another than the register was made with.
        """
        keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(keys_dir):
            return cls(keys_dir, read_keys(keys_dir, environ))

    @property
    def version(self) -> str:
        """Another one after a rotation: what was hashed before it can't go on."""
        return proof(self.keys.current)

    def check(self, of: str) -> str:
        """Proves that the numbers in `of` are of these registers, before and after a rotation."""
        return hmac.digest(self.keys.records, f"numbers in {of}".encode(), "sha256").hex()

    def digests(self, kind: Kind, source: str, identifiers: Sequence[str]) -> list[bytes]:
        """The keyed hash of each identifier, which is scoped by its source: "12" of two vendors is two
        people."""
        return _hashed(self._key(kind), kind, source, [each.encode() for each in identifiers])

    def digest_array(self, kind: Kind, source: str, identifiers: Any) -> Any:
        """`digests` of an Arrow array of text without nulls, as an Arrow array of 32 bytes each."""
        texts = identifiers.cast(pa.binary()).to_pylist()
        found = as_digests(b"".join(_hashed(self._key(kind), kind, source, texts)))
        if kind in _NUMBERED and self.keys.successor is not None:
            with self._held():
                self._note(kind, source, texts, found, self._register(kind))
        return found

    @contextmanager
    def enrolling(self, kind: Kind) -> Iterator[Enrolment]:
        """The whole register of `kind`, closed to others meanwhile: to number millions without a list of
        them."""
        with self._held():
            known = self._register(kind)
            numbers = pa.array(np.arange(len(known), dtype=np.int64))
            numbered = pa.table({"digest": known, "number": numbers})
            yield Enrolment(numbered, self._path(kind), lambda: self._note_waiting(kind))

    def numbers(self, kind: Kind, source: str, identifiers: Sequence[str]) -> list[int]:
        """The dense number of each identifier: the one it already has, else the next free ones."""
        wanted = pa.array(self.digests(kind, source, identifiers), type=pa.binary(DIGEST_BYTES))
        with self._held():
            append(self._path(kind), _fresh(wanted, self._register(kind)))
            known = self._register(kind)
            self._note(kind, source, [each.encode() for each in identifiers], wanted, known)
        positions: list[int] = pc.index_in(wanted, value_set=known).to_pylist()
        return positions

    def known(self, kind: Kind, source: str, identifiers: Sequence[str]) -> list[int | None]:
        """The number each identifier already has; None for one that was never numbered, and stays so."""
        wanted = pa.array(self.digests(kind, source, identifiers), type=pa.binary(DIGEST_BYTES))
        with self._held():
            positions: list[int | None] = pc.index_in(wanted, value_set=self._register(kind)).to_pylist()
        return positions

    # --- the registers -------------------------------------------------------------------------------------

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Raises PseudonymProblem when the key was replaced since this was opened: nobody is numbered
        twice."""
        with locked(self.directory):
            state = read_state(self.directory)
            if state is None or state.check != self.version:
                raise PseudonymProblem(
                    "The pseudonym key was replaced while this was running. Begin again: nothing was kept "
                    "that needs the old one."
                )
            yield

    def _key(self, kind: Kind) -> bytes:
        return self.keys.current if kind in _NUMBERED else self.keys.records

    def _note(self, kind: Kind, source: str, texts: list[bytes], digests: Any, known: Any) -> None:
        """While a rotation is on, what they are called under the new key."""
        if self.keys.successor is not None:
            theirs = as_digests(b"".join(_hashed(self.keys.successor, kind, source, texts)))
            note_successors(self.directory, kind, known, digests, theirs)

    def _note_waiting(self, kind: Kind) -> None:
        if self.keys.successor is not None:
            note_waiting(self.directory, kind, self._register(kind))

    def _path(self, kind: Kind) -> Path:
        return register_path(self.directory, kind)

    def _register(self, kind: Kind) -> Any:
        return read_register(self._path(kind))


def _hashed(key: bytes, kind: Kind, source: str, identifiers: Iterable[bytes]) -> list[bytes]:
    scope = f"{kind}\0{source}\0".encode()
    return [hmac.digest(key, scope + identifier, "sha256") for identifier in identifiers]


def _fresh(wanted: Any, known: Any) -> list[bytes]:
    new = wanted.filter(pc.invert(pc.is_in(wanted, value_set=known)))
    return sorted(set(new.to_pylist()))
