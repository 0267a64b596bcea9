"""The Ibis backend `p4dp` (entry point group `ibis.backends`): expression → gateway → protected answer.

Lazy, so that talking to the gateway does not import Ibis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from p4dp_sdk.backend.ibis_interface import Backend

__all__ = ["Backend"]


def __getattr__(name: str) -> Any:
    if name == "Backend":
        from p4dp_sdk.backend.ibis_interface import Backend

        return Backend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
