"""Which cells of a frame show the value of an earlier answer: found again by their labels.

A frame that was pivoted or regrouped has other labels; then none is found, and only their number can be told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from p4dp_sdk.wire.protocol import Disclosure, MeasureSummary

Label = tuple[str | None, ...]

_PART = re.compile(r" \[\d+\]$")  # how the gateway names the parts of a mean, a ratio


def column_of(measure: str) -> str:
    """The column that a measure, or a part of it, stands in."""
    return _PART.sub("", measure)


def snapped_rows(frame: pd.DataFrame, disclosure: Disclosure) -> dict[str, frozenset[int]]:
    """For each column of `frame` that is a measure, or computed from one, the positions of its rounded
    cells; in a table on its side, of each group."""
    if _on_its_side(frame, disclosure):
        found = snapped_rows(frame.T, disclosure)
        rows = {name: row for row, name in enumerate(frame.index)}
        return {
            group: frozenset(rows[name] for name, places in found.items() if place in places)
            for place, group in enumerate(frame.columns)
        }
    wanted: dict[str, set[Label]] = {}
    for name, measure in disclosure.measures.items():
        column = column_of(name)
        if measure.snapped_labels and column in frame.columns:
            wanted.setdefault(column, set()).update(map(_label, measure.snapped_labels))
    labels = _labels(frame, disclosure.key_columns) if wanted else []
    return {
        name: frozenset(row for row, label in enumerate(labels) if label in some)
        for name, some in wanted.items()
    }


def _on_its_side(frame: pd.DataFrame, disclosure: Disclosure) -> bool:
    """Whether the groups stand above and the measures to the left: `table.set_index("sex").T`."""
    keys = set(disclosure.key_columns)
    return bool(keys) and keys == set(frame.columns.names) and frame.index.is_unique


def rounded_cells(disclosure: Disclosure) -> int:
    """How many cells were rounded to an earlier answer. The parts of a mean are one cell."""
    columns: dict[str, list[MeasureSummary]] = {}
    for name, measure in disclosure.measures.items():
        columns.setdefault(column_of(name), []).append(measure)
    return sum(_rounded(parts) for parts in columns.values())


def _rounded(parts: list[MeasureSummary]) -> int:
    labels = {label for part in parts for label in map(_label, part.snapped_labels)}
    return max(len(labels), *(part.snapped for part in parts))


def are_told(frame: pd.DataFrame, disclosure: Disclosure) -> bool:
    """Whether `snapped_rows` finds every rounded cell that stands in `frame`: its rows have labels, and each
    measure has its column and the labels of all its rounded cells."""
    rounded = {name: measure for name, measure in disclosure.measures.items() if measure.snapped}
    named = all(len(measure.snapped_labels) == measure.snapped for measure in rounded.values())
    there = all(column_of(name) in frame.columns for name in rounded)
    return named and there and bool(_labels(frame, disclosure.key_columns))


def _labels(frame: pd.DataFrame, keys: tuple[str, ...]) -> list[Label]:
    """The label of each row; empty when a key is neither a column nor a level of the index."""
    whole = frame.reset_index() if set(keys) & set(frame.index.names) else frame
    if any(list(whole.columns).count(key) != 1 for key in keys):
        return []
    if not keys:
        return [()] if len(frame) == 1 else []
    return [_label(row) for row in zip(*(whole[key] for key in keys), strict=True)]


def _label(values: tuple[Any, ...]) -> Label:
    return tuple(_text(value) for value in values)


def _text(value: Any) -> str | None:
    """One key's value as text, the same for a frame's value and for what JSON made of it."""
    import pandas as pd

    if value is None or pd.isna(value):
        return None
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value).removesuffix(" 00:00:00")
