"""The questions of `ws.quality` on one table, as Ibis expressions: counts only, in closed groups.

The gateway protects them as it protects any other. Rows are counted; their values are never asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.catalogue.model import Column, Role, Table
from p4dp_sdk.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

MONTH: Final = "month"
YEAR: Final = "year"
_COLUMNS_AT_ONCE: Final = 6
_PATIENT: Final = "patient_id"
_ASKED: Final = (Role.CODE, Role.DATE, Role.NUMERIC)
_PERIODS: Final = {MONTH: ("M", 7), YEAR: ("Y", 4)}

Ask = Callable[[Any], "pd.DataFrame"]


@dataclass(frozen=True)
class Asked:
    """A table's rows with its groups: codes of the table, and the month or year of its date. `ask` gives the
    answers."""

    rows: Any
    table: Table
    by: tuple[str, ...]
    ask: Ask

    @classmethod
    def of(cls, rows: Any, table: Table, by: str | Iterable[str], ask: Ask | None = None) -> Asked:
        """Raises UnknownNameError for what the table can't be grouped by, with what it can be."""
        keys = (by,) if isinstance(by, str) else tuple(by)
        known = groups_of(table)
        for key in keys:
            if key not in known:
                raise UnknownNameError(key, known)
        return cls(_with_periods(rows, table, keys), table, keys, ask or executed)

    def columns(self) -> list[Column]:
        """Those whose filling may be asked: no identifier, and nothing as it was exported."""
        return [each for each in self.table.columns if each.role in _ASKED and each.name not in self.by]

    def missing(self, columns: Sequence[Column], *, patients: bool = False) -> pd.DataFrame:
        """A row a group: `rows`, and for each column how many of them have nothing in it (`missing_…`); of
        how many `patients` they are, if wanted.

        What is missing is asked, since a filter that lets nearly all pass is withheld for the few it stops.
        """
        names = [column.name for column in columns]
        found = self._missing(names[:_COLUMNS_AT_ONCE])
        for start in range(_COLUMNS_AT_ONCE, len(names), _COLUMNS_AT_ONCE):
            part = self._missing(names[start : start + _COLUMNS_AT_ONCE])
            found = _beside(found, part, list(self.by))
        return self._in_words(self._with_patients(found) if patients else found)

    def fired(self) -> pd.DataFrame:
        """A row a group and quality code: `n` rows."""
        keys = [*self.by, "dq_code"]
        asked = self.rows.group_by(keys).agg(n=self.rows.count()).order_by(keys)
        return self._in_words(self.ask(asked))

    def _missing(self, names: Sequence[str]) -> pd.DataFrame:
        counts = {f"missing_{name}": self.rows.count(where=self.rows[name].isnull()) for name in names}
        return self._counted(counts | {"rows": self.rows.count()})

    def _with_patients(self, found: pd.DataFrame) -> pd.DataFrame:
        """Where rows are of nobody, or it may not be asked of whom, each stands for one."""
        if _PATIENT not in self.rows.columns:
            return found.assign(patients=found["rows"])
        counted = self._counted({"patients": self.rows[_PATIENT].nunique()})
        return found.merge(counted, on=list(self.by)) if self.by else found.join(counted)

    def _counted(self, counts: Mapping[str, Any]) -> pd.DataFrame:
        if self.by:
            return self.ask(self.rows.group_by(list(self.by)).agg(**counts).order_by(list(self.by)))
        return self.ask(self.rows.agg(**counts))

    def _in_words(self, found: pd.DataFrame) -> pd.DataFrame:
        """A month as 2020-01, a year as 2020."""
        for key, (_unit, digits) in _PERIODS.items():
            if key in self.by:
                found[key] = [str(day)[:digits] for day in found[key]]
        return found


def groups_of(table: Table) -> list[str]:
    """What its rows can be grouped by."""
    known = [column.name for column in table.columns if column.role is Role.CODE]
    return known + ([MONTH, YEAR] if table.date else [])


def executed(asked: Any) -> pd.DataFrame:
    frame: pd.DataFrame = asked.execute()
    return frame


def _with_periods(rows: Any, table: Table, keys: Sequence[str]) -> Any:
    periods = {
        key: rows[table.date].truncate(unit) for key, (unit, _digits) in _PERIODS.items() if key in keys
    }
    return rows.mutate(**periods) if periods else rows


def _beside(found: pd.DataFrame, part: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    new = part.drop(columns="rows")
    if not keys:
        return found.join(new)
    return found.merge(new, on=list(keys), how="outer")
