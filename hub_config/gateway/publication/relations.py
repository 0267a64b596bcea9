"""How the measures of one table hang together, told from their sketches: which of them add up. Pure.

Whoever reads a question knows that the young and the old are all, or that two conditions overlap in a third.
What a measure means is not looked at, only whom it counts: what any logic gives holds for each patient, so it
is found in whatever words; what holds by chance is taken for logic, which withholds more.

*Relations* hold in every cell: secondary suppression reckons with them. *Remainders* hold in some cells
exactly or but for few patients, and not in others: all less the young less the old are the few whose age is
missing, as if they were a column. One term of each is withheld. What holds in every cell leaves nobody; but
where a measure counts nobody at all, any relation could be that one short.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.publication import dependence
from hub_config.gateway.publication.sketched import Sample, Sketched
from p4dp_sdk.disclosure.hypercube import Relation, Status

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Statuses = Mapping[str, NDArray[np.int8]]

_SIGNS: Final = {  # combinations of two, three and four measures, but for the order of their terms
    2: ((1, -1),),
    3: ((1, -1, -1), (-1, 1, -1), (-1, -1, 1)),
    4: (
        (1, -1, -1, -1), (-1, 1, -1, -1), (-1, -1, 1, -1), (-1, -1, -1, 1),
        (1, 1, -1, -1), (1, -1, 1, -1), (1, -1, -1, 1),
    ),
}  # fmt: skip
_LOOKS: Final = 2 * 10**7  # most combinations × cells that are looked at
_PASS: Final = 1 << 16
_ROUNDING: Final = 1e-9  # of what is no count, relative to what is added up
_INSIDE: Final = 0.9  # of a sample: it lies inside another but for few


class Tangled(ValueError):
    """Too many measures, or tied in a way that can't be named: how they hang together is not known."""


@dataclass(frozen=True)
class Combinations:
    """One combination of measures a row: which, and with what sign."""

    measures: Ints
    signs: Ints

    def __len__(self) -> int:
        return len(self.measures)

    def where(self, keep: Any) -> Combinations:
        return Combinations(self.measures[keep], self.signs[keep])


# --- in every cell -----------------------------------------------------------------------------------------


def related(table: Sketched) -> tuple[Relation, ...]:
    """What holds between the measures in all cells. Whatever else does follows from these. Raises Tangled."""
    count = len(table.exact)
    if count < 2:
        return ()
    try:
        found = dependence.relations(table.sketches.reshape(count, -1).T)
    except dependence.NotFound:
        raise Tangled from None
    for one in found:
        off = np.abs(np.array(one) @ table.exact)
        if np.any(off > _ROUNDING * (np.abs(np.array(one)) @ np.abs(table.exact))):
            raise Tangled
    named = [tuple((i, c) for i, c in enumerate(one) if c) for one in found]
    known = {_turned(terms) for terms in named if len(terms) > 1}
    return tuple(_named(table, terms) for terms in sorted(known | set(_partitions(table))))


