"""What a measure gave: shares with their numerators, denominators, intervals and window.

`frame` is tidy: a row for each group and measure, `denominator`, `numerator`, `share`, `low`, `high` under
the same names for all indicators, computed from the numbers that are shown; a withheld number makes its share
`<NA>`. `.attrs["p4dp"]` stays, so that marks and the error of a draft are drawn as in every other table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.compile import (
    DATE,
    DENOMINATOR,
    MISSING,
    NUMERATOR,
    Asked,
    key_names,
    numerator_columns,
)
from p4dp_sdk.indicators.errors import NoWorkspaceError
from p4dp_sdk.indicators.intervals import wilson
from p4dp_sdk.indicators.measure import Measure, Unit
from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.tables.safe import SafeTable
    from p4dp_sdk.wire.protocol import Disclosure, MeasureSummary

Names = Mapping[str, Mapping[str, str]]  # the labels of codes, by the column they stand in
MEASURE: Final = "indicator"  # the column that tells the numerators of a measure apart
SHARE, LOW, HIGH = "share", "low", "high"
_MOST_POINTS = 0.05  # by how much a share that is shown may be off for being rounded to an earlier answer
# how far an earlier answer may lie: ten patients and up to five more; of rows, several a patient
_ROUNDED_BY = {Unit.PATIENT: 15, Unit.CONSULTATION: 60, Unit.ROW: 60}
TITLES: Mapping[str, str] = {
    MEASURE: N_("Indicator"),
    DENOMINATOR: N_("Denominator"),
    NUMERATOR: N_("Numerator"),
    MISSING: N_("Not recorded"),
    LOW: N_("Low (95 %)"),
    HIGH: N_("High (95 %)"),
    "patients": N_("Patients"),
    "rows": N_("Rows"),
    "at": N_("On"),
    "year": N_("Year"),
    "month": N_("Month"),
    "week": N_("Week"),
    "sex": N_("Sex"),
    "age_band": N_("Age"),
    "centre_id": N_("Centre"),
}


@dataclass(frozen=True)
class Result:
    """The answer to a measure. `counts` is the answer as it came; `table`, the signed publication table, or
    None of a draft. `names` are the labels of codes."""

    measure: Measure
    asked: Asked
    counts: pd.DataFrame
    publisher: Callable[[str], Result] | None = None
    table: SafeTable | None = None
    names: Names = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        return key_names(self.measure, self.asked)

    @property
    def frame(self) -> pd.DataFrame:
        """Keys, `denominator`, `numerator`, `share`, `low`, `high` (a new frame each time). Shares are per
        one; of a measure said per 100,000, per 100,000. Without numerators: keys and counts."""
        return shares_of(self.measure, self.counts, self.keys)

    @property
    def titled(self) -> pd.DataFrame:
        """The frame as people read it: titles and the labels of codes in their language, shares in per
        cent."""
        from p4dp_sdk.backend.results import attach, disclosure_in

        frame, names = self.frame, self._labels
        for key in set(names) & set(frame.columns):
            frame[key] = frame[key].map(lambda code, key=key: names[key].get(code, code))
        for name in {SHARE, LOW, HIGH} & set(frame.columns):
            frame[name] = (100 * frame[name]).round(1) if self.measure.per == 1 else frame[name].round(0)
        disclosure = disclosure_in(frame)
        titled = frame.rename(columns={name: self.title_of(name) for name in frame.columns})
        if disclosure is None:
            return titled
        return attach(titled, _renamed(disclosure, self.title_of, names))

    @property
    def _labels(self) -> Names:
        """The labels of codes, and the dates of a series as people write them."""
        dates = {window.end.isoformat(): written(window.end) for window in self.asked.windows}
        return {**self.names, DATE: dates}

    def publish(self, title: str) -> Result:
        """The same, exact and signed: its `.table` is the publication table (see `ws.publish`)."""
        if self.publisher is None:
            raise NoWorkspaceError
        return self.publisher(title)

    def plot(self, **options: Any) -> Axes:
        """Shares with their intervals, or counts as bars."""
        from p4dp_sdk.indicators.drawing import draw

        return draw(self, **options)

    @property
    def remarks(self) -> list[str]:
        """What must be read beside the numbers: the window, and how far a draft's blur reaches."""
        window = self.asked.windows[-1]
        last = written(window.end)
        if len(self.asked.windows) > 1:
            period = _("On each date, up to {last}.").format(last=last)
        elif window.start is None:
            period = _("Up to {last}.").format(last=last)
        else:
            period = _("From {first} to {last}.").format(first=written(window.start), last=last)
        return [f"{self.measure.label}. {period}", *self.warnings]

    @property
    def warnings(self) -> list[str]:
        """What a draft's blur and its earlier answers do to shares."""
        return [*self._blur(), *self._loose()]

    def _loose(self) -> list[str]:
        """Whether a share is left out although its numbers are shown."""
        frame = self.frame
        if SHARE not in frame.columns:
            return []
        shown = frame[NUMERATOR].notna() & (frame[DENOMINATOR] > 0).fillna(False)
        if not (shown & frame[SHARE].isna()).any():
            return []
        text = _(
            "No share where it would rest on a number rounded to an earlier answer (≈) and could be off by "
            "more than {points} points."
        )
        if self.measure.per != 1:
            text = _("No rate where it would rest on a number rounded to an earlier answer (≈).")
        return [text.format(points=round(100 * _MOST_POINTS))]

    def _blur(self) -> list[str]:
        from p4dp_sdk.backend.results import disclosure_in

        disclosure = disclosure_in(self.counts)
        known = self.frame[DENOMINATOR].dropna() if DENOMINATOR in self.frame else None
        if disclosure is None or not disclosure.error or known is None or not len(known):
            return []
        points = 100 * disclosure.error / max(float(known.min()), 1.0)
        shown = f"{points:.1f}" if language() is Language.ENGLISH else f"{points:.1f}".replace(".", ",")
        text = _(
            "Draft: intervals don't hold the blur, which moves the share of the smallest group shown by "
            "about {points} points."
        )
        return [text.format(points=shown)]

    def title_of(self, name: str) -> str:
        """How the column `name` of the frame is called in `titled`."""
        from p4dp_sdk.tables.display import number

        if name == SHARE:
            return (
                _("Share (%)") if self.measure.per == 1 else _("Per {n}").format(n=number(self.measure.per))
            )
        return _(TITLES[name]) if name in TITLES else self.measure.name_of(name)

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup
        from p4dp_sdk.tables.display import html

        return f"{html(self.titled) or ''}{markup.notes(self.remarks)}"

    def __repr__(self) -> str:
        from p4dp_sdk.tables.display import text

        return "\n".join([text(self.titled), *self.remarks])


