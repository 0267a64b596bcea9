"""How a protected result looks: one mark for each withheld cell, and under the table why, and what to do
about it.

Works on ordinary pandas frames that carry a disclosure in `.attrs["p4dp"]`, so it survives sorting, slicing,
renaming and saving; a frame that lost it looks as pandas shows it. Changes no value: only what is drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from p4dp_sdk import markup
from p4dp_sdk.locale import Language, language, translate_count
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_

if TYPE_CHECKING:
    import pandas as pd

    from p4dp_sdk.wire.protocol import Disclosure

MARK = "•"  # a withheld cell, whatever the reason
MISSING = "—"  # nothing there: not recorded, no such group

# words in a column's name, and what would make the numbers of its groups larger
_CLASSES = (
    (("age", "âge"), N_("widen the age bands")),
    (("centre", "center", "region"), N_("put several centres together")),
    (("cisp2", "atc", "cim10", "code", "diagnos"), N_("put several codes together")),
)
_PERIODS = (
    (("year", "month", "week", "date", "annee", "année", "mois", "semaine"), N_("take longer periods")),
)


def show_protected_results() -> None:
    """In a notebook or IPython, draw frames and series that carry a disclosure as `html` and `text` do."""
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is None:
        return
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
    return "\n".join([drawn, *remarks(frame, disclosure)])


def drawable(frame: pd.DataFrame, disclosure: Disclosure) -> pd.DataFrame:
    """A copy of `frame` to be drawn: numbers as people write them, marks in place of missing values."""
    import pandas as pd

    numeric = set(_numeric(frame))
    drawn = pd.DataFrame(index=frame.index)
    for position, name in enumerate(frame.columns):
        mark = MARK if name in numeric and _withholds(disclosure) else MISSING
        column = frame.iloc[:, position].astype(object)
        drawn.insert(
            position, name, [mark if pd.isna(v) else _number(v) for v in column], allow_duplicates=True
        )
    return drawn


def remarks(frame: pd.DataFrame, disclosure: Disclosure) -> list[str]:
    """What to say under the table, in the person's language; nothing where there is nothing to say."""
    from p4dp_sdk.backend.results import Protection

    match disclosure.protection:
        case Protection.ROWS:
            return [_("Individual data: they stay inside this workspace.")]
        case Protection.PUBLIC:
            return []
        case Protection.NONE:
            return _sandbox_remarks(disclosure)
        case _:
            return [*_withheld_remarks(frame, disclosure), *_dropped_remarks(disclosure)]


def withheld_cells(frame: pd.DataFrame) -> int:
    """How many cells of `frame` carry the mark."""
    return int(sum(frame[name].isna().sum() for name in _numeric(frame)))


def legend(disclosure: Disclosure) -> str:
    """What the mark stands for."""
    return _("{mark} withheld number (< {patients})").format(mark=MARK, patients=disclosure.min_patients)


def _withheld_remarks(frame: pd.DataFrame, disclosure: Disclosure) -> list[str]:
    count = withheld_cells(frame)
    if not count:
        return []
    told = translate_count("{count} withheld cell", "{count} withheld cells", count).format(count=count)
    why = f"{_colon()}{_either(_reasons(disclosure))}" if disclosure.reasons else ""
    lines = [legend(disclosure), f"{told}{why}."]
    return [*lines, _("What to do: {step}").format(step=f"{_advice(frame)}.")]


def _dropped_remarks(disclosure: Disclosure) -> list[str]:
    if not disclosure.rows_may_be_missing:
        return []
    return [_("Groups that are too small are left out, and their number is not told.")]


def _sandbox_remarks(disclosure: Disclosure) -> list[str]:
    count = sum(measure.withheld for measure in disclosure.measures.values())
    would = translate_count(
        "On real data, {count} cell of this table would be withheld.",
        "On real data, {count} cells of this table would be withheld.",
        count,
    )
    line = _("Sandbox: synthetic data, nothing is withheld.")
    return [f"{line} {would.format(count=count)}" if disclosure.measures else line]


def _reasons(disclosure: Disclosure) -> list[str]:
    words = {
        "frequency": _("fewer than {patients} patients"),
        "physicians": _("fewer than {physicians} physicians"),
        "unanimity": _("all patients of a group share the answer"),
    }
    blanks = {"patients": disclosure.min_patients, "physicians": disclosure.min_physicians}
    return [words.get(reason, _("a disclosure rule")).format(**blanks) for reason in disclosure.reasons]


def _either(reasons: list[str]) -> str:
    """The table's reasons as alternatives: which of them holds for which cell is not told."""
    *most, last = reasons
    return _("{most} or {last}").format(most=", ".join(most), last=last) if most else last


def _advice(frame: pd.DataFrame) -> str:
    """What would make the numbers larger, from the columns that the table is grouped by."""
    labels = [str(name).lower() for name in frame.columns if name not in set(_numeric(frame))]
    names = [str(name).lower() for name in frame.columns]
    hints = [*_hints_for(labels, _CLASSES), *_hints_for(names, _PERIODS)] or [_("take wider groups")]
    return _("{steps} or keep these cells withheld").format(steps=", ".join(hints))


def _hints_for(names: list[str], hints: Iterable[tuple[tuple[str, ...], str]]) -> Iterable[str]:
    return [_(hint) for words, hint in hints if any(word in name for name in names for word in words)]


def _withholds(disclosure: Disclosure) -> bool:
    from p4dp_sdk.backend.results import Protection

    return disclosure.protection not in (Protection.ROWS, Protection.PUBLIC, Protection.NONE)


def _numeric(frame: pd.DataFrame) -> list[Any]:
    return list(frame.select_dtypes(include="number").columns)


def _number(value: Any) -> str:
    """A number as the person's language writes it; years and other short whole numbers stay as they are."""
    if isinstance(value, float):
        return _localised(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}")
    if isinstance(value, int) and not isinstance(value, bool):
        return _localised(f"{value:,}" if abs(value) >= 10_000 else str(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value)


def _localised(number: str) -> str:
    if language() is Language.ENGLISH:
        return number
    return number.replace(",", "\u202f").replace(".", ",")


def _colon() -> str:
    return ": " if language() is Language.ENGLISH else " : "


def _as_frame(result: pd.DataFrame | pd.Series[Any]) -> pd.DataFrame:
    import pandas as pd

    return result.to_frame() if isinstance(result, pd.Series) else result


def _max_rows() -> int | None:
    import pandas as pd

    rows: int | None = pd.get_option("display.max_rows")
    return rows


def _print(result: pd.DataFrame | pd.Series[Any], printer: Any, _cycle: bool) -> None:
    printer.text(text(result))
