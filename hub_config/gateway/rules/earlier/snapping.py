"""What may be shown of a new answer, given everything shown before: the decisions of the ledger. Pure.

An *anchor* is a cell that was shown with a value of its own. A new cell is compared with the anchors in scope
and, in this order:

0. is given again as it was, where this project was answered the same question before and it is not far from
   what it was then (`replays`); else
1. takes over the value of the earliest anchor or copy from which one patient or none tells it apart; else
   of the earliest from which *very* few do: `snap_radius` // 3 plus a keyed 0 to `snap_jitter`. So a cell
   and the same one without somebody get the same value, whatever else lies near, and the same mark;
2. takes over the value of the earliest anchor from which few patients tell it apart (`snap_radius` plus a
   keyed 0 to `snap_jitter`), then of the earliest sum of shown cells. A cell that fails the primary rules
   snaps too, if the difference is at most half of the anchor; unless it fails by unanimity;
3. is withheld where none or very few patients tell it apart from a cell withheld before, in whatever project
   (for being small, not for holding nearly everybody: asked first, that would take the whole away from
   everybody for good);
4. is withheld if it fails the primary rules;
5. is withheld where a difference to an anchor that contains it, or lies in it, stays within few GPs;
6. takes over the sum of those cells of one earlier group that make it up but for few patients;
7. is shown with its own value, and is an anchor from now on.

Then the sums of the answer's own cells are compared with what was shown before: where few patients or none
tell a sum from it, the largest cell that was to be shown with a value of its own moves, so that the person's
addition gives what is known already. So splitting a group again and again averages no noise out.

A copy is remembered so that the same cell, or nearly the same, gets the same value again. It passes the value
on only as far as its anchor is not far (`snap_radius` + `snap_jitter` plus a keyed 0 to `snap_jitter`) and to
who is one patient away: so a chain of copies ends. The keyed numbers stick to the
pair: nobody can learn the border by known people. Cells of one answer are settled in order, each against
those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Floats, Ints
from hub_config.gateway.rules.earlier.additions import Answer, agree_with_history, comparable
from hub_config.gateway.rules.earlier.anchors import UNION, Anchors
from hub_config.gateway.rules.earlier.replays import NEVER, Dates, Given, given_again
from hub_config.gateway.rules.earlier.rivals import (
    AllRivals,
    Draw,
    Reach,
    Rivals,
    rivals_of,
    within_few_physicians,
)
from hub_config.gateway.rules.earlier.subsets import LARGEST_BATCH, subsets
from hub_config.gateway.rules.memory import Batch, Proposal, Settled, Settlement
from hub_config.governance.ledger.group import DEFINITION_WORDS, Group, Kind, Tally
from p4dp_sdk.disclosure.policy import Policy

Flags = NDArray[np.bool_]
Scope = Callable[[NDArray[Any]], Flags]  # of group numbers: may this answer be compared with them

UNDECIDED: Final = 11  # the kind of a row whose cell is being settled, or is not remembered
SHOWN: Final = (Kind.ANCHOR, Kind.COPY, Kind.FOLLOWER)
REMEMBERED: Final = 3  # patients of a withheld cell, at least, for it to be remembered
OWN_GROUP: Final = np.iinfo(np.int32).max  # group numbers of the answer that is being settled, downwards


@dataclass(frozen=True)
class Decided:
    """Of one batch: what to show, and what to remember."""

    settled: Settled
    group: Group
    tally: Tally


def settle(
    history: Mapping[str, Anchors],
    scope: Flags,
    batches: Sequence[Batch],
    policy: Policy,
    draw: Draw,
    shown: Dates | None = None,
) -> tuple[Decided, ...]:
    """Settle an exploration answer, batch by batch.

    `history` holds the rows of each family, `scope` says of each group number whether it is compared, `shown`
    when the asking project was shown it in a draft first (NaT: never; without, nothing is given again).
    `draw(one, other)` gives a keyed random word for each pair of fingerprints. `history` is lent: rows are
    added while the answer is settled, and taken away before this returns.
    """
    marks = {family: (len(anchors), anchors.ranks.length) for family, anchors in history.items()}
    rows: dict[str, Anchors] = {}
    before = np.full(len(scope), NEVER) if shown is None else shown
    made = []
    try:
        for number, batch in enumerate(batches):
            if batch.family not in rows:
                rows[batch.family] = history[batch.family] if batch.family in history else Anchors()
            anchors = rows[batch.family]
            made.append(_Settling(batch, anchors, scope, before, policy, draw, OWN_GROUP - number).run())
    finally:
        for family, (length, ranks) in marks.items():
            history[family].cut(length, ranks)
    return tuple(made)


@dataclass
class _Outcome:
    """What becomes of each cell; filled in order."""

    values: Floats
    settlements: NDArray[np.int8]
    kinds: NDArray[np.int8]
    sources: Ints  # the row whose value was taken over; -1: none


@dataclass(frozen=True)
class _Settling:
    """One batch on its way through the rules. Its cells stand as undecided rows behind the anchors."""

    batch: Batch
    anchors: Anchors
    scope: Flags
    shown: Dates
    policy: Policy
    draw: Draw
    number: int

    def run(self) -> Decided:
        first, ranks = len(self.anchors), self.anchors.ranks.length
        drafted = group_of(self.batch, publication=False)
        self.anchors.append(replace(drafted, additive=False), self.number)
        given = given_again(self.anchors, first, self.batch.definitions, self.shown, self.reach)
        outcome = self._settled_cells(first, given)
        if self.batch.additive:
            rows = comparable(self.anchors, self._in_scope(first))
            agree_with_history(Answer(self.batch, outcome, self.anchors, first, rows, self.reach))
        outcome.values[outcome.settlements == Settlement.WITHHELD] = np.nan
        finished = replace(
            drafted,
            kinds=outcome.kinds,
            values=outcome.values,
            sources=np.where(outcome.kinds == Kind.ANCHOR, 0, _names(self.anchors, outcome.sources, given)),
            definitions=self._defined(outcome, given),
        )
        group = remembered(finished)
        self.anchors.cut(first, ranks)
        self.anchors.append(group, self.number)
        settled = Settled(outcome.values, outcome.settlements, given.dates)
        return Decided(settled, group, tally(outcome.settlements))

    def _defined(self, outcome: _Outcome, given: Given) -> NDArray[np.uint64]:
        """The definitions of cells that a later answer may give again: of those shown as they are now, and of
        those that failed; not of what was given again though others stand behind it now, nor of what was
        withheld for something shown before."""
        if self.batch.definitions is None:
            return np.zeros((0, DEFINITION_WORDS), dtype=np.uint64)
        failed = self.batch.proposals == Proposal.WITHHOLD
        now = (given.rows < 0) | given.same
        kept = now & (failed | (outcome.settlements != Settlement.WITHHELD))
        return np.where(kept[:, None], self.batch.definitions, np.uint64(0))

    @property
    def reach(self) -> Reach:
        return Reach(self.policy, self.draw)

    def _in_scope(self, rows: int) -> Flags:
        """Of the first `rows` rows, which are compared: the groups in scope, and this answer's own."""
        groups = self.anchors["group"][:rows]
        own = groups > OWN_GROUP - (1 << 20)
        return own | self.scope[np.where(own, 0, groups)] if len(self.scope) else own

    def _settled_cells(self, first: int, given: Given) -> _Outcome:
        batch, anchors = self.batch, self.anchors
        passes = batch.proposals == Proposal.SHOW
        in_scope = self._in_scope(first)
        rivals = rivals_of(anchors, in_scope, first, batch, self.reach)
        unsettled = passes & ~self._known(rivals, first) & (given.rows < 0)
        narrow = within_few_physicians(anchors, in_scope, first, unsettled, self.reach)
        sums = self._sums_of_others(in_scope, first, unsettled & ~narrow)
        outcome = _by_default(batch, passes, narrow, sums)
        _give_again(given, outcome, anchors, passes)
        anchors["kind"][first:] = outcome.kinds
        anchors["values"][first:] = outcome.values
        for cell, some in rivals.by_cell():
            if given.rows[cell] < 0:
                _decide(cell, some, outcome, anchors, batch.proposals[cell], first)
        return outcome

    def _known(self, rivals: AllRivals, first: int) -> Flags:
        """Of each cell whether one patient at most tells it from one that was shown: rule 1 settles it if it
        passes, so neither GPs nor sums are looked for."""
        known, some = np.zeros(len(self.batch.values), dtype=bool), rivals.rivals
        kinds = self.anchors["kind"][some.rows]
        shown = (some.rows < first) & ((kinds == Kind.ANCHOR) | (kinds == Kind.COPY))
        known[rivals.cells[shown & some.one]] = True
        return known

    def _sums_of_others(self, in_scope: Flags, first: int, wanted: Flags) -> dict[int, float]:
        """Of each cell that some cells of an earlier group make up but for few patients: the sum shown."""
        if not self.batch.additive or len(wanted) > LARGEST_BATCH:
            return {}
        shown = np.isin(self.anchors["kind"][:first], SHOWN)
        parts = np.flatnonzero(in_scope & shown)
        cells = first + np.flatnonzero(wanted)
        found: dict[int, float] = {}
        for each in subsets(self.anchors.side(cells), self.anchors.side(parts), self.reach.most_few):
            cell = int(cells[each.whole] - first)
            if cell not in found and self.reach.covers_sum(self.anchors, first + cell, each):
                found[cell] = float(self.anchors["values"][parts[each.parts]].sum())
        return found


