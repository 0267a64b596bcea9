"""Tables that are computed from protected ones, as people read them: numbers in their language, one mark for
what can't be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from p4dp_sdk import markup
from p4dp_sdk.figures.words import MARK, number

if TYPE_CHECKING:
    import pandas as pd


def plain(frame: pd.DataFrame) -> str:
    """The frame as HTML."""
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    return markup.table([str(name) for name in frame.columns], rows)


def _cell(value: Any) -> str:
    import pandas as pd

    return MARK if pd.isna(value) else number(value)
