"""What earlier publications say of cells that are to be published, exactly. Pure.

Exact numbers subtract exactly, so what few patients tell apart from a number shown is withheld. But marks
tell, too, of whoever chose both questions: if a cell were shown because it holds the very people of an
earlier one, and withheld because one is missing, the mark would be the answer. (Kenthapadi, Mishra & Nissim,
"Simulatable auditing", PODS 2005, 118-127: what is denied must follow from what is known.) So what counts is
what was asked. A *definition* says what a cell is (`definitions`), and

1. a cell of the same definition and the same people as one that a publication showed is public; of one that
   was withheld, it stays withheld;
2. any other that nobody or few tell apart from an earlier one, or from a sum of some, is withheld, and so is
   one that patients of few GPs tell apart, or of one GP nearly all: nobody, few and a GP's alike. Compared
   are pairs; the cells of one table against one number, either way; and two numbers of any tables against a
   third (`overlaps`). Where the definitions add up the way the people do, the zero was
   known before anybody looked, and tells nothing.

That goes for who stands behind a number, too, whatever was measured of them. The measures of one table are
compared with each other as well: rows and patients that differ by three would say how many come twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Fingerprints, Ints
from hub_config.gateway.rules.earlier.anchors import UNION, Anchors
from hub_config.gateway.rules.earlier.overlaps import Told, of_sums, of_three, told_sums
from hub_config.gateway.rules.earlier.rivals import Draw, Reach, measured, nearest, of_few_physicians
from hub_config.gateway.rules.earlier.sketches import Pairs, fingerprints
from hub_config.gateway.rules.earlier.snapping import (
    OWN_GROUP,
    REMEMBERED,
    UNDECIDED,
    Decided,
    group_of,
    remembered,
    tally,
)
from hub_config.gateway.rules.memory import PEOPLE, Batch, Known, Proposal, Settled, Settlement
from hub_config.governance.ledger.group import DEFINITION_WORDS, Kind
from p4dp_sdk.disclosure.policy import Policy

Flags = NDArray[np.bool_]
_OWN: int = OWN_GROUP - (1 << 20)  # group numbers above it are those of the table itself
_NOWHERE: int = -1


def known_before(
    history: Mapping[str, Anchors], scope: Flags, batches: Sequence[Batch], policy: Policy, draw: Draw
) -> tuple[NDArray[Any], ...]:
    """`Known` of each cell of each batch. `scope` says of each group whether it was published."""
    told: list[NDArray[np.int8]] = []
    reach = Reach(policy, draw, exact=True)
    with _lent(history) as families:
        for number, batch in enumerate(batches):
            rows = families.setdefault(batch.family, _Rows())
            twin = batches[number - 1] if number and batch.family == PEOPLE else None
            seen = _seen(batch, twin, families, scope)
            own = _known(batch, rows, scope, reach, OWN_GROUP - number, seen)
            if batch.family == PEOPLE and told:  # a number that is public needs no leave for its people
                own[told[-1] == Known.SHOWN] = Known.NEW
            told.append(own)
    return tuple(told)


def sums_before(
    history: Mapping[str, Anchors], scope: Flags, batches: Sequence[Batch], policy: Policy, draw: Draw
) -> tuple[tuple[int, Ints], ...]:
    """A batch, and places of cells of it that make up, by their definitions, a number that was published and
    is no cell of the table."""
    found: list[tuple[int, Ints]] = []
    own = np.concatenate([fingerprints(batch.vectors.by_patient) for batch in batches])
    with _lent(history) as families:
        for number, batch in enumerate(batches):
            if batch.family == PEOPLE or not batch.additive or batch.family not in families:
                continue
            rows = families[batch.family]
            first, ranks = len(rows.anchors), rows.anchors.ranks.length
            earlier = rows.compared(scope, batch.measure)
            earlier = earlier[~np.isin(rows.anchors["fingerprint"][earlier], own)]
            rows.anchors.append(replace(group_of(batch, publication=True), additive=False), OWN_GROUP)
            found += [
                (number, parts) for parts in told_sums(rows.anchors, earlier, first, Reach(policy, draw))
            ]
            rows.anchors.cut(first, ranks)
    return tuple(found)


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
    whole = replace(group_of(batch, publication=True), kinds=kinds, values=values)
    group = replace(remembered(whole), small=_small(batch, kinds))
    counted = settlements[:0] if batch.family == PEOPLE else settlements
    return Decided(Settled(values, settlements), group, tally(counted))


def _small(batch: Batch, kinds: NDArray[np.int8]) -> NDArray[np.uint64]:
    """What the cells are that were withheld, and that nothing is compared with."""
    none = np.zeros((0, DEFINITION_WORDS), dtype=np.uint64)
    if batch.definitions is None:
        return none
    absent = none if batch.absent is None else batch.absent
    return np.concatenate([batch.definitions[kinds == UNDECIDED], absent])


# --- the rows of one family ------------------------------------------------------------------------------


@dataclass
class _Rows:
    """The rows of one family, those of the table's own other measures at the end. `measures` and `places` say
    of these which measure they are, and where their cells stand in the table."""

    anchors: Anchors = field(default_factory=Anchors)
    measures: NDArray[Any] = field(default_factory=lambda: np.zeros(0, dtype=object))
    places: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def note(self, measure: str, places: Ints) -> None:
        """Of the rows that came since the last time."""
        more = len(self.anchors) - len(self.places) - len(places)
        self.places = np.concatenate([self.places, np.full(more, _NOWHERE), places])
        named = np.full(len(self.places) - len(self.measures), measure, dtype=object)
        self.measures = np.concatenate([self.measures, named])

    def compared(self, scope: Flags, measure: str) -> Ints:
        """Rows that were published, and those of this table's other measures."""
        groups = self.anchors["group"]
        own = groups >= len(scope)
        before = scope[np.where(own, 0, groups)] if len(scope) else np.zeros(len(groups), dtype=bool)
        return np.flatnonzero(np.where(own, self.measures != measure, before))