def _turned(terms: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """With the sign that makes most coefficients positive."""
    sign = 1 if sum(c > 0 for _, c in terms) * 2 >= len(terms) else -1
    return tuple((int(i), int(sign * c)) for i, c in terms)


def _named(table: Sketched, terms: tuple[tuple[int, int], ...]) -> Relation:
    return Relation(tuple((table.names[i], float(c)) for i, c in terms))


def _partitions(table: Sketched) -> Iterator[tuple[tuple[int, int], ...]]:
    """Wholes of two and three parts: what follows from other relations, named, so that what is withheld of
    one whole is seen together."""
    counted = np.asarray(table.exact.any(axis=1))
    for chosen, residues, _ in _residues(table, [one for one in _listed(table) if one.signs.shape[1] > 2]):
        one_side = np.abs(chosen.signs.sum(axis=1)) == chosen.signs.shape[1] - 2
        whole = one_side & counted[chosen.measures].all(axis=1) & (np.count_nonzero(residues, axis=1) == 0)
        for at in np.flatnonzero(whole):
            if _is_everywhere(table, chosen.where([at])):
                yield _turned(tuple(zip(chosen.measures[at], chosen.signs[at], strict=True)))


def _is_everywhere(table: Sketched, one: Combinations) -> bool:
    cells = np.arange(table.exact.shape[1])
    everywhere = one.where(np.zeros(len(cells), dtype=np.int64))
    return not table.differing(everywhere.measures, everywhere.signs, cells).any()


# --- in some cells -----------------------------------------------------------------------------------------


def without_remainders(
    table: Sketched, statuses: Statuses, few: int, relations: Sequence[Relation] = ()
) -> Statuses:
    """`statuses` with one term of each remainder of 1 to `few` patients withheld (HELD), and of each that is
    nobody there but somebody elsewhere. The term that settles most, the smallest of these, is taken; what is
    public already can't be. `relations` are all of the table's. Raises Tangled."""
    status = np.array([statuses[name] for name in table.names])
    _hide_nobody(table, status, relations)
    shown = (status == Status.SAFE) | (status == Status.KNOWN)
    open_terms: dict[int, list[Ints]] = {}
    for cell, terms in _remainders(table, shown, few):
        open_terms.setdefault(cell, []).append(terms[status[terms, cell] == Status.SAFE])
    for cell, each in open_terms.items():
        for measure in _settling([terms for terms in each if len(terms)], table.exact[:, cell]):
            status[measure, cell] = Status.HELD
    return dict(zip(table.names, status.astype(np.int8), strict=True))


def _settling(remainders: list[Ints], values: NDArray[np.float64]) -> Iterator[int]:
    while remainders:
        often = np.bincount(np.concatenate(remainders), minlength=len(values))
        best = int(np.lexsort((np.abs(values), -often))[0])
        yield best
        remainders = [terms for terms in remainders if best not in terms]


def _remainders(table: Sketched, shown: Flags, few: int) -> Iterator[tuple[int, Ints]]:
    """A cell, and the measures of it, all shown, that leave few or nobody."""
    lists = [*_listed(table), *_covers(table)] if table.samples else _listed(table)
    for chosen, residues, most in _residues(table, lists):
        near = (np.abs(residues) <= few * most * (1 + _ROUNDING)) & shown[chosen.measures].all(axis=1)
        for start in range(0, len(places := np.argwhere(near)), _PASS):
            row, cell = places[start : start + _PASS].T
            differing = table.differing(chosen.measures[row], chosen.signs[row], cell)
            nobody = (differing == 0) & _leaves_somebody(table, chosen, row[differing == 0])[row]
            for hit in np.flatnonzero(((differing > 0) & (differing <= few)) | nobody):
                yield int(cell[hit]), chosen.measures[row[hit]]


def _leaves_somebody(table: Sketched, chosen: Combinations, rows: Ints) -> Flags:
    """Which of these combinations of three measures or more leave somebody in another cell. (Where two
    measures are the same in one cell, unanimity and the ledger decide.)"""
    found = np.zeros(len(chosen), dtype=bool)
    if chosen.signs.shape[1] > 2:
        for row in np.unique(rows):
            found[row] = not _is_everywhere(table, chosen.where([row]))
    return found


def _hide_nobody(table: Sketched, status: NDArray[np.int8], relations: Sequence[Relation]) -> None:
    """Where a measure counts nobody anywhere, withhold so many others that no relation, and no sum of
    relations, is shown whole."""
    if np.all(table.exact.any(axis=1)) or not relations:
        return
    coefficients = np.array([[dict(one.terms).get(name, 0.0) for name in table.names] for one in relations])
    patterns, of_cell = np.unique(status, axis=1, return_inverse=True)
    of_cell = of_cell.ravel()
    for number, pattern in enumerate(patterns.T):
        status[np.ix_(_breaking(coefficients, pattern), np.flatnonzero(of_cell == number))] = Status.HELD


def _breaking(coefficients: NDArray[np.float64], status: NDArray[np.int8]) -> Ints:
    """Measures to withhold, later ones first, until the withheld tell all relations apart: then none is
    made of shown measures only."""
    hidden = np.isin(status, (Status.PRIMARY, Status.HELD))
    found = []
    for measure in np.flatnonzero(status == Status.SAFE)[::-1]:
        more = hidden | (np.arange(len(status)) == measure)
        if _rank(coefficients[:, more]) > _rank(coefficients[:, hidden]):
            found.append(measure)
            hidden = more
    return np.array(found, dtype=np.int64)


def _rank(matrix: NDArray[np.float64]) -> int:
    return int(np.linalg.matrix_rank(matrix)) if matrix.size else 0


# --- which combinations ------------------------------------------------------------------------------------


def _listed(table: Sketched) -> list[Combinations]:
    """All of two, three and four measures. Raises Tangled where these are too many."""
    count, cells = table.exact.shape
    looks = sum(math.comb(count, terms) * len(signs) for terms, signs in _SIGNS.items()) * cells
    if looks > _LOOKS:
        raise Tangled
    return [
        Combinations(np.repeat(chosen, len(signs), axis=0), np.tile(np.array(signs), (len(chosen), 1)))
        for terms, signs in _SIGNS.items()
        if len(chosen := np.array(list(combinations(range(count), terms)), dtype=np.int64))
    ]


def _residues(
    table: Sketched, lists: Sequence[Combinations]
) -> Iterator[tuple[Combinations, NDArray[np.float64], NDArray[np.float64]]]:
    """Combinations, some at a time, with what each leaves in every cell, and what one patient adds to it at
    most."""
    step = max(1, _PASS // table.exact.shape[1])
    for whole in lists:
        for start in range(0, len(whole), step):
            part = whole.where(slice(start, start + step))
            terms = range(part.measures.shape[1])
            residues = sum(table.exact[part.measures[:, t]] * part.signs[:, t, None] for t in terms)
            yield part, np.asarray(residues), np.asarray(table.most[part.measures].sum(axis=1))


def _covers(table: Sketched) -> Iterator[Combinations]:
    """Wholes of four parts or more: each measure less those that lie inside it and not in each other, the
    largest first, and the smallest first."""
    for whole in range(len(table.samples)):
        for parts in {_parts(table, whole, sign) for sign in (-1, 1)}:
            if len(parts) > max(_SIGNS) - 1:
                yield Combinations(
                    np.array([[whole, *parts]]), np.array([[1, *(-1 for _ in parts)]], dtype=np.int64)
                )


def _parts(table: Sketched, whole: int, sign: int) -> tuple[int, ...]:
    threshold, left = table.samples[whole].threshold, table.samples[whole].ranks
    found = []
    for part in np.argsort(sign * np.array([len(s.below(threshold)) for s in table.samples]), kind="stable"):
        inside = _inside(table.samples[part], threshold)
        common = np.intersect1d(inside, left, assume_unique=True)
        if part != whole and 0 < len(common) >= _INSIDE * len(inside) and len(inside) < len(left):
            found.append(int(part))
            left = np.setdiff1d(left, common, assume_unique=True)
    return tuple(sorted(found))


def _inside(sample: Sample, threshold: int) -> NDArray[np.uint32]:
    """Who of it is below `threshold`; nobody where that is not known."""
    return sample.below(threshold if sample.threshold >= threshold else 0)
