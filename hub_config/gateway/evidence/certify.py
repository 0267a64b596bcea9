"""Evidence of much data: sound bounds from the totals and from samples, exact where these don't suffice.

A sample holds all rows of some patients, so what it counts is a lower bound for everybody. It certifies that
a cell passes and nothing else; a cell that is not certified is read whole. So the verdict on every cell is
the one that all of its rows would have given, whichever patients a sample holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.layout import Layout
from hub_config.gateway.evidence.totals import Total, Totals
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, TOPS, Backing, Floats, Ints
from hub_config.gateway.rules.limits import uncertain
from hub_config.gateway.rules.plan import Measure, MeasureKind, Release
from p4dp_sdk.disclosure.policy import Policy

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """What is known of each measure so far, by its name."""

    backings: Mapping[str, Backing]

    def with_sample(self, seen: Mapping[str, Backing]) -> Found:
        """Raised to what a sample shows."""
        return Found({name: _raised(backing, seen[name]) for name, backing in self.backings.items()})

    def with_exact(self, seen: Mapping[str, Backing], cells: Mask) -> Found:
        """Replaced by what all rows of `cells` show."""
        return Found({name: _replaced(old, seen[name], cells) for name, old in self.backings.items()})

    def open(self, measures: Sequence[Measure], policy: Policy) -> Mask:
        """Cells of which some measure is not certified to pass."""
        masks = [
            uncertain(self.backings[m.name], policy, magnitude=m.kind is MeasureKind.SUM) for m in measures
        ]
        return np.asarray(np.logical_or.reduce(masks))


def from_totals(release: Release, totals: Totals, layout: Layout, most_rows: Ints) -> Found:
    """Before anybody was looked at: `most_rows` is the most that one patient has in each cell."""
    return Found(
        {m.name: _bounds(m, totals.by_weight[m.weight], release, layout, most_rows) for m in release.measures}
    )


def wanted(found: Found, layout: Layout, open_cells: Mask, policy: Policy) -> Mask:
    """The cells to read so that the open ones are known: themselves, and who shares a margin in which too few
    others were seen."""
    few = open_cells & np.logical_or.reduce(
        [backing.left_out < policy.min_patients for backing in found.backings.values()]
    )
    read = open_cells.copy()
    for margin in layout.margins:
        concerned = np.unique(margin.group[few & margin.free])
        read |= np.isin(margin.group, concerned)
    return read


def _bounds(measure: Measure, total: Total, release: Release, layout: Layout, most_rows: Ints) -> Backing:
    largest, size = _sizes(measure, total, most_rows)
    nobody = np.zeros(layout.cells, dtype=np.int64)
    free = np.logical_or.reduce([np.zeros(layout.cells, dtype=bool), *(m.free for m in layout.margins)])
    elsewhere = free | measure.conditional
    magnitude = measure.kind is MeasureKind.SUM
    patients = total.adding if magnitude else total.patients
    return Backing(
        patients=nobody if patients is None else patients,
        physicians=nobody if release.physicians else None,
        outside=nobody if release.physicians else None,
        left_out=np.where(elsewhere, 0, NOBODY_ELSEWHERE),
        largest=largest,
        second=largest,
        total=size,
        physician_share=total.half if magnitude else np.zeros(layout.cells),
        outside_few=nobody if release.physicians else None,
        cut_share=total.half if magnitude else np.zeros(layout.cells),
        **_known_tops(measure, largest),
    )


def _known_tops(measure: Measure, largest: Floats) -> Mapping[str, Floats]:
    """Where nobody was looked at, all may have the most; rounded up to a power of two, so that the noise that
    comes in units of it tells less of who has."""
    if measure.kind is MeasureKind.PATIENTS:
        return {}
    bound = np.exp2(np.ceil(np.log2(np.where(largest > 0, largest, 1.0))))
    tops = np.repeat(bound[:, None], TOPS, axis=1)
    return {"tops": tops, "nets": np.zeros_like(tops)}


def _sizes(measure: Measure, total: Total, most_rows: Ints) -> tuple[Floats, Floats]:
    """The most that one patient adds, and all of it, in absolute terms."""
    rows = total.rows.astype(np.float64)
    most = np.minimum(rows, most_rows) if total.most_rows is None else total.most_rows.astype(np.float64)
    match measure.kind:
        case MeasureKind.PATIENTS:
            return np.minimum(rows, 1.0), rows if total.patients is None else total.patients.astype(float)
        case MeasureKind.ROWS | MeasureKind.QUANTILE:
            return most, rows
        case MeasureKind.SUM:
            if total.most is not None:
                return total.most, total.absolute
            return np.minimum(total.absolute, most * total.peak), total.absolute
        case _:
            assert_never(measure.kind)


def _raised(old: Backing, seen: Backing) -> Backing:
    return replace(
        old,
        patients=np.maximum(old.patients, seen.patients),
        physicians=_larger(old.physicians, seen.physicians),
        outside=_larger(old.outside, seen.outside),
        left_out=np.maximum(old.left_out, seen.left_out),
        outside_few=_larger(old.outside_few, seen.outside_few),
    )


def _larger(one: Ints | None, other: Ints | None) -> Ints | None:
    return one if one is None or other is None else np.maximum(one, other)


def _replaced(old: Backing, seen: Backing, cells: Mask) -> Backing:
    """Of people left out, the larger: where nobody looked for more, fewer were seen."""

    def chosen(name: str) -> NDArray[np.generic] | None:
        one, other = getattr(old, name), getattr(seen, name)
        if one is None or other is None:
            return None
        return np.asarray(np.where(cells.reshape(-1, *[1] * (one.ndim - 1)), other, one))

    left_out = np.maximum(old.left_out, np.where(cells, seen.left_out, 0))
    names = {field.name for field in fields(Backing)} - {"left_out"}
    return Backing(left_out=left_out, **{name: chosen(name) for name in names})  # type: ignore[arg-type]