@contextmanager
def _lent(history: Mapping[str, Anchors]) -> Iterator[dict[str, _Rows]]:
    """`history` by family, as it was once this is left."""
    marks = {family: (len(anchors), anchors.ranks.length) for family, anchors in history.items()}
    families = {family: _Rows(anchors) for family, anchors in history.items()}
    for rows in families.values():
        rows.note("", np.zeros(0, dtype=np.int64))
    try:
        yield families
    finally:
        for family, (length, ranks) in marks.items():
            history[family].cut(length, ranks)


def _seen(batch: Batch, numbers: Batch | None, families: Mapping[str, _Rows], scope: Flags) -> Fingerprints:
    """The names of published rows that were compared with the very same cells already: a number of distinct
    patients is the number of the people behind it."""
    if numbers is None or not np.array_equal(batch.vectors.by_patient, numbers.vectors.by_patient):
        return np.zeros(0, dtype=np.uint64)
    rows = families[numbers.family]
    return rows.anchors["fingerprint"][rows.compared(scope, numbers.measure)]


def _known(
    batch: Batch, rows: _Rows, scope: Flags, reach: Reach, number: int, seen: Fingerprints
) -> NDArray[np.int8]:
    """`Known` of each cell; its cells that are shown stay behind among the rows, for the next batch. `seen`:
    rows whose groups' sums need not be looked at again."""
    anchors = rows.anchors
    first, ranks = len(anchors), anchors.ranks.length
    compared = rows.compared(scope, batch.measure)
    drafted = group_of(batch, publication=True)
    anchors.append(replace(drafted, additive=False), number)
    told = _told(batch, rows, compared, first, reach)
    if batch.additive:
        earlier = compared[anchors["group"][compared] <= _OWN]
        unseen = ~np.isin(anchors["fingerprint"][earlier], seen)
        groups = anchors["group"][earlier]
        of_sums(batch, anchors, earlier[np.isin(groups, groups[unseen])], first, reach, told)
        of_three(batch, anchors, earlier, first, reach, told)
    known = told.known(people=batch.family == PEOPLE)
    anchors.cut(first, ranks)
    shown = (batch.proposals == Proposal.SHOW) & (known != Known.WITHHELD)
    kinds = np.where(shown, Kind.ANCHOR, UNDECIDED).astype(np.int8)
    anchors.append(remembered(replace(drafted, kinds=kinds, values=batch.values, additive=False)), number)
    places = np.full(len(shown), _NOWHERE) if batch.places is None else batch.places
    rows.note(batch.measure, places[shown])
    return known


def _told(batch: Batch, rows: _Rows, compared: Ints, first: int, reach: Reach) -> Told:
    """What single rows, and sums of shown ones, say of the cells from row `first` on."""
    anchors = rows.anchors
    cells = np.flatnonzero(np.any(anchors["by_patient"][first:] != 0, axis=1))
    limits = np.full(len(compared), reach.most_few)
    pairs = nearest(anchors, first + cells, compared, limits)
    pairs = Pairs(pairs.left, pairs.right, measured(anchors, pairs))
    cell, other = pairs.left - first, pairs.right
    shown = np.isin(anchors["kind"][other], (Kind.ANCHOR, UNION))
    own = anchors["group"][other] > _OWN
    nobody = pairs.distance == 0
    few = pairs.distance <= reach.few(reach.of_rows(anchors, pairs.left, other))
    same = nobody & _same_definition(anchors, pairs)
    told = Told.nothing(len(batch.values))
    told.public[cell[same & shown & ~own]] = True
    told.stays[cell[same & ~shown & ~own]] = True
    protects = shown | (anchors["patients"][other] >= reach.policy.min_patients) | nobody
    told.nobody[cell[nobody & ~same & ~own]] = True
    told.few[cell[few & ~nobody & protects & ~own]] = True
    told.few[cell[few & ~nobody & shown & own]] = True
    published = compared[(anchors["group"][compared] <= _OWN) & (anchors["kind"][compared] != Kind.WITHHELD)]
    told.few[of_few_physicians(anchors, first + cells, published, reach).left - first] = True
    if batch.places is not None:
        here = nobody & ~same & own & (rows.places[np.where(own, other, 0)] == batch.places[cell])
        told.few[cell[here]] = True
    return told


def _same_definition(anchors: Anchors, pairs: Pairs) -> Flags:
    definitions = anchors["definition"]
    left, right = definitions[pairs.left], definitions[pairs.right]
    return np.asarray(np.all(left == right, axis=1) & np.any(left != 0, axis=1))
