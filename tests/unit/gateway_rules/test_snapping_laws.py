"""Laws of the ledger, for random questions: what two numbers shown can tell of a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub_config.gateway.rules.earlier import sketches, snapping
from hub_config.gateway.rules.earlier.sketches import Pairs, Samples, certainly_apart, distances, folded, near
from hub_config.gateway.rules.memory import Settlement
from tests.unit.gateway_rules.people import PHYSICIANS, POLICY, Ledger, People, narrow_of_all

PEOPLE = People(size=3000)
RADIUS = POLICY.snap_radius
SHOWN, SNAPPED, WITHHELD = Settlement
seeds = st.integers(0, 2**32 - 1)


@dataclass
class Session:
    """Somebody who asks, edits what was asked, adds and splits; with everything that came back."""

    rng: np.random.Generator
    ledger: Ledger = field(default_factory=Ledger)
    asked: list[frozenset[int]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    hows: list[int] = field(default_factory=list)
    groups: list[list[int]] = field(default_factory=list)  # indexes of the cells of each answer

    def ask(self, *cells: Iterable[int]) -> None:
        (decided,) = self.ledger.ask(PEOPLE.batch(*cells))
        self.groups.append([*range(len(self.asked), len(self.asked) + len(cells))])
        self.asked += [frozenset(cell) for cell in cells]
        self.values += decided.settled.values.tolist()
        self.hows += decided.settled.settlements.tolist()

    def edited(self, people: frozenset[int], most: int) -> list[int]:
        """The same people with up to `most` of them changed."""
        out = self.rng.permutation(sorted(people))[: self.rng.integers(0, most + 1)].tolist()
        more = self.rng.integers(0, PEOPLE.size, self.rng.integers(0, most - len(out) + 1)).tolist()
        return sorted(people.difference(out) | set(more))

    def wander(self, steps: int) -> None:
        for _ in range(steps):
            size = int(self.rng.integers(5, 120))
            fresh = self.rng.choice(PEOPLE.size, 3 * size, replace=False).tolist()
            before = self.asked[self.rng.integers(len(self.asked))] if self.asked else frozenset(fresh)
            match self.rng.integers(4):
                case 0:
                    self.ask(fresh[:size], fresh[size : 2 * size], fresh[2 * size :])
                case 1:
                    self.ask(self.edited(before, 20))
                case 2 if len(before) > 3:
                    cut = int(self.rng.integers(1, len(before)))
                    people = self.edited(before, 4)
                    self.ask(people[:cut], people[cut:])
                case _:
                    group = self.groups[self.rng.integers(len(self.groups))] if self.groups else []
                    some = self.rng.permutation(group)[: max(2, len(group) - 1)].tolist()
                    together = frozenset().union(*(self.asked[index] for index in some))
                    self.ask(self.edited(together, 6))


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_no_two_numbers_of_their_own_differ_by_few(seed: int) -> None:
    """What the ledger is for: whoever subtracts two numbers that carry information of their own has more than
    the radius between them. A number that is nearer to an earlier one is that one, or a sum."""
    session = Session(np.random.default_rng(seed))
    session.wander(25)
    own = [index for index, how in enumerate(session.hows) if how == SHOWN]
    for one, other in combinations(own, 2):
        apart = len(session.asked[one] ^ session.asked[other])
        assert apart > RADIUS, (one, other)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_no_number_of_its_own_lies_few_from_a_sum_of_one_answer(seed: int) -> None:
    """Cell against union: a number of its own is further than the radius from every sum of two or three such
    numbers of one earlier answer, but for parts that lie half in it. A snapped cell shows another set's
    number: a sum with it is no union of one answer's (some 1 in 200 sessions has one that lies near)."""
    session = Session(np.random.default_rng(seed))
    session.wander(25)
    for index, how in enumerate(session.hows):
        earlier = [group for group in session.groups if group[-1] < index]
        for group in earlier if how == SHOWN else []:
            shown = [part for part in group if session.hows[part] == SHOWN]
            for count in (2, 3):
                for parts in combinations(shown, count):
                    assert _clear(session, index, parts), (index, parts)


def _clear(session: Session, index: int, parts: tuple[int, ...]) -> bool:
    whole, cells = session.asked[index], [session.asked[part] for part in parts]
    if any(2 * len(cell & whole) < 1.5 * len(cell) for cell in cells):
        return True  # no part of it, for the sample
    together = frozenset().union(*cells)
    overlap = sum(map(len, cells)) - len(together)
    return len(whole ^ together) + overlap > RADIUS


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_what_fails_never_gets_a_number_of_its_own(seed: int) -> None:
    session = Session(np.random.default_rng(seed))
    session.wander(25)
    for people, value, how in zip(session.asked, session.values, session.hows, strict=True):
        if how == WITHHELD:
            assert np.isnan(value)
        if len(people) < POLICY.min_patients:
            assert how != SHOWN


