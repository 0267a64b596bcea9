"""A file's findings and its inert preview as a page shows them: findings in groups, each numbered, and the
cells and lines they are about marked with these numbers. Pure.

What comes in was bounded and made visible by the checks; what goes out is text for the templates to escape.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from hub_config.airlock.checks import Block, Highlight, ImageBlock, NoteBlock, Preview, TableBlock, TextBlock
from hub_config.airlock.checks.texts import Words, say, where
from hub_config.airlock.pages.tables import number as number_in
from hub_config.airlock.pages.words import SEVERITIES
from hub_config.airlock.rules.recourse import Found, grouped, is_enough
from hub_config.governance.releases.facts import FileFacts
from hub_config.governance.releases.findings import Place, Rule, Severity

PLACES_SHOWN: Final = 12
_ORDER: Final = tuple(Severity)
_CELL: Final = re.compile(r"\[([1-9][0-9]{0,5})\]")


Language = Literal["fr", "en"]


@dataclass(frozen=True)
class Spot:
    """Where a finding is: in words, and the id of the cell or line where the page shows it."""

    text: str
    cell: str | None


@dataclass(frozen=True)
class FoundView:
    """Findings of one rule in one file. `more`: how many places are not listed. `explanation`: what its
    requester answers, where they may (`contestable`); `answered`: and it keeps the file in no more.
    `for_requester`: it says what became of their own file, which no reviewer sees."""

    number: int
    anchor: str
    severity: Severity
    label: str
    words: Words
    spots: tuple[Spot, ...]
    more: int
    contestable: bool = False
    explanation: str = ""
    for_requester: bool = False

    @property
    def answered(self) -> bool:
        return self.contestable and is_enough(self.explanation)

    @property
    def stops(self) -> bool:
        """Whether it keeps the file in."""
        return self.severity is Severity.BLOCKING and not self.answered


@dataclass(frozen=True)
class Mark:
    number: int
    anchor: str


@dataclass(frozen=True)
class CellView:
    """`severity`: the heaviest of what is found there."""

    text: str
    is_number: bool = False
    id: str = ""
    marks: tuple[Mark, ...] = ()
    severity: str = ""


@dataclass(frozen=True)
class RowView:
    number: int
    cells: tuple[CellView, ...]


@dataclass(frozen=True)
class TableView:
    title: str
    header: tuple[CellView, ...]
    rows: tuple[RowView, ...]
    hidden_rows: int
    hidden_columns: int
    kind: str = "table"


@dataclass(frozen=True)
class TextView:
    title: str
    lines: tuple[tuple[int, CellView], ...]
    hidden_lines: int
    kind: str = "text"


@dataclass(frozen=True)
class ImageView:
    """`index`: its place among the preview's blocks, by which its bytes are asked for."""

    index: int
    alt: str
    width: int
    height: int
    kind: str = "image"


@dataclass(frozen=True)
class NoteView:
    words: Words
    kind: str = "note"


BlockView = TableView | TextView | ImageView | NoteView


def shown(
    file: FileFacts, preview: Preview, language: Language
) -> tuple[tuple[FoundView, ...], tuple[BlockView, ...]]:
    """What is found in the file, the heaviest first, and its preview with the marks of it."""
    groups, number = grouped(file.findings), file.number
    marks = _Marks(number, groups)
    blocks = tuple(
        _block(number, index, block, marks, language) for index, block in enumerate(preview.blocks)
    )
    places = _ids(number, preview)
    return tuple(_found(file, group, language, places) for group in groups), blocks


def anchor(file: int, number: int) -> str:
    """The id of a finding on its page."""
    return f"f{file}-constat-{number}"


def _found(file: FileFacts, group: Found, language: Language, places: Mapping[Place, str]) -> FoundView:
    first = group.findings[0]
    placed = [finding.place for finding in group.findings if finding.place is not None]
    listed = placed[:PLACES_SHOWN]
    unlisted = sum(int(finding.params.get("more", 0)) for finding in group.findings)
    return FoundView(
        number=group.number,
        anchor=anchor(file.number, group.number),
        severity=first.severity,
        label=SEVERITIES[first.severity],
        words=say(first, language),
        spots=tuple(Spot(where(place, language), _shown_at(place, places)) for place in listed),
        more=len(placed) - len(listed) + unlisted,
        contestable=group.contestable,
        explanation=file.explanations.get(group.number, ""),
        for_requester=first.rule is Rule.WRITTEN_ANEW,
    )


# --- marks -------------------------------------------------------------------------------------------------


