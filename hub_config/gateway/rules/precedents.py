"""What earlier publications say of cells that are to be published, exactly. Pure.

A cell that a publication showed is public. One that a publication withheld stays withheld, and so does one
that few patients tell apart from a number shown there, or from a sum of such numbers: exact numbers subtract
exactly. The measures of one table are compared with each other as well, each with those before it: rows
and patients that differ by three would say how many come twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.anchors import UNION, Anchors
from hub_config.gateway.rules.cells import Ints
from hub_config.gateway.rules.memory import Batch, Known, Proposal, Settled, Settlement
from hub_config.gateway.rules.rivals import Draw, Reach, measured, nearest
from hub_config.gateway.rules.sketches import Pairs
from hub_config.gateway.rules.snapping import (
    OWN_GROUP,
    REMEMBERED,
    UNDECIDED,
    Decided,
    group_of,
    remembered,
    tally,
)
from hub_config.gateway.rules.subsets import LARGEST_BATCH, subsets
from hub_config.governance.ledger.group import Kind
from p4dp_sdk.disclosure.policy import Policy

Flags = NDArray[np.bool_]


def known_before(
    history: Mapping[str, Anchors], scope: Flags, batches: Sequence[Batch], policy: Policy, draw: Draw
) -> tuple[NDArray[Any], ...]:
    """`Known` of each cell of each batch. `scope` says of each group whether it was published."""
    marks = {family: (len(anchors), anchors.ranks.length) for family, anchors in history.items()}
    rows: dict[str, Anchors] = {}
    of_row: dict[str, NDArray[Any]] = {}
    told = []
    try:
        for number, batch in enumerate(batches):
            if batch.family not in rows:
                rows[batch.family] = history[batch.family] if batch.family in history else Anchors()
                of_row[batch.family] = np.full(len(rows[batch.family]), "", dtype=object)
            anchors = rows[batch.family]
            compared = _compared(anchors, scope, of_row[batch.family], batch.measure)
            told.append(_known(batch, anchors, compared, Reach(policy, draw), OWN_GROUP - number))
            more = len(anchors) - len(of_row[batch.family])
            of_row[batch.family] = np.append(of_row[batch.family], np.full(more, batch.measure, dtype=object))
    finally:
        for family, (length, ranks) in marks.items():
            history[family].cut(length, ranks)
    return tuple(told)


def published(
    history: Mapping[str, Anchors], scope: Flags, batches: Sequence[Batch], policy: Policy, draw: Draw
) -> tuple[Decided, ...]:
    """The table as it is proposed, without what can't be published after all."""
    told = known_before(history, scope, batches, policy, draw)
    return tuple(_decided(batch, known) for batch, known in zip(batches, told, strict=True))


def _decided(batch: Batch, known: NDArray[np.int8]) -> Decided:
    shown = (batch.proposals == Proposal.SHOW) & (known != Known.WITHHELD)
    settlements = np.where(shown, Settlement.SHOWN, Settlement.WITHHELD).astype(np.int8)
    values = np.where(shown, batch.values, np.nan)
    kept = np.where(batch.patients >= REMEMBERED, Kind.WITHHELD, UNDECIDED)
    kinds = np.where(shown, Kind.ANCHOR, kept).astype(np.int8)
    group = remembered(replace(group_of(batch, publication=True), kinds=kinds, values=values))
    return Decided(Settled(values, settlements), group, tally(settlements))


def _compared(anchors: Anchors, scope: Flags, measures: NDArray[Any], measure: str) -> Ints:
    """Rows that were published, and those of this table's other measures."""
    groups = anchors["group"]
    own = groups >= len(scope)
    before = scope[np.where(own, 0, groups)] if len(scope) else np.zeros(len(groups), dtype=bool)
    return np.flatnonzero(np.where(own, measures != measure, before))


def _known(batch: Batch, anchors: Anchors, rows: Ints, reach: Reach, number: int) -> NDArray[np.int8]:
    """`Known` of each cell; its cells that are shown stay behind in `anchors`, for the next batch."""
    first, ranks = len(anchors), anchors.ranks.length
    drafted = group_of(batch, publication=True)
    anchors.append(replace(drafted, additive=False), number)
    told = _told(anchors, rows, first, reach)
    told[(told == Known.NEW) & _makes_up(batch, anchors, rows, first, reach)] = Known.WITHHELD
    anchors.cut(first, ranks)
    shown = (batch.proposals == Proposal.SHOW) & (told != Known.WITHHELD)
    kinds = np.where(shown, Kind.ANCHOR, UNDECIDED).astype(np.int8)
    anchors.append(remembered(replace(drafted, kinds=kinds, values=batch.values, additive=False)), number)
    return told


def _told(anchors: Anchors, rows: Ints, first: int, reach: Reach) -> NDArray[np.int8]:
    """What single rows, and sums of shown ones, say of the cells from row `first` on."""
    told = np.full(len(anchors) - first, Known.NEW, dtype=np.int8)
    cells = np.flatnonzero(np.any(anchors["by_patient"][first:] != 0, axis=1))
    limits = np.full(len(rows), reach.most_few)
    pairs = nearest(anchors, first + cells, rows, limits)
    pairs = Pairs(pairs.left, pairs.right, measured(anchors, pairs))
    shown = np.isin(anchors["kind"][pairs.right], (Kind.ANCHOR, UNION))
    same = pairs.distance == 0
    few = pairs.distance <= reach.few(reach.of_rows(anchors, pairs.left, pairs.right))
    own = anchors["group"][pairs.right] > OWN_GROUP - (1 << 20)
    cell = pairs.left - first
    told[cell[shown & few & ~same]] = Known.WITHHELD
    told[cell[~shown & same]] = Known.WITHHELD
    told[cell[shown & same & ~own]] = Known.SHOWN
    return told


def _makes_up(batch: Batch, anchors: Anchors, rows: Ints, first: int, reach: Reach) -> Flags:
    """Whether shown cells of one earlier table make up the cell but for few patients, not exactly."""
    found = np.zeros(len(batch.values), dtype=bool)
    if batch.additive and len(found) <= LARGEST_BATCH:
        parts = rows[anchors["kind"][rows] == Kind.ANCHOR]
        cells = first + np.flatnonzero(batch.proposals == Proposal.SHOW)
        for each in subsets(anchors.side(cells), anchors.side(parts), reach.most_few):
            row = int(cells[each.whole])
            if each.distance and reach.covers_sum(anchors, row, each):
                found[row - first] = True
    return found