def _by_default(batch: Batch, passes: Flags, narrow: Flags, sums: Mapping[int, float]) -> _Outcome:
    """What becomes of each cell if nothing lies near: rules 4 to 7."""
    shown = passes & ~narrow
    known = (batch.patients >= REMEMBERED) & (batch.proposals != Proposal.NEVER)
    outcome = _Outcome(
        values=np.where(shown, batch.values, np.nan),
        settlements=np.where(shown, Settlement.SHOWN, Settlement.WITHHELD).astype(np.int8),
        kinds=np.where(shown, Kind.ANCHOR, np.where(known, Kind.WITHHELD, UNDECIDED)).astype(np.int8),
        sources=np.full(len(passes), -1),
    )
    for cell, value in sums.items():
        outcome.values[cell] = value
        outcome.settlements[cell] = Settlement.SNAPPED
        outcome.kinds[cell] = Kind.COPY
    return outcome


def _give_again(given: Given, outcome: _Outcome, anchors: Anchors, passes: Flags) -> None:
    """Rule 0. What is given again though others stand behind it now is no number of theirs: no cell takes it
    over, and where numbers are added up it stands for those whose it is."""
    cells = np.flatnonzero(given.rows >= 0)
    rows = given.rows[cells]
    kinds, same = anchors["kind"][rows], given.same[cells]
    withheld = kinds == Kind.WITHHELD
    moved = np.where(passes[cells], UNDECIDED, outcome.kinds[cells])  # as it is withheld by rule 3, or by 4
    moved = np.where(withheld, moved, Kind.FOLLOWER)
    outcome.values[cells] = anchors["values"][rows]
    outcome.settlements[cells] = np.where(withheld, Settlement.WITHHELD, Settlement.SNAPPED)
    outcome.kinds[cells] = np.where(same, kinds, moved)
    outcome.sources[cells] = np.where(withheld, -1, rows)


