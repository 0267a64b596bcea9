"""Sketches of much data, as sums that the engine makes: linear in the rows, so that one pass makes those of
all counts and sums. Distinct patients are found range by range first.

The secrets travel as tables registered with the session, never inside SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.evidence.contributions import Contributions
from hub_config.gateway.evidence.fanout import highest_number, highest_physician
from hub_config.gateway.evidence.sketch import EVERYBODY, Secrets, lowest_ranks
from hub_config.gateway.evidence.source import CELL, Source, whole
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

_WORD: Final = 4_294_967_296  # 2^32
_BUCKETS: Final = PATIENT_BUCKETS + PHYSICIAN_BUCKETS
_PATIENT, _PHYSICIAN = "k.bucket", "g.bucket"  # a GP's bucket comes after those of patients
# cells of up to so many rows have all patients' ranks read, or those of one patient in so many
_LEVELS: Final = ((1_024, 1), (16_384, 16), (None, 256))


@dataclass(frozen=True)
class Bulk:
    """The sketches of one release's numbered cells. `ranges` part the patients; `once`: each has one row."""

    source: Source
    totals: Totals
    secrets: Secrets
    ranges: tuple[str, ...]
    once: bool

    def vectors(self, measure: Measure, fingerprints: Fingerprints) -> Vectors:
        offsets, ranks, threshold = self._ranks(measure)
        sums = self._sums[measure.name]
        return Vectors(
            by_patient=sums[:, :PATIENT_BUCKETS],
            by_physician=sums[:, PATIENT_BUCKETS:],
            threshold=threshold,
            offsets=offsets,
            ranks=ranks,
            records=fingerprints,
        )

    @property
    def _count(self) -> int:
        return int(self.totals.keys.num_rows)

    # --- sums by bucket ------------------------------------------------------------------------------------

    @cached_property
    def _sums(self) -> Mapping[str, Words]:
        """Of each measure, Σ key·weight modulo 2³² by cell and bucket: of patients, then of GPs."""
        measures = self.source.release.measures
        distinct = [m for m in measures if m.kind is MeasureKind.PATIENTS and not self.once]
        additive = {m.name: self._product(m) for m in measures if m not in distinct}
        found = {m.name: np.zeros(self._count * _BUCKETS, dtype=np.uint64) for m in measures}
        if additive:
            self._add(found, self._pass(self.source.view, additive, (_PATIENT, *self._physician)))
        for measure in distinct:
            one = {measure.name: "k.secret"}
            for where in self.ranges:
                people, once = self._people(measure, where)
                self._add(found, self._pass(once, one, (_PATIENT,)))
                if self._physician:
                    self._add(found, self._pass(people, one, self._physician))
        return {name: (sums % _WORD).astype(np.uint32).reshape(-1, _BUCKETS) for name, sums in found.items()}

    @property
    def _physician(self) -> tuple[str, ...]:
        return (_PHYSICIAN,) if self.source.physicians else ()

    def _product(self, measure: Measure) -> str:
        """What a row adds, less than 2⁶³ in size; NULL where it does not contribute."""
        if measure.weight is None:
            return "k.secret"
        value = self.source.value(measure.weight)
        match measure.kind:
            case MeasureKind.PATIENTS | MeasureKind.ROWS:
                return f"CASE WHEN {value} IS NOT NULL THEN k.secret END"
            case MeasureKind.SUM | MeasureKind.QUANTILE:
                thousandths = f"CAST(round(1000 * {value}) AS BIGINT) % {_WORD}"
                if _is_moderate(measure):
                    return f"k.secret * ({thousandths})"
                return f"CAST(k.secret AS HUGEINT) * ({thousandths})"

    def _pass(self, relation: str, products: Mapping[str, str], buckets: tuple[str, ...]) -> pa.Table:
        """Sums of `products` by cell and each kind of bucket, in one pass over `relation`."""
        source = self.source
        keys = [f"v.{key}" for key in source.keys]
        sums = [
            f"CAST((sum({p}) % {_WORD} + {_WORD}) % {_WORD} AS BIGINT) AS __v{i}"
            for i, p in enumerate(products.values())
        ]
        sets = ", ".join(f"({', '.join((*keys, bucket))})" for bucket in buckets)
        place = f"CAST(coalesce({', '.join(buckets)}) AS BIGINT) AS __bucket"
        rows = (
            f"SELECT {', '.join((*keys, place, *sums))} FROM {relation} v"  # noqa: S608
            f" JOIN {self._secrets} k ON v.{source.unit} = k.unit{self._joined_gps(buckets)}"
            f" GROUP BY GROUPING SETS ({sets})"
        )
        named = ", ".join(f"x.__v{i} AS __v{i}" for i in range(len(products)))
        found = source.session.fetch(
            f"SELECT c.{CELL}, x.__bucket, {named} FROM ({rows}) x"  # noqa: S608
            f" JOIN {self.totals.cells} c ON {source.matching('c', 'x')}"
        )
        return found.rename_columns([CELL, "__bucket", *products])

    def _joined_gps(self, buckets: tuple[str, ...]) -> str:
        if _PHYSICIAN not in buckets:
            return ""
        return f" JOIN {self._gps} g ON coalesce(CAST(v.{self.source.physicians[0]} AS BIGINT), -1) = g.gp"

    def _add(self, sums: dict[str, NDArray[np.uint64]], found: pa.Table) -> None:
        place = whole(found.column(CELL)) * _BUCKETS + whole(found.column("__bucket"))
        for name in found.column_names[2:]:
            sums[name][place] += whole(found.column(name).fill_null(0)).astype(np.uint64)

    def _people(self, measure: Measure, where: str) -> tuple[str, str]:
        """Of one range of patients, who is in which cell: once a GP, and once."""
        source = self.source
        stored, once = source.table("people"), ", ".join((*source.keys, source.unit))
        members = ", ".join((once, *source.physicians[:1]))
        present = "TRUE" if measure.weight is None else f"{source.value(measure.weight)} IS NOT NULL"
        source.session.run(
            f"CREATE OR REPLACE TEMP TABLE {stored} AS"  # noqa: S608
            f" SELECT DISTINCT {members} FROM {source.view} WHERE {where} AND {present}"
        )
        return stored, f"(SELECT DISTINCT {once} FROM {stored})"  # noqa: S608

    @cached_property
    def _gps(self) -> str:
        numbers = np.arange(-1, highest_physician(self.source) + 1)
        buckets = self.secrets.physician_buckets(numbers) + PATIENT_BUCKETS
        return self.source.store("gps", pa.table({"gp": numbers, "bucket": buckets}))

    @cached_property
    def _secrets(self) -> str:
        numbers = self.secrets.units(highest_number(self.source) + 1)
        unit = np.arange(len(numbers.keys), dtype=np.int64)
        return self.source.store(
            "secrets",
            pa.table({"unit": unit, "bucket": numbers.buckets, "secret": numbers.keys.astype(np.int64)}),
        )

    # --- who is there --------------------------------------------------------------------------------------

    def _ranks(self, measure: Measure) -> tuple[Ints, Words, NDArray[np.uint64]]:
        numbers = self.secrets.units(highest_number(self.source) + 1)
        parts = [
            lowest_ranks(part.units, self._count, measure, numbers, below) for part, below in self._samples
        ]
        return _joined(parts, [of for of, _ in self._levels], self._count)

    @cached_property
    def _levels(self) -> tuple[tuple[NDArray[np.bool_], int], ...]:
        """Which cells have what part of the patients read for their ranks."""
        rows, found, least = self.totals.by_weight[None].rows, [], -1
        for most, one_in in _LEVELS:
            inside = (rows > least) if most is None else (rows > least) & (rows <= most)
            found.append((inside, one_in))
            least = most or least
        return tuple((inside, one_in) for inside, one_in in found if inside.any())

    @cached_property
    def _samples(self) -> Sequence[tuple[Contributions, int]]:
        return [(self._sample(inside, one_in), int(EVERYBODY) // one_in) for inside, one_in in self._levels]

    def _sample(self, inside: NDArray[np.bool_], one_in: int) -> Contributions:
        source = self.source
        chosen = source.store("ranked", self.totals.keys.take(pa.array(np.flatnonzero(inside))))
        where = "TRUE" if one_in == 1 else sampled(source, self.secrets, one_in)
        most = self.totals.by_weight[None].rows[inside].sum() * 2 > self.totals.by_weight[None].rows.sum()
        meeting = "" if most else f" SEMI JOIN {chosen} c ON {source.matching('c', 'v')}"
        relation = f"(SELECT v.* FROM {source.view} v{meeting} WHERE {where})"  # noqa: S608
        stored = source.table("contributions")
        source.store_contributions(stored, relation, thousandths=False)
        return source.fetch_contributions(stored, chosen, thousandths=False)


def _is_moderate(measure: Measure) -> bool:
    """Whether a secret of 32 bits times thousandths of the value fits 63."""
    return measure.bounds is not None and 1000 * max(map(abs, measure.bounds)) < 2**30


def sampled(source: Source, secrets: Secrets, one_in: int) -> str:
    """The condition that a row's patient is one of those whose secret rank is low, one in so many."""
    numbers = secrets.units(highest_number(source) + 1)
    members = np.flatnonzero(numbers.ranks < int(EVERYBODY) // one_in)
    name = source.store(f"one_in_{one_in}", pa.table({"unit": members}))
    return f"{source.unit} IN (SELECT unit FROM {name})"  # noqa: S608


def _joined(
    parts: Iterable[tuple[Ints, Words, NDArray[np.uint64]]], chosen: Sequence[NDArray[np.bool_]], cells: int
) -> tuple[Ints, Words, NDArray[np.uint64]]:
    """The samples of each level's own cells as one."""
    threshold = np.full(cells, EVERYBODY, dtype=np.uint64)
    sizes, owners, ranks = np.zeros(cells, dtype=np.int64), [], []
    for (offsets, found, below), inside in zip(parts, chosen, strict=True):
        count = np.diff(offsets)
        sizes += np.where(inside, count, 0)
        threshold[inside] = below[inside]
        owner = np.repeat(np.arange(cells), count)
        owners.append(owner[inside[owner]])
        ranks.append(found[inside[owner]])
    order = np.argsort(np.concatenate(owners), kind="stable") if owners else np.empty(0, dtype=np.int64)
    together = np.concatenate(ranks)[order] if ranks else np.empty(0, dtype=np.uint32)
    return np.concatenate(([0], np.cumsum(sizes))), together, threshold
