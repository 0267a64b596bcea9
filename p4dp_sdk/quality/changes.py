"""What moved since the version before: rows that are lost, columns that empty or fill, rules that fire more
or less often. As `warehouse check` tells it, from protected counts of both versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk import markup
from p4dp_sdk.backend.progress import where_people_look
from p4dp_sdk.catalogue.model import Unit
from p4dp_sdk.errors import UnknownNameError
from p4dp_sdk.figures.attached import disclosure_in
from p4dp_sdk.figures.words import MARK
from p4dp_sdk.granted import label
from p4dp_sdk.identity import day
from p4dp_sdk.locale import translate as _
from p4dp_sdk.quality.asking import Ask, Asked, executed, groups_of
from p4dp_sdk.quality.moving import FILLED, ROWS, RULE, Counts, filled, in_order, moves
from p4dp_sdk.quality.previous import Previous, Version
from p4dp_sdk.tables.derived import Derived

if TYPE_CHECKING:
    import pandas as pd

    from p4dp_sdk.catalogue.model import Table
    from p4dp_sdk.granted import GrantedCatalogue

CENTRE: Final = "centre_id"
_SHOWN: Final = 20
_LEAST_BLUR: Final = 1.0  # of numbers that are not blurred


@dataclass(frozen=True)
class Changes(Derived):
    """`frame`: what moved by more than `points`, the largest first. `before` and `after` are numbers of rows
    and `moved` is in %, or shares in % and points. `version` is what it is compared with. The first 20 are
    displayed."""

    version: Version = field(kw_only=True)
    points: float = field(kw_only=True)

    def _repr_html_(self) -> str:
        shown = self._first._repr_html_() if len(self.frame) else ""
        return markup.heading(self._head()) + shown + markup.notes(self._notes())

    def __repr__(self) -> str:
        shown = [repr(self._first)] if len(self.frame) else []
        return "\n".join([self._head(), *shown, *self._notes()])

    @property
    def _first(self) -> Derived:
        return Derived(self.frame.head(_SHOWN), self.titles)

    def _head(self) -> str:
        said = (
            _("Moved by more than {points:g} points since version {number} (data until {day}):")
            if len(self.frame)
            else _(
                "Nothing that can be told moved by more than {points:g} points since version "
                "{number} (until {day})."
            )
        )
        return said.format(points=self.points, number=self.version.number, day=day(self.version.last_date))

    def _notes(self) -> list[str]:
        notes = [
            _(
                "Of rules, a tenth of that. What grew is not told, nor what may be the blur of few patients, "
                "nor what lies within one or two practices."
            )
        ]
        if self.frame[["before", "after"]][self.frame["moved"].notna()].isna().any(axis=None):
            notes.append(
                _(
                    "A share of {mark} counts as next to nothing to tell: mostly it is withheld for being "
                    "so, sometimes since one practice stands out in it."
                ).format(mark=MARK)
            )
        if self.frame["moved"].isna().any():
            notes.append(
                _("A group whose number of rows is {mark} now is withheld, or gone.").format(mark=MARK)
            )
        if (more := len(self.frame) - _SHOWN) > 0:
            notes.insert(0, _("{number} more: see .frame.").format(number=more))
        if self.version.apart and CENTRE in self.frame.columns:
            told = _("Not the same centres in both versions, so not compared: {codes}.")
            notes.append(told.format(codes=", ".join(sorted(self.version.apart))))
        return notes


@dataclass
class _Listening:
    """Asks, and hears how much the numbers are blurred."""

    ask: Ask
    blur: float = _LEAST_BLUR

    def __call__(self, asked: Any) -> pd.DataFrame:
        frame = self.ask(asked)
        disclosure = disclosure_in(frame)
        self.blur = max(self.blur, disclosure.error if disclosure else 0.0)
        return frame


@dataclass(frozen=True)
class Compared:
    """One table, counted in both versions by the same keys."""

    table: Table
    keys: tuple[str, ...]
    now: Counts
    before: Counts
    blur: float

    @classmethod
    def of(cls, rows: Any, table: Table, by: Sequence[str], previous: Previous) -> Compared:
        """Raises UnknownNameError for what the table can't be grouped by, EnclaveError for a refusal."""
        version = previous.version
        sides = [_Listening(ask) for ask in (executed, previous.ask)]
        now, before = (
            _counts(Asked.of(rows, table, by, side), version.columns[table.name]) for side in sides
        )
        if CENTRE in by:
            now, before = (each.without(CENTRE, version.apart) for each in (now, before))
        return cls(table, tuple(by), now, before, max(side.blur for side in sides))

    def moved(self, points: float) -> pd.DataFrame:
        return moves(self.now, self.before, self.keys, points, self.blur)

    def filled(self) -> pd.DataFrame:
        """By the keys and `column` in words, how many points more of the rows are filled; of columns where
        anything moved, if there are."""
        found = filled(self.now, self.before, self.keys, self.blur)
        moving = found[found["name"].isin(found.loc[found["moved"] != 0, "name"])]
        chosen = moving if len(moving) else found
        return chosen.assign(column=[label(self.table.column(name)) for name in chosen["name"]])


