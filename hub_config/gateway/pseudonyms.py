"""Project pseudonyms: what patients and events are called in a project that sees rows.

A pseudonym is the first 63 bits of SHA-256 over a 32-byte project key, the kind of thing and its number.
The project key is derived from the enclave's own (`keys/`, 0600), so no two projects can link their rows.
It reaches the engine as a bound variable of one connection: it stands in no SQL text, log, error or audit
event.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from hub_config.gateway.engine import Session

KEY_FILE: Final = "project-pseudonyms.key"
_VARIABLE: Final = "p4dp_project_key"
FUNCTION: Final = "p4dp_pseudonym"
_DIGEST: Final = f"sha256(getvariable('{_VARIABLE}') || encode(kind || ':' || number))"
_MACRO: Final = f"""
    CREATE TEMP MACRO {FUNCTION}(kind, number) AS
    (('0x' || substr({_DIGEST}, 1, 16))::UBIGINT >> 1)::BIGINT
"""


@dataclass(frozen=True, repr=False)
class ProjectKey:
    """The key of one project. Shows nothing of itself."""

    secret: bytes

    @classmethod
    def derive(cls, master: bytes, project: str) -> ProjectKey:
        return cls(hmac.digest(master, b"p4dp project pseudonyms\0" + project.encode(), hashlib.sha256))

    def pseudonym(self, kind: str, number: int) -> int:
        """The same function outside the engine, for reference."""
        digest = hashlib.sha256(self.secret + f"{kind}:{number}".encode()).digest()
        return int.from_bytes(digest[:8]) >> 1


def install(session: Session, key: ProjectKey) -> None:
    """Give this connection, and no other, the pseudonym function of the project."""
    session.run(f"SET VARIABLE {_VARIABLE} = ?", [key.secret])
    session.run(_MACRO)
