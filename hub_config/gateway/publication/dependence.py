"""Linear relations among columns of numbers modulo 2³². Pure.

Sketches are keyed sums of patients' weights (`cells.Vectors`): where a whole combination of them is zero in
every bucket, it is zero for each patient, or the secret keys would have to agree by chance (one in 2³² a
bucket). So relations that hold for people, not only for numbers, can be read off, whatever their length.

Elimination as over the integers modulo a prime power (Howell, Linear and Multilinear Algebra 19 (1986)
67-77): a pivot is an entry that the fewest factors of 2 divide. Coefficients are found modulo 2³² and named
by small fractions (Wang, Guy & Davenport, SIGSAM Bulletin 16/2 (1982) 2-3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Ints = NDArray[np.int64]
Relation = tuple[int, ...]  # a coefficient a column

_BITS: Final = 32
_WHOLE: Final = 1 << 20  # a whole coefficient is at most so large: a centre in thousandths
_PART: Final = 1 << 10  # so are numerator and denominator of others
_ROWS: Final = 4_096  # at most so many to begin with, out of all
_ROUNDS: Final = 8  # how often what breaks a relation is added to what it must hold for


class NotFound(ValueError):
    """There may be relations that have no small coefficients, or too few rows to tell."""


def relations(columns: Words) -> tuple[Relation, ...]:
    """What ties the columns of `columns` (rows × columns) in all its rows: every other relation is a sum of
    multiples of these. Whole coefficients without a common factor, each of another last column. Raises
    NotFound."""
    rows = columns[np.unique(np.linspace(0, len(columns) - 1, _ROWS).astype(np.int64))]
    for _ in range(_ROUNDS):
        found = [_primitive(one) for one in _kernel(rows)]
        broken = [np.flatnonzero(combined(columns, one)) for one in found]
        worst = [where[[0, len(where) // 2, -1]] for where in broken if len(where)]
        if not worst:
            return tuple(tuple(map(int, one)) for one in found)
        rows = np.concatenate([rows, columns[np.unique(np.concatenate(worst))]])
    raise NotFound


def combined(columns: Words, coefficients: Relation | Ints) -> Words:
    """Σ coefficient · column modulo 2³², row by row."""
    factors = (np.asarray(coefficients, dtype=np.int64) % (1 << _BITS)).astype(np.uint32)
    return np.asarray((columns * factors).sum(axis=1, dtype=np.uint32), dtype=np.uint32)


def _kernel(rows: Words) -> Iterator[list[int]]:
    reduced, pivots = _echelon(rows)
    for free in range(rows.shape[1]):
        if free not in pivots:
            yield _solved(reduced, pivots, free)


def _echelon(rows: Words) -> tuple[Words, list[int]]:
    """Rows in echelon form, and the column of each one's first entry."""
    left, pivots = rows.copy(), list[int]()
    for column in range(rows.shape[1]):
        done = len(pivots)
        twos = _twos(left[done:, column])
        if not len(twos) or twos.min() == _BITS:
            continue
        best = done + int(np.argmin(twos))
        left[[done, best]] = left[[best, done]]
        shift = int(twos.min())
        inverse = pow(int(left[done, column]) >> shift, -1, 1 << _BITS)
        factors = (left[done + 1 :, column] >> np.uint32(shift)) * np.uint32(inverse)
        left[done + 1 :] -= factors[:, None] * left[done]
        pivots.append(column)
    return left[: len(pivots)], pivots


def _solved(reduced: Words, pivots: list[int], free: int) -> list[int]:
    """The relation of column `free` with pivots before it. Raises NotFound."""
    found = [0] * reduced.shape[1]
    found[free] = 1
    for row in range(sum(pivot < free for pivot in pivots) - 1, -1, -1):
        entries = [int(entry) for entry in reduced[row]]
        pivot = entries[pivots[row]]
        shift = (pivot & -pivot).bit_length() - 1
        rest = -sum(entry * one for entry, one in zip(entries, found, strict=True)) % (1 << _BITS)
        lacking = max(0, shift - ((rest & -rest).bit_length() - 1)) if rest else 0
        found, rest = [one << lacking for one in found], (rest << lacking) % (1 << _BITS)
        modulus = 1 << (_BITS - shift)
        above, below = _fraction((rest >> shift) * pow(pivot >> shift, -1, modulus) % modulus, modulus)
        found = [one * below for one in found]
        found[pivots[row]] = above
    return found


def _fraction(residue: int, modulus: int) -> tuple[int, int]:
    """Numerator and denominator, small, of what is `residue` modulo `modulus`. Raises NotFound."""
    whole = residue - modulus if residue > modulus // 2 else residue
    if abs(whole) <= _WHOLE:
        return whole, 1
    above, below, other, factor = modulus, 0, residue, 1
    while other > _PART:
        above, below, other, factor = other, factor, above % other, below - above // other * factor
    if abs(factor) > _PART or not other:
        raise NotFound
    return (other, factor) if factor > 0 else (-other, -factor)


def _primitive(relation: list[int]) -> Ints:
    shared = math.gcd(*relation)
    return np.array([one // shared for one in relation], dtype=np.int64)


def _twos(words: Words) -> Ints:
    """How often 2 divides each; 32 for zero."""
    lowest = words & (~words + np.uint32(1))
    return np.where(words == 0, _BITS, np.bitwise_count(lowest - np.uint32(1))).astype(np.int64)
