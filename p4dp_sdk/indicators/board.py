"""The indicators of one dashboard, side by side: explained together, asked together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.indicators.indicator import Indicator
    from p4dp_sdk.indicators.result import Result


class Board(tuple["Indicator", ...]):
    """`ws.indicators.dashboard("diabete")`: its indicators, in their order."""

    __slots__ = ()

    def measure(self, **when: Any) -> Overview:
        """Each indicator's answer for everybody; the arguments are those of `Indicator.measure`, without
        groups. An indicator of a table that the project does not have is left out, and named."""
        missing = tuple(each.label for each in self if not _is_granted(each))
        return Overview(tuple(each.measure(**when) for each in self if each.label not in missing), missing)

    def known(self) -> Board:
        """The same, each among its denominator alone: see `Indicator.known`."""
        return Board(each.known() for each in self)

    def explain(self, language: str | None = None) -> str:
        return "\n\n".join(each.explain(language) for each in self)

    def __repr__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        return "".join(each._repr_html_() for each in self)


@dataclass(frozen=True)
class Overview:
    """Answers for everybody, a row a share or count. `results` are the answers one by one, `left_out` what
    the project has no table for."""

    results: tuple[Result, ...]
    left_out: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """`label`, then what `Result.frame` has. Withheld numbers are `<NA>`."""
        import pandas as pd

        frames = [_labelled(result, result.frame) for result in self.results]
        return pd.concat(frames, ignore_index=True)

    def plot(self, **options: Any) -> Axes:
        """Each share with its interval, one below the other."""
        from p4dp_sdk import plots

        frame = self.frame[["label", "share", "low", "high"]].copy()
        for name in ("share", "low", "high"):
            frame[name] = (100 * frame[name]).round(1)
        return plots.forest(frame, estimate="share", **{"axis": _("Share (%)"), **options})

    @property
    def remarks(self) -> list[str]:
        """What must be read beside the numbers, once each."""
        told = list(dict.fromkeys(line for result in self.results for line in _remarks(result)))
        if self.left_out:
            text = _("Not among the project's tables: {names}.")
            told.append(text.format(names=", ".join(self.left_out)))
        return told

    def _drawn(self) -> pd.DataFrame:
        import pandas as pd

        from p4dp_sdk.backend.results import disclosure_in
        from p4dp_sdk.tables.display import drawable

        parts = []
        for result in self.results:
            shown = result.titled
            disclosure = disclosure_in(shown)
            texts = shown.astype("string") if disclosure is None else drawable(shown, disclosure)
            parts.append(_labelled(result, texts, title=_("Indicator")))
        return pd.concat(parts, ignore_index=True).fillna("")

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup

        drawn = self._drawn()
        rows = [[str(value) for value in row] for row in drawn.itertuples(index=False, name=None)]
        return markup.table(list(drawn.columns), rows) + markup.notes(self.remarks)

    def __repr__(self) -> str:
        return "\n".join([self._drawn().to_string(index=False), *self.remarks])


def _is_granted(indicator: Indicator) -> bool:
    from p4dp_sdk.errors import UnknownNameError

    try:
        indicator.expr()
    except UnknownNameError:
        return False
    return True


def _labelled(result: Result, frame: pd.DataFrame, title: str = "label") -> pd.DataFrame:
    """The frame with one column that names its rows: the measure and, of several, the numerator."""
    from p4dp_sdk.indicators.result import MEASURE

    told = result.title_of(MEASURE)
    of_each = next((frame[name] for name in (MEASURE, told) if name in frame.columns), None)
    name = result.measure.label
    labels = [name] * len(frame) if of_each is None else [f"{name} · {each}" for each in of_each]
    kept = frame.drop(columns=[each for each in (MEASURE, told) if each in frame.columns])
    kept.attrs.clear()
    kept.insert(0, title, labels)
    return kept


def _remarks(result: Result) -> list[str]:
    """The marks' meaning and how exact the numbers are; not how many cells carry which."""
    from p4dp_sdk.backend.results import disclosure_in
    from p4dp_sdk.figures.words import SNAPPED
    from p4dp_sdk.tables.remarks import accuracy, legend, withheld_cells

    shown = result.frame
    disclosure = disclosure_in(shown)
    if disclosure is None:
        return result.left_out
    marked = [legend(disclosure)] if withheld_cells(shown, disclosure) else []
    if any(measure.snapped for measure in disclosure.measures.values()):
        marked.append(f"{SNAPPED} {_('rounded to an earlier answer')}")
    return [*marked, *accuracy(disclosure, fractions="share" in shown), *result.left_out]
