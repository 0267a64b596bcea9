"""What figures read of a frame: columns that must be there, places, numbers of which some are withheld.

A missing value is a withheld cell; a group that has no row at all is left blank.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from p4dp_sdk.figures.errors import NotOneRowEachError
from p4dp_sdk.locale import Language, language
from p4dp_sdk.wire.explained import UnknownColumnError

if TYPE_CHECKING:
    import pandas as pd


def require(frame: pd.DataFrame, *columns: str) -> None:
    """Raises UnknownColumnError, with the nearest name, for a column that `frame` lacks."""
    for name in columns:
        if name not in frame.columns:
            raise UnknownColumnError(name, map(str, frame.columns))


def require_one_row(frame: pd.DataFrame, *columns: str) -> None:
    """Raises NotOneRowEachError if several rows of `frame` share their `columns`."""
    require(frame, *columns)
    if frame.duplicated(list(columns)).any():
        raise NotOneRowEachError(columns)


def number(value: Any) -> float | None:
    """A number, None where it is withheld."""
    import pandas as pd

    return None if pd.isna(value) else float(value)


def written(value: Any) -> str:
    """A known number as the person's language writes it."""
    from p4dp_sdk.figures.words import number as in_words

    return in_words(value.item() if hasattr(value, "item") else value)


def in_language(digits: str) -> str:
    """Digits with the decimal sign of the person's language."""
    return digits if language() is Language.ENGLISH else digits.replace(".", ",")


def numbers(series: Iterable[Any]) -> list[float | None]:
    return [number(value) for value in series]


def name(value: Any) -> str:
    """How a group is written: a date by its day, nothing as a dash."""
    import pandas as pd

    if pd.isna(value):
        return "—"
    return str(value.isoformat())[:10] if hasattr(value, "isoformat") else str(value)


def in_order(labels: Sequence[Any]) -> list[str]:
    """The different labels: classes of numbers (40-64, 65+) from the least, those without a limit last;
    others as they come."""
    from p4dp_sdk.figures.labels import starts_at

    different = list(dict.fromkeys(map(name, labels)))
    starts = [starts_at(label) for label in different]
    if all(start is None for start in starts):
        return different
    placed = sorted(zip(starts, different, strict=True), key=lambda pair: (pair[0] is None, pair[0] or 0.0))
    return [label for _start, label in placed]
