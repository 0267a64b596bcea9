"""The questions of `ws.quality` on one table, as Ibis expressions: counts only, in closed groups.

The gateway protects them as it protects any other. Rows are counted; their values are never asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.catalogue.model import Column, Role, Table
from p4dp_sdk.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

MONTH: Final = "month"
YEAR: Final = "year"
_COLUMNS_AT_ONCE: Final = 6
_ASKED: Final = (Role.CODE, Role.DATE, Role.NUMERIC)
_PERIODS: Final = {MONTH: ("M", 7), YEAR: ("Y", 4)}


@dataclass(frozen=True)
class Asked:
    """A table's rows with its groups: codes of the table, and the month or year of its date."""

    rows: Any
    table: Table
    by: tuple[str, ...]

    @classmethod
    def of(cls, rows: Any, table: Table, by: str | Iterable[str]) -> Asked:
        """Raises UnknownNameError for what the table can't be grouped by, with what it can be."""
        keys = (by,) if isinstance(by, str) else tuple(by)
        known = [column.name for column in table.columns if column.role is Role.CODE]
        known += [MONTH, YEAR] if table.date else []
        for key in keys:
            if key not in known:
                raise UnknownNameError(key, known)
        return cls(_with_periods(rows, table, keys), table, keys)

    def columns(self) -> list[Column]:
        """Those whose filling may be asked: no identifier, and nothing as it was exported."""
        return [each for each in self.table.columns if each.role in _ASKED and each.name not in self.by]

    def missing(self, columns: Sequence[Column]) -> pd.DataFrame:
        """A row a group: `rows`, and for each column how many of them have nothing in it (`missing_…`).

        What is missing is asked, since a filter that lets nearly all pass is withheld for the few it stops.
        """
        found: pd.DataFrame | None = None
        for start in range(0, len(columns), _COLUMNS_AT_ONCE):
            part = self._missing([column.name for column in columns[start : start + _COLUMNS_AT_ONCE]])
            found = part if found is None else _beside(found, part, list(self.by))
        if found is None:
            raise UnknownNameError("", [column.name for column in self.columns()])
        return self._in_words(found)

    def fired(self) -> pd.DataFrame:
        """A row a group and quality code: `n` rows."""
        keys = [*self.by, "dq_code"]
        found: pd.DataFrame = self.rows.group_by(keys).agg(n=self.rows.count()).order_by(keys).execute()
        return self._in_words(found)

    def _missing(self, names: Sequence[str]) -> pd.DataFrame:
        counts = {f"missing_{name}": self.rows.count(where=self.rows[name].isnull()) for name in names}
        counts["rows"] = self.rows.count()
        if self.by:
            asked = self.rows.group_by(list(self.by)).agg(**counts).order_by(list(self.by))
        else:
            asked = self.rows.agg(**counts)
        found: pd.DataFrame = asked.execute()
        return found

    def _in_words(self, found: pd.DataFrame) -> pd.DataFrame:
        """A month as 2020-01, a year as 2020."""
        for key, (_unit, digits) in _PERIODS.items():
            if key in self.by:
                found[key] = [str(day)[:digits] for day in found[key]]
        return found


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
