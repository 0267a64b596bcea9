"""What is said under a protected table: what the marks stand for, why, how much was kept, and what to do.

Words only, in the person's language, from a frame and its disclosure. Never says which rule withheld which
cell, and promises no more than the table's protection does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from p4dp_sdk.disclosure.policy import Method
from p4dp_sdk.figures.words import MARK, SNAPPED, plus_or_minus, withheld_label
from p4dp_sdk.locale import Language, language, translate_count
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_
from p4dp_sdk.wire.protocol import Scope

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from p4dp_sdk.wire.protocol import Disclosure

_REASONS: Mapping[str, str] = {
    "frequency": N_("fewer than {patients} patients"),
    "physicians": N_("too few physicians"),
    "dominance": N_("a dominant contribution"),
    "unanimity": N_("a nearly unanimous group"),
    "secondary": N_("secondary suppression"),
    "ledger": N_("too close to an earlier answer"),
    "earlier": N_("too close to an earlier answer"),
    "quantile": N_("too few patients around the value"),
}

_PUBLISHED: Mapping[str, str] = {
    "earlier": N_("too close to a number published before, if only on earlier data"),
}

_ANOTHER = N_("a disclosure rule")

# words in a column's name, and what would make the numbers of its groups larger
_CLASSES = (
    (("age", "âge"), N_("widen the age bands")),
    (("centre", "center", "region"), N_("put several centres together")),
    (("cisp2", "atc", "cim10", "code", "diagnos"), N_("put several codes together")),
)
_GIVEN = frozenset({"sex"})  # nothing is wider than its groups
_PERIODS = (
    (("year", "month", "week", "date", "annee", "année", "mois", "semaine"), N_("take longer periods")),
)


def remarks(frame: pd.DataFrame, disclosure: Disclosure) -> list[str]:
    """What to say under the table; nothing where there is nothing to say."""
    from p4dp_sdk.backend.results import Protection

    frame = upright(frame, disclosure)
    match disclosure.protection:
        case Protection.ROWS:
            return [_("Individual data: they stay inside this workspace.")]
        case Protection.PUBLIC:
            return []
        case Protection.NONE:
            return _sandbox(disclosure)
        case Protection.NOISE:
            return accuracy(disclosure, fractions=_has_fractions(frame))
        case _:
            return [
                *_withheld(frame, disclosure),
                *_snapped(frame, disclosure),
                *_dropped(disclosure),
                *accuracy(disclosure, fractions=_has_fractions(frame)),
            ]


def legend(disclosure: Disclosure) -> str:
    """What the mark stands for."""
    return f"{MARK} {withheld_label(disclosure.min_patients, published=_is_published(disclosure))}"


def either(reasons: Iterable[str], disclosure: Disclosure) -> str:
    """The table's reasons as alternatives: which of them holds for which cell is not told."""
    blanks = {"patients": disclosure.min_patients, "physicians": disclosure.min_physicians}
    known = {**_REASONS, **_PUBLISHED} if _is_published(disclosure) else _REASONS
    words = [_(known.get(reason, _ANOTHER)).format(**blanks) for reason in reasons]
    *most, last = dict.fromkeys(words)
    return _("{most} or {last}").format(most=", ".join(most), last=last) if most else last


def accuracy(disclosure: Disclosure, *, fractions: bool = False) -> list[str]:
    """How exact the numbers are. `fractions`: the table also shows means, sums or shares."""
    from p4dp_sdk.backend.results import Protection

    match disclosure.protection:
        case Protection.PUBLICATION:
            return [_("Publication table: the numbers shown are exact.")]
        case Protection.EXPLORATION | Protection.NOISE if disclosure.error or disclosure.method:
            return [" ".join(_blurred(disclosure, fractions))]
        case _:
            return []


def upright(frame: pd.DataFrame, disclosure: Disclosure) -> pd.DataFrame:
    """`frame` with its groups as columns again, where `.T` made rows of them."""
    keys = set(disclosure.key_columns)
    if not keys or not keys <= set(frame.index) or keys & set(frame.columns):
        return frame
    turned = frame.T.convert_dtypes()
    empty = [name for name in turned.columns if name not in keys and turned[name].isna().all()]
    return turned.astype(dict.fromkeys(empty, "Int64"))


