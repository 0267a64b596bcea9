"""JSON: every table in it is checked as a table, every other value by its key. Depth and size are bounded
before a parser sees them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hub_config.airlock.checks.inside.decoding import decoded
from hub_config.airlock.checks.inside.disclosure.grid import CELLS_CHECKED, Grid, grid_of
from hub_config.airlock.checks.inside.disclosure.tables import candidates_of, table_found
from hub_config.airlock.checks.inside.found import CannotRead, Found, Notes, Order
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Place, Rule, Severity

_DEEPEST: Final = 60
_MOST_TABLES: Final = 40
_MOST_VALUES: Final = 1_000_000
_MOST_LINES: Final = 200_000
_SIDE_BY_SIDE: Final = 20
_SEPARATORS: Final = ";,\t|~^"
_FEW_LINES: Final = 8
_FEW_CELLS: Final = 2  # an interval, a pair of names
_ROW_CELLS: Final = 4


class _Twice(dict[str, Any]):
    """An object that had a key twice: most readers show only one of the values."""


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    notes = Notes()
    text = decoded(content, notes)
    if not text.strip():
        notes.add(Rule.EMPTY, Severity.WARNING)
        return Found(notes.findings())
    found = document_found(_lines(text) or parsed(text), order, notes)
    candidates = candidates_of(text, notes)
    return Found(notes.findings() + found.findings, found.blocks, candidates)


def parsed(text: str) -> Any:
    """Raises CannotRead: too deep, too many values, or no JSON."""
    if deepest(text) > _DEEPEST or text.count(",") > _MOST_VALUES:
        raise CannotRead(Reason.TOO_MUCH)
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise CannotRead(Reason.DAMAGED) from None


def _lines(text: str) -> list[Any] | None:
    """JSON lines: a record a line; None where it is something else."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.lstrip()[:1] == "{" and line.rstrip()[-1:] == "}" for line in lines):
        return None
    if len(lines) > _MOST_LINES:
        raise CannotRead(Reason.TOO_MUCH)
    return [parsed(line) for line in lines]


def deepest(text: str) -> int:
    """How deep brackets nest, those in strings included: a bound, not a parse."""
    depth = most = 0
    for sign in text:
        if sign in "[{":
            depth += 1
            most = max(most, depth)
            if most > _DEEPEST:
                return most
        elif sign in "]}":
            depth -= 1
    return most


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Twice(made)


def document_found(document: Any, order: Order, notes: Notes) -> Found:
    """The tables of a parsed document, its other values as one more, and keys that stand twice."""
    tables: dict[tuple[str, tuple[str, ...]], Grid] = {}
    others: list[tuple[str, str]] = []
    for path, value, grid in _walk(document, ""):
        if isinstance(value, _Twice):
            notes.add(
                Rule.HIDDEN_CONTENT, Severity.BLOCKING, Place(what=path[:60]), what="a key that stands twice"
            )
        lines = (
            list(value) if isinstance(value, dict) else value.splitlines() if isinstance(value, str) else []
        )
        if (cells := cells_a_line(lines)) > _FEW_CELLS:
            severity = Severity.BLOCKING if cells >= _ROW_CELLS else Severity.WARNING
            notes.add(Rule.ROW_LEVEL, severity, Place(what=path[:60]))
        if grid is not None:
            _put(tables, path, grid)
        elif not isinstance(value, (dict, list)):
            others.append((path, text_of(value)))
    if others:
        tables["", ("name", "value")] = grid_of(("name", "value"), others, first_row=1)
    if len(tables) > _MOST_TABLES:
        raise CannotRead(Reason.TOO_MUCH)
    found = Found()
    for grid in tables.values():
        found += table_found(grid, order)
    return found


def cells_a_line(lines: Sequence[str]) -> int:
    """How many cells nearly all of these keys or lines have, as of a CSV where none is expected; else 1."""
    if len(lines) < _FEW_LINES:
        return 1
    most = 0
    for sign in _SEPARATORS:
        count, times = Counter(line.count(sign) for line in lines).most_common(1)[0]
        most = max(most, count if times >= 0.9 * len(lines) else 0)
    return most + 1


