"""How a protected result looks: one mark for each withheld cell, a sign on those rounded to an earlier
answer, and under the table what they mean and what to do.

Works on ordinary pandas frames that carry a disclosure in `.attrs["p4dp"]`, so it survives sorting, slicing,
renaming and saving; a frame that lost it looks as pandas shows it. Changes no value: only what is drawn.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from p4dp_sdk import markup
from p4dp_sdk.disclosure.policy import Method
from p4dp_sdk.figures.snapped import column_of, snapped_rows
from p4dp_sdk.figures.words import MARK, SNAPPED, number
from p4dp_sdk.tables.misspelt import explain_mistakes
from p4dp_sdk.tables.remarks import (
    columns_of_cells,
    legend,
    remarks,
    upright,
    withheld_cells,
)

if TYPE_CHECKING:
    import pandas as pd

    from p4dp_sdk.wire.protocol import Disclosure

__all__ = [
    "MARK",
    "SNAPPED",
    "drawable",
    "html",
    "legend",
    "remarks",
    "show_protected_results",
    "text",
    "withheld_cells",
]

MISSING = "—"  # nothing there: not recorded, no such group


def show_protected_results() -> None:
    """In a notebook or IPython, draw frames and series that carry a disclosure as `html` and `text` do, and
    explain the mistakes of newcomers."""
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is None:
        return
    explain_mistakes(shell)
    formatters = shell.display_formatter.formatters
    for module, name in (("pandas.core.frame", "DataFrame"), ("pandas.core.series", "Series")):
        formatters["text/html"].for_type_by_name(module, name, html)
        formatters["text/plain"].for_type_by_name(module, name, _print)


def html(result: pd.DataFrame | pd.Series[Any]) -> str | None:
    """`result` as HTML; None where pandas has none (a series that carries no disclosure)."""
    from p4dp_sdk.backend.results import disclosure_in

    disclosure, frame = disclosure_in(result), _as_frame(result)
    if disclosure is None:
        return frame._repr_html_() if frame is result else None  # type: ignore[operator]
    drawn = drawable(frame, disclosure).to_html(
        border=0, escape=True, max_rows=_max_rows(), show_dimensions=False
    )
    return str(drawn) + markup.notes(remarks(frame, disclosure))


def text(result: pd.DataFrame | pd.Series[Any]) -> str:
    """`result` for a terminal."""
    from p4dp_sdk.backend.results import disclosure_in

    disclosure, frame = disclosure_in(result), _as_frame(result)
    if disclosure is None:
        return repr(result)
    drawn = drawable(frame, disclosure).to_string(max_rows=_max_rows(), show_dimensions=False)
    return "\n".join([drawn, *(line.replace("`", "") for line in remarks(frame, disclosure))])


def number_html(value: float, disclosure: Disclosure) -> str:
    """A single number as HTML, and below it how exact it is."""
    import pandas as pd

    frame = pd.DataFrame({column_of(next(iter(disclosure.measures), "")): [value]})
    shown = str(drawable(frame, disclosure).iat[0, 0])
    return markup.paragraph(shown) + markup.notes(remarks(frame, disclosure))


def drawable(frame: pd.DataFrame, disclosure: Disclosure) -> pd.DataFrame:
    """A copy of `frame` to be drawn: numbers as people write them, marks in place of missing values."""
    import pandas as pd

    if (standing := upright(frame, disclosure)) is not frame:
        return drawable(standing, disclosure).T.set_axis(frame.columns, axis=1)
    cells = set(columns_of_cells(frame, disclosure)) if _withholds(disclosure) else set()
    snapped = snapped_rows(frame, disclosure) if _withholds(disclosure) else {}
    drawn = pd.DataFrame(index=frame.index)
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position].astype(object)
        mark, signed = (MARK if name in cells else MISSING), snapped.get(name, frozenset())
        least = _least_true(disclosure) if name in cells else 0
        texts = [mark if pd.isna(value) else _at_least(value, least) for value in column]
        texts = [
            f"{SNAPPED} {shown}" if row in signed and shown != mark else shown
            for row, shown in enumerate(texts)
        ]
        drawn.insert(position, name, texts, allow_duplicates=True)
    return drawn


def _least_true(disclosure: Disclosure) -> int:
    """Whole numbers below this are the least multiple that rounding shows; 0 where nothing is rounded."""
    return disclosure.min_patients if disclosure.method == Method.ROUNDING else 0


def _at_least(value: Any, least: int) -> str:
    rounded_down = isinstance(value, int) and not isinstance(value, bool) and 0 < value < least
    return f"≥ {number(value)}" if rounded_down else number(value)


def _withholds(disclosure: Disclosure) -> bool:
    from p4dp_sdk.backend.results import Protection

    return disclosure.protection not in (
        Protection.ROWS,
        Protection.PUBLIC,
        Protection.NONE,
        Protection.NOISE,
    )


def _as_frame(result: pd.DataFrame | pd.Series[Any]) -> pd.DataFrame:
    import pandas as pd

    return result.to_frame() if isinstance(result, pd.Series) else result


def _max_rows() -> int | None:
    import pandas as pd

    rows: int | None = pd.get_option("display.max_rows")
    return rows


def _print(result: pd.DataFrame | pd.Series[Any], printer: Any, _cycle: bool) -> None:
    printer.text(text(result))
