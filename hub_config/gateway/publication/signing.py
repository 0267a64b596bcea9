"""Signs publication tables. The key is made on first start, stays in `keys/` (0600) and signs nothing else.

Whoever wants to verify needs the public key, which anybody may have: the gateway lays it beside those before
it, under the fingerprint that signatures name, so that older tables stay verifiable and a service that
verifies holds no private key.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub_config.keys import ensure_key, write_private
from p4dp_sdk.wire.publication import Document, Signature, Statement, fingerprint

KEY_FILE: Final = "publication"


@dataclass(frozen=True)
class Signer:
    """The enclave's signature on its publication tables."""

    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def ensure(cls, keys: Path) -> Self:
        """The signer whose key is in `keys`, generated when absent. Raises UnsafeKey where others may
        read it."""
        return cls(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(ensure_key(keys, KEY_FILE))))

    @property
    def public_key(self) -> str:
        """PEM."""
        form = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(*form).decode("ascii")

    @property
    def name(self) -> str:
        """The key's fingerprint."""
        return fingerprint(self._key.public_key().public_bytes_raw())

    def announce(self, directory: Path) -> Path:
        """Lay the public key into `directory`, where other services of the enclave find it."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o755)
        path = directory / f"{self.name}.pem"
        write_private(path, self.public_key)
        path.chmod(0o644)
        return path

    def sign(self, statement: Statement) -> Document:
        value = base64.b64encode(self._key.sign(statement.signed_bytes)).decode("ascii")
        return Document(statement, Signature(self.name, value))