def columns_of_cells(frame: pd.DataFrame, disclosure: Disclosure | None = None) -> list[Any]:
    """The columns of numbers that are no group: those whose missing values are withheld cells."""
    keys = set(disclosure.key_columns) if disclosure else set()
    numbers = frame.select_dtypes(include="number").columns
    mixed = [name for name in frame.select_dtypes(include="object").columns if _of_numbers(frame[name])]
    return [name for name in frame.columns if name not in keys and (name in numbers or name in mixed)]


def _of_numbers(column: Any) -> bool:
    """Whether a column of objects holds numbers of several kinds, as a table on its side does."""
    import pandas as pd

    if isinstance(column, pd.DataFrame):  # two columns of one name
        return False
    known = column.dropna()
    return len(known) > 0 and all(
        isinstance(each, int | float) and not isinstance(each, bool) for each in known
    )


def withheld_cells(frame: pd.DataFrame, disclosure: Disclosure | None = None) -> int:
    """How many cells of `frame` carry the mark."""
    return int(sum(frame[name].isna().sum() for name in set(columns_of_cells(frame, disclosure))))


# -- each remark ------------------------------------------------------------------------------------------


def _withheld(frame: pd.DataFrame, disclosure: Disclosure) -> list[str]:
    count = withheld_cells(frame, disclosure)
    if not count:
        return []
    told = translate_count("{count} withheld cell", "{count} withheld cells", count).format(count=count)
    why = f"{_colon()}{either(disclosure.reasons, disclosure)}" if disclosure.reasons else ""
    recorded = frame[~_unrecorded(frame, disclosure)]
    left, cells = withheld_cells(recorded, disclosure), len(columns_of_cells(frame, disclosure))
    kept = _kept(left, len(recorded) * cells, apart=left < count)
    step = _("What to do: {step}").format(step=f"{_advice(frame, disclosure)}.")
    return [legend(disclosure), f"{told}{why}. {kept}", *([step] if left else [])]


def _unrecorded(frame: pd.DataFrame, disclosure: Disclosure) -> NDArray[np.bool_]:
    """The rows of those of whom a class is not known: mostly empty, and nothing can be done about them."""
    import numpy as np

    cells, unknown = set(columns_of_cells(frame, disclosure)), _("not recorded")
    levels = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
    labels = [frame.iloc[:, place] for place, name in enumerate(frame.columns) if name not in cells]
    found = np.zeros(len(frame), dtype=bool)
    for each in (*levels, *labels):
        found |= np.array([isinstance(label, str) and label == unknown for label in each], dtype=bool)
    return found


def _kept(withheld: int, cells: int, *, apart: bool) -> str:
    """How much is shown; never 0 % of something, nor 100 % of less than all. `apart`: not counted are cells
    of those of whom a class is not known."""
    percent = 100 if not withheld else min(99, max(1, round(100 * (cells - withheld) / cells)))
    percent = percent if withheld < cells or not cells else 0
    if apart:
        text = _("Apart from “{label}”, {percent} % of the cells are shown.")
        return text.format(label=_("not recorded"), percent=percent)
    return _("{percent} % of the cells are shown.").format(percent=percent)


def _snapped(frame: pd.DataFrame, disclosure: Disclosure) -> list[str]:
    from p4dp_sdk.figures.snapped import are_told, rounded_cells, snapped_rows

    count = rounded_cells(disclosure)
    marked = sum(len(rows) for rows in snapped_rows(frame, disclosure).values())
    if not count or (not marked and are_told(frame, disclosure)):
        return []  # none, or none of them among these rows
    cells = translate_count("{count} cell", "{count} cells", count).format(count=count)
    rounded = _("rounded to an earlier answer")
    some = " " + _("({marked} of them here)").format(marked=marked) if 0 < marked < count else ""
    sign = f"{SNAPPED} " if marked else ""
    why = translate_count(
        "This group, or a sum with it, was counted before, give or take ten patients, rarely over twenty.",
        "These groups, or their sums, were counted before, give or take ten patients, rarely over twenty.",
        count,
    )
    return [f"{sign}{rounded}{_colon()}{cells}{some}. {why}{_given_again(disclosure)}"]


