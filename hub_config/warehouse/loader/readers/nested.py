"""Records out of a nested document: what an XML or JSON parser meets in turn becomes rows of text.

Only the path that leads to the records and the columns below and beside it are looked at; all else passes by.
Nothing is kept of a record once its row is made, so memory doesn't grow with the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from hub_config.warehouse.loader.mapping import Limits
from hub_config.warehouse.loader.readers.problems import SourceProblem, at, nearest

BATCH: Final = 1 << 14
_UP: Final = "../"
_NAMES_KEPT: Final = 1_000  # of those not asked for, to find a renamed one
_TWICE: Final = "\0twice"  # in a cell: the record has more than one value for this column


@dataclass
class Step:
    """An element on a wanted path. `cell` and those of `attributes` are places in the row; `scope` is the
    first cell to empty when the element begins; `record` says that its end is the end of a row."""

    name: str
    children: dict[str, Step] = field(default_factory=dict)
    attributes: dict[str, int] = field(default_factory=dict)
    cell: int | None = None
    scope: int | None = None
    record: bool = False
    met: bool = False
    others: set[str] = field(default_factory=set)  # children and attributes that nobody asks for
    attributes_met: set[str] = field(default_factory=set)

    def child(self, name: str) -> Step:
        return self.children.setdefault(name, Step(name))


@dataclass(frozen=True)
class Plan:
    """The tree of wanted paths, and in which order its cells hold the columns."""

    root: Step
    order: tuple[str, ...]  # ancestors' columns before those of what they hold


@dataclass(frozen=True)
class _Wanted:
    """A column as a path from the document."""

    column: str
    level: int  # of the element it is a value of or below
    steps: tuple[str, ...]
    attribute: str | None


def plan(name: str, record: Sequence[str], columns: Mapping[str, str], separator: str) -> Plan:
    """`record` are the names from the document to the record. Raises SourceProblem for a path that leads
    nowhere."""
    wanted = sorted((_wanted(name, record, column, separator) for column in columns), key=lambda w: w.level)
    root = Step("")
    node = root
    for level, part in enumerate(record, start=1):
        node = node.child(part)
        node.scope = sum(one.level < level for one in wanted)
    node.record = True
    for cell, one in enumerate(wanted):
        _place(root, one, cell)
    return Plan(root, tuple(one.column for one in wanted))


def _wanted(name: str, record: Sequence[str], column: str, separator: str) -> _Wanted:
    ups, path = 0, column
    while path.startswith(_UP):
        ups, path = ups + 1, path[len(_UP) :]
    if ups >= len(record):
        raise SourceProblem(f"{name}: {column!r} is above the document. Use fewer `../` in the mapping.")
    *steps, last = path.split(separator)
    attribute = last.removeprefix("@") if separator == "/" and last.startswith("@") else None
    steps += [] if attribute or last == "." else [last]
    level = len(record) - ups
    return _Wanted(column, level, (*record[:level], *steps), attribute)


def _place(root: Step, wanted: _Wanted, cell: int) -> None:
    node = root
    for part in wanted.steps:
        node = node.child(part)
    if wanted.attribute is not None:
        node.attributes[wanted.attribute] = cell
    else:
        node.cell = cell


class Assembly:
    """Rows under way. The parser calls `enter`, `put` and `leave`; `batch` takes what is finished. `line`
    tells where the parser is, and `last_line` how far it may be."""

    def __init__(self, name: str, plan: Plan, columns: Sequence[str], limits: Limits) -> None:
        self._name, self._plan, self._limits = name, plan, limits
        self._order = [plan.order.index(column) for column in columns]
        self._blank: list[Any] = [None] * len(plan.order)
        self._cells: list[Any] = [*self._blank, 0]  # the last one is the line
        self._rows: list[list[Any]] = []
        self._since: dict[int, int] = {}  # by scope: rows made before its element began
        self._taken = 0
        self._own = _record(plan.root).scope or 0
        self._twice = False
        self.line: Callable[[], int] = int
        self.last_line: Callable[[], int] = int

    def enter(self, step: Step) -> None:
        """The element of `step` begins."""
        step.met = True
        if step.scope is not None:
            self._cells[step.scope : -1] = self._blank[step.scope :]
            if step.record:
                self._cells[-1] = self.line()
            else:
                self._since[step.scope] = self._taken + len(self._rows)

    def put(self, cell: int, text: str) -> None:
        """The value of a column. One that comes after rows it belongs to is put into them too."""
        if len(text) > self._limits.text:
            raise self.problem(f"a value of more than {self._limits.text:,} bytes.")
        if "\0" in text:
            raise self.problem("a NUL character: not text.")
        if self._cells[cell] is not None:
            text, self._twice = _TWICE, True
        self._cells[cell] = text
        if cell < self._own:
            self._put_into_rows(cell, text)

    def leave(self, step: Step) -> None:
        if step.record:
            self._rows.append(self._cells.copy())

    def problem(self, why: str) -> SourceProblem:
        return at(self._name, self.line(), why, last=self.last_line())

    def _put_into_rows(self, cell: int, text: str) -> None:
        first = self._since[max(scope for scope in self._since if scope <= cell)]
        if first < self._taken:
            column = self._plan.order[cell]
            raise self.problem(
                f"{column!r} comes after {BATCH:,} of the records it belongs to: it must come first."
            )
        for row in self._rows[first - self._taken :]:
            row[cell] = text

    @property
    def full(self) -> bool:
        return len(self._rows) >= BATCH

    def batch(self, ragged: list[int]) -> list[Any]:
        """The finished rows as arrays of the columns and the lines; those with two values for one go to
        `ragged`."""
        rows, self._rows = self._rows, []
        self._taken += len(rows)
        if self._twice:
            ragged += [row[-1] for row in rows if _TWICE in row]
            rows, self._twice = [row for row in rows if _TWICE not in row], _TWICE in self._cells
        cells = list(zip(*rows, strict=True)) or [()] * len(self._cells)
        columns = (pa.array(cells[place], pa.string()).fill_null("") for place in self._order)
        return [*columns, pa.array(cells[-1], pa.int64())]

    def finish(self) -> None:
        """Raises SourceProblem if a path was never met while one of nearly its name was: a renamed column."""
        for path, name, others in _never_met(self._plan.root, ""):
            if question := nearest(name, others):
                raise SourceProblem(f"{self._name}: {path} is nowhere in the file.{question}")


def _record(step: Step) -> Step:
    while not step.record:
        step = next(child for child in step.children.values() if child.scope is not None)
    return step


def _never_met(step: Step, path: str) -> Iterator[tuple[str, str, set[str]]]:
    """Each wanted (path, name) that is missing from the file, with its unasked neighbours."""
    for name in step.attributes:
        if step.met and name not in step.attributes_met:
            yield f"{path}/@{name}", name, {other.removeprefix("@") for other in step.others}
    for child in step.children.values():
        if not child.met:
            yield f"{path}/{child.name}", child.name, step.others
        else:
            yield from _never_met(child, f"{path}/{child.name}")


def note_other(step: Step, name: str) -> None:
    if len(step.others) < _NAMES_KEPT:
        step.others.add(name)
