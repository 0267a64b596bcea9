"""TXT and MD: sentences, lines of names and values, and every table that stands in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from hub_config.airlock.checks.inside.checkers.delimited import read_rows, rows_found, separator_of
from hub_config.airlock.checks.inside.decoding import decoded
from hub_config.airlock.checks.inside.disclosure.behind import few_behind
from hub_config.airlock.checks.inside.disclosure.cells import read_cell
from hub_config.airlock.checks.inside.disclosure.grid import Grid, grid_of
from hub_config.airlock.checks.inside.disclosure.latex import check_latex, latex_tables
from hub_config.airlock.checks.inside.disclosure.patterns import (
    counted,
    events,
    excepted,
    fractions,
    personal,
    shares,
    titled_name,
)
from hub_config.airlock.checks.inside.disclosure.roles import counts_people
from hub_config.airlock.checks.inside.disclosure.rounding import declared_rounding
from hub_config.airlock.checks.inside.disclosure.tables import candidates_of, table_found
from hub_config.airlock.checks.inside.disclosure.unread import is_narrow
from hub_config.airlock.checks.inside.disclosure.vocabulary import words
from hub_config.airlock.checks.inside.disclosure.written import circled
from hub_config.airlock.checks.inside.found import Found, Notes, Order
from hub_config.airlock.checks.inside.kinds import extension_of
from hub_config.airlock.checks.inside.preview import LINES_SHOWN, Highlight, disguises, text_block
from hub_config.governance.releases.coded import is_coded
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import Place, Rule, Severity

_MOST_TABLES: Final = 30
_PROGRAMS: Final = frozenset({"py", "r", "sql", "sh", "do", "sas", "jl", "toml", "yaml", "yml"})
_MARKED: Final = re.compile(r"\s*\|.*\|\s*")
_RULER: Final = re.compile(r"[\s|:+=-]*")
_GAPS: Final = re.compile(r"\s{2,}|\t")
_FREEDOM: Final = re.compile(r"\bdf resid\w*:?\s*=?\s*(\d+)|ddl r[ée]siduels?\s*[:=]\s*(\d+)", re.I)
_FIT: Final = re.compile(r"\bR-squared:\s*(1\.0+|0\.9999\d*)\b|\bR²\s*[:=]\s*1[.,]0+", re.I)
_OBSERVED: Final = re.compile(r"\bno\. observations:\s*(\d+)", re.I)
_MARKUP: Final = re.compile(
    r"<\s*(script|iframe|object|embed|img|link|meta|form|svg|style)\b|\]\(\s*(javascript|data):", re.I
)


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    notes = Notes()
    text = decoded(content, notes)
    if not text.strip():
        notes.add(Rule.EMPTY, Severity.WARNING)
        return Found(notes.findings())
    if _is_delimited(text):
        rows, total = read_rows(text, order)
        return Found(notes.findings()) + rows_found(rows, order, notes, total_rows=total)
    found = text_found(text, order, code=extension_of(order.name) in _PROGRAMS)
    return Found(notes.findings()) + found


def text_found(text: str, order: Order, *, title: str = "", code: bool = False) -> Found:
    """What other checkers call too: the sentences of a document, an output of a notebook. In `code`, `n = 3`
    sets a variable."""
    notes, highlights = Notes(), list[Highlight]()
    lines = text.splitlines()
    if len(lines) > order.sizes.rows:
        notes.add(Rule.TOO_MANY_ROWS, Severity.BLOCKING, rows=len(lines), limit=order.sizes.rows)
    rounding = order.context.rounding or declared_rounding(text)
    for number, line in enumerate(lines[: 10 * order.sizes.rows]):
        for rule in dict.fromkeys(_check_line(line, number + 1, order, notes, rounding, code=code)):
            highlights.append(Highlight(number, -1, rule))
    if len(lines) > LINES_SHOWN:
        notes.add(Rule.NOT_ALL_SHOWN, Severity.NOTE, shown=LINES_SHOWN, total=len(lines), unit="lines")
    if is_coded(text):
        notes.add(Rule.HIDDEN_CONTENT, Severity.BLOCKING, what="text that nobody can read")
    check_latex(text, notes)
    candidates = candidates_of(text, notes)
    found = Found(notes.findings(), (text_block(lines, highlights=highlights, title=title),), candidates)
    for grid in (*tables_in(lines), *latex_tables(text)):
        found += table_found(grid, order)
    return found


def _check_line(
    line: str, number: int, order: Order, notes: Notes, rounding: int | None, *, code: bool
) -> Iterator[Rule]:
    place, least = Place(line=number), order.context.min_patients
    if len(line) > order.sizes.cell_characters:
        notes.add(Rule.GIANT_CELL, Severity.BLOCKING, place, limit=order.sizes.cell_characters)
        yield Rule.GIANT_CELL
        line = line[: order.sizes.cell_characters]
    for rule, severity, params in _said(line, least, rounding, code=code):
        notes.add(rule, severity, place, **params)
        yield rule


_Said = Iterator[tuple[Rule, Severity, dict[str, str | int]]]


def _said(line: str, least: int, rounding: int | None, *, code: bool) -> _Said:
    line = _without_emphasis(line)
    told = list(counted(line, code=code))
    if any(0 < count < least for count in told):
        yield Rule.SMALL_COUNT, Severity.BLOCKING, {"min": least, "below": least - 1}
    elif any(0 < count < least for count in events(line)):
        yield Rule.SMALL_COUNT, Severity.WARNING, {"min": least, "below": least - 1}
    yield from _said_of_wholes(line, least)
    if rounding and any(count % rounding for count in told if count >= least):
        yield Rule.UNROUNDED_COUNT, Severity.WARNING, {"base": rounding}
    for part, whole in fractions(line):
        if part < least and whole >= least:
            yield Rule.SMALL_COUNT, Severity.BLOCKING, {"min": least, "below": least - 1}
        elif 0 < whole - part < least:
            yield Rule.SMALL_COMPLEMENT, Severity.BLOCKING, {"below": least - 1}
    for word in personal(line):
        yield Rule.PERSONAL_PATTERN, Severity.BLOCKING, {"word": word}
    if titled_name(line):
        yield Rule.PERSONAL_PATTERN, Severity.WARNING, {"word": "name"}
    if disguises(line, allowed="\t\ufeff\x0c"):
        yield Rule.DISGUISED_CHARACTERS, Severity.BLOCKING, {}
    if is_coded(line):
        yield Rule.HIDDEN_CONTENT, Severity.BLOCKING, {"what": "text that nobody can read"}
    if _MARKUP.search(line):
        yield Rule.HIDDEN_CONTENT, Severity.BLOCKING, {"what": "markup that a page would run"}
    if not code:
        yield from _said_of_labels(line, least)
    yield from _said_of_models(line, least)


_EMPHASIS: Final = re.compile(r"\*{1,3}(?=\w)|(?<=[\w:])\*{1,3}|`|(?<!\w)_{1,3}(?=\w)|(?<=\w)_{1,3}(?!\w)")


def _without_emphasis(line: str) -> str:
    """Without Markdown's stars and lines about a word, and with ⑦ as 7."""
    if not line.isascii():
        line = circled(line)
    return _EMPHASIS.sub("", line)


