"""The version of the data before the project's own: which it is, and how its rows are counted.

The gateway decides which that is, and answers counts of it only, protected as any draft is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.wire.errors import ErrorCode

if TYPE_CHECKING:
    import pandas as pd

    from p4dp_sdk.workspace import Workspace


@dataclass(frozen=True)
class Version:
    """`columns` are those it has of each granted table; `apart` the centres that don't stand for the same in
    both versions."""

    number: int
    last_date: str
    columns: Mapping[str, frozenset[str]]
    apart: frozenset[str]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Version:
        """From the gateway's answer. Raises EnclaveError when it is not of the form this SDK knows."""
        try:
            return cls(
                number=int(answer["snapshot"]["number"]),
                last_date=str(answer["snapshot"]["last_date"]),
                columns={table: frozenset(columns) for table, columns in answer["tables"].items()},
                apart=frozenset(answer["apart"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise EnclaveError(ErrorCode.PROTOCOL_VERSION) from None


class Previous:
    """Of one workspace. Asks nothing until it is looked at."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def version(self) -> Version:
        """Raises EnclaveError where there is none."""
        return Version.read(self._workspace.gateway_says_of_previous())

    def ask(self, expression: Any) -> pd.DataFrame:
        """The answer to a count of the workspace's tables, of that version."""
        frame: pd.DataFrame = self._workspace.backend.counted_before(expression)
        return frame
