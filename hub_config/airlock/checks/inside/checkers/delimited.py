"""CSV and TSV: encoding, separator, header, then the table's own checks. No pandas: it would guess, and
take a second to start.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Final

from hub_config.airlock.checks.inside.decoding import decoded
from hub_config.airlock.checks.inside.disclosure.cells import read_cell
from hub_config.airlock.checks.inside.disclosure.grid import CELLS_CHECKED, grid_of
from hub_config.airlock.checks.inside.disclosure.tables import candidates_of, table_found
from hub_config.airlock.checks.inside.disclosure.vocabulary import denominator_in, is_year_word
from hub_config.airlock.checks.inside.found import CannotRead, Found, Notes, Order
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import Place, Rule, Severity

_SEPARATORS: Final = (";", "\t", ",", "|")
_SAMPLE: Final = 50
_MOST_COLUMNS: Final = 100_000


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    notes = Notes()
    text = decoded(content, notes)
    if not text.strip():
        notes.add(Rule.EMPTY, Severity.WARNING)
        return Found(notes.findings())
    rows, total = read_rows(text, order)
    found = rows_found(rows, order, notes, total_rows=total)
    if total > len(rows):
        rest = Found((), (), candidates_of(text, notes))
        found = Found(found.findings, found.blocks, rest.candidates)
    return Found(notes.findings()) + found


def read_rows(text: str, order: Order) -> tuple[list[list[str]], int]:
    """The rows as far as they are checked, and how many there are. Raises CannotRead."""
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text, order.kind))
    try:
        first = next(reader, [])
        if len(first) > _MOST_COLUMNS:
            raise CannotRead(Reason.TOO_MUCH)
        most = max(10, CELLS_CHECKED // max(len(first), 1))
        rows = [first, *islice(reader, most)]
        total = len(rows) + sum(1 for _ in reader)
    except csv.Error:
        raise CannotRead(Reason.DAMAGED) from None
    if max(map(len, rows)) > _MOST_COLUMNS:
        raise CannotRead(Reason.TOO_MUCH)
    return rows, total


def separator_of(text: str, kind: FileKind) -> str:
    """What splits most lines into the same number of cells; a tab for a TSV that has any."""
    lines = [line for line in text[:200_000].splitlines()[:_SAMPLE] if line.strip()]
    if kind is FileKind.TSV and any("\t" in line for line in lines):
        return "\t"
    return max(_SEPARATORS, key=lambda sign: _agreement(lines, sign))


def _agreement(lines: Sequence[str], sign: str) -> tuple[int, int]:
    """Lines with the commonest number of `sign` outside quotes, and that number."""
    counts = Counter(re.sub(r'"[^"]*"', "", line).count(sign) for line in lines)
    counts.pop(0, None)
    if not counts:
        return (0, 0)
    number, lines_so = max(counts.items(), key=lambda each: (each[1], each[0]))
    return (lines_so, number)


def rows_found(
    rows: Sequence[Sequence[str]],
    order: Order,
    notes: Notes,
    *,
    total_rows: int,
    sheet: int | None = None,
    title: str = "",
) -> Found:
    """The checks of rows whose header has to be found first; lines above it are its title."""
    at = header_row(rows)
    above = " ".join(" ".join(row) for row in rows[: max(at, 0)]).strip()
    header = rows[at] if at >= 0 else [""] * max(map(len, rows))
    body = list(rows[at + 1 :])
    while body and not any(map(str.strip, body[-1])):
        body.pop()
    if at >= 0 and _is_second_header(header, body):
        header, body, at = _merged(header, body[0]), body[1:], at + 1
    if at >= 0:
        _tell_ragged(header, body, at + 2, notes, sheet)
    grid = grid_of(
        header,
        body,
        first_row=at + 2,
        sheet=sheet,
        title=" — ".join(filter(None, (title, above))),
        has_header=at >= 0,
    )
    cut = total_rows - len(rows)
    return table_found(grid, order, total_rows=len(body) + cut)


def _is_second_header(header: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """A row of words under a header that names several columns alike, or not: one of two levels."""
    if len(body) < 2 or len(body[0]) != len(header):
        return False
    words = [cell for cell in body[0] if cell.strip()]
    names = [name for name in header if name.strip()]
    numbers = any(map(_is_number, words))
    return len(words) > 1 and not numbers and (len(set(names)) < len(names) or len(names) + 1 < len(header))


def _merged(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """« F n », « F % »: a gap above belongs to the name on its left."""
    merged, above = [], ""
    for number, (first, second) in enumerate(zip(upper, lower, strict=True)):
        above = first.strip() or (above if number else "")
        merged.append(f"{above} {second.strip()}".strip())
    return merged


def header_row(rows: Sequence[Sequence[str]]) -> int:
    """The first row about as wide as most; -1 where it holds numbers as the rows below do."""
    filled = [sum(1 for cell in row if cell.strip()) for row in rows[:_SAMPLE]]
    if not filled:
        return -1
    usual = Counter(each for each in filled if each).most_common(1)[0][0] if any(filled) else 0
    at = next((at for at, number in enumerate(filled) if number >= max(1, 0.6 * usual)), 0)
    return -1 if at == 0 and _is_data(rows) else at


def _is_data(rows: Sequence[Sequence[str]]) -> bool:
    """A first row with numbers, no years, is a row like the others."""
    cells = [cell for cell in rows[0] if cell.strip()]
    numbers = [cell for cell in cells if _is_number(cell) and not is_year_word(cell)]
    if [cell.strip() for cell in numbers] == ["0"]:
        return False  # what pandas calls a column without a name
    return bool(numbers) and len(numbers) >= 0.3 * len(cells) and not _is_range(numbers)


def _is_number(cell: str) -> bool:
    """« 4 * » is one; « n = 120 » and « Femmes (N = 120) » name a column."""
    return read_cell(cell).whole is not None and denominator_in(cell) is None


def _is_range(numbers: Sequence[str]) -> bool:
    """0, 1, 2, …: the header that pandas gives columns without names; steps of a scale."""
    whole = [read_cell(cell).whole or 0 for cell in numbers]
    return len(whole) > 1 and all(after == before + 1 for before, after in pairwise(whole))


def _tell_ragged(
    header: Sequence[str], body: Sequence[Sequence[str]], first_row: int, notes: Notes, sheet: int | None
) -> None:
    for number, row in enumerate(body):
        if len(row) > len(header) or (0 < len(row) < len(header) and any(map(str.strip, row))):
            place = Place(sheet=sheet, row=first_row + number)
            notes.add(Rule.RAGGED_ROWS, Severity.WARNING, place)
            return
