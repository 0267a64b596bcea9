"""What each column and each row of a table is, by its name and by its numbers. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from hub_config.airlock.checks.inside.disclosure import vocabulary as said
from hub_config.airlock.checks.inside.disclosure.cells import Cell
from hub_config.airlock.checks.inside.disclosure.grid import Grid


class Role(StrEnum):
    COUNT = "count"
    TOTAL = "total"  # a denominator, or the sum of a row
    LIKELY_COUNT = "likely-count"  # a class of a crosstab, by its header and its whole numbers
    SHARE = "share"
    STATISTIC = "statistic"
    AXIS = "axis"  # years, codes, ages: what the rows are about
    EXTREME = "extreme"
    VALUE = "value"  # whatever its row's label says
    IDENTIFIER = "identifier"
    LABEL = "label"
    OTHER = "other"


COUNTING: Final = frozenset({Role.COUNT, Role.TOTAL, Role.LIKELY_COUNT})


class RowRole(StrEnum):
    DATA = "data"
    TOTAL = "total"
    COUNT = "count"
    STATISTIC = "statistic"
    EXTREME = "extreme"
    BLANK = "blank"


@dataclass(frozen=True)
class Roles:
    columns: tuple[Role, ...]
    rows: tuple[RowRole, ...]
    denominators: tuple[int | None, ...]
    """Of each column, where its header says N = …"""

    def of(self, *roles: Role) -> list[int]:
        return [number for number, role in enumerate(self.columns) if role in roles]

    @property
    def counts_something(self) -> bool:
        return any(role in COUNTING for role in self.columns) or RowRole.COUNT in self.rows


def roles_of(grid: Grid) -> Roles:
    rows = tuple(row_role(row, first=at == 0) for at, row in enumerate(grid.rows))
    named = [column_role(grid.header[at], grid.column(at), at) for at in range(grid.width)]
    if named[:1] == [Role.COUNT] and Role.COUNT in named[1:] and _is_scale(grid.header[0], grid.column(0)):
        named[0] = Role.AXIS
    return Roles(
        columns=tuple(_as_crosstab(grid, named, rows)),
        rows=rows,
        denominators=tuple(said.denominator_in(name) for name in grid.header),
    )


def column_role(name: str, cells: Sequence[Cell], at: int) -> Role:
    """By the name first, then by what stands in it."""
    told = said.words(name)
    if told & said.PERSON and told & said.NUMBER_OF:
        return Role.IDENTIFIER
    if told & said.IDENTIFIER and not told & said.COUNT - said.PERSON - {"patients"}:
        return Role.AXIS if told & said.THINGS and not told & said.PERSON else Role.IDENTIFIER
    if at == 0 and _numbers_rows(cells):
        return Role.AXIS
    if _is_extreme(told, name):
        return Role.EXTREME
    if _is_share(told, name, cells):
        return Role.SHARE
    if _is_total(told, name, cells):
        return Role.TOTAL
    filled = [cell for cell in cells if not cell.empty and not cell.statistic]
    if (
        told & said.COUNT
        and not told & _NO_COUNT
        and _mostly_whole(cells)
        and (not filled or _says_counts(filled, at))
    ):
        return Role.COUNT
    if (
        any(cell.count is not None and not (cell.loose or cell.is_month) for cell in cells)
        and not told & said.STATISTIC
    ):
        return Role.COUNT
    return _by_content(told, cells, at)


_NO_COUNT: Final = said.STATISTIC - {"index", "no", "num", "numero"} | {"code", "annee", "year"}
_INDEX: Final = frozenset({"", "index"})


def _by_content(told: frozenset[str], cells: Sequence[Cell], at: int) -> Role:
    """Means with their spread say nothing of the column: tables mix them with counts, row by row."""
    filled = [cell for cell in cells if not cell.empty and not cell.statistic]
    if told & said.AXIS or (at == 0 and not _numeric(filled)):
        return Role.AXIS if told & said.AXIS else Role.LABEL
    if told and told <= said.VALUE:
        return Role.VALUE
    if told & (said.STATISTIC | said.FREEDOM | said.RESIDUAL | said.FITTED):
        return Role.STATISTIC
    if not _numeric(filled):
        return Role.LABEL
    return Role.AXIS if at == 0 or _is_sequence(cells) or _are_years(cells) else Role.OTHER


def _is_extreme(told: frozenset[str], name: str) -> bool:
    if told & said.SETTING or ("min" in told and told & said.DURATION):
        return False
    return bool(told & said.EXTREME) or said.plain(name) in ("0%", "100%", "0 %", "100 %")


def _is_share(told: frozenset[str], name: str, cells: Sequence[Cell]) -> bool:
    if "%" in name and not any(cell.count is not None and not cell.loose for cell in cells):
        return True
    if told & said.SHARE and not (told & {"n", "nb", "nombre", "effectif", "count"} and _mostly_whole(cells)):
        return True
    numbers = [cell for cell in cells if cell.number is not None]
    return bool(numbers) and sum(cell.percent for cell in numbers) > len(numbers) / 2


def _is_total(told: frozenset[str], name: str, cells: Sequence[Cell]) -> bool:
    named = name.strip() == "N" or bool(told & said.TOTAL)
    return named and not told & _NO_COUNT and _mostly_whole(cells)


def _says_counts(filled: Sequence[Cell], at: int) -> bool:
    """Of a column named as counts are: behind the first, one number is enough, whatever else stands in it."""
    read = [cell for cell in filled if cell.is_read]
    if at > 0 and any(cell.whole is not None for cell in read):
        return True
    return len(read) >= 0.7 * len(filled)


def _numeric(filled: Sequence[Cell]) -> bool:
    """Mostly numbers and masks; numbers in words or with marks only where as many are plain."""
    strict = sum(not cell.loose and (cell.number is not None or cell.count is not None) for cell in filled)
    masked = sum(cell.masked for cell in filled)
    loose = min(sum(cell.loose for cell in filled), strict)
    return bool(filled) and strict + masked + loose >= 0.7 * len(filled)


def _mostly_whole(cells: Sequence[Cell]) -> bool:
    numbers = [cell for cell in cells if cell.number is not None or cell.count is not None]
    whole = [cell for cell in numbers if (each := cell.whole) is not None and each >= 0]
    return len(whole) >= 0.6 * len(numbers) if numbers else True


def _is_sequence(cells: Sequence[Cell]) -> bool:
    """1, 2, 3 …: an index or an axis. Two numbers are none."""
    numbers = [cell.number for cell in cells if cell.number is not None]
    steps = {round(after - before, 9) for before, after in pairwise(numbers)}
    return len(numbers) > 2 and len(numbers) == len(cells) and len(steps) == 1 and steps != {0.0}


def _numbers_rows(cells: Sequence[Cell]) -> bool:
    """A first column of 0, 1, 2 … or 1, 2, 3 …: the number of the row, whatever it is called."""
    return _is_sequence(cells) and [cell.number for cell in cells[:2]] in ([0, 1], [1, 2])


def _is_scale(name: str, cells: Sequence[Cell]) -> bool:
    """Rising whole numbers in front of counts: how many visits, of how many patients; but no cases by the
    hundred."""
    if said.words(name) & said.PEOPLE and any((cell.whole or 0) >= _AS_HIGH_AS_COUNTS for cell in cells):
        return False
    numbers = [cell.number for cell in cells]
    known = [number for number in numbers if number is not None]
    return len(known) == len(numbers) > 1 and all(before < after for before, after in pairwise(known))


def _are_years(cells: Sequence[Cell]) -> bool:
    numbers = [cell.number for cell in cells if cell.number is not None]
    return bool(numbers) and all(1900 <= each <= 2100 and each == int(each) for each in numbers)


def _as_crosstab(grid: Grid, named: list[Role], rows: Sequence[RowRole]) -> list[Role]:
    """Columns of whole numbers whose header is a class (a year, a sex, an age band), or that stand beside a
    total, are counts; the table then is a crosstab."""
    open_ones = [
        at
        for at, role in enumerate(named)
        if role is Role.OTHER
        and _all_whole([c for c, r in zip(grid.column(at), rows, strict=True) if r in _ADDED])
    ]
    classes = [at for at in open_ones if said.is_category(grid.header[at])]
    added = Role.TOTAL in named or RowRole.TOTAL in rows
    counting = open_ones if added or _large(grid, open_ones) else classes if len(classes) >= 2 else []
    return [Role.LIKELY_COUNT if at in counting else role for at, role in enumerate(named)]


def _large(grid: Grid, columns: Sequence[int]) -> bool:
    """Whether whole numbers go as high as counts of people do, and scores, grades and settings don't."""
    return any((cell.whole or 0) >= _AS_HIGH_AS_COUNTS for at in columns for cell in grid.column(at))