def _given_again(disclosure: Disclosure) -> str:
    """Of when the numbers are that the same question was given before."""
    found = {day for measure in disclosure.measures.values() for day in measure.given_again}
    english = language() is Language.ENGLISH
    days = [day if english else f"{date.fromisoformat(day):%d/%m/%Y}" for day in sorted(found)]
    text = _("The same question was asked before: value of {days}.")
    return " " + text.format(days=", ".join(days)) if days else ""


def _dropped(disclosure: Disclosure) -> list[str]:
    if not disclosure.rows_may_be_missing:
        return []
    return [_("Groups that are too small are left out, and their number is not told.")]


def _blurred(disclosure: Disclosure, fractions: bool) -> Iterable[str]:
    from p4dp_sdk.backend.results import Protection

    error = plus_or_minus(disclosure)
    draft = disclosure.protection == Protection.EXPLORATION
    if draft and error and disclosure.method == Method.ROUNDING:
        yield _("Draft: each count is rounded, by about {error}.").format(error=error)
    elif draft and error:
        yield _("Draft: each count is blurred, by about {error}.").format(error=error)
    elif draft:
        yield _("Draft: the numbers are blurred.")
    else:
        yield _(
            "Noise paid from the privacy budget: a count is off by about {error}, whatever its size."
        ).format(error=error or "±")
    if fractions:
        yield _("Means, sums and shares are blurred too.")
    if draft and disclosure.scope is Scope.OWN:
        yield _("These are rows of your own: they are not published.")
    elif draft:
        yield _("For exact values, make it a publication table: `ws.publish`.")


def _sandbox(disclosure: Disclosure) -> list[str]:
    count = sum(measure.withheld for measure in disclosure.measures.values())
    would = translate_count(
        "On real data, {count} cell of this table would be withheld.",
        "On real data, {count} cells of this table would be withheld.",
        count,
    )
    line = _("Sandbox: synthetic data, nothing is withheld.")
    return [f"{line} {would.format(count=count)}" if disclosure.measures else line]


def _advice(frame: pd.DataFrame, disclosure: Disclosure) -> str:
    """What would make the numbers larger, from the columns that the table is grouped by."""
    cells = set(columns_of_cells(frame, disclosure))
    labels = [str(name).lower() for name in frame.columns if name not in cells]
    names = [str(name).lower() for name in (*frame.columns, *disclosure.key_columns)]
    hints = [*_hints_for(labels, _CLASSES), *_hints_for(names, _PERIODS)]
    if not hints and any(_of_classes(frame[name]) for name in frame.columns if name not in cells):
        hints = [_("widen the classes")]
    elif not hints and not set(disclosure.key_columns) - _GIVEN:
        hints = [_("widen the cohort, put together what is counted in it")]
    hints = hints or [_("take wider groups")]
    return _("{steps} or keep these cells withheld").format(steps=", ".join(hints))


def _of_classes(labels: Any) -> bool:
    """Whether most labels are classes of numbers: "40-64", "< 18.5", "80+"."""
    from p4dp_sdk.figures.labels import starts_at

    known = [label for label in labels if isinstance(label, str)] if labels.ndim == 1 else []
    return bool(known) and sum(starts_at(label) is not None for label in known) > len(known) / 2


def _hints_for(names: list[str], hints: Iterable[tuple[tuple[str, ...], str]]) -> Iterable[str]:
    return [_(hint) for words, hint in hints if any(word in name for name in names for word in words)]


def _has_fractions(frame: pd.DataFrame) -> bool:
    from pandas.api.types import is_float_dtype

    return any(is_float_dtype(kind) for kind in frame.dtypes)


def _is_published(disclosure: Disclosure) -> bool:
    from p4dp_sdk.backend.results import Protection

    return disclosure.protection == Protection.PUBLICATION


def _colon() -> str:
    return ": " if language() is Language.ENGLISH else " : "
