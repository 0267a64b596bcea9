"""Secret numbers of patients and GPs, and keyed pseudo-random numbers for noise and jitter. One a gateway.

All of it is derived from the gateway's master key by HKDF (RFC 5869), so it is the same after a restart and
the same in two gateways of one enclave. A patient's number is taken from an AES-CTR keystream at the place of
the patient's dense number: numbers are only ever appended, so nobody's secret changes as the population
grows. `prf` is AES-CBC-MAC over a fixed number of blocks a key, which is a pseudo-random function (Bellare,
Kilian & Rogaway, "The security of the cipher block chaining message authentication code", J. Comput. Syst.
Sci. 61, 2000). Nothing here is a fast hash of convenience: all of it is cryptographic.

No secret stands in a repr, an error or a log. What is given out must stay inside the enclave.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import ArrayLike, NDArray

MOST_NUMBERS: Final = 200_000_000  # 1.6 GB of keystream: no warehouse of this world is larger
_BUCKET_BITS_OF_PATIENTS: Final = 6
_BUCKET_BITS_OF_PHYSICIANS: Final = 5
_NOBODY: Final = b"nobody"  # the bucket of a missing GP
_GROWTH: Final = 65_536  # arrays are made in steps, so that a few new patients cost nothing
_SEED_BYTES: Final = 32
_WORD_BYTES: Final = 8
_NAME_BYTES: Final = 15


class BadKey(ValueError):
    """A master key that is too short to derive anything from."""


@dataclass(frozen=True, repr=False)
class Numbers:
    """Secrets by dense number: entry p belongs to patient (or GP) p. Read-only arrays of one length.

    `buckets` is the place in a sketch, `keys` the odd multiplier there, `ranks` orders samples.
    """

    buckets: NDArray[np.uint8]
    keys: NDArray[np.uint32]
    ranks: NDArray[np.uint32]

    def __repr__(self) -> str:
        return f"Numbers({len(self.keys)})"


@dataclass(frozen=True, repr=False)
class Keyring:
    """Derived from `master`, of at least 32 bytes. Safe to share between threads."""

    master: bytes
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False)
    _known: dict[str, Numbers] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if len(self.master) < _SEED_BYTES:
            raise BadKey(f"the gateway's master key must have at least {_SEED_BYTES} bytes")

    def __repr__(self) -> str:
        return "Keyring(…)"

    def __reduce__(self) -> str:
        raise TypeError("a keyring is never written anywhere")

    def patients(self, count: int) -> Numbers:
        """Of patients 0 to `count` - 1: 64 buckets."""
        return self._numbers("patients", count, _BUCKET_BITS_OF_PATIENTS)

    def physicians(self, count: int) -> Numbers:
        """Of GPs 0 to `count` - 1: 32 buckets."""
        return self._numbers("physicians", count, _BUCKET_BITS_OF_PHYSICIANS)

    def physician_units(self, count: int) -> Numbers:
        """Of GPs 0 to `count` - 1 where they are the protected units: 64 buckets, keys of their own."""
        return self._numbers("physician-units", count, _BUCKET_BITS_OF_PATIENTS)

    @property
    def missing_physician(self) -> int:
        """The bucket of rows that have no GP."""
        return self._derived("physicians", _NOBODY, 1)[0] >> (8 - _BUCKET_BITS_OF_PHYSICIANS)

    def prf(self, label: str, *columns: ArrayLike) -> NDArray[np.uint64]:
        """A pseudo-random 64-bit number for each row of `columns` (integers modulo 2⁶⁴, broadcast together).

        Rows that are equal give equal numbers; another label, or another number of columns, is another
        function.
        """
        words = np.broadcast_arrays(*(_words(column) for column in columns))
        key = self._derived("prf", f"{len(words)}:{label}".encode(), _SEED_BYTES)
        state = np.zeros((words[0].size, 2), dtype=np.uint64)
        for index in range(0, len(words), 2):
            state[:, 0] ^= words[index].ravel()
            if index + 1 < len(words):
                state[:, 1] ^= words[index + 1].ravel()
            state = _encrypted(key, state)
        return np.ascontiguousarray(state[:, 0]).reshape(words[0].shape)

    def names(self, label: str) -> Callable[[str], int]:
        """A pseudo-random 120-bit number for each text; another label is another function."""
        key = self._derived("names", label.encode(), _SEED_BYTES)
        return lambda text: int.from_bytes(hmac.digest(key, text.encode(), "sha256")[:_NAME_BYTES])

    def _numbers(self, label: str, count: int, bucket_bits: int) -> Numbers:
        if not 0 <= count <= MOST_NUMBERS:
            raise BadKey(f"there are no secrets for more than {MOST_NUMBERS:,} numbers")
        with self._lock:
            known = self._known.get(label)
            if known is None or len(known.keys) < count:
                size = -(-max(count, 1) // _GROWTH) * _GROWTH
                self._known[label] = known = _split(self._keystream(label, size), bucket_bits)
        return Numbers(known.buckets[:count], known.keys[:count], known.ranks[:count])

    def _keystream(self, label: str, words: int) -> NDArray[np.uint64]:
        key = self._derived("keystream", label.encode(), _SEED_BYTES)
        stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        return np.frombuffer(stream.update(bytes(words * _WORD_BYTES)), dtype="<u8").astype(np.uint64)

    def _derived(self, purpose: str, label: bytes, length: int) -> bytes:
        info = b"p4dp " + purpose.encode() + b"\0" + label
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(self.master)


def _words(column: ArrayLike) -> NDArray[np.uint64]:
    """Integers modulo 2⁶⁴; anything else would be rounded without a word."""
    if isinstance(column, int):
        return np.asarray(column % 2**64, dtype=np.uint64)
    values = np.asarray(column)
    if values.dtype.kind not in "iu":
        raise TypeError(f"a pseudo-random function takes integers, not {values.dtype}")
    return values.astype(np.uint64)


def _encrypted(key: bytes, blocks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """AES of each row by itself: the building block of a MAC, never used to hide a text."""
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    sealed = cipher.update(blocks.astype("<u8").tobytes())
    return np.frombuffer(sealed, dtype="<u8").astype(np.uint64).reshape(blocks.shape)


def _split(stream: NDArray[np.uint64], bucket_bits: int) -> Numbers:
    made = Numbers(
        buckets=(stream >> np.uint64(64 - bucket_bits)).astype(np.uint8),
        keys=(stream & np.uint64(0xFFFFFFFF)).astype(np.uint32) | np.uint32(1),
        ranks=(stream >> np.uint64(32)).astype(np.uint32),
    )
    for array in (made.buckets, made.keys, made.ranks):
        array.flags.writeable = False
    return made
