"""Primary suppression of one release: its engine frame in, what may be shown out.

A withheld measure is NULL, whatever the reason. Closed tables come back whole, so that zero and 1 to 10 look
alike; rows whose label is unknown (NULL, or outside the catalogue) and rows of open keys come back only when
a measure may be shown. Row order says nothing: it is that of the domain, or of the labels. Reasons name the
rules that apply to the whole table, not which of them bit: in a table of one cell that would be an answer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Cells
from hub_config.gateway.rules.plan import LEVEL, Domain, Measure, MeasureKind, ProtectedTable, Release
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.primary import Evidence, Reason, applicable, reasons_to_withhold, withheld
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import MeasureSummary

Label = tuple[Hashable, ...]
Row = Mapping[str, int]
_LABELS_TOLD = 200


@dataclass(frozen=True)
class Shown:
    """One measure, an entry a cell: its final values, where it is withheld, and where the value is that of an
    earlier answer."""

    values: NDArray[np.generic]
    withheld: NDArray[np.bool_]
    snapped: NDArray[np.bool_] | None = None

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
            return _Placed(np.zeros(len(places)), ~nowhere, nowhere)
        hidden = absent | self.hidden[places]
        snapped = np.zeros(len(places), dtype=bool) if self.snapped is None else self.snapped[places]
        return _Placed(np.where(hidden, 0, self.values[places]), hidden, snapped & ~hidden)


@dataclass(frozen=True)
class _Placed:
    """One measure of the table that is made, a row an entry."""

    values: NDArray[np.generic]
    hidden: NDArray[np.bool_]
    snapped: NDArray[np.bool_]

    def summary(self, rows: Sequence[Label]) -> MeasureSummary:
        hidden, snapped = int(self.hidden.sum()), np.flatnonzero(self.snapped)
        told = tuple(rows[place] for place in snapped[:_LABELS_TOLD])
        return MeasureSummary(len(rows) - hidden, hidden, len(snapped), told)

    def array(self, dtype: pa.DataType) -> pa.Array:
        """Of the type that the query asked for; to a whole number by rounding."""
        whole = pa.types.is_integer(dtype)
        values = np.rint(self.values).astype(np.int64) if whole else self.values
        return pa.array(values, mask=self.hidden).cast(dtype, safe=False)


def verdicts(cells: Cells, policy: Policy) -> dict[str, NDArray[np.bool_]]:
    """For each measure, the cells that fail a primary rule."""
    return {
        column.measure.name: withheld(
            column.backing, policy, magnitude=column.measure.kind is MeasureKind.SUM
        )[0]
        for column in cells.columns
    }


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
    elsewhere = bool(release.keys) or any(measure.conditional for measure in release.measures)
    return tuple(rule.value for rule in applicable(physicians=bool(release.physicians), elsewhere=elsewhere))


def protect(release: Release, frame: pa.Table, policy: Policy) -> ProtectedTable:
    """Keys and measures of `release` with every cell that fails `policy` withheld.

    Raises Refusal if open keys made more cells than the policy takes.
    """
    if frame.num_rows > policy.max_cells * (1 + len(release.margins)):
        raise Refusal(ErrorCode.TOO_MANY_CELLS, limit=policy.max_cells)
    cells = _read(release, frame)
    shown = {label: _shown(release, cells, label, policy) for label in cells.levels[0]}
    rows = list(_rows(release, shown))
    summary = {m.name: _summary([row[1][i] for row in rows]) for i, m in enumerate(release.measures)}
    withheld = any(measure.withheld for measure in summary.values())
    return ProtectedTable(
        frame=_frame(release, rows),
        measures=summary,
        reasons=_rules_applied(release) if withheld else (),
        rows_may_be_missing=not release.closed,
    )


@dataclass(frozen=True)
class _Cells:
    """The frame by level and label; the label of level i has not the keys that the i-th margin leaves out.

    `choices`: for each margin, how many labels these keys could have, the others of their domain given.
    """

    levels: Sequence[Mapping[Label, Row]]
    choices: Sequence[Mapping[Label, int]]


def _read(release: Release, frame: pa.Table) -> _Cells:
    frame = _typed(release, frame)
    keys = [[_one_nan(value) for value in frame.column(key).to_pylist()] for key in release.keys]
    hidden = {name: frame.column(name).to_pylist() for name in frame.column_names if name not in release.keys}
    dropped = ((), *release.margins)
    levels: list[dict[Label, Row]] = [{} for _ in dropped]
    for i in range(frame.num_rows):
        level = hidden[LEVEL][i]
        label = _without(release, dropped[level], tuple(key[i] for key in keys))
        levels[level][label] = {name: column[i] for name, column in hidden.items()}
    return _Cells(levels, [_choices(release, margin) for margin in release.margins])


def _without(release: Release, dropped: tuple[str, ...], label: Label) -> Label:
    return tuple(value for key, value in zip(release.keys, label, strict=True) if key not in dropped)


def _one_nan(value: Hashable) -> Hashable:
    """NaN is unequal to itself, but not when it is the same object."""
    return math.nan if isinstance(value, float) and math.isnan(value) else value


def _typed(release: Release, frame: pa.Table) -> pa.Table:
    """Keys and measures of the types that the query gave them: engines widen sums and turn dates into
    timestamps."""
    target = release.schema.to_pyarrow()
    for i, name in enumerate(frame.column_names):
        if name in target.names:
            wanted = target.field(name).type
            frame = frame.set_column(i, name, frame.column(name).cast(wanted, safe=False))
    return frame


def _choices(release: Release, dropped: tuple[str, ...]) -> Mapping[Label, int]:
    domain = _domain_of(release, dropped)
    if domain is None:
        return {}
    kept = [position for position, key in enumerate(domain.keys) if key not in dropped]
    counts: dict[Label, int] = {}
    for labels in domain.labels:
        others = tuple(labels[position] for position in kept)
        counts[others] = counts.get(others, 0) + 1
    return counts


def _domain_of(release: Release, keys: tuple[str, ...]) -> Domain | None:
    return next((domain for domain in release.domains if set(keys) <= set(domain.keys)), None)


# -- one cell ---------------------------------------------------------------------------------------------


def _shown(release: Release, cells: _Cells, label: Label, policy: Policy) -> tuple[int | None, ...]:
    row = cells.levels[0][label]
    margins = list(_free_margins(release, cells, label))
    return tuple(
        None if reasons_to_withhold(_evidence(release, measure, row, margins), policy) else row[measure.name]
        for measure in release.measures
    )


def _free_margins(release: Release, cells: _Cells, label: Label) -> Iterator[Row]:
    """The cell's margins whose keys could have put its patients elsewhere."""
    for level, dropped in enumerate(release.margins, start=1):
        domain = _domain_of(release, dropped)
        if domain is None or cells.choices[level - 1].get(_others(release, domain, dropped, label), 2) > 1:
            yield cells.levels[level][_without(release, dropped, label)]


