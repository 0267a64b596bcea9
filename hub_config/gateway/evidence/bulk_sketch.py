"""Sketches of much data, added up while its rows pass by: the engine only says which cell a row is in.

Rows come by ranges of patients; distinct patients are found by sorting each range. A thread reads ahead, so
that engine and sums work side by side; what is held is two ranges and the sketches. These are the ones that
all contributions at once would give, to the last bit.

The secrets never reach the engine, in a table or in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, assert_never

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.evidence.ahead import ahead
from hub_config.gateway.evidence.contributions import NO_PHYSICIAN, first_of_runs
from hub_config.gateway.evidence.counted import Counted
from hub_config.gateway.evidence.fanout import (
    highest_number,
    highest_physician,
    is_joined_tables,
    is_one_table,
)
from hub_config.gateway.evidence.growing import Entries, Growing, Known, Packing
from hub_config.gateway.evidence.lowest_ranks import EVERYBODY, LowestRanks
from hub_config.gateway.evidence.sketch import Secrets
from hub_config.gateway.evidence.source import CELL, Source
from hub_config.gateway.evidence.tally import blocks
from hub_config.gateway.evidence.totals import Totals
from hub_config.gateway.rules.cells import (
    PATIENT_BUCKETS,
    PHYSICIAN_BUCKETS,
    Fingerprints,
    Ints,
    Vectors,
    Words,
)
from hub_config.gateway.rules.plan import Measure, MeasureKind

_UNIT, _GP = "__u", "__g"
_ROWS_AT_ONCE: Final = 2_000_000
_ENTRIES_AT_ONCE: Final = 1 << 16  # so that their arrays stay in the cache
_BATCHES_AHEAD: Final = 16


class _What(Enum):
    """What is added up."""

    ROWS = auto()
    PATIENTS = auto()
    THOUSANDTHS = auto()


@dataclass(frozen=True)
class _Added:
    """Of the rows that count (`source.weights[weight]` is not NULL) what is added up. Measures that agree in
    it have one sketch."""

    what: _What
    weight: int


@dataclass(frozen=True)
class _Found:
    """Sketches by what is added up, samples by the weight that says which rows count."""

    sketches: Mapping[_Added, Growing]
    samples: Mapping[int, LowestRanks]


@dataclass(frozen=True)
class Bulk:
    """The sketches of one release's numbered cells. `ranges` part the patients; `once`: each has one row.
    `counted`: all there is to them, where it was read before: their rows, and at most one GP each."""

    source: Source
    totals: Totals
    secrets: Secrets
    ranges: tuple[str, ...]
    once: bool
    counted: Counted | None = None

    def vectors(self, measure: Measure, fingerprints: Fingerprints) -> Vectors:
        sketch = self._found.sketches[self._added(measure)]
        sample = self._found.samples[self.source.presence(measure.weight)]
        offsets, ranks, threshold = sample.found(self._known.numbers.ranks)
        return Vectors(
            by_patient=sketch.by_patient.reshape(-1, PATIENT_BUCKETS),
            by_physician=sketch.by_physician.reshape(-1, PHYSICIAN_BUCKETS),
            physician_counts=sketch.physician_counts.reshape(-1, PHYSICIAN_BUCKETS),
            threshold=threshold,
            offsets=offsets,
            ranks=ranks,
            records=fingerprints,
        )

    def _added(self, measure: Measure) -> _Added:
        present = self.source.presence(measure.weight)
        match measure.kind:
            case MeasureKind.PATIENTS:
                return _Added(_What.ROWS if self.once else _What.PATIENTS, present)
            case MeasureKind.ROWS:
                return _Added(_What.ROWS, present)
            case MeasureKind.SUM | MeasureKind.QUANTILE:
                return _Added(_What.THOUSANDTHS, self.source.weights.index(measure.weight))
            case _:
                assert_never(measure.kind)

    def _present(self, added: _Added) -> int:
        """The weight that says which rows count."""
        thousandths = added.what is _What.THOUSANDTHS
        return self.source.presence(self.source.weights[added.weight]) if thousandths else added.weight

    # --- all of it -----------------------------------------------------------------------------------------

    @cached_property
    def _found(self) -> _Found:
        measures, cells = self.source.release.measures, int(self.totals.keys.num_rows)
        added = dict.fromkeys(self._added(measure) for measure in measures)
        present = dict.fromkeys(self.source.presence(measure.weight) for measure in measures)
        found = _Found(
            {each: Growing.of(cells) for each in added}, {each: LowestRanks(cells) for each in present}
        )
        if self.counted is not None:
            self._add_counted(self.counted, found)
            return found
        people = [each.weight for each in added if each.what is _What.PATIENTS]
        packing = Packing(self._known, cells if people else 0)
        for part in self._parts(distinct=bool(people)):
            self._add(part, found, {weight: [] for weight in people}, packing)
        return found

    def _add(
        self, part: Iterable[pa.RecordBatch], found: _Found, codes: Mapping[int, list[Ints]], packing: Packing
    ) -> None:
        """Add the rows of some patients. `codes` takes up who is there, where patients are counted."""
        ranks = self._known.numbers.ranks
        for batch in part:
            rows = self._entries(batch)
            for added, sketch in found.sketches.items():
                if added.what is not _What.PATIENTS:
                    present = self._present(added)
                    counts = _array(batch, f"__p{present}") if present else True
                    sketch.add(rows, _products(rows, added, batch), counts)
            for weight, sample in found.samples.items():
                there = _counting(rows, weight, batch)
                if weight in codes:
                    codes[weight].append(packing.packed(there))
                else:
                    sample.add(there.cell, there.unit, ranks)
        for weight, held in codes.items():
            sketch, sample = found.sketches[_Added(_What.PATIENTS, weight)], found.samples[weight]
            for entries, first in packing.distinct(held):
                sketch.add(entries, entries.keys, once=entries.keys * first)
                sample.add(entries.cell[first], entries.unit[first], ranks)

    def _add_counted(self, counted: Counted, found: _Found) -> None:
        for first, end in blocks([counted], int(self.totals.keys.num_rows)):
            given = counted.of_cells(first, end)
            gp = given.physicians[0] if given.physicians else np.full_like(given.unit, NO_PHYSICIAN)
            entries = Entries(self._known, given.cell + first, given.unit, gp)
            rows, fresh = given.added[None].rows.astype(np.uint32), first_of_runs(given.cell, given.unit)
            for added, sketch in found.sketches.items():
                if added.what is _What.PATIENTS:
                    once = np.zeros_like(entries.keys)
                    once[fresh] = entries.keys[fresh]
                    sketch.add(entries, entries.keys, once=once)
                else:
                    sketch.add(entries, entries.keys * rows, rows)
            for sample in found.samples.values():
                sample.add(entries.cell[fresh], entries.unit[fresh], self._known.numbers.ranks)

    # --- rows ----------------------------------------------------------------------------------------------

    @cached_property
    def _known(self) -> Known:
        source = self.source
        numbers, buckets = self.secrets.units(highest_number(source) + 1), None
        if source.physicians:
            gps = np.arange(NO_PHYSICIAN, highest_physician(source, source.physicians[0]) + 1)
            buckets = self.secrets.physician_buckets(gps)
        return Known(numbers, buckets)

    def _parts(self, *, distinct: bool) -> Iterator[Iterable[pa.RecordBatch]]:
        """The rows in batches, by ranges of patients: of tables as many as are read at once, of anything else
        only if it must be, since each range would read all of it."""
        source = self.source
        if is_one_table(source) or is_joined_tables(source):
            tables = (source.session.fetch(self._rows(where)) for where in self._ranges())
            for table in ahead(tables, 1):
                yield table.to_batches(max_chunksize=_ENTRIES_AT_ONCE)
        else:
            for where in self.ranges if distinct else ("TRUE",):
                yield ahead(source.session.stream(self._rows(where), 1), _BATCHES_AHEAD)

    def _ranges(self) -> Iterator[str]:
        rows = int(self.totals.by_weight[None].rows.sum())
        parts = max(1, -(-rows // _ROWS_AT_ONCE))
        edges = np.linspace(0, len(self._known.numbers.keys), parts + 1).astype(np.int64)
        return (f"{self.source.unit} BETWEEN {first} AND {last - 1}" for first, last in pairwise(edges))

    def _rows(self, where: str) -> str:
        """The statement that gives of each row its cell, patient and first GP, and what its weights add."""
        source = self.source
        members = ", ".join(f"{value} AS {name}" for name, value in self._columns.items())
        inner = f"SELECT {', '.join((*source.keys, members))} FROM {source.view}"  # noqa: S608
        return (
            f"SELECT c.{CELL}, {', '.join(f'v.{name}' for name in self._columns)}"  # noqa: S608
            f" FROM ({inner} WHERE {source.unit} IS NOT NULL AND {where}) v"
            f" JOIN {self.totals.cells} c ON {source.matching('c', 'v')}"
        )

    @property
    def _columns(self) -> Mapping[str, str]:
        """`__p<i>`: whether the row counts for weight i; `__t<i>`: its thousandths."""
        source = self.source
        gp = f"CAST({source.physicians[0]} AS BIGINT)" if source.physicians else "NULL"
        columns = {_UNIT: f"CAST({source.unit} AS BIGINT)", _GP: f"coalesce({gp}, {NO_PHYSICIAN})"}
        for measure in source.release.measures:
            if measure.weight is not None:
                added, present = self._added(measure), source.presence(measure.weight)
                columns[f"__p{present}"] = f"{source.value(measure.weight)} IS NOT NULL"
                if added.what is _What.THOUSANDTHS:
                    value = f"round(1000 * {source.value(measure.weight)})"
                    columns[f"__t{added.weight}"] = f"coalesce(CAST({value} AS BIGINT), 0)"
        return columns

    def _entries(self, batch: pa.RecordBatch) -> Entries:
        return Entries(self._known, *(_array(batch, name) for name in (CELL, _UNIT, _GP)))


def _products(rows: Entries, added: _Added, batch: pa.RecordBatch) -> Words:
    """Key times weight of each row, modulo 2³²."""
    match added.what:
        case _What.THOUSANDTHS:
            return rows.keys * _array(batch, f"__t{added.weight}").astype(np.uint32)
        case _What.ROWS | _What.PATIENTS:
            return rows.keys * _array(batch, f"__p{added.weight}") if added.weight else rows.keys
        case _:
            assert_never(added.what)


def _counting(rows: Entries, weight: int, batch: pa.RecordBatch) -> Entries:
    """The rows that count for this weight; for the first, which is none, all."""
    if not weight:
        return rows
    counts = _array(batch, f"__p{weight}")
    if np.all(counts):
        return rows
    return Entries(rows.known, rows.cell[counts], rows.unit[counts], rows.gp[counts])


def _array(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    return np.asarray(batch.column(name).to_numpy(zero_copy_only=False))


def sampled(source: Source, secrets: Secrets, one_in: int) -> str:
    """The condition that a row's patient is one of those whose secret rank is low, one in so many."""
    numbers = secrets.units(highest_number(source) + 1)
    members = np.flatnonzero(numbers.ranks < int(EVERYBODY) // one_in)
    name = source.store(f"one_in_{one_in}", pa.table({"unit": members}))
    return f"{source.unit} IN (SELECT unit FROM {name})"  # noqa: S608
