"""Records out of a nested document: what an XML or JSON parser meets in turn becomes rows of text, of every
kind of record in one pass.

Only the paths that lead to the records and the columns below and beside them are looked at; all else passes
by. Nothing is kept of a record once its row is made, so memory doesn't grow with the document.

Each element on the way to a record opens a *frame*: a list of its line, of the kinds of which rows that hang
on it were passed on already, and of its cells. A row is the frames that are open when its record ends; rows
share those above them, so a value that comes late is in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from hub_config.warehouse.loader.mapping import Limits
from hub_config.warehouse.loader.readers.problems import SourceProblem, at, nearest

BATCH: Final = 1 << 14  # rows of a kind that are passed on at once,
HELD: Final = 16 << 20  # or those of every kind, where there is so much text of them
_UP: Final = "../"
_NAMES_KEPT: Final = 1_000  # of those not asked for, to find a renamed one
_TWICE: Final = "\0twice"  # in a cell: the record has more than one value for this column
_LINE, _PASSED, _CELLS = 0, 1, 2  # places in a frame


@dataclass(frozen=True)
class Piece:
    """Rows of one kind: the columns as arrays of text, the line and the number of each record in its file,
    and (line, record) of those left out. `position` is how many bytes of the file were read by then."""

    kind: str
    columns: Sequence[Any]
    lines: Any
    records: Any
    misfits: Sequence[tuple[int, int]]
    position: int = 0


@dataclass(frozen=True)
class Target:
    """A cell: its frame's place among the open ones, its place there, and the columns of kinds that it is."""

    level: int
    place: int
    columns: dict[str, str] = field(default_factory=dict)


@dataclass
class Records:
    """One kind of record: where its columns are, and its rows that are under way."""

    name: str
    cells: list[Target]
    rows: list[tuple[list[Any], ...]] = field(default_factory=list)
    taken: int = 0


@dataclass
class Step:
    """An element on a wanted path. `size` is that of its frame, 0 where it opens none; at its end each of
    `records` has a row."""

    name: str
    children: dict[str, Step] = field(default_factory=dict)
    attributes: dict[str, list[Target]] = field(default_factory=dict)
    cells: list[Target] = field(default_factory=list)
    size: int = 0
    records: list[Records] = field(default_factory=list)
    met: bool = False
    others: set[str] = field(default_factory=set)  # children and attributes that nobody asks for
    attributes_met: set[str] = field(default_factory=set)

    def child(self, name: str) -> Step:
        return self.children.setdefault(name, Step(name))


@dataclass(frozen=True)
class Plan:
    """The tree of wanted paths, and the kinds of records in it."""

    root: Step
    kinds: tuple[Records, ...]


@dataclass(frozen=True)
class _Wanted:
    """A column as a path from the document; `level` is that of the element it is a value of or below."""

    column: str
    level: int
    steps: tuple[str, ...]
    attribute: str | None


Kinds = Mapping[str, tuple[Sequence[str], Sequence[str]]]  # by name: the path of the record, its columns


def plan(name: str, kinds: Kinds, separator: str) -> Plan:
    """Raises SourceProblem for a path that leads nowhere."""
    root = Step("")
    for record, _ in kinds.values():
        node = root
        for part in record:
            node = node.child(part)
            node.size = _CELLS
    return Plan(root, tuple(_planned(name, root, kind, *said, separator) for kind, said in kinds.items()))


def _planned(
    name: str, root: Step, kind: str, record: Sequence[str], columns: Sequence[str], separator: str
) -> Records:
    records = Records(
        kind, [_place(root, kind, _wanted(name, record, column, separator)) for column in columns]
    )
    _at(root, record).records.append(records)
    return records


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


def _at(root: Step, path: Sequence[str]) -> Step:
    for part in path:
        root = root.child(part)
    return root


def _place(root: Step, kind: str, wanted: _Wanted) -> Target:
    """The cell that kinds share who want the same value of the same element."""
    node, frame = _at(root, wanted.steps), _at(root, wanted.steps[: wanted.level])
    there = node.cells if wanted.attribute is None else node.attributes.setdefault(wanted.attribute, [])
    target = next((each for each in there if each.level == wanted.level - 1), None)
    if target is None:
        target = Target(wanted.level - 1, frame.size)
        frame.size += 1
        there.append(target)
    target.columns[kind] = wanted.column
    return target


