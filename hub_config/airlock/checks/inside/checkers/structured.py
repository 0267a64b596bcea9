"""JSON: every table in it is checked as a table, every other value by its key. Depth and size are bounded
before a parser sees them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
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


class _Twice(dict[str, Any]):
    """An object that had a key twice: most readers show only one of the values."""


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    notes = Notes()
    text = decoded(content, notes)
    if not text.strip():
        notes.add(Rule.EMPTY, Severity.WARNING)
        return Found(notes.findings())
    document = parsed(text)
    found = document_found(document, order, notes)
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
    tables: list[Grid] = []
    others: list[tuple[str, str]] = []
    for path, value in _walk(document, ""):
        if isinstance(value, _Twice):
            notes.add(
                Rule.HIDDEN_CONTENT, Severity.BLOCKING, Place(what=path[:60]), what="a key that stands twice"
            )
        grid = as_table(value, path)
        if grid is not None:
            tables.append(grid)
        elif not isinstance(value, (dict, list)):
            others.append((path, text_of(value)))
    if others:
        tables.append(grid_of(("name", "value"), others, first_row=1))
    if len(tables) > _MOST_TABLES:
        raise CannotRead(Reason.TOO_MUCH)
    found = Found()
    for grid in tables:
        found += table_found(grid, order)
    return found


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value that is a table or no container, with the keys that lead to it."""
    yield path, value
    if as_table(value, path) is not None:
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
        case [{}, *_] if all(isinstance(each, dict) for each in value) and _flat_records(value):
            names = list(dict.fromkeys(str(key) for each in value for key in each))
            return _grid(names, ([text_of(each.get(name)) for name in names] for each in value), title)
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


def _flat_records(records: list[dict[str, Any]]) -> bool:
    return all(_flat(each.values()) for each in records)


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
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