_AS_HIGH_AS_COUNTS: Final = 30
_ADDED: Final = (RowRole.DATA, RowRole.TOTAL)


def _all_whole(cells: Sequence[Cell]) -> bool:
    whole = [cell.whole for cell in cells if cell.whole is not None]
    filled = [cell for cell in cells if not cell.empty and not cell.statistic]
    numbers = [cell for cell in filled if not cell.masked]
    return bool(whole) and len(whole) >= 0.8 * len(numbers) and min(whole) >= 0


def row_role(row: Sequence[Cell], *, first: bool = False) -> RowRole:
    """By the first text of the row."""
    label = next((cell.text for cell in row[:3] if _is_text(cell)), "")
    told = said.words(label)
    if not any(cell.text for cell in row):
        return RowRole.BLANK
    if _is_extreme(told, label) and not told & said.DURATION:
        return RowRole.EXTREME
    if told & said.TOTAL and not told & said.STATISTIC:
        return RowRole.TOTAL
    if _STATISTICS.search(said.plain(label)):
        return RowRole.STATISTIC
    if label.strip().lower() in _COUNTED or counts_people(told):
        return RowRole.COUNT
    return RowRole.DATA


_COUNTED: Final = frozenset(
    {"n", "count", "nb", "effectif", "effectifs", "nombre", "patients", "no. observations"}
)


def counts_people(told: frozenset[str]) -> bool:
    """« Décès », « patients inclus », but neither « âge des femmes » nor « % de patients »."""
    return bool(told & said.PEOPLE) and len(told) <= 4 and not told & (said.STATISTIC | said.SHARE)


_STATISTICS: Final = re.compile(
    r"\b(mean|moyenne|median\w*|mediane|sd|std|ecart|iqr|eiq|q1|q3|auc|r2|aic|bic|coef\w*|variance|"
    r"p.?value|\d\d ?%)(?!\w)"
)


def _is_text(cell: Cell) -> bool:
    return bool(cell.text) and (cell.loose or (cell.number is None and cell.count is None))
