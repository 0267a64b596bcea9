"""The key under which one project's pseudonyms are made: what patients and events are called in a project
that sees rows. One definition, for the gateway that names them and for a linkage that comes back by name.

A pseudonym is the first 63 bits of SHA-256 over a 32-byte project key, the kind of thing and its number. The
project key is derived from the enclave's own (`keys/`, 0600), so no two projects can link their rows.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

KEY_FILE: Final = "project-pseudonyms.key"


@dataclass(frozen=True, repr=False)
class ProjectKey:
    """The key of one project. Shows nothing of itself."""

    secret: bytes

    @classmethod
    def derive(cls, master: bytes, project: str) -> ProjectKey:
        return cls(hmac.digest(master, b"p4dp project pseudonyms\0" + project.encode(), hashlib.sha256))

    def derived(self, purpose: str) -> bytes:
        """A key for another purpose, from which this one can't be found."""
        return hmac.digest(self.secret, purpose.encode(), hashlib.sha256)

    def pseudonym(self, kind: str, number: int) -> int:
        """What the project calls the thing of this kind and number."""
        digest = hashlib.sha256(self.secret + f"{kind}:{number}".encode()).digest()
        return int.from_bytes(digest[:8]) >> 1