def test_with_and_without_one_person_look_alike() -> None:
    """The target is in a cell that was shown, or copied. The same question without them gives the same value
    and the same mark as the same question asked again: but for cells at the very end of a chain of copies,
    one in hundreds, whose border is a secret draw."""
    alike = []
    for seed in range(40):
        session = Session(np.random.default_rng(seed))
        session.wander(20)
        alike += [_alike(session, index) for index, how in enumerate(session.hows) if how != WITHHELD]
    assert len(alike) > 500
    assert np.mean(alike) > 0.99


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_looking_for_gps_where_a_cell_is_known_changes_nothing(seed: int) -> None:
    """Which would be slow: what is known already is given again whatever GPs stand between it and others."""
    looked = list[NDArray[np.bool_]]()

    def at_all(*given: Any) -> NDArray[np.bool_]:
        looked.append(narrow_of_all(*given))
        return looked[-1]

    plain = _of_one_practice(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapping, "within_few_physicians", at_all)
        everywhere = _of_one_practice(seed)
    assert any(map(np.any, looked))
    assert everywhere.hows == plain.hows
    assert everywhere.values == pytest.approx(plain.values, nan_ok=True)


def _of_one_practice(seed: int) -> Session:
    """Of a large group: all, without one practice, all but a person; again and again."""
    session = Session(np.random.default_rng(seed))
    people = frozenset(session.rng.choice(PEOPLE.size, 1500, replace=False).tolist())
    for _ in range(8):
        practice = int(session.rng.integers(PHYSICIANS))
        without = [person for person in people if person % PHYSICIANS != practice]
        session.ask(*(session.edited(frozenset(cell), 1) for cell in (people, without, without[::2])))
    return session


def _alike(session: Session, index: int) -> bool:
    people = session.asked[index]
    if len(people) <= POLICY.min_patients:
        return True
    target = int(session.rng.choice(sorted(people)))
    asked = [session.ledger.would(PEOPLE.batch(cell))[0].settled for cell in (people, people - {target})]
    again, without = ((float(each.values[0]), int(each.settlements[0])) for each in asked)
    return without == pytest.approx(again)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(0, 40))
def test_a_sketch_never_takes_near_for_far(seed: int, changes: int) -> None:
    """Distance by sketch and by sample are lower bounds of the people whose weights differ."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 600))
    people = rng.choice(PEOPLE.size, size + changes, replace=False)
    one = dict(zip(people[:size].tolist(), rng.integers(1, 5, size).tolist(), strict=True))
    other = dict(one)
    for person in people[size:].tolist():
        other[person] = 1
    for person in rng.permutation(people[:size])[: rng.integers(0, size)][:changes].tolist():
        other[person] += 1
    truth = sum(one.get(p, 0) != other.get(p, 0) for p in one.keys() | other.keys())
    vectors = PEOPLE.vectors([one, other])
    samples = Samples(vectors.threshold, vectors.offsets[:-1], vectors.offsets[1:], vectors.ranks)
    sketch, bits = vectors.by_patient, folded(vectors.by_patient)
    zero, first = np.array([0]), np.array([1])
    assert distances(sketch, sketch, zero, first)[0] <= truth
    pairs = near(sketch[:1], sketch[1:], bits[:1], bits[1:], min(truth, 64))
    assert len(pairs) == 1
    apart = certainly_apart(samples, samples, Pairs(zero, first, pairs.distance))[0]
    assert apart <= truth
    if len(one) <= 256 and len(other) <= 256:
        assert apart == len(one.keys() ^ other.keys())


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_many_pairs_are_found_as_one_by_one(seed: int) -> None:
    """Tables too large to compare pair by pair find the very same pairs, small cells and large ones."""
    rng = np.random.default_rng(seed)
    base = [rng.choice(PEOPLE.size, int(size), replace=False) for size in rng.integers(1, 400, 30)]
    cells = [*base, *(people[int(rng.integers(0, 16)) :] for people in base)]
    sketch = PEOPLE.vectors([dict.fromkeys(people.tolist(), 1) for people in cells]).by_patient
    bits, limits = folded(sketch), rng.integers(0, 16, len(cells))
    few = near(sketch, sketch, bits, bits, limits)
    many = sketches._banded(sketch, sketch, bits, bits, limits.astype(np.uint8))
    distance = distances(sketch, sketch, many[0], many[1])
    kept = distance <= limits[many[1]]
    assert many[:, kept].tolist() == [few.left.tolist(), few.right.tolist()]
    assert len(few) >= len(cells)