class Assembly:
    """Rows under way. The parser calls `enter`, `put` and `leave`; `batch` takes what is finished. `line`
    tells where the parser is, `last_line` how far it may be, and `byte` where in the line."""

    def __init__(self, name: str, plan: Plan, limits: Limits) -> None:
        self._name, self._plan, self._limits = name, plan, limits
        self._frames: list[list[Any]] = []
        self._twice = False
        self._held = 0
        self.line: Callable[[], int] = int
        self.last_line: Callable[[], int] = int
        self.byte: Callable[[], int] = int

    def enter(self, step: Step) -> None:
        """The element of `step` begins."""
        step.met = True
        if step.size:
            frame: list[Any] = [None] * step.size
            if step.records:
                frame[_LINE] = self.line()
            self._frames.append(frame)

    def put(self, cells: Sequence[Target], text: str) -> None:
        """The value of columns. One that comes after rows it belongs to is in them too."""
        if len(text) > self._limits.text:
            raise self.problem(f"a value of more than {self._limits.text:,} bytes.")
        if "\0" in text:
            raise self.problem("a NUL character: not text.")
        self._held += len(text)
        for cell in cells:
            frame = self._frames[cell.level]
            if frame[cell.place] is None:
                frame[cell.place] = text
            else:
                frame[cell.place], self._twice = _TWICE, True
            if frame[_PASSED]:
                self._require_in_time(frame[_PASSED], cell)

    def leave(self, step: Step) -> None:
        if step.size:
            for records in step.records:
                records.rows.append(tuple(self._frames))
            self._frames.pop()

    def problem(self, why: str) -> SourceProblem:
        return at(self._name, self.line(), why, last=self.last_line(), byte=self.byte())

    def _require_in_time(self, passed: set[str], cell: Target) -> None:
        for kind in passed & cell.columns.keys():
            raise self.problem(
                f"{cell.columns[kind]!r} comes after {BATCH:,} of the records it belongs to, "
                f"or {HELD >> 20} MB of text: it must come first."
            )

    def full(self) -> Iterator[Records]:
        """Each kind of which there are rows enough to pass on."""
        if self._held > HELD:
            self._held = 0
            return (records for records in self._plan.kinds if records.rows)
        return (records for records in self._plan.kinds if len(records.rows) >= BATCH)

    def every(self) -> Iterator[Records]:
        return iter(self._plan.kinds)

    def batch(self, records: Records, position: int) -> Piece:
        """The finished rows of one kind."""
        rows, first = records.rows, records.taken + 1
        records.rows, records.taken = [], records.taken + len(rows)
        self._note_passed(records.name, rows)
        numbered = list(enumerate(rows, start=first))
        misfits: list[tuple[int, int]] = []
        if self._twice:
            bad = {number for number, row in numbered if _has_two(row, records.cells)}
            misfits = [(row[-1][_LINE], number) for number, row in numbered if number in bad]
            numbered = [(number, row) for number, row in numbered if number not in bad]
        good = [row for _, row in numbered]
        columns = [_column(good, cell) for cell in records.cells]
        lines = pa.array([row[-1][_LINE] for row in good], pa.int64())
        numbers = pa.array([number for number, _ in numbered], pa.int64())
        return Piece(records.name, columns, lines, numbers, misfits, position)

    def _note_passed(self, kind: str, rows: Sequence[tuple[list[Any], ...]]) -> None:
        """Frames that are still open: what comes to them now is too late for the rows passed on."""
        for now, then in zip(self._frames, rows[-1] if rows else (), strict=False):
            if now is then:
                now[_PASSED] = (now[_PASSED] or set()) | {kind}

    def finish(self) -> None:
        """Raises SourceProblem if a path was never met while one of nearly its name was: a renamed column."""
        for path, name, others in _never_met(self._plan.root, ""):
            if question := nearest(name, others):
                raise SourceProblem(f"{self._name}: {path} is nowhere in the file.{question}")


def _has_two(row: tuple[list[Any], ...], cells: Sequence[Target]) -> bool:
    return any(row[each.level][each.place] is _TWICE for each in cells)


def _column(rows: Sequence[tuple[list[Any], ...]], cell: Target) -> Any:
    level, place = cell.level, cell.place
    return pa.array([row[level][place] for row in rows], pa.string()).fill_null("")


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
