"""What a measure gave: shares with their numerators, denominators, intervals and window.

`frame` is tidy: a row for each group and measure, `denominator`, `numerator`, `share`, `low`, `high` under
the same names for all indicators, computed from the numbers that are shown; a withheld number makes its share
`<NA>`. `.attrs["p4dp"]` stays, so that marks and the error of a draft are drawn as in every other table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.compile import (
    AGE,
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
from p4dp_sdk.indicators.measure import Measure
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
_ROUNDED_BY = (
    15  # how far a number may lie from the earlier answer it shows: ten patients and up to five more
)
_LEAST_POINTS = 0.05  # a blur below it is not worth a word
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
    "type": N_("Type"),
    "kind": N_("Kind"),
    "cisp2": N_("ICPC-2 code"),
    "reason": N_("Reason"),
    "result": N_("Result"),
    "procedure": N_("Procedure"),
    "level": N_("Level"),
    "supervision": N_("Supervision"),
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
    def readable(self) -> pd.DataFrame:
        """The frame without the numerators of shares that are not given, for what is computed from it."""
        frame = self.frame
        frame[NUMERATOR] = frame[NUMERATOR].mask(frame[SHARE].isna())
        return frame

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
        """The labels of codes, and dates and classes of age as people write them."""
        dates = {window.end.isoformat(): written(window.end) for window in self.asked.windows}
        ages = age_labels(self.counts[AGE]) if AGE in self.counts else {}
        return {**self.names, DATE: dates, AGE: {**ages, **self.names.get(AGE, {})}}

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
        return [f"{self.measure.label}. {period}", *self._blur(), *self.left_out]

    @property
    def left_out(self) -> list[str]:
        """Why a share is not given although its numbers are shown."""
        frame = self.frame
        if SHARE not in frame.columns:
            return []
        shown = frame[NUMERATOR].notna() & (frame[DENOMINATOR] > 0).fillna(False)
        if not (shown & frame[SHARE].isna()).any():
            return []
        text = _(
            "No share where the numerator is rounded to an earlier answer (≈) and as large as its "
            "denominator, give or take {patients} patients: it would read 100 %."
        )
        return [text.format(patients=_ROUNDED_BY)]

    def _blur(self) -> list[str]:
        from p4dp_sdk.backend.results import disclosure_in

        disclosure = disclosure_in(self.counts)
        known = self.frame[DENOMINATOR].dropna() if DENOMINATOR in self.frame else None
        if disclosure is None or not disclosure.error or known is None or not len(known):
            return []
        points = 100 * disclosure.error / max(float(known.min()), 1.0)
        if points < _LEAST_POINTS:
            return []
        shown = f"{points:.1f}" if language() is Language.ENGLISH else f"{points:.1f}".replace(".", ",")
        text = _(
            "Draft: intervals don't hold the blur, which moves the share of the smallest group shown by "
            "about {points} points."
        )
        return [text.format(points=shown)]

    def title_of(self, name: str) -> str:
        """How the column `name` of the frame is called in `titled`."""
        from p4dp_sdk.figures.words import number

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


def age_labels(classes: Iterable[Any]) -> Mapping[str, str]:
    """How classes such as "00-49" and "80+" are written."""
    found = {}
    for label in classes:
        if match := re.fullmatch(r"(\d+)(?:-(\d+)|\+)", str(label)):
            low, high = match.groups()
            text = _("{low} and over") if high is None else _("{low}–{high} years")
            found[str(label)] = text.format(low=int(low), high=high and int(high))
    return found


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

    frame, rounded = counts[list(keys)].reset_index(drop=True), _rounded(counts, column)
    if several:
        frame[MEASURE] = pd.array([measure.name_of(column)] * len(counts), dtype="string")
    names = [DENOMINATOR, column, *([MISSING] if measure.missing is not None else [])]
    for name in names:
        frame[NUMERATOR if name == column else name] = counts[name].astype("Int64").array
    pairs = zip(counts[column], counts[DENOMINATOR], strict=True)
    rows = [
        (None, None, None) if row in rounded and _reads_as_all(n, d) else _interval(n, d, measure.per)
        for row, (n, d) in enumerate(pairs)
    ]
    for place, name in enumerate((SHARE, LOW, HIGH)):
        frame[name] = pd.array([row[place] for row in rows], dtype="Float64")
    return frame


def _rounded(counts: pd.DataFrame, column: str) -> frozenset[int]:
    """The rows whose number shows an earlier answer's value."""
    from p4dp_sdk.backend.results import disclosure_in
    from p4dp_sdk.figures.snapped import snapped_rows

    disclosure = disclosure_in(counts)
    return frozenset() if disclosure is None else snapped_rows(counts, disclosure).get(column, frozenset())


def _reads_as_all(numerator: Any, denominator: Any) -> bool:
    """Whether a rounded numerator may be its own denominator's value: a group and nearly all of it are one
    to a draft."""
    import pandas as pd

    return not pd.isna(numerator) and not pd.isna(denominator) and denominator - numerator <= _ROUNDED_BY


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