def _decide(
    cell: int, rivals: Rivals, outcome: _Outcome, anchors: Anchors, proposal: int, first: int
) -> None:
    """Rules 1 to 3 for one cell; where none applies, what it has by default stands."""
    if proposal == Proposal.NEVER:
        return
    passes = proposal == Proposal.SHOW
    kinds, values = anchors["kind"][rivals.rows], anchors["values"][rivals.rows]
    place = _source(rivals, kinds, passes)
    if place is None and passes and _near_withheld(rivals, kinds):
        _set(cell, outcome, anchors, first, np.nan, Settlement.WITHHELD, UNDECIDED)
        return
    if place is None:
        place = _first((kinds == UNION) & rivals.few & (passes | rivals.half))
    if place is not None:
        kind = _kind_of_copy(rivals, kinds, place)
        _set(cell, outcome, anchors, first, float(values[place]), Settlement.SNAPPED, kind)
        outcome.sources[cell] = _origin(int(rivals.rows[place]), outcome, first)


def _kind_of_copy(rivals: Rivals, kinds: NDArray[np.int8], place: int) -> Kind:
    """The very people of an anchor are that anchor; a copy of a copy is one while the anchor is not far."""
    if kinds[place] == Kind.COPY:
        return Kind.COPY if rivals.carries[place] else Kind.FOLLOWER
    return Kind.ANCHOR if kinds[place] == Kind.ANCHOR and not rivals.apart[place] else Kind.COPY


