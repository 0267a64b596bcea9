"""The ledger as the gateway uses it: an index in memory, the rules that decide, the store that keeps.

An answer is settled in three steps. (1) The index is brought up to what is on disk, and the rules decide.
(2) The ledger is locked; if another gateway wrote in between, its answers are read and the rules decide
again. (3) The answer is appended and synced. Only then are values returned, so nothing is ever sent that the
ledger does not know. Whatever goes wrong is a Refusal, and the index is thrown away.

Compared with: every publication; the project's own answers; those of each project that a member belongs or
ever belonged to, who read or may be told of all that was shown there; what was shown to each member.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Ints
from hub_config.gateway.rules.earlier.anchors import Anchors
from hub_config.gateway.rules.earlier.definitions import number_of
from hub_config.gateway.rules.earlier.precedents import known_before, published, sums_before
from hub_config.gateway.rules.earlier.replays import NEVER, Dates
from hub_config.gateway.rules.earlier.rivals import Draw
from hub_config.gateway.rules.earlier.snapping import Decided, settle
from hub_config.gateway.rules.memory import PEOPLE, Asker, Batch, Proposal, Replay, Settled
from hub_config.governance.ledger.group import Group
from hub_config.governance.ledger.store import LedgerStore, NewAnswer, Position, Recorded
from hub_config.governance.problems import GovernanceProblem
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal

Flags = NDArray[np.bool_]


@dataclass
class Index:
    """Everything shown so far, by family, and who was shown it. Groups are counted in the order on disk."""

    anchors: dict[str, Anchors] = field(default_factory=dict)
    defined: dict[int, dict[int, float]] = field(default_factory=dict)  # numbers of published groups
    places: dict[int, int] = field(default_factory=dict)  # a group's number on disk: its place here
    by_project: dict[str, dict[int, np.datetime64]] = field(default_factory=dict)  # when it was shown first
    by_person: dict[str, set[int]] = field(default_factory=dict)
    publications: set[int] = field(default_factory=set)
    methods: dict[str, str] = field(default_factory=dict)
    tables: list[Replay] = field(default_factory=list)  # publications, the earliest first
    holding: dict[int, list[int]] = field(default_factory=dict)  # a definition: which tables hold it
    position: Position = field(default_factory=Position)

    def add_group(self, number: int, group: Group) -> None:
        self.anchors.setdefault(group.family, Anchors()).append(group, len(self.places))
        if group.publication and len(group.definitions) + len(group.small) and group.family != PEOPLE:
            self.defined[number] = _values(group)
        self.places[number] = len(self.places)

    def add_answer(self, answer: Recorded) -> None:
        places = [self.places[number] for number in answer.groups]
        shown, moment = self.by_project.setdefault(answer.project, {}), _moment(answer.given_at)
        for place in places:
            shown.setdefault(place, moment)
        for person in answer.audience:
            self.by_person.setdefault(person, set()).update(places)
        if answer.publication:
            self.publications.update(places)
            self._add_table(answer)
        else:
            self.methods.setdefault(answer.project, answer.method)

    def _add_table(self, answer: Recorded) -> None:
        values: dict[int, float] = {}
        for number in answer.groups:
            values |= self.defined.get(number, {})
        for definition in values:
            self.holding.setdefault(definition, []).append(len(self.tables))
        self.tables.append(Replay(values, answer.given_at))

    def again(self, definitions: frozenset[int]) -> Replay | None:
        """The earliest table that held all these cells."""
        some = next(iter(definitions), 0)
        tables = (self.tables[place] for place in self.holding.get(some, ()))
        return next((table for table in tables if definitions <= table.values.keys()), None)

    def scope(self, asker: Asker) -> Flags:
        """Of each group, whether an answer to `asker` is compared with it."""
        shown = [self.by_person.get(person, set()) for person in asker.members]
        told = [set(self.by_project.get(project, ())) for project in {asker.project, *asker.related}]
        return self._flags(self.publications, *told, *shown)

    def shown_to(self, project: str) -> Dates:
        """Of each group, when `project` was shown it first; NaT: never."""
        dates, known = np.full(len(self.places), NEVER), self.by_project.get(project, {})
        places = np.fromiter(known, dtype=np.int64, count=len(known))
        dates[places] = np.array([*known.values()], dtype=dates.dtype)
        return dates

    def published(self) -> Flags:
        return self._flags(self.publications)

    def _flags(self, *places: set[int]) -> Flags:
        flags = np.zeros(len(self.places), dtype=bool)
        flags[np.fromiter(set().union(*places), dtype=np.int64)] = True
        return flags


@dataclass
class Ledger:
    """Implements `memory.Memory`. One a process; threads take turns. `draw` is keyed, the same in every
    gateway of the enclave."""

    store: LedgerStore
    draw: Draw = field(repr=False)
    _index: Index = field(default_factory=Index, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def settle(
        self, asker: Asker, batches: tuple[Batch, ...], policy: Policy, *, exact: bool = False
    ) -> tuple[Settled, ...]:
        decide = self._publish if exact else self._explore
        with self._guarded():
            self._catch_up(self.store.read)
            decided = decide(asker, batches, policy)
            with self.store.appending() as ledger:
                if self._catch_up(ledger.read):
                    decided = decide(asker, batches, policy)
                if not (exact and _contradicted(batches, decided)):
                    ledger.append(_answer(asker, decided, policy, exact))
        return tuple(each.settled for each in decided)

    def known(self, asker: Asker, batches: tuple[Batch, ...], policy: Policy) -> tuple[NDArray[Any], ...]:
        with self._guarded():
            self._catch_up(self.store.read)
            return known_before(self._index.anchors, self._index.published(), batches, policy, self.draw)

    def sums(self, asker: Asker, batches: tuple[Batch, ...], policy: Policy) -> tuple[tuple[int, Ints], ...]:
        with self._guarded():
            self._catch_up(self.store.read)
            return sums_before(self._index.anchors, self._index.published(), batches, policy, self.draw)

    def again(self, definitions: frozenset[int]) -> Replay | None:
        with self._guarded():
            self._catch_up(self.store.read)
            return self._index.again(definitions)

    def _explore(self, asker: Asker, batches: tuple[Batch, ...], policy: Policy) -> tuple[Decided, ...]:
        before = self._index.methods.get(asker.project, policy.method.value)
        if before != policy.method.value:
            raise Refusal(
                ErrorCode.PROJECT_NOT_ACTIVE,
                project=asker.project,
                status=f"its method was {before} when it got its first answer",
            )
        index = self._index
        scope, shown = index.scope(asker), index.shown_to(asker.project)
        return settle(index.anchors, scope, batches, policy, self.draw, shown)

    def _publish(self, asker: Asker, batches: tuple[Batch, ...], policy: Policy) -> tuple[Decided, ...]:
        return published(self._index.anchors, self._index.published(), batches, policy, self.draw)

    def _catch_up(self, read: Callable[[Position, Index], Position]) -> bool:
        """Bring the index up to what is on disk; whether anything was new."""
        before = self._index.position
        self._index.position = read(before, self._index)
        return self._index.position != before

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """One thread at a time. What fails leaves no half-read index behind, and no reason but ours."""
        with self._turn:
            try:
                yield
            except Refusal:
                raise
            except Exception as error:
                self._index = Index()
                code = ErrorCode.DISK_FULL if _is_full(error) else ErrorCode.LEDGER_FAILED
                raise Refusal(code) from error


def _moment(given_at: datetime) -> np.datetime64:
    return np.datetime64(given_at.replace(tzinfo=None), "s")


def _values(group: Group) -> dict[int, float]:
    """The numbers of a published group by their definitions."""
    shown = zip(group.definitions, group.values.tolist(), strict=True)
    small = ((definition, math.nan) for definition in group.small)
    return {number_of(definition): value for definition, value in itertools.chain(shown, small)}


def _contradicted(batches: tuple[Batch, ...], decided: tuple[Decided, ...]) -> bool:
    """Whether a cell that was to be published must be withheld."""
    return any(
        bool(np.any((batch.proposals == Proposal.SHOW) & np.isnan(each.settled.values)))
        for batch, each in zip(batches, decided, strict=True)
    )


def _answer(asker: Asker, decided: tuple[Decided, ...], policy: Policy, exact: bool) -> NewAnswer:
    return NewAnswer(
        request_id=asker.request_id,
        project=asker.project,
        username=asker.user,
        snapshot=asker.snapshot,
        publication=exact,
        method=policy.method.value,
        audience=asker.members,
        parts=tuple((each.group, each.tally) for each in decided),
    )


def _is_full(error: Exception) -> bool:
    return isinstance(error, GovernanceProblem) and "disk is full" in str(error)