class _Marks:
    """Which findings a cell is marked with: those that name it, else those of the rule it is highlighted
    for."""

    def __init__(self, file: int, groups: Sequence[Found]) -> None:
        self._file = file
        self._by_place: dict[Place, list[Found]] = defaultdict(list)
        self._by_rule: dict[Rule, list[Found]] = defaultdict(list)
        for group in groups:
            self._by_rule[group.findings[0].rule].append(group)
            for finding in group.findings:
                if finding.place is not None:
                    self._by_place[_bare(finding.place)].append(group)

    def of(self, places: Iterable[Place], rules: Iterable[Rule]) -> tuple[tuple[Mark, ...], str]:
        """The marks of the cell at `places`, highlighted for `rules`, and the heaviest severity."""
        found = [group for place in places for group in self._by_place.get(place, ())]
        told = {group.findings[0].rule for group in found}
        found += [group for rule in rules if rule not in told for group in self._by_rule.get(rule, ())[:1]]
        unique = {group.number: group for group in found}
        heaviest = min((_ORDER.index(g.findings[0].severity) for g in unique.values()), default=None)
        marks = tuple(Mark(n, anchor(self._file, n)) for n in sorted(unique))
        return marks, "" if heaviest is None else _ORDER[heaviest].value


def _bare(place: Place) -> Place:
    """Where it is, without the word for it."""
    return Place(place.sheet, place.row, place.column, None, place.line, place.cell)


def _ids(file: int, preview: Preview) -> dict[Place, str]:
    """The cells and lines that the preview shows, by their place in the file."""
    found: dict[Place, str] = {}
    for index, block in enumerate(preview.blocks):
        match block:
            case TableBlock():
                for row, column in _cells(block):
                    for place in _places(block, row, column):
                        found.setdefault(place, _id(file, index, row, column))
            case TextBlock():
                if (cell := _cell_shown(block)) is not None:
                    found.setdefault(Place(cell=cell), _id(file, index, 0, -1))
                for line in range(len(block.lines)):
                    found.setdefault(Place(line=line + 1), _id(file, index, line, -1))
            case _:
                pass
    return found


def _cell_shown(block: TextBlock) -> int | None:
    """The cell of a notebook that this block shows the source of."""
    said = _CELL.fullmatch(block.title)
    return int(said[1]) if said else None


def _shown_at(place: Place, places: Mapping[Place, str]) -> str | None:
    """The id of what the page shows of it; of a place in a notebook's cell, at least the cell."""
    exact = places.get(_bare(place))
    return exact if exact is not None or place.cell is None else places.get(Place(cell=place.cell))


def _cells(block: TableBlock) -> Iterator[tuple[int, int]]:
    for column in range(len(block.header)):
        yield -1, column
    for row, cells in enumerate(block.rows):
        for column in range(len(cells)):
            yield row, column


def _places(block: TableBlock, row: int, column: int) -> Iterator[Place]:
    """Of a shown cell, its place in the file; a header stands for its column, a row's first cell for it."""
    yield Place(sheet=block.sheet, row=block.first_row + row, column=column + 1)
    if row < 0:
        yield Place(sheet=block.sheet, column=column + 1)
    if column == 0:
        yield Place(sheet=block.sheet, row=block.first_row + row)


def _id(file: int, block: int, row: int, column: int) -> str:
    return f"f{file}-b{block}-l{row + 1}-c{column + 1}"


# --- blocks ------------------------------------------------------------------------------------------------


def _block(file: int, index: int, block: Block, marks: _Marks, language: Language) -> BlockView:
    match block:
        case TableBlock():
            return _table(file, index, block, marks)
        case TextBlock():
            return _text(file, index, block, marks)
        case ImageBlock():
            return ImageView(index, block.alt, block.width, block.height)
        case NoteBlock():
            return NoteView(say(block.finding, language))


def _table(file: int, index: int, block: TableBlock, marks: _Marks) -> TableView:
    rules = _rules(block.highlights)

    def cell(row: int, column: int, text: str) -> CellView:
        here = [*rules.get((row, column), ()), *(rules.get((row, -1), ()) if column == 0 else ())]
        found, severity = marks.of(_places(block, row, column), here)
        return CellView(text, number_in(text) is not None, _id(file, index, row, column), found, severity)

    return TableView(
        title=block.title,
        header=tuple(cell(-1, column, text) for column, text in enumerate(block.header)),
        rows=tuple(
            RowView(
                block.first_row + row, tuple(cell(row, column, text) for column, text in enumerate(cells))
            )
            for row, cells in enumerate(block.rows)
        ),
        hidden_rows=max(0, block.total_rows - len(block.rows)),
        hidden_columns=max(0, block.total_columns - len(block.header)),
    )


def _text(file: int, index: int, block: TextBlock, marks: _Marks) -> TextView:
    rules = _rules(block.highlights)

    def line(row: int, text: str) -> CellView:
        found, severity = marks.of((Place(line=row + 1),), rules.get((row, -1), ()))
        return CellView(text, False, _id(file, index, row, -1), found, severity)

    return TextView(
        title=block.title,
        lines=tuple((row + 1, line(row, text)) for row, text in enumerate(block.lines)),
        hidden_lines=max(0, block.total_lines - len(block.lines)),
    )


def _rules(highlights: Iterable[Highlight]) -> dict[tuple[int, int], list[Rule]]:
    ordered = sorted(highlights, key=lambda one: (one.row, one.column))
    grouped = groupby(ordered, key=lambda one: (one.row, one.column))
    return {at: [one.rule for one in same] for at, same in grouped}
