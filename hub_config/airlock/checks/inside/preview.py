"""What a reviewer sees of a file: inert data, never markup, and of a long file its beginning.

Every text is made visible (`visible`): no control character, no bidirectional override, no invisible letter
reaches a page as itself. Bounds hold when a block is made *and* when it is read back.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hub_config.governance.releases.findings import Finding, Rule

ROWS_SHOWN: Final = 200
COLUMNS_SHOWN: Final = 50
CELL_SHOWN: Final = 10_000  # as long as a cell or a line may be: what is read is shown whole
SHEETS_SHOWN: Final = 20
LINES_SHOWN: Final = 400
LINE_SHOWN: Final = 10_000
BLOCKS_SHOWN: Final = 100
IMAGE_BYTES: Final = 2 * 10**6
HIGHLIGHTS: Final = 2_000
_CUT: Final = "…"


@dataclass(frozen=True)
class Highlight:
    """Row and column of the *shown* part, from 0; a text's highlight has a line as `row` and `column` -1."""

    row: int
    column: int
    rule: Rule


@dataclass(frozen=True)
class TableBlock:
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    highlights: tuple[Highlight, ...] = ()
    total_rows: int = 0
    total_columns: int = 0
    sheet: int | None = None
    first_row: int = 2
    """The number that people give to the first of `rows`: 2 below a header."""


@dataclass(frozen=True)
class TextBlock:
    lines: tuple[str, ...]
    highlights: tuple[Highlight, ...] = ()
    total_lines: int = 0
    title: str = ""


@dataclass(frozen=True)
class ImageBlock:
    """`png`: encoded anew from the pixels."""

    png: bytes
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class NoteBlock:
    """Says something about the file in words of ours, by a finding."""

    finding: Finding


Block = TableBlock | TextBlock | ImageBlock | NoteBlock


@dataclass(frozen=True)
class Preview:
    blocks: tuple[Block, ...] = ()


def table_block(
    title: str,
    header: Sequence[object],
    rows: Sequence[Sequence[object]],
    *,
    highlights: Iterable[Highlight] = (),
    total_rows: int | None = None,
    total_columns: int | None = None,
    sheet: int | None = None,
    first_row: int = 2,
) -> TableBlock:
    """The first rows and columns, as visible text, with the highlights that lie in them."""
    shown = tuple(tuple(map(cell_text, row[:COLUMNS_SHOWN])) for row in rows[:ROWS_SHOWN])
    width = max([len(header), *map(len, rows[:ROWS_SHOWN])])
    return TableBlock(
        title=visible(title, CELL_SHOWN),
        header=tuple(map(cell_text, header[:COLUMNS_SHOWN])),
        rows=shown,
        highlights=within(highlights, len(shown), min(width, COLUMNS_SHOWN)),
        total_rows=len(rows) if total_rows is None else total_rows,
        total_columns=width if total_columns is None else total_columns,
        sheet=sheet,
        first_row=first_row,
    )


def text_block(
    lines: Sequence[str],
    *,
    highlights: Iterable[Highlight] = (),
    total_lines: int | None = None,
    title: str = "",
) -> TextBlock:
    shown = tuple(visible(line, LINE_SHOWN) for line in lines[:LINES_SHOWN])
    return TextBlock(
        lines=shown,
        highlights=within(highlights, len(shown), 0),
        total_lines=len(lines) if total_lines is None else total_lines,
        title=visible(title, CELL_SHOWN),
    )


def within(highlights: Iterable[Highlight], rows: int, columns: int) -> tuple[Highlight, ...]:
    """The highlights that the page shows; row -1 is the header, column -1 the whole row."""
    kept = [each for each in highlights if -1 <= each.row < rows and -1 <= each.column < columns]
    return tuple(dict.fromkeys(kept))[:HIGHLIGHTS]


def cell_text(value: object) -> str:
    return "" if value is None else visible(str(value), CELL_SHOWN)


def visible(text: str, most: int) -> str:
    """`text` cut at `most` characters, with what doesn't show, or changes how the rest shows, as ⟨U+202E⟩."""
    cut = text[:most]
    if cut.isascii() and cut.isprintable():
        shown = cut
    else:
        shown = "".join(each if shows(each) else f"⟨U+{ord(each):04X}⟩" for each in cut)
    return shown if len(text) <= most else shown + _CUT


_BLANK: Final = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)}
    | {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
)
"""Letters, marks and signs by their category that leave nothing on the page: fillers, joiners, selectors."""
_STYLES: Final = "\ufe0e\ufe0f"  # of the sign before: « ⚠ » in black or in colours


def shows(character: str) -> bool:
    """False for controls, formats (bidi, zero-width), fillers, separators of lines, private and unassigned
    ones."""
    category = unicodedata.category(character)
    return category == "Zs" or (category[0] not in "CZ" and ord(character) not in _BLANK)


def disguises(text: str, allowed: str = "") -> bool:
    """Whether something in `text` does not show, but for `allowed` and for the style of a pictogram."""
    if text.isascii() and text.isprintable():
        return False
    return any(
        not (shows(each) or each in allowed or (each in _STYLES and _is_pictogram(text[at - 1 : at])))
        for at, each in enumerate(text)
    )


def _is_pictogram(sign: str) -> bool:
    return bool(sign) and unicodedata.category(sign) == "So" and shows(sign)