def written(on: date) -> str:
    """A date as the person's language writes it."""
    return on.isoformat() if language() is Language.ENGLISH else f"{on:%d/%m/%Y}"


def shares_of(measure: Measure, counts: pd.DataFrame, keys: tuple[str, ...]) -> pd.DataFrame:
    """The tidy frame of an answer. A blurred numerator that exceeds its denominator counts as all of it."""
    import pandas as pd

    from p4dp_sdk.backend.results import attach, disclosure_in

    if not measure.numerators:
        return counts.copy()
    columns, several = list(numerator_columns(measure)), len(measure.numerators) > 1
    parts = [_of_one(measure, counts, keys, column, several) for column in columns]
    frame = pd.concat(parts, ignore_index=True)
    disclosure = disclosure_in(counts)
    frame.attrs.clear()
    return frame if disclosure is None else attach(frame, _tidied(measure, disclosure, columns, keys))


def _of_one(
    measure: Measure, counts: pd.DataFrame, keys: tuple[str, ...], column: str, several: bool
) -> pd.DataFrame:
    import pandas as pd

    frame, loose = counts[list(keys)].reset_index(drop=True), _rounded(counts, column)
    if several:
        frame[MEASURE] = pd.array([measure.name_of(column)] * len(counts), dtype="string")
    names = [DENOMINATOR, column, *([MISSING] if measure.missing is not None else [])]
    for name in names:
        frame[NUMERATOR if name == column else name] = counts[name].astype("Int64").array
    pairs = zip(counts[column], counts[DENOMINATOR], strict=True)
    rows = [
        (None, None, None) if _is_loose(measure, n, d, loose[row]) else _interval(n, d, measure.per)
        for row, (n, d) in enumerate(pairs)
    ]
    for place, name in enumerate((SHARE, LOW, HIGH)):
        frame[name] = pd.array([row[place] for row in rows], dtype="Float64")
    return frame


