"""What was shown or withheld before, one family at a time, as columns that are searched. No I/O.

`Anchors` is append-only: rows of one group stand together, in the order in which groups were settled, so the
row with the lower number is the earlier one. Beside the cells of a group stand its *unions*: the sum of all
its shown cells and, where its keys are known, of each of their margins. A cell is compared with them as with
any other, so that what the person can add up counts as shown.

A copy shows the number of other people than its own: those of its anchor. Where numbers are added up it
stands for them (`origin`), else the sum of many copies, each a little off, would pass for the number of a
group from which it has drifted far.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import PATIENT_BUCKETS, PHYSICIAN_BUCKETS, Floats, Ints, Words
from hub_config.gateway.rules.earlier.definitions import added
from hub_config.gateway.rules.earlier.practices import Practices
from hub_config.gateway.rules.earlier.sketches import LOWEST, Samples, fingerprints, folded, lowest
from hub_config.gateway.rules.earlier.subsets import Side
from hub_config.governance.ledger.group import DEFINITION_WORDS, Group, Kind

UNION: Final = 10  # beside the kinds of a cell: a sum of shown cells of one group
MOST_KEYS: Final = 6  # margins are made of at most so many keys
_FIRST_ROOM: Final = 64

_COLUMNS: Final[tuple[tuple[str, Any, tuple[int, ...]], ...]] = (
    ("group", np.int32, ()),
    ("kind", np.int8, ()),
    ("publication", np.bool_, ()),
    ("patients", np.int64, ()),
    ("values", np.float64, ()),
    ("by_patient", np.uint32, (PATIENT_BUCKETS,)),
    ("by_physician", np.uint32, (PHYSICIAN_BUCKETS,)),
    ("physician_counts", np.uint32, (PHYSICIAN_BUCKETS,)),
    ("counted", np.bool_, ()),
    ("patient_bits", np.uint64, (2,)),
    ("physician_bits", np.uint64, (2,)),
    ("lowest", np.uint64, (LOWEST,)),
    ("threshold", np.uint64, ()),
    ("fingerprint", np.uint64, ()),
    ("source", np.uint64, ()),
    ("definition", np.uint64, (DEFINITION_WORDS,)),
    ("origin", np.int64, ()),
    ("starts", np.int64, ()),
    ("stops", np.int64, ()),
)


@dataclass
class Column:
    """An array that grows at its end: appending costs its own length, on average."""

    room: NDArray[Any]
    length: int = 0

    @property
    def values(self) -> NDArray[Any]:
        return self.room[: self.length]

    def append(self, more: NDArray[Any]) -> None:
        wanted = self.length + len(more)
        if wanted > len(self.room):
            larger = np.empty((max(wanted, 2 * len(self.room)), *self.room.shape[1:]), self.room.dtype)
            larger[: self.length] = self.values
            self.room = larger
        self.room[self.length : wanted] = more
        self.length = wanted


def _empty() -> dict[str, Column]:
    return {name: Column(np.empty((_FIRST_ROOM, *shape), dtype)) for name, dtype, shape in _COLUMNS}


@dataclass
class Anchors:
    """The rows of one family: `anchors["values"]` is the column of that name.

    `fingerprint` names a row's sketch, `source` that of the row whose value a copy shows (0: it is none);
    `origin` is the earliest row of that name, or the row itself.
    """

    columns: dict[str, Column] = field(default_factory=_empty)
    ranks: Column = field(default_factory=lambda: Column(np.empty(_FIRST_ROOM, np.uint32)))
    named: Named = field(default_factory=lambda: Named())

    def __len__(self) -> int:
        return self.columns["kind"].length

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name].values

    @property
    def samples(self) -> Samples:
        """The samples of all rows; those of unions are empty."""
        return Samples(self["threshold"], self["starts"], self["stops"], self.ranks.values)

    def side(self, rows: Ints, origin: Ints | None = None) -> Side:
        """These rows as wholes, or as parts: a copy as those whose number it shows. `origin`, where it is not
        on record yet."""
        origin = self["origin"][rows] if origin is None else origin
        known = np.where(self["kind"][origin] == UNION, rows, origin)  # sums have no sample
        all_ = self.samples
        samples = replace(
            all_, threshold=all_.threshold[known], starts=all_.starts[known], stops=all_.stops[known]
        )
        return Side(self["lowest"][known], samples, self["by_patient"][origin], self["group"][rows])

    def practices(self, rows: Ints) -> Practices:
        """These rows by bucket of GPs."""
        counts, counted = self["physician_counts"][rows], self["counted"][rows]
        return Practices(self["by_physician"][rows], counts, counted)

    def append(self, group: Group, number: int) -> None:
        """Put the cells of `group`, then its unions, under group number `number`."""
        held, first = self.ranks.length, len(self)
        samples = Samples(group.threshold, group.offsets[:-1], group.offsets[1:], group.ranks)
        cells = {
            "kind": group.kinds,
            "patients": group.patients,
            "values": group.values,
            "by_patient": group.by_patient,
            "by_physician": group.by_physician,
            "physician_counts": group.counts,
            "counted": np.full(len(group), group.counted),
            "lowest": lowest(samples),
            "threshold": group.threshold,
            "source": group.sources,
            "definition": group.defined,
            "starts": samples.starts + held,
            "stops": samples.stops + held,
        }
        self.ranks.append(group.ranks)
        self._append(cells, group.publication, number)
        origin = self["origin"][first:]
        if np.any(group.sources):
            self.named.extend(self)
            origin[:] = self.named.rows(group.sources, origin)
        names = ("patients", "by_patient", "by_physician", "physician_counts")
        stands_for = replace(group, **{name: self[name][origin] for name in names})
        counted = bool(np.all(self["counted"][origin]))
        self._append(_unions_of(stands_for, counted=counted), group.publication, number)

    def cut(self, rows: int, ranks: int) -> None:
        """Forget every row from `rows` on, and their ranks from `ranks` on."""
        self.named.cut(self, rows)
        for column in self.columns.values():
            column.length = min(column.length, rows)
        self.ranks.length = min(self.ranks.length, ranks)

    def _append(self, rows: dict[str, NDArray[Any]], publication: bool, number: int) -> None:
        count = len(rows["kind"])
        rows |= {
            "origin": len(self) + np.arange(count),
            "group": np.full(count, number),
            "publication": np.full(count, publication),
            "fingerprint": fingerprints(rows["by_patient"]),
            "patient_bits": folded(rows["by_patient"]),
            "physician_bits": folded(rows["by_physician"]),
        }
        for name, column in self.columns.items():
            column.append(rows[name])


@dataclass
class Named:
    """The earliest row of each name among the first `seen` that shows a number: of its own people, or
    of a sum, which has no row."""

    earliest: dict[int, int] = field(default_factory=dict)
    seen: int = 0

    def extend(self, anchors: Anchors) -> None:
        """Know all rows there are."""
        kinds, sources = anchors["kind"][self.seen :], anchors["source"][self.seen :]
        own = np.isin(kinds, (Kind.ANCHOR, UNION, Kind.COPY, Kind.FOLLOWER)) & (sources == 0)
        for row in (self.seen + np.flatnonzero(own)).tolist():
            self.earliest.setdefault(int(anchors["fingerprint"][row]), row)
        self.seen = len(anchors)

    def rows(self, names: NDArray[np.uint64], default: Ints) -> Ints:
        """The row of each name; its default where none has it."""
        found = zip(names.tolist(), default.tolist(), strict=True)
        return np.array([self.earliest.get(name, row) for name, row in found], dtype=np.int64)

    def cut(self, anchors: Anchors, rows: int) -> None:
        for name in anchors["fingerprint"][rows : self.seen].tolist():
            if self.earliest.get(name, -1) >= rows:
                del self.earliest[name]
        self.seen = min(self.seen, rows)


def _unions_of(group: Group, *, counted: bool) -> dict[str, NDArray[Any]]:
    shown = group.kinds != Kind.WITHHELD
    unions = rolled_up(group.keys, shown) if group.additive else []
    made = [summed(group, each) for each in unions]
    count = sum(len(each.values) for each in made)
    none = np.zeros(count, dtype=np.int64)
    return {
        "kind": np.full(count, UNION),
        "patients": _joined([each.patients for each in made], np.int64),
        "values": _joined([each.values for each in made], np.float64),
        "by_patient": _joined([each.by_patient for each in made], np.uint32, PATIENT_BUCKETS),
        "by_physician": _joined([each.by_physician for each in made], np.uint32, PHYSICIAN_BUCKETS),
        "physician_counts": _joined(
            [_added(group.counts[each.members], each.bounds[:-1]) for each in unions],
            np.uint32,
            PHYSICIAN_BUCKETS,
        ),
        "counted": np.full(count, counted),
        "lowest": np.full((count, LOWEST), 1 << 33),
        "threshold": none,
        "source": none,
        "definition": _joined([_definitions(group, each) for each in unions], np.uint64, DEFINITION_WORDS),
        "starts": none,
        "stops": none,
    }


def _definitions(group: Group, union: Union) -> NDArray[np.uint64]:
    """What the sums are; zeros in drafts."""
    if not (group.publication and len(group.definitions)):
        return np.zeros((len(union), DEFINITION_WORDS), dtype=np.uint64)
    return added(group.definitions[union.members], union.bounds[:-1])


def _joined(parts: list[NDArray[Any]], dtype: Any, *width: int) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty((0, *width), dtype)


# --- unions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Union:
    """One way of adding up the shown cells of a group: `members` of each sum, as cells ordered by sum.

    `members[bounds[u]:bounds[u+1]]` are the cells of sum u; each sum has two at least.
    """

    members: Ints
    bounds: Ints

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def of(self, number: int) -> Ints:
        return self.members[self.bounds[number] : self.bounds[number + 1]]


def rolled_up(keys: NDArray[Any], shown: NDArray[np.bool_]) -> list[Union]:
    """Every margin of the shown cells, the finest first, the sum of all last; without keys that alone."""
    cells = np.flatnonzero(shown)
    made = (_union(keys[list(kept)][:, cells], cells) for kept in _kept_keys(len(keys)))
    return [union for union in made if len(union)]


def _kept_keys(count: int) -> Iterator[tuple[int, ...]]:
    """Of `count` keys every choice but all of them, the largest first."""
    sizes = range(count - 1, -1, -1) if 0 < count <= MOST_KEYS else (0,)
    return itertools.chain.from_iterable(itertools.combinations(range(count), size) for size in sizes)


def _union(labels: NDArray[Any], cells: Ints) -> Union:
    if not len(cells):
        return Union(cells, np.zeros(1, dtype=np.int64))
    codes = np.zeros(len(cells), dtype=np.int64)
    for row in labels:
        codes = np.unique(codes * (int(row.max()) + 1) + row, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    several = sizes[codes[order]] > 1
    return Union(cells[order][several], np.concatenate([[0], np.cumsum(sizes[sizes > 1])]))


@dataclass(frozen=True)
class Sums:
    """The sums of a union: what each is worth, and its sketch."""

    patients: Ints
    values: Floats
    by_patient: Words
    by_physician: Words


def summed(cells: Any, union: Union) -> Sums:
    """The sums of `union` over `cells`, which has `patients`, `values` and the two sketches (a Group)."""
    starts = union.bounds[:-1]
    return Sums(
        **{
            name: _added(getattr(cells, name)[union.members], starts)
            for name in ("patients", "values", "by_patient", "by_physician")
        }
    )


def _added(rows: NDArray[Any], starts: Ints) -> NDArray[Any]:
    """Sums of consecutive rows; those of sketches modulo 2³²."""
    return np.add.reduceat(rows, starts, axis=0, dtype=rows.dtype)
