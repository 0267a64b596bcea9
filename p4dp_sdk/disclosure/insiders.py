"""Who knows a withheld slot because nobody else stands behind it: a patient alone in a cell, a GP who alone
has its patients. The audit asks what each of them could find out about others. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Ints


@dataclass(frozen=True)
class Insiders:
    """One row a contributor who alone stands behind withheld slots. `own`: these slots; `knows`: those whose
    value that contributor may know; `above`: their totals."""

    own: Flags
    knows: Flags
    above: Flags


def insiders_of(system: System) -> Insiders:
    """Patients: a slot with one patient, and the totals of it that still have but one. GPs: told apart by
    bucket; where buckets aren't given, like patients."""
    groups = _chains(system, (system.patients == 1) & system.must)
    single, bits = (system.physicians == 1) & system.must, system.buckets
    groups += [np.flatnonzero(single & (bits == bucket)) for bucket in np.unique(bits[single & (bits != 0)])]
    groups += _chains(system, single & (bits == 0))
    own = np.zeros((len(groups), len(system.values)), dtype=np.bool_)
    knows = own.copy()
    for g, group in enumerate(groups):
        own[g, group] = True
        knows[g, _finest(system, own[g])] = True
    return Insiders(own, knows, _above(system, own))


def _chains(system: System, single: Flags) -> list[Ints]:
    """Slots of one contributor each that are one contributor's: a slot, the totals it stands in, and what
    else is measured of the cell."""
    part, whole = _steps(system, single)
    one, other = _linked(system, single)
    edges = (np.concatenate([part, one]), np.concatenate([whole, other]))
    count = len(single)
    graph = scipy.sparse.coo_array((np.ones(len(edges[0])), edges), shape=(count, count))
    _, labels = scipy.sparse.csgraph.connected_components(graph, directed=False)
    return [np.flatnonzero(single & (labels == label)) for label in np.unique(labels[single])]


def _finest(system: System, own: Flags) -> Ints:
    """The slots of `own` that are no total of others of them. Somebody may know that nobody else has what is
    particular to them; not that nobody else is in the total."""
    _, whole = _steps(system, own)
    return np.flatnonzero(own & ~np.isin(np.arange(len(own)), whole))


def _above(system: System, own: Flags) -> Flags:
    """The totals of what is `own`, at every level, in every measure."""
    everywhere = np.ones(len(system.values), np.bool_)
    part, whole = _steps(system, everywhere)
    one, other = _linked(system, everywhere)
    edges = (np.concatenate([part, one, other]), np.concatenate([whole, other, one]))
    up = scipy.sparse.csr_array((np.ones(len(edges[0]), np.int32), edges), shape=(len(everywhere),) * 2)
    above = own.copy()
    while True:
        wider = above | ((above.astype(np.int32) @ up) > 0)
        if np.array_equal(wider, above):
            return above
        above = wider


def _steps(system: System, within: Flags) -> tuple[Ints, Ints]:
    """Each part and its total, both `within`."""
    rows = system.rows
    head = rows.head[rows.row]
    step = (head >= 0) & (rows.slot != head) & within[rows.slot] & within[np.maximum(head, 0)]
    return rows.slot[step], head[step]


def _linked(system: System, within: Flags) -> tuple[Ints, Ints]:
    """Two measures of one cell, both `within`."""
    rows = system.rows
    of_two = (rows.head < 0) & ~rows.public & (np.bincount(rows.row, minlength=len(rows.low)) == 2)
    pairs = np.flatnonzero(of_two[rows.row])
    pairs = pairs[np.argsort(rows.row[pairs], kind="stable")]
    one, other = rows.slot[pairs[::2]], rows.slot[pairs[1::2]]
    both = within[one] & within[other]
    return one[both], other[both]
