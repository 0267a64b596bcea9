"""Tables worked out from protected ones, as people read them: one mark for what can't be given, names of
columns in words. What they hold stays a plain frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from p4dp_sdk import markup
from p4dp_sdk.figures.words import MARK, number
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Derived:
    """`frame`, to go on with; `titles` are the columns' names in words."""

    frame: pd.DataFrame
    titles: Mapping[str, str] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        columns = [self.titles.get(name, name) for name in self.frame.columns]
        rows = [[_cell(value) for value in row] for row in self.frame.itertuples(index=False, name=None)]
        note = _("{mark} withheld, or worked out from a withheld number: not a zero.")
        marked = self.frame.isna().any(axis=None)
        return markup.table(columns, rows) + (markup.notes([note.format(mark=MARK)]) if marked else "")

    def __repr__(self) -> str:
        shown = self.frame.rename(columns=dict(self.titles)).astype("string").fillna(MARK)
        return str(shown.to_string(index=False))


def _cell(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return MARK
    return value if isinstance(value, str) else number(value)