def _put(tables: dict[tuple[str, tuple[str, ...]], Grid], path: str, grid: Grid) -> None:
    """Tables of one form that stand in the entries of a list are one: a practice's patients, and the next's.

    Tables of nothing but numbers for names are not joined: their header is a row.
    """
    key = (re.sub(r"\b\d+\b", "#", path), grid.header)
    before = tables.get(key)
    if before is None or "#" not in key[0]:
        tables[key if before is None else (path, grid.header)] = grid
    else:
        tables[key] = replace(before, rows=(*before.rows, *grid.rows))


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any, Grid | None]]:
    """Every value, with the keys that lead to it, and the table it is; a table's own values are its cells."""
    grid = as_table(value, path)
    yield path, value, grid
    if grid is not None:
        return
    items: Sequence[tuple[str, Any]] = ()
    if isinstance(value, Mapping):
        items = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list):
        items = [(str(number), each) for number, each in enumerate(value, 1)]
    for key, each in items:
        yield from _walk(each, f"{path} {key}".strip())


def as_table(value: Any, title: str) -> Grid | None:
    """A list of records, a list of rows, a record of columns, or a `split` of pandas."""
    match value:
        case [{}, *_] if all(isinstance(each, dict) for each in value) and not _holds_records(value):
            records = [dict(_flattened(each)) for each in value]
            names = list(dict.fromkeys(key for each in records for key in each))
            return _grid(names, ([text_of(each.get(name)) for name in names] for each in records), title)
        case {"columns": list(columns), "data": list(data)} if all(isinstance(row, list) for row in data):
            return _grid([text_of(each) for each in columns], ([*map(text_of, row)] for row in data), title)
        case [[*_], *_] if all(isinstance(row, list) and _flat(row) for row in value):
            first, *rest = value
            return _grid([text_of(each) for each in first], ([*map(text_of, row)] for row in rest), title)
        case dict() if value and (by_column := _columns(value)) is not None:
            return by_column
        case _:
            return None


def _columns(value: dict[str, Any]) -> Grid | None:
    """{"a": [1, 2], "b": [3, 4]}, and pandas' {"a": {"0": 1, "1": 2}, …}."""
    lists = list(value.values())
    if (
        all(isinstance(each, list) and _flat(each) for each in lists)
        and len({len(each) for each in lists}) == 1
    ):
        rows = ([*map(text_of, row)] for row in zip(*lists, strict=True))
        return _grid(list(value), rows, "") if lists[0] else None
    if len(value) > 1 and all(isinstance(each, dict) and each and _flat(each.values()) for each in lists):
        names = list(dict.fromkeys(str(key) for each in lists for key in each))
        if len(names) > 1 and all(set(map(str, each)) == set(names) for each in lists):
            rows = ([name, *(text_of(each[name]) for each in lists)] for name in names)
            return _grid(["", *value], rows, "")
    return None


def _flat(values: Any) -> bool:
    return not any(isinstance(each, (dict, list)) for each in values)


def _holds_records(value: Any) -> bool:
    """Whether a list of records stands within these records: a table of its own."""
    waiting = [*value]
    while waiting:
        match waiting.pop():
            case [{}, *_]:
                return True
            case dict(each):
                waiting.extend(each.values())
    return False


def _flattened(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """What is nested, side by side: `measures bmi`, `visits 1`, `visits 2`."""
    for key, value in record.items():
        name = f"{before} {key}".strip()
        match value:
            case dict():
                yield from _flattened(value, name)
            case list() if len(value) <= _SIDE_BY_SIDE:
                yield from _flattened({str(number): each for number, each in enumerate(value, 1)}, name)
            case _:
                yield name, value


def _grid(names: Sequence[str], rows: Any, title: str) -> Grid:
    kept = []
    cells = 0
    for row in rows:
        kept.append(row)
        cells += len(row)
        if cells > 2 * CELLS_CHECKED:
            break
    return grid_of([str(name) for name in names], kept, first_row=1, title=title)


def text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