def _said_of_wholes(line: str, least: int) -> _Said:
    """« Parmi 1 000 patients, 0,4 % », « tous sauf 4 »."""
    if any(0 < count < least for count in excepted(line)):
        yield Rule.SMALL_COMPLEMENT, Severity.BLOCKING, {"below": least - 1}
    few = [share for share in shares(line) if few_behind(share.percent, share.decimals, share.of, least)]
    if few:
        severity = Severity.BLOCKING if any(share.sure for share in few) else Severity.WARNING
        yield Rule.COUNT_BEHIND_PERCENTAGE, severity, {"below": least - 1}


_LABELLED: Final = re.compile(r"[\s*•|>-]*([^\W\d][^:=\d]{0,60}?)\s*[:=]\s*([^:=]{1,60}?)[.;,]?\s*")
_R_SUMMARY: Final = re.compile(r"\bMin\.\s+1st Qu\.|\bmin\s+25%\s+50%", re.I)
_EXTREME: Final = re.compile(
    r"\b(?:minimum|maximum|min|max|étendue|range|extrêmes)\b\.?\s*(?::|=|\(|de|of|from)?\s*\d", re.I
)


def _said_of_labels(line: str, least: int) -> _Said:
    """« Décès : 7 », « Effectif = 7 », a minimum or maximum in a sentence."""
    match = _LABELLED.fullmatch(line)
    if match is not None and counts_people(words(match[1])):
        cell = read_cell(match[2])
        if 0 < (cell.whole or 0) < least:
            yield Rule.SMALL_COUNT, Severity.BLOCKING, {"min": least, "below": least - 1}
        elif cell.bounds is not None and is_narrow(cell.bounds, least):
            yield Rule.NARROW_MASK, Severity.BLOCKING, {"min": least, "below": least - 1}
    if _R_SUMMARY.search(line):
        yield Rule.EXTREME_VALUE, Severity.BLOCKING, {}
    elif _EXTREME.search(line):
        yield Rule.EXTREME_VALUE, Severity.WARNING, {}


