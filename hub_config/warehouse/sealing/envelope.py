"""One seal: RSA-OAEP with SHA-256 under a practice's public key of 3072 bits or more. Pure, but for the
randomness of the padding.

Every seal of a key is as long as every other, whatever is in it, and two of one identifier differ: who holds
seals learns neither whom they are of nor whether any is of nobody (`BLANK`). But a seal that is kept is the
same each time it is handed out: seals leave the enclave only `wrapped`, all of a list under one fresh key.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

LABEL: Final = b"p4dp recontact 1"
WRAPPING: Final = b"p4dp recontact list 2"  # the label of a list's own key: never taken for a seal
BLANK: Final = ""
LONGEST: Final = 200  # bytes: what RSA-OAEP takes of a 3072-bit key, and room
_BITS: Final = (3072, 8192)
_DIGITS: Final = 30
_NONCE: Final = 12  # bytes
_LONGEST_PEM: Final = 4000


class BadKey(ValueError):
    """Not a public key that lists may be sealed with."""


@dataclass(frozen=True)
class Wrapped:
    """A list's key, sealed for the practice, and what AES-256-GCM made of its content."""

    key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    content: bytes = field(repr=False)


def public_key(pem: str) -> RSAPublicKey:
    """The RSA key in an SPKI PEM. Raises BadKey for another kind, another exponent or too few bits."""
    if len(pem) > _LONGEST_PEM or "PRIVATE" in pem:
        raise BadKey("not a public key")
    try:
        key = load_pem_public_key(pem.strip().encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("not a public key") from None
    least, most = _BITS
    if not isinstance(key, RSAPublicKey) or not least <= key.key_size <= most:
        raise BadKey("not an RSA key of 3072 bits or more")
    if key.public_numbers().e != 65537:
        raise BadKey("not the usual exponent")
    return key


def fingerprint_of(pem: str) -> str:
    """Thirty digits, about 99 bits, to be read aloud: of the SHA-256 of the key's own encoding, so that line
    ends and comments of the file don't matter. Raises BadKey."""
    encoded = public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{int.from_bytes(hashlib.sha256(encoded).digest()) % 10**_DIGITS:0{_DIGITS}d}"


def spelled(fingerprint: str) -> str:
    """In groups of five, as it is read aloud."""
    return " ".join(fingerprint[start : start + 5] for start in range(0, len(fingerprint), 5))


def sealed(key: RSAPublicKey, identifier: str) -> bytes:
    """Raises ValueError for an identifier that is too long, without repeating it."""
    content = identifier.encode()
    if len(content) > LONGEST:
        raise ValueError("an identifier is too long to be sealed")
    return key.encrypt(content, OAEP(MGF1(SHA256()), SHA256(), LABEL))


def wrapped(key: RSAPublicKey, content: bytes, said: bytes) -> Wrapped:
    """`content` under a key of its own, so that two of one content have nothing in common; only together with
    `said` does it open."""
    fresh, nonce = AESGCM.generate_key(256), os.urandom(_NONCE)
    encrypted = AESGCM(fresh).encrypt(nonce, content, said)
    return Wrapped(key.encrypt(fresh, OAEP(MGF1(SHA256()), SHA256(), WRAPPING)), nonce, encrypted)