def _counts(asked: Asked, held: frozenset[str]) -> Counts:
    """Of the columns that the version before has, too."""
    columns = [column for column in asked.columns() if column.name in held]
    missing = asked.missing(columns, patients=True)
    rules = asked.table.has("dq_code") and "dq_code" in held and "dq_code" not in asked.by
    return Counts.of(asked.by, missing, asked.fired() if rules else None)


@dataclass(frozen=True)
class Comparison:
    """Of a workspace's tables with the version before."""

    tables: Mapping[str, Any]
    catalogue: GrantedCatalogue
    previous: Previous

    def changes(self, table: str | None, by: Sequence[str], points: float) -> Changes:
        """See `Quality.changes`."""
        import pandas as pd

        chosen = self._groupable(by) if table is None else [table]
        found = [self._told(self.compared(name, by), points) for name in _telling(chosen)]
        frame = in_order(pd.concat(found, ignore_index=True))
        return Changes(frame, _titles(), version=self.previous.version, points=points)

    def compared(self, name: str, by: Sequence[str]) -> Compared:
        """Raises UnknownNameError for a table that isn't there in both versions, or can't be grouped so."""
        if name not in (known := self._known()):
            raise UnknownNameError(name, known)
        return Compared.of(self.tables[name], self.catalogue.tables[name], by, self.previous)

    def _known(self) -> list[str]:
        """Tables of people that both versions have."""
        both = [name for name in self.tables if name in self.previous.version.columns]
        return [name for name in both if self.catalogue.tables[name].unit is not Unit.PUBLIC]

    def _groupable(self, by: Sequence[str]) -> list[str]:
        """Raises UnknownNameError for groups that no table has, or none has together."""
        known = {name: groups_of(self.catalogue.tables[name]) for name in self._known()}
        every = {group for groups in known.values() for group in groups}
        found = [name for name, groups in known.items() if set(by) <= set(groups)]
        if not found:
            raise UnknownNameError(next((key for key in by if key not in every), ", ".join(by)), every)
        return found

    def _told(self, compared: Compared, points: float) -> pd.DataFrame:
        """With the table, what moved and its unit in words."""
        found, table = compared.moved(points), compared.table
        rules = self.catalogue.labels("dq_code") if RULE in set(found["what"]) else {}
        words = {ROWS: _("number of rows"), FILLED: _("filled (%)"), RULE: _("rule (% of the rows)")}
        names = [
            label(table.column(name)) if what == FILLED else rules.get(name, name)
            for what, name in zip(found["what"], found["name"], strict=True)
        ]
        told = found.assign(what=[words[what] for what in found["what"]], name=names)
        told.insert(0, "table", label(table))
        return told.assign(unit=["%" if what == ROWS else _("points") for what in found["what"]])


def _telling(names: Sequence[str]) -> Iterator[str]:
    """Each of them; of several, which it is just now is told where people look."""
    show = where_people_look()
    for place, name in enumerate(names, start=1):
        if len(names) > 1:
            show(_("Comparing {table} ({place} of {all})…").format(table=name, place=place, all=len(names)))
        yield name
    if len(names) > 1:
        show("")


def _titles() -> dict[str, str]:
    return {
        "table": _("Table"),
        "what": _("What"),
        "name": _("Column or rule"),
        "before": _("Before"),
        "after": _("Now"),
        "moved": _("Moved"),
        "unit": "",
        CENTRE: _("Centre"),
    }
