"""What earlier publications say of cells that are to be published, exactly. Pure.

A cell that a publication showed is public. One that a publication withheld stays withheld, and so does one
that few patients tell apart from a number shown there, or from a sum of such numbers: exact numbers subtract
exactly. That goes for who stands behind a number, too, whatever was measured of them. The measures of one
table are compared with each other as well, each with those before it: rows and patients that differ by three
would say how many come twice.

Tables overlap. A cell that cells of an earlier table make up is withheld if one of those was, or the others
would give that one away. Where some cells of the new table make up an earlier number but for few patients,
the largest of them is withheld; exactly, and one of them is withheld: then its neighbours are less hidden
than they were proved to be, and the table is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.anchors import UNION, Anchors
from hub_config.gateway.rules.cells import Fingerprints, Ints
from hub_config.gateway.rules.memory import PEOPLE, Batch, Known, Proposal, Settled, Settlement
from hub_config.gateway.rules.rivals import Draw, Reach, measured, nearest
from hub_config.gateway.rules.sketches import Pairs, fingerprints
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
from p4dp_sdk.wire.errors import ErrorCode, Refusal

Flags = NDArray[np.bool_]


def known_before(
    history: Mapping[str, Anchors], scope: Flags, batches: Sequence[Batch], policy: Policy, draw: Draw
) -> tuple[NDArray[Any], ...]:
    """`Known` of each cell of each batch. `scope` says of each group whether it was published. Raises Refusal
    where what is proposed can't stand beside it."""
    own = [fingerprints(batch.vectors.by_patient) for batch in batches]
    cells = np.concatenate(own) if own else np.zeros(0, dtype=np.uint64)
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
            told.append(_known(batch, anchors, compared, Reach(policy, draw), OWN_GROUP - number, cells))
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
    counted = settlements[:0] if batch.family == PEOPLE else settlements
    return Decided(Settled(values, settlements), group, tally(counted))


def _compared(anchors: Anchors, scope: Flags, measures: NDArray[Any], measure: str) -> Ints:
    """Rows that were published, and those of this table's other measures."""
    groups = anchors["group"]
    own = groups >= len(scope)
    before = scope[np.where(own, 0, groups)] if len(scope) else np.zeros(len(groups), dtype=bool)
    return np.flatnonzero(np.where(own, measures != measure, before))


def _known(
    batch: Batch, anchors: Anchors, rows: Ints, reach: Reach, number: int, own: Fingerprints
) -> NDArray[np.int8]:
    """`Known` of each cell; its cells that are shown stay behind in `anchors`, for the next batch. `own`: the
    names of all cells of the table."""
    first, ranks = len(anchors), anchors.ranks.length
    drafted = group_of(batch, publication=True)
    anchors.append(replace(drafted, additive=False), number)
    told = _told(anchors, rows, first, reach)
    if batch.additive and len(told) <= LARGEST_BATCH:
        told[(told == Known.NEW) & _makes_up(batch, anchors, rows, first, reach)] = Known.WITHHELD
        known = rows[~np.isin(anchors["fingerprint"][rows], own)]
        told[(told == Known.NEW) & _adds_up(batch, anchors, known, first, reach)] = Known.WITHHELD
    if batch.family == PEOPLE:  # of the same people another number was shown, not this one
        told[told == Known.SHOWN] = Known.NEW
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
    """Whether cells of one earlier table make up the cell but for few patients: not exactly, or with one
    that was withheld among them."""
    found = np.zeros(len(batch.values), dtype=bool)
    kind = anchors["kind"]
    parts = rows[np.isin(kind[rows], (Kind.ANCHOR, Kind.WITHHELD))]
    cells = first + np.flatnonzero(batch.proposals == Proposal.SHOW)
    for each in subsets(anchors.side(cells), anchors.side(parts), reach.most_few):
        row = int(cells[each.whole])
        gives_away = each.distance > 0 or bool(np.any(kind[parts[each.parts]] == Kind.WITHHELD))
        if gives_away and reach.covers_sum(anchors, row, each):
            found[row - first] = True
    return found


def _adds_up(batch: Batch, anchors: Anchors, rows: Ints, first: int, reach: Reach) -> Flags:
    """Of cells that make up an earlier number but for few patients, not exactly: the largest."""
    found = np.zeros(len(batch.values), dtype=bool)
    withheld = batch.proposals != Proposal.SHOW
    wholes = rows[anchors["kind"][rows] == Kind.ANCHOR]
    parts = first + np.arange(len(found))
    for each in subsets(anchors.side(wholes), anchors.side(parts), reach.most_few):
        if not reach.covers_sum(anchors, int(wholes[each.whole]), each):
            continue
        if np.any(withheld[each.parts]):
            raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="it overlaps with a table published before")
        if each.distance and not np.any(found[each.parts]):
            found[each.parts[np.argmax(batch.patients[each.parts])]] = True
    return found