def _near_withheld(rivals: Rivals, kinds: NDArray[np.int8]) -> bool:
    return bool(np.any((kinds == Kind.WITHHELD) & rivals.very_few & rivals.draft))


def _origin(row: int, outcome: _Outcome, first: int) -> int:
    """The row whose value `row` shows: its own source, if it is a copy within this answer."""
    source = int(outcome.sources[row - first]) if row >= first else -1
    return row if source < 0 else source


def _source(rivals: Rivals, kinds: NDArray[np.int8], passes: bool) -> int | None:
    """The rival whose value is taken over, by its place among `rivals`."""
    may = np.full(len(kinds), True) if passes else rivals.half
    anchor = (kinds == Kind.ANCHOR) & may
    copy = (kinds == Kind.COPY) & may
    very_near = (anchor | (copy & rivals.carries)) & rivals.very_few
    choices = ((anchor | copy) & rivals.one, very_near, anchor & rivals.few)
    places = (_first(choice) for choice in choices)
    return next((place for place in places if place is not None), None)


def _first(flags: Flags) -> int | None:
    place = int(np.argmax(flags)) if len(flags) else 0
    return place if len(flags) and flags[place] else None


def _set(
    cell: int, outcome: _Outcome, anchors: Anchors, first: int, value: float, how: Settlement, kind: int
) -> None:
    outcome.values[cell], outcome.settlements[cell], outcome.kinds[cell] = value, how, kind
    anchors["values"][first + cell], anchors["kind"][first + cell] = value, kind


def tally(settlements: NDArray[np.int8]) -> Tally:
    counts = np.bincount(settlements, minlength=len(Settlement))
    return Tally(
        shown=int(counts[Settlement.SHOWN] + counts[Settlement.SNAPPED]),
        snapped=int(counts[Settlement.SNAPPED]),
        withheld=int(counts[Settlement.WITHHELD]),
    )


# --- what is remembered ------------------------------------------------------------------------------------


def group_of(batch: Batch, *, publication: bool) -> Group:
    """All cells of a batch, undecided, as a group of the ledger."""
    vectors, cells = batch.vectors, len(batch.values)
    codes = [np.unique(key, return_inverse=True)[1] for key in batch.keys]
    return Group(
        family=batch.family,
        publication=publication,
        additive=batch.additive,
        kinds=np.full(cells, UNDECIDED, dtype=np.int8),
        patients=batch.patients,
        values=np.full(cells, np.nan),
        sources=np.zeros(cells, dtype=np.uint64),
        by_patient=vectors.by_patient,
        by_physician=vectors.by_physician,
        threshold=vectors.threshold,
        offsets=vectors.offsets,
        ranks=vectors.ranks,
        keys=np.array(codes, dtype=np.int32).reshape(len(codes), cells),
        physician_counts=vectors.physician_counts,
        **({} if batch.definitions is None else {"definitions": batch.definitions}),
    )


def remembered(group: Group) -> Group:
    """The group without the cells that are not remembered."""
    kept = group.kinds != UNDECIDED
    lengths = np.diff(group.offsets)
    columns = ["kinds", "patients", "values", "sources", "by_patient", "by_physician", "threshold"]
    if len(group.definitions):
        columns.append("definitions")
    if len(group.physician_counts):
        columns.append("physician_counts")
    return replace(
        group,
        **{name: getattr(group, name)[kept] for name in columns},
        offsets=np.concatenate([[0], np.cumsum(lengths[kept])]),
        ranks=group.ranks[np.repeat(kept, lengths)],
        keys=group.keys[:, kept],
    )


def _names(anchors: Anchors, rows: Ints, given: Given) -> NDArray[np.uint64]:
    """The fingerprints of the sketches whose values these rows show; 0 for row -1. A copy of a sum names
    nobody, but is named by what gives it again of others."""
    if not len(anchors):
        return np.zeros(len(rows), dtype=np.uint64)
    own, of_copies = anchors["fingerprint"][rows], anchors["source"][rows]
    again = np.where((of_copies == 0) & ~given.same, own, of_copies)
    named = np.where(anchors["kind"][rows] == Kind.COPY, of_copies, own)
    return np.where(rows < 0, np.uint64(0), np.where(given.rows < 0, named, again))
