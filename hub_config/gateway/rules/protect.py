"""The table of one release: measured cells and what the rules say of them in, what may be shown out.

A withheld measure is NULL, whatever the reason. Closed tables come back whole, so that zero and 1 to 10 look
alike; rows whose label is unknown (NULL, or outside the catalogue) and rows of open keys come back only when
a measure may be shown. Row order says nothing: it is that of the domain, or of the labels. Reasons name the
rules that apply to the whole table, not which of them bit: in a table of one cell that would be an answer.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.rules.plan import ProtectedTable, Release
from p4dp_sdk.disclosure.primary import applicable
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import MeasureSummary

Label = tuple[Hashable, ...]
_LABELS_TOLD = 200


@dataclass(frozen=True)
class Shown:
    """One measure, an entry a cell: its final values, where it is withheld, where the value is that of an
    earlier answer, and when that was shown first to whom it is given again (NaT elsewhere)."""

    values: NDArray[np.generic]
    withheld: NDArray[np.bool_]
    snapped: NDArray[np.bool_] | None = None
    dates: NDArray[np.datetime64] | None = None

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Where nothing is shown: a value that is no finite number can't be."""
        if self.values.dtype.kind == "f":
            return np.asarray(self.withheld | ~np.isfinite(self.values))
        return self.withheld

    def at(self, places: NDArray[np.int64]) -> _Placed:
        """The cells at `places`, -1 for one that has no entry; zero under what is hidden."""
        absent = places < 0
        if not len(self.values):
            nowhere = np.zeros(len(places), dtype=bool)
            return _Placed(np.zeros(len(places)), ~nowhere, nowhere, ())
        hidden = absent | self.hidden[places]
        snapped = np.zeros(len(places), dtype=bool) if self.snapped is None else self.snapped[places]
        days = () if self.dates is None else _days(self.dates[places[snapped & ~hidden]])
        return _Placed(np.where(hidden, 0, self.values[places]), hidden, snapped & ~hidden, days)


@dataclass(frozen=True)
class _Placed:
    """One measure of the table that is made, a row an entry."""

    values: NDArray[np.generic]
    hidden: NDArray[np.bool_]
    snapped: NDArray[np.bool_]
    days: tuple[str, ...]

    def summary(self, rows: Sequence[Label]) -> MeasureSummary:
        hidden, snapped = int(self.hidden.sum()), np.flatnonzero(self.snapped)
        told = tuple(rows[place] for place in snapped[:_LABELS_TOLD])
        return MeasureSummary(len(rows) - hidden, hidden, len(snapped), told, self.days)

    def array(self, dtype: pa.DataType) -> pa.Array:
        """Of the type that the query asked for; to a whole number by rounding."""
        whole = pa.types.is_integer(dtype)
        values = np.rint(self.values).astype(np.int64) if whole else self.values
        return pa.array(values, mask=self.hidden).cast(dtype, safe=False)


def _days(dates: NDArray[np.datetime64]) -> tuple[str, ...]:
    return tuple(np.unique(dates[~np.isnat(dates)].astype("datetime64[D]")).astype(str).tolist())


def table(release: Release, labels: Sequence[Label], shown: Mapping[str, Shown]) -> ProtectedTable:
    """What may be shown of `release`, whose cells are `labels`: each measure by its name.

    Raises Refusal where one cell came twice: which of the two would be shown is nobody's to guess.
    """
    place = {label: number for number, label in enumerate(labels)}
    if len(place) != len(labels):
        raise Refusal(ErrorCode.ENGINE_FAILED)
    rows = _rows_of(release, place, np.logical_and.reduce([one.hidden for one in shown.values()]))
    places = np.fromiter((place.get(label, -1) for label in rows), dtype=np.int64, count=len(rows))
    placed = {name: one.at(places) for name, one in shown.items()}
    summary = {name: one.summary(rows) for name, one in placed.items()}
    return ProtectedTable(
        frame=_frame_of(release, rows, placed),
        measures=summary,
        reasons=_rules_of(release) if any(measure.withheld for measure in summary.values()) else (),
        rows_may_be_missing=not release.closed,
    )


def _rows_of(release: Release, place: Mapping[Label, int], hidden: NDArray[np.bool_]) -> list[Label]:
    """Every cell of a closed table, and those outside the domain of which a measure may be shown."""
    full = dict.fromkeys(full_domain(release)) if release.closed else {}
    others = [label for label, number in place.items() if not hidden[number] and label not in full]
    return [*full, *sorted(others, key=_order)]


def _frame_of(release: Release, rows: Sequence[Label], placed: Mapping[str, _Placed]) -> pa.Table:
    fields = [field.with_nullable(True) for field in release.schema.to_pyarrow()]
    keys = dict(zip(release.keys, zip(*rows, strict=True), strict=False))
    arrays = [
        placed[field.name].array(field.type)
        if field.name in placed
        else pa.array(keys.get(field.name, ()), type=field.type)
        for field in fields
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _rules_of(release: Release) -> tuple[str, ...]:
    elsewhere = bool(release.margins) or any(measure.conditional for measure in release.measures)
    return tuple(rule.value for rule in applicable(physicians=bool(release.physicians), elsewhere=elsewhere))


def full_domain(release: Release) -> Iterator[Label]:
    """Combinations of the domains, unknown labels left out, in the order of the query's keys."""
    known = [[labels for labels in domain.labels if None not in labels] for domain in release.domains]
    names = [key for domain in release.domains for key in domain.keys]
    positions = [names.index(key) for key in release.keys]
    for parts in itertools.product(*known):
        flat = tuple(itertools.chain.from_iterable(parts))
        yield tuple(flat[position] for position in positions)


def _order(label: Label) -> tuple[tuple[bool, str, object], ...]:
    return tuple((value is None, type(value).__name__, 0 if value is None else value) for value in label)
