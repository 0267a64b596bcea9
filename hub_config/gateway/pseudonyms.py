"""Project pseudonyms in the engine: `hub_config.project_keys` says what they are.

The key reaches the engine as a bound variable of one connection: it stands in no SQL text, log, error or
audit event.
"""

from __future__ import annotations

from typing import Final

from hub_config.gateway.engine import Session
from hub_config.project_keys import KEY_FILE, ProjectKey

__all__ = ["FUNCTION", "KEY_FILE", "ProjectKey", "install"]

_VARIABLE: Final = "p4dp_project_key"
FUNCTION: Final = "p4dp_pseudonym"
_DIGEST: Final = f"sha256(getvariable('{_VARIABLE}') || encode(kind || ':' || number))"
_MACRO: Final = f"""
    CREATE TEMP MACRO {FUNCTION}(kind, number) AS
    (('0x' || substr({_DIGEST}, 1, 16))::UBIGINT >> 1)::BIGINT
"""


def install(session: Session, key: ProjectKey) -> None:
    """Give this connection, and no other, the pseudonym function of the project."""
    session.run(f"SET VARIABLE {_VARIABLE} = ?", [key.secret])
    session.run(_MACRO)