def _said_of_models(line: str, least: int) -> _Said:
    if (match := _FREEDOM.search(line)) and int(match[1] or match[2]) < 10:
        yield Rule.FEW_DEGREES_OF_FREEDOM, Severity.BLOCKING, {}
    if _FIT.search(line):
        yield Rule.SATURATED_MODEL, Severity.BLOCKING, {}
    if (match := _OBSERVED.search(line)) and 0 < int(match[1]) < least:
        yield Rule.SMALL_COUNT, Severity.BLOCKING, {"min": least, "below": least - 1}


def _is_delimited(text: str) -> bool:
    """A text that is one CSV from end to end: nearly all lines have the same separators."""
    lines = [line for line in text[:200_000].splitlines()[:50] if line.strip()]
    sign = separator_of(text, FileKind.CSV)
    counts = [line.count(sign) for line in lines]
    usual = max(set(counts), key=counts.count)
    regular = sum(count == usual for count in counts)
    return (
        len(lines) > 1 and usual > 0 and sign != "|" and regular >= 0.9 * len(lines) and not _is_prose(lines)
    )


def _is_prose(lines: Sequence[str]) -> bool:
    return sum(len(line.split()) > 12 for line in lines) > 0.3 * len(lines)


def tables_in(lines: Sequence[str]) -> Iterator[Grid]:
    """Tables drawn with bars, or lined up with spaces as pandas prints them."""
    given = 0
    for start, block in _blocks(lines):
        rows = [_split(line) for line in block if not _RULER.fullmatch(line)]
        if len(rows) > 1 and given < _MOST_TABLES:
            given += 1
            header, *body = rows
            width = max(map(len, body))
            header = [*[""] * (width - len(header)), *header]
            yield grid_of(header, body, first_row=start + 2, line=start + 1)


def _split(line: str) -> list[str]:
    if _MARKED.fullmatch(line):
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    return [cell.strip() for cell in _GAPS.split(line.strip())]


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Stretches of lines that have the form of a table, from the line they start on."""
    start, block = 0, list[str]()
    for number, line in enumerate((*lines, "")):
        if _is_row(line) and (
            not block or bool(_MARKED.fullmatch(line)) == bool(_MARKED.fullmatch(block[0]))
        ):
            if not block:
                start = number
            block.append(line)
        else:
            if len(block) > 1:
                yield start, block
            block = []


def _is_row(line: str) -> bool:
    if _MARKED.fullmatch(line):
        return True
    return len(_split(line)) > 1 and len(line) < 400 and bool(re.search(r"\d|\w\s{2,}\w", line))
