"""Asks τ-ARGUS (pytauargus, with HiGHS) which cells to withhold beside the primary ones.

It gets a table, never microdata, and never a name: numbered cells with value, cost, status and explicit
protection levels (lower: the whole count; upper: what lacks to `min_patients`; magnitudes: the margin of the
interval rule), and the equations between them, in the "JJ" file that its optimiser reads. Any hierarchy, with
holes or not, is equations; an inequality is one with a further cell for what it leaves open. Independent
parts are solved apart. What it answers is a proposal: the audit decides.

Runs in the worker process only: the optimiser is native code that can't be interrupted, and it writes logs
of its own where it stands.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from p4dp_sdk.disclosure.audit import Requirement, required_of
from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Floats, Ints, Limits
from p4dp_sdk.disclosure.programs import components

MOST: Final = 1_000  # slots of a table that it is asked about
EXACT_SLOTS: Final = 400  # of one part; a larger one is left to the optimiser's own heuristic
_MINUTES: Final = 1  # for the optimum, where it is sought; the worker's own time is shorter
_COST_SCALE: Final = 100.0
_FURTHEST: Final = 4.0  # how many times the largest value a cell might be, as far as the optimiser knows


class ArgusFailed(Exception):
    """τ-ARGUS gave no pattern. The message is its own and names no cell."""


def propose(system: System, limits: Limits) -> Flags:
    """A pattern that contains all that must be withheld. Raises ArgusFailed."""
    withheld = system.must.copy()
    required = required_of(system, limits)
    for slots in components(system, np.flatnonzero(system.free)):
        slots = np.sort(slots)
        if withheld[slots].any() and not withheld[slots].all():
            withheld[_solved(system, required, slots)] = True
    return withheld


def _solved(system: System, required: Requirement, slots: Ints) -> Ints:
    """What is to be withheld of one part, beyond what must be."""
    from pytauargus._tauargus import HiTaSCtrl

    minutes = _MINUTES if len(slots) <= EXACT_SLOTS else 0
    table = "\n".join(_lines(system, required, slots)) + "\n"
    with _in_memory(table) as given, _in_memory("") as answer:
        code = HiTaSCtrl().full_jj(
            in_file_jj=f"/proc/self/fd/{given}", out_file=f"/proc/self/fd/{answer}", max_time=minutes
        )
        if code > 1:  # 1: out of time, with the best pattern so far
            raise ArgusFailed(f"code {code}")
        numbers = np.array(_read(answer).split(), dtype=np.int64)
    return slots[numbers[numbers < len(slots)]]


@contextmanager
def _in_memory(text: str) -> Iterator[int]:
    """A file that is on no disk: its descriptor."""
    file = os.memfd_create("table")
    try:
        os.write(file, text.encode("ascii"))
        yield file
    finally:
        os.close(file)


def _read(file: int) -> str:
    return Path(f"/proc/self/fd/{file}").read_text(encoding="ascii")


def _lines(system: System, required: Requirement, slots: Ints) -> Iterator[str]:
    """The table in JJ: the cells, then Σ coefficient · cell = constant."""
    equations = _equations(system, slots)
    opened = equations.opened
    most = _FURTHEST * (float(np.abs(system.values[slots]).max()) + 100.0)
    yield "0"
    yield str(len(slots) + len(opened))
    yield from _cells(system, required, slots, most)
    for number, value in enumerate(opened, start=len(slots)):
        yield f"{number} {value:.6f} 1 u 0 {most:.6f} 0 0 0"
    yield str(len(equations.lines))
    yield from equations.lines


def _cells(system: System, required: Requirement, slots: Ints, most: float) -> Iterator[str]:
    must = system.must
    for number, slot in enumerate(slots):
        value, status = system.values[slot], "u" if must[slot] else "s"
        lower, upper = _levels(required, int(slot), float(value)) if must[slot] else (0.0, 0.0)
        cost = max(1, round(_COST_SCALE * float(system.cost[slot])))
        low, high = max(float(system.low[slot]), -most), min(float(system.high[slot]), most)
        sliding = required.width[slot] if must[slot] else 0.0
        yield (
            f"{number} {value:.6f} {cost} {status} {low:.6f} {high:.6f} {lower:.6f} {upper:.6f} {sliding:.6f}"
        )


def _levels(required: Requirement, slot: int, value: float) -> tuple[float, float]:
    lower = value - required.low[slot] if not np.isnan(required.low[slot]) else 0.0
    upper = required.high[slot] - value if not np.isnan(required.high[slot]) else 0.0
    return max(lower, 0.0), max(upper, 0.0)


class _Equations:
    """Rows of one part as lines; `opened` are the further cells that inequalities need."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.opened: list[float] = []


def _equations(system: System, slots: Ints) -> _Equations:
    rows = system.rows
    position = np.full(len(system.values), -1, dtype=np.int64)
    position[slots] = np.arange(len(slots))
    order = np.argsort(rows.row, kind="stable")
    starts = np.searchsorted(rows.row[order], np.arange(len(rows.low) + 1))
    touched = np.unique(rows.row[position[rows.slot] >= 0])
    made = _Equations()
    for row in touched:
        entries = order[starts[row] : starts[row + 1]]
        if np.any(np.abs(rows.coefficient[entries]) != 1.0):
            continue  # bounds of amounts by counts: the audit takes them into account
        _add(made, system, position, len(slots), rows.slot[entries], rows.coefficient[entries], int(row))
    return made


def _add(
    made: _Equations, system: System, position: Ints, cells: int, slots: Ints, signs: Floats, row: int
) -> None:
    inside = position[slots] >= 0
    known = float(system.rows.low[row]) if system.rows.public[row] else 0.0
    constant = known - float(np.sum(signs[~inside] * system.values[slots[~inside]]))
    terms = [f"{position[s]} ({int(c)})" for s, c in zip(slots[inside], signs[inside], strict=True)]
    if system.rows.low[row] != system.rows.high[row]:
        terms.append(f"{cells + len(made.opened)} (-1)")
        made.opened.append(max(float(np.sum(signs * system.values[slots])), 0.0))
    made.lines.append(f"{constant:.6f} {len(terms)} : " + " ".join(terms))
