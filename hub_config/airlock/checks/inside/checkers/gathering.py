"""What a checker of a document gathers: findings, blocks of the preview, long numbers.

A document holds tables and texts at places of its own (a page, a notebook's cell); each is checked as a
table or a text that stands alone, and its findings are told at that place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from hub_config.airlock.checks.inside.checkers import drawn, marked
from hub_config.airlock.checks.inside.checkers.text import text_found
from hub_config.airlock.checks.inside.disclosure.grid import grid_of
from hub_config.airlock.checks.inside.disclosure.tables import table_found
from hub_config.airlock.checks.inside.found import MOST_CANDIDATES, Found, Notes, Order
from hub_config.airlock.checks.inside.numbers import long_numbers
from hub_config.airlock.checks.inside.preview import (
    BLOCKS_SHOWN,
    LINE_SHOWN,
    LINES_SHOWN,
    Block,
    NoteBlock,
    TextBlock,
    text_block,
)
from hub_config.governance.releases.coded import is_coded
from hub_config.governance.releases.findings import LONGEST_WORD, Finding, Place, Rule, Severity

NOWHERE: Final = Place()
_PIECE: Final = 5_000_000  # characters searched for numbers in one document, all texts together


class Gathering:
    """`order`: the file; what is found is put together in the order it is met. `marks` and `strokes`: what
    stands unseen in the marks of all its pages and drawings."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.marks = marked.Unseen()
        self.strokes = drawn.Unseen()
        self._notes = Notes()
        self._parts: list[Finding] = []
        self._blocks: list[Block] = []
        self._candidates: set[int] = set()
        self._unshown = 0
        self._searched = 0

    def add(self, rule: Rule, severity: Severity, place: Place | None = None, **params: str | int) -> None:
        shortened = {k: v[:LONGEST_WORD] if isinstance(v, str) else v for k, v in params.items()}
        self._notes.add(rule, severity, place, **shortened)

    def block(self, rule: Rule, what: str, place: Place | None = None) -> None:
        """A finding that blocks, by what is there."""
        self.add(rule, Severity.BLOCKING, place, what=what)

    def warn(self, rule: Rule, what: str, place: Place | None = None) -> None:
        self.add(rule, Severity.WARNING, place, what=what)

    def note(self, rule: Rule, what: str, place: Place | None = None) -> None:
        self.add(rule, Severity.NOTE, place, what=what)

    def show(self, *blocks: Block) -> None:
        room = max(0, BLOCKS_SHOWN - 1 - len(self._blocks))
        self._blocks.extend(blocks[:room])
        self._unshown += len(blocks[room:])

    def search(self, *texts: str) -> None:
        """Look for long numbers, wherever they stand: also in what isn't shown."""
        for text in texts:
            if self._searched > _PIECE or len(self._candidates) > MOST_CANDIDATES:
                return
            self._candidates |= long_numbers(text[: _PIECE + 1 - self._searched])
            self._searched += len(text)

    def table(
        self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]], place: Place = NOWHERE
    ) -> None:
        has_header = any(cell.strip() for cell in header)
        grid = grid_of(header, rows, first_row=2, title=title, has_header=has_header)
        self.take(table_found(grid, self.order), place)

    def lines(self, title: str, lines: Sequence[str], place: Place = NOWHERE) -> None:
        kept = [line for line in lines if line.strip()]
        if kept:
            found = text_found("\n".join(kept), self.order)
            self.take(replace(found, blocks=tuple(_titled(each, title) for each in found.blocks)), place)

    def words(self, title: str, text: str) -> None:
        """A text shown and searched, whose numbers say nothing of people: a program."""
        self.search(text)
        lines = text.splitlines()
        if is_coded(text):
            self.block(Rule.HIDDEN_CONTENT, "text that nobody can read")
        for length, most, unit in (
            (len(lines), LINES_SHOWN, "lines"),
            (max(map(len, lines), default=0), LINE_SHOWN, "characters"),
        ):
            if length > most:
                self.add(Rule.NOT_ALL_SHOWN, Severity.BLOCKING, shown=most, total=length, unit=unit)
        self.show(text_block(lines, title=title))

    def take(self, found: Found, place: Place = NOWHERE) -> None:
        """What another checker found in a part of this file, told at the part's place."""
        self._parts.extend(replace(each, place=_within(each.place, place)) for each in found.findings)
        self.show(*found.blocks)
        self._candidates.update(found.candidates)

    def found(self) -> Found:
        if self._unshown:
            shown = len(self._blocks)
            total = shown + self._unshown
            self.add(Rule.NOT_ALL_SHOWN, Severity.NOTE, shown=shown, total=total, unit="parts")
        if self._searched > _PIECE or len(self._candidates) > MOST_CANDIDATES:
            self.add(Rule.TOO_MANY_LONG_INTEGERS, Severity.BLOCKING)
        findings = _distinct((*self._notes.findings(), *self._parts))
        told = (*self._blocks, *_told_apart(findings, self._blocks))
        return Found(findings, told, tuple(sorted(self._candidates))[:MOST_CANDIDATES])


def repeats(document: Any) -> bool:
    """Whether a key stands twice somewhere in a parsed JSON document: a reader sees one of its values."""
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if type(each) is not dict:  # what `structured.parsed` makes of such an object
                return True
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return False


def _titled(block: Block, title: str) -> Block:
    return replace(block, title=title) if isinstance(block, TextBlock) and title else block


def _within(place: Place | None, whole: Place) -> Place | None:
    """`place` of a part, as a place of the whole."""
    if place is None:
        return None if whole == NOWHERE else whole
    return replace(
        place,
        page=place.page if place.page is not None else whole.page,
        cell=place.cell if place.cell is not None else whole.cell,
        what=place.what or whole.what,
    )


def _distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    seen: dict[tuple[object, ...], Finding] = {}
    for each in findings:
        seen.setdefault((each.rule, each.severity, each.place, tuple(each.params.items())), each)
    return tuple(seen.values())


def _told_apart(findings: Sequence[Finding], blocks: Sequence[Block]) -> tuple[NoteBlock, ...]:
    """A file with nothing to show says why, by its heaviest finding."""
    if blocks or not findings:
        return ()
    heaviest = min(findings, key=lambda each: list(Severity).index(each.severity))
    return (NoteBlock(heaviest),)