def _rounded(counts: pd.DataFrame, column: str) -> list[tuple[bool, bool]]:
    """For each row, whether its numerator and its denominator show an earlier answer's value."""
    from p4dp_sdk.backend.results import disclosure_in
    from p4dp_sdk.tables.snapped import snapped_rows

    disclosure = disclosure_in(counts)
    found = {} if disclosure is None else snapped_rows(counts, disclosure)
    over, under = found.get(column, frozenset()), found.get(DENOMINATOR, frozenset())
    return [(row in over, row in under) for row in range(len(counts))]


def _is_loose(measure: Measure, numerator: Any, denominator: Any, rounded: tuple[bool, bool]) -> bool:
    """Whether rounding to earlier answers could move the share by more than may be read over."""
    import pandas as pd

    if not any(rounded) or pd.isna(numerator) or pd.isna(denominator) or denominator <= 0:
        return False
    share = min(float(numerator) / float(denominator), 1.0)
    off = _ROUNDED_BY[measure.unit] * (rounded[0] + rounded[1] * share) / float(denominator)
    return off > (_MOST_POINTS if measure.per == 1 else _MOST_POINTS * 4 * share)


def _interval(numerator: Any, denominator: Any, per: int) -> tuple[float | None, float | None, float | None]:
    import pandas as pd

    if pd.isna(numerator) or pd.isna(denominator) or denominator <= 0:
        return None, None, None
    part = min(max(float(numerator), 0.0), float(denominator))
    low, high = wilson(part, float(denominator))
    return per * part / float(denominator), per * low, per * high


def _tidied(
    measure: Measure, disclosure: Disclosure, columns: Sequence[str], keys: tuple[str, ...]
) -> Disclosure:
    """The record of the tidy frame: each numerator's marks stand under the one column, told apart by its
    name."""

    if len(columns) == 1:
        return disclosure
    names = {column: measure.name_of(column) for column in columns}
    found: dict[str, MeasureSummary] = {}
    for column, summary in disclosure.measures.items():
        under = NUMERATOR if column in names else column
        told = [names[column]] if column in names else list(names.values())
        for name in told:
            labels = tuple((*label, name) for label in summary.snapped_labels)
            found[under] = _sum(found.get(under), replace(summary, snapped_labels=labels))
    return _changed(disclosure, measures=found, key_columns=(*keys, MEASURE))


def _sum(one: MeasureSummary | None, other: MeasureSummary) -> MeasureSummary:
    if one is None:
        return other
    return replace(
        one,
        shown=one.shown + other.shown,
        withheld=one.withheld + other.withheld,
        snapped=one.snapped + other.snapped,
        snapped_labels=one.snapped_labels + other.snapped_labels,
    )


def _renamed(disclosure: Disclosure, title: Callable[[str], str], names: Names) -> Disclosure:
    """The record of the frame as people read it: the same marks under other names."""

    def label(values: tuple[object, ...]) -> tuple[object, ...]:
        pairs = zip(disclosure.key_columns, values, strict=True)
        return tuple(names.get(key, {}).get(str(value), value) for key, value in pairs)

    measures = {
        title(name): replace(summary, snapped_labels=tuple(map(label, summary.snapped_labels)))
        for name, summary in disclosure.measures.items()
    }
    return _changed(disclosure, measures=measures, key_columns=tuple(map(title, disclosure.key_columns)))


def _changed(disclosure: Disclosure, **changes: Any) -> Disclosure:
    """The record with other parts. (What a frame carries is a subclass, which can't be replaced.)"""
    from p4dp_sdk.wire.protocol import Disclosure

    kept = {part.name: getattr(disclosure, part.name) for part in fields(Disclosure)}
    return Disclosure(**{**kept, **changes})
