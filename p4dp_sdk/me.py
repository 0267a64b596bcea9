"""`ws.me`: one's own rows, as the gateway knows them by the login.

An intern's own consultations, a GP's own practice, the interns whom a maître de stage supervises. Nothing
here says whose they are: the gateway finds out, and refuses whoever it doesn't know. What comes back are
protected drafts, without the rule on GPs; nothing of it can be published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, assert_never, cast

from p4dp_sdk import markup
from p4dp_sdk.errors import EnclaveError, UnknownNameError
from p4dp_sdk.granted import GrantedCatalogue, description, label
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.workspace import Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from p4dp_sdk.identity import Identity
    from p4dp_sdk.indicators.registry import Indicators
    from p4dp_sdk.tables.safe import SafeTable
    from p4dp_sdk.workspace import Workspace


class Standing(StrEnum):
    """As what the gateway knows the person."""

    INTERN = "intern"
    PHYSICIAN = "physician"
    TRAINER = "trainer"

    @property
    def words(self) -> str:
        match self:
            case Standing.INTERN:
                return _("intern: the consultations of your own log")
            case Standing.PHYSICIAN:
                return _("GP: the patients and consultations of your own practice")
            case Standing.TRAINER:
                return _("supervisor: the logs of the interns whom you supervise")
            case _:
                assert_never(self)


@dataclass(frozen=True)
class Who:
    """What the gateway says of the person in this snapshot: never a number. `standing` None: not in the
    register; not `available`: the snapshot is older than what tells rows apart."""

    standing: Standing | None
    available: bool
    source: str
    snapshot: int
    tables: tuple[str, ...]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Who:
        """From the gateway's answer. Raises EnclaveError when it is not of the form this SDK knows."""
        try:
            standing = answer["standing"]
            return cls(
                standing=None if standing is None else Standing(standing),
                available=bool(answer["available"]),
                source=str(answer["source"]),
                snapshot=int(answer["snapshot"]),
                tables=tuple(answer["tables"]),
            )
        except (KeyError, TypeError, ValueError):
            raise EnclaveError(ErrorCode.PROTOCOL_VERSION) from None

    @property
    def problem(self) -> EnclaveError | None:
        """Why there is nothing of one's own here, and who can change that."""
        if self.standing is None:
            return EnclaveError(ErrorCode.NOT_LINKED, {"source": self.source})
        if not self.available:
            return EnclaveError(ErrorCode.OWN_UNAVAILABLE, {"snapshot": self.snapshot})
        return None

    def __repr__(self) -> str:
        if self.standing is None or self.problem is not None:
            return str(self.problem)
        return self.standing.words


class Me:
    """One's own rows. `tables` to ask questions, `who` for what the gateway knows of the person."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def who(self) -> Who:
        return Who.read(self._workspace.gateway_says_of_me())

    @cached_property
    def tables(self) -> OwnTables:
        """As `ws.tables`, with the rows of one's own. Both in one question are an error: ask two."""
        return OwnTables(self._workspace, self.who)

    @property
    def whoami(self) -> Identity:
        return self._workspace.whoami

    @property
    def catalogue(self) -> GrantedCatalogue:
        return self._workspace.catalogue

    @cached_property
    def indicators(self) -> Indicators:
        """The dashboards' measures, of one's own rows: `ws.me.indicators["carnet"]`."""
        from p4dp_sdk.indicators.registry import Indicators

        return Indicators(cast("Workspace", self))

    def publish(self, expr: ir.Expr, title: str) -> SafeTable:
        """Refused by the gateway, in words: what is one's own can't be published."""
        return self._workspace.publish(expr, title)

    def _lines(self) -> list[tuple[str, str]]:
        if self.who.problem is not None:
            return [(_("Your own rows"), str(self.who.problem))]
        return [
            (_("Your own rows"), repr(self.who)),
            (_("Tables"), ", ".join(f"ws.me.tables.{name}" for name in self.who.tables)),
            (_("Protection"), _("drafts, from 11 patients on; without the rule on GPs; never published")),
        ]

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._lines())

    def _repr_html_(self) -> str:
        return markup.table([_("One’s own"), ""], self._lines())


class OwnTables(Tables):
    """One's own tables as Ibis tables: `ws.me.tables.training_log`."""

    def __init__(self, workspace: Workspace, who: Who) -> None:
        super().__init__(workspace)
        self._who = who

    def __getitem__(self, name: str) -> ir.Table:
        if name not in self._who.tables:
            self._refuse(name)
        from p4dp_sdk.cohorts.events import EventTable

        return EventTable(self._workspace.backend.own_table(name).op())

    def _refuse(self, name: str) -> NoReturn:
        raise self._who.problem or UnknownNameError(name, self)

    def __iter__(self) -> Iterator[str]:
        return iter(self._who.tables)

    def __len__(self) -> int:
        return len(self._who.tables)

    def __repr__(self) -> str:
        if self._who.problem is not None:
            return str(self._who.problem)
        granted = self._workspace.catalogue.tables
        return "\n".join(f"{name:<22} {label(granted[name])}" for name in self)

    def _repr_html_(self) -> str:
        if self._who.problem is not None:
            return self._who.problem._repr_html_()
        granted = [self._workspace.catalogue.tables[name] for name in self]
        rows = [(f"ws.me.tables.{t.name}", label(t), description(t)) for t in granted]
        return markup.table([_("Table"), _("Title"), _("Content")], rows)