def _others(release: Release, domain: Domain, dropped: tuple[str, ...], label: Label) -> Label:
    return tuple(label[release.keys.index(key)] for key in domain.keys if key not in dropped)


def _evidence(release: Release, measure: Measure, row: Row, margins: Sequence[Row]) -> Evidence:
    patients = row[measure.patients]
    return Evidence(
        patients=patients,
        physicians=min((row[name] for name in measure.physicians), default=None),
        others=row[release.everyone] - patients if measure.conditional else None,
        margins=tuple(margin[measure.patients] for margin in margins),
    )


def _rules_applied(release: Release) -> tuple[str, ...]:
    rules = [Reason.FREQUENCY]
    if any(measure.physicians for measure in release.measures):
        rules.append(Reason.PHYSICIANS)
    if release.keys or any(measure.conditional for measure in release.measures):
        rules.append(Reason.UNANIMITY)
    return tuple(rule.value for rule in rules)


# -- the table --------------------------------------------------------------------------------------------


def _rows(
    release: Release, shown: Mapping[Label, tuple[int | None, ...]]
) -> Iterator[tuple[Label, tuple[int | None, ...]]]:
    """Every cell of a closed table, and what else may be shown."""
    nothing = (None,) * len(release.measures)
    full = list(full_domain(release)) if release.closed else []
    for label in full:
        yield label, shown.get(label, nothing)
    known = set(full)
    others = [label for label, values in shown.items() if label not in known and values != nothing]
    for label in sorted(others, key=_order):
        yield label, shown[label]


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


def _summary(values: Sequence[int | None]) -> MeasureSummary:
    shown = sum(value is not None for value in values)
    return MeasureSummary(shown=shown, withheld=len(values) - shown)


def _frame(release: Release, rows: Sequence[tuple[Label, tuple[int | None, ...]]]) -> pa.Table:
    fields = [field.with_nullable(True) for field in release.schema.to_pyarrow()]
    columns = [*zip(*((*label, *values) for label, values in rows), strict=True)] or [()] * len(fields)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, fields, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
