"""Measuring a release of much data: values in one pass, evidence certified from some patients, sketches by
linear sums. See `certify` for why the verdicts are those of all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, assert_never

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.evidence import certify
from hub_config.gateway.evidence.bulk_sketch import Bulk, sampled
from hub_config.gateway.evidence.contributions import NO_PHYSICIAN, Contributions, Packing
from hub_config.gateway.evidence.counted import Counted
from hub_config.gateway.evidence.fanout import (
    highest_number,
    highest_physician,
    is_joined_tables,
    is_one_table,
    most_rows,
)
from hub_config.gateway.evidence.layout import Layout, labels, layout
from hub_config.gateway.evidence.quantile import quantiles
from hub_config.gateway.evidence.repetition import most_rows_of_cells
from hub_config.gateway.evidence.sketch import Secrets, unremembered
from hub_config.gateway.evidence.source import Source
from hub_config.gateway.evidence.tally import backing
from hub_config.gateway.evidence.totals import Total, Totals, flat, grouped
from hub_config.gateway.rules.cells import Backing, Cells, Column, Fingerprints, Ints, Vectors
from hub_config.gateway.rules.plan import Measure, MeasureKind
from p4dp_sdk.disclosure.policy import Policy

FIRST: Final = 256  # the first sample is one patient in so many
_NEXT: Final = (64, 32, 16)  # the next one, where much is undecided
_LIKELY: Final = 60  # rows of a cell in a sample, of which some are of the same patient or GP
_BLOCKS: Final = 8  # of neighbouring patients, in a sample; planning them is most of its cost
_FINE, _COARSE = 1_500_000, 8_000_000  # rows read at once, where a range of patients is read without the rest


@dataclass(frozen=True)
class Large:
    """One release, about to be measured. `rows` is about how many it has."""

    source: Source
    policy: Policy
    secrets: Secrets
    first: str  # the temporary table of the first sample's contributions
    rows: int
    partial: frozenset[int]  # weight columns that are NULL in some rows of the sample

    @property
    def certain(self) -> Policy:
        """What a sample must show: that the limits are met however their numbers are blurred."""
        return self.policy.certain()

    @property
    def ranges(self) -> tuple[str, ...]:
        """Conditions that part the patients, so that each part is read in bounded memory."""
        return self._ranges(self.rows)

    def _ranges(self, rows: int) -> tuple[str, ...]:
        size = _FINE if is_one_table(self.source) else _COARSE
        parts, highest = max(1, -(-rows // size)), highest_number(self.source)
        edges = np.linspace(0, highest + 1, parts + 1).astype(np.int64)
        unit = self.source.unit
        return tuple(f"{unit} BETWEEN {a} AND {b - 1}" for a, b in pairwise(edges))

    def cells(self, *, remember: bool) -> Cells:
        source, release = self.source, self.source.release
        most = most_rows(source)
        distinct = any(measure.kind is MeasureKind.PATIENTS for measure in release.measures)
        totals = grouped(source, self.ranges) if distinct and most > 1 else flat(source, self.partial)
        laid = layout(release, totals.keys)
        found, counted = self._certified(totals, laid, self._most_of_cells(totals, most))
        once = most <= 1
        bulk = Bulk(source, totals, self.secrets, self.ranges, once, counted) if remember else None
        columns = tuple(
            self._column(measure, totals, found.backings[measure.name], bulk) for measure in release.measures
        )
        return Cells(release, labels(release, totals.keys), columns)

    def _most_of_cells(self, totals: Totals, most: int) -> Ints:
        """The most rows of one patient in each cell, where that was not seen already."""
        if most <= 1 or totals.by_weight[None].most_rows is not None:
            return np.full(totals.keys.num_rows, most)
        return most_rows_of_cells(self.source, totals.keys, most)

    # --- evidence ------------------------------------------------------------------------------------------

    def _certified(self, totals: Totals, laid: Layout, most: Ints) -> tuple[certify.Found, Counted | None]:
        """What is known of each measure, and all rows, where they were counted for it."""
        source, measures = self.source, self.source.release.measures
        found = certify.from_totals(source.release, totals, laid, most)
        sample = source.fetch_contributions(self.first, totals.cells, thousandths=False)
        found = found.with_sample(self._backings(laid, found, [sample]))
        undecided = found.open(measures, self.policy)
        one_in = self._next(totals, undecided)
        if one_in is not None:
            found = found.with_sample(self._sampled(totals, laid, found, undecided, one_in))
            undecided = found.open(measures, self.policy)
        if not undecided.any():
            return found, None
        parts = self._exact(totals, laid, found, undecided)
        return found.with_exact(self._backings(laid, found, parts), undecided), self._whole(totals, parts)

    def _next(self, totals: Totals, undecided: NDArray[np.bool_]) -> int | None:
        """The smallest sample that is likely to leave few rows undecided, where they are many."""
        rows = totals.by_weight[None].rows
        for one_in in _NEXT if _blocks(self.source, FIRST) else _NEXT[-1:]:
            likely = undecided & (rows >= _LIKELY * one_in)
            if self._rows(totals, undecided) > _FINE >= self._rows(totals, undecided & ~likely):
                return one_in
        return None

    def _backings(
        self, laid: Layout, found: certify.Found, parts: Sequence[Contributions | Counted]
    ) -> Mapping[str, Backing]:
        """What `parts` show; where all cells are known to leave enough people out, no more are looked for."""
        seen, few = {}, self.policy.min_physicians - 1
        for measure in self.source.release.measures:
            elsewhere = bool((found.backings[measure.name].left_out < self.certain.min_patients).any())
            seen[measure.name] = backing(parts, laid, measure, few, elsewhere=elsewhere)
        return seen

    def _sampled(
        self, totals: Totals, laid: Layout, found: certify.Found, undecided: NDArray[np.bool_], one_in: int
    ) -> Mapping[str, Backing]:
        read = certify.wanted(found, laid, undecided, self.certain)
        return self._backings(
            laid, found, self._read(totals, read, [_some(self.source, self.secrets, one_in)])
        )

    def _exact(
        self, totals: Totals, laid: Layout, found: certify.Found, undecided: NDArray[np.bool_]
    ) -> Sequence[Contributions | Counted]:
        read = certify.wanted(found, laid, undecided, self.certain)
        whole = f"SELECT * FROM {self.source.view} WHERE"  # noqa: S608
        ranges = self._ranges(self._rows(totals, read))
        return self._read(totals, read, [f"{whole} {where}" for where in ranges])

    def _whole(self, totals: Totals, parts: Sequence[Contributions | Counted]) -> Counted | None:
        """These `parts`, if they are all rows of all cells, of which each has one GP at most."""
        everything = int(totals.by_weight[None].rows.sum())
        for part in parts:
            if isinstance(part, Counted) and part.rows == everything and len(self.source.physicians) <= 1:
                return part
        return None

    def _rows(self, totals: Totals, cells: NDArray[np.bool_]) -> int:
        return int(totals.by_weight[None].rows[cells].sum())

    def _chosen(self, totals: Totals, cells: NDArray[np.bool_]) -> str:
        """A table of these cells; none where they are most of the rows, and choosing would cost more."""
        if self._rows(totals, cells) * 2 > self._rows(totals, np.ones(len(cells), dtype=bool)):
            return ""
        return self.source.store("chosen", totals.keys.take(pa.array(np.flatnonzero(cells))))

    def _read(
        self, totals: Totals, cells: NDArray[np.bool_], relations: Sequence[str]
    ) -> Sequence[Contributions | Counted]:
        """What the rows of `relations`, of separate patients, add to these cells at least."""
        chosen = self._chosen(totals, cells)
        packing = self._packing(totals, cells if chosen else np.ones(len(cells), dtype=bool), len(relations))
        if packing is None:
            return [self._contributions(totals, chosen, relation) for relation in relations]
        rows = [f"({relation})" for relation in relations]
        return [self.source.count_contributions(rows, chosen or totals.cells, packing)]

    def _packing(self, totals: Totals, cells: NDArray[np.bool_], parts: int) -> Packing | None:
        """For rows that leave the engine and its limit of memory one by one: where nothing is added up but
        rows, of which each of the `parts` has few in these cells. A sample may hold all of them."""
        source = self.source
        if source.weights != (None,) or self._rows(totals, cells) > parts * _COARSE:
            return None
        gps = [(NO_PHYSICIAN, highest_physician(source, name)) for name in source.physicians]
        return Packing.within([(0, len(cells)), (0, highest_number(source)), *gps])

    def _contributions(self, totals: Totals, chosen: str, rows: str) -> Contributions:
        source, stored = self.source, self.source.table("contributions")
        meeting = f" SEMI JOIN {chosen} c ON {source.matching('c', 'v')}" if chosen else ""
        relation = f"(SELECT v.* FROM ({rows}) v{meeting})"  # noqa: S608
        source.store_contributions(stored, relation, thousandths=False)
        return source.fetch_contributions(stored, totals.cells, thousandths=False)

    # --- one measure ---------------------------------------------------------------------------------------

    def _column(self, measure: Measure, totals: Totals, evidence: Backing, bulk: Bulk | None) -> Column:
        count = totals.keys.num_rows
        total = totals.by_weight[measure.weight]
        sketched = self._vectors(measure, count, self._records(measure, total), bulk)
        return Column(measure, self._value(measure, totals), evidence, sketched)

    def _records(self, measure: Measure, total: Total) -> Fingerprints:
        """Where rows were not put together by patient, each patient has one, or it is rows that count."""
        if measure.kind is MeasureKind.PATIENTS and total.patients is not None and total.sums is not None:
            return self.secrets.records("", total.patients, *total.sums)
        return self.secrets.records("", total.rows, total.first, total.second)

    def _vectors(
        self, measure: Measure, count: int, fingerprints: Fingerprints, bulk: Bulk | None
    ) -> Vectors:
        return unremembered(count, fingerprints) if bulk is None else bulk.vectors(measure, fingerprints)

    def _value(self, measure: Measure, totals: Totals) -> NDArray[Any]:
        total = totals.by_weight[measure.weight]
        match measure.kind:
            case MeasureKind.PATIENTS:
                return total.rows if total.patients is None else total.patients
            case MeasureKind.ROWS:
                return total.rows
            case MeasureKind.SUM:
                return total.total
            case MeasureKind.QUANTILE:
                ranges = [f"AND {where}" for where in self.ranges]
                drawn = self.secrets.supports(self._records(measure, total))
                return quantiles(self.source, totals.cells, measure, self.policy, ranges, drawn)
            case _:
                assert_never(measure.kind)


def large(source: Source, policy: Policy, secrets: Secrets) -> Large:
    """The first sample, from which the size of the whole is told."""
    stored, relation = source.table("first"), _some(source, secrets, FIRST)
    source.store_contributions(stored, f"({relation})", thousandths=False)
    counts = [f"CAST(coalesce(sum(__n{i}), 0) AS BIGINT) AS n{i}" for i, _ in enumerate(source.weights)]
    found = source.session.fetch(f"SELECT {', '.join(counts)} FROM {stored}")  # noqa: S608
    rows, *others = (int(column[0].as_py()) for column in found.columns)
    partial = frozenset(index for index, count in enumerate(others, start=1) if count < rows)
    return Large(source, policy, secrets, stored, rows * FIRST, partial)


def _some(source: Source, secrets: Secrets, one_in: int) -> str:
    """All rows of some patients, one in so many."""
    whole = f"SELECT * FROM {source.view} WHERE"  # noqa: S608
    wheres = _blocks(source, one_in) or [sampled(source, secrets, one_in)]
    return " UNION ALL ".join(f"({whole} {where})" for where in wheres)


def _blocks(source: Source, one_in: int) -> list[str]:
    """Ranges of neighbouring patients, evenly spread: facts lie sorted by patient, so that these are read
    without the rest; none where a range can't be. It needs no secret: who is in a sample changes no
    verdict."""
    if not is_one_table(source) and not is_joined_tables(source):
        return []
    everybody = highest_number(source) + 1
    width = max(1, everybody // (one_in * _BLOCKS))
    starts = [everybody * block // _BLOCKS for block in range(_BLOCKS)]
    return [f"{source.unit} BETWEEN {start} AND {start + width - 1}" for start in starts]
