"""`ws.centre("CLF")`: the workspace narrowed to one centre, for whoever reports on their own region.

A convenience for the person who asks, and no protection: each table that has a centre is filtered on it, and
the gateway protects what comes back as it does any other answer.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from p4dp_sdk.errors import UnknownNameError
from p4dp_sdk.workspace import Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from p4dp_sdk.granted import GrantedCatalogue
    from p4dp_sdk.identity import Identity
    from p4dp_sdk.indicators.registry import Indicators
    from p4dp_sdk.tables.safe import SafeTable
    from p4dp_sdk.workspace import Workspace

CENTRE = "centre_id"


class Centre:
    """One centre's rows of a workspace. Takes the workspace's place as `p4dp.Cohort(ws.centre("CLF"), …)`."""

    def __init__(self, workspace: Workspace, code: str) -> None:
        known = [each.code for each in workspace.catalogue.code_systems["centre"].codes]
        if code not in known:
            raise UnknownNameError(code, known)
        self._workspace = workspace
        self.code = code

    @cached_property
    def tables(self) -> CentreTables:
        return CentreTables(self._workspace, self.code)

    @cached_property
    def indicators(self) -> Indicators:
        """The dashboards' measures, of this centre."""
        from p4dp_sdk.indicators.registry import Indicators

        return Indicators(cast("Workspace", self))

    @property
    def catalogue(self) -> GrantedCatalogue:
        return self._workspace.catalogue

    @property
    def whoami(self) -> Identity:
        return self._workspace.whoami

    def publish(self, expr: ir.Expr, title: str) -> SafeTable:
        """As `ws.publish`."""
        return self._workspace.publish(expr, title)

    def __repr__(self) -> str:
        return f"{self.code}: {self._workspace.catalogue.labels('centre')[self.code]}"


class CentreTables(Tables):
    """As `ws.tables`; those that have a centre hold this one's rows."""

    def __init__(self, workspace: Workspace, code: str) -> None:
        super().__init__(workspace)
        self._code = code

    def __getitem__(self, name: str) -> Any:
        from p4dp_sdk.cohorts.events import EventTable

        whole = super().__getitem__(name)
        if CENTRE not in whole.columns:
            return whole
        return EventTable(whole.filter(whole[CENTRE] == self._code).op())
