"""How measures of one table hang together, read off their sketches; and that nothing withheld follows from
what is shown, whatever their conditions mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub_config.gateway.publication.dependence import NotFound, combined, relations
from hub_config.gateway.publication.relations import Tangled, related, without_remainders
from hub_config.gateway.publication.sketched import Sample, Sketched
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, Backing, Column, Vectors
from hub_config.gateway.rules.plan import Measure, MeasureKind
from p4dp_sdk.disclosure.hypercube import Kind, Limits, Quantity, Status, TableProblem, Tree
from p4dp_sdk.disclosure.secondary import suppress
from p4dp_sdk.wire.errors import Refusal

BUCKETS = 64
FEW = 3

# --- among columns of numbers ------------------------------------------------------------------------------


def words(rows: int, columns: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 1 << 32, (rows, columns), dtype=np.uint32)


def test_columns_that_have_nothing_to_do_with_each_other() -> None:
    assert relations(words(64, 12)) == ()


@pytest.mark.parametrize(
    "coefficients",
    [
        (1, -1, 0, 0, 0),
        (1, 1, 1, 1, -1),
        (1, 1, -1, -1, 0),
        (3, 5, -7, 0, 0),
        (1, 60_000, -1, 0, 0),
        (8, 16, -3, 0, 0),
    ],
)
def test_a_relation_is_found(coefficients: tuple[int, ...]) -> None:
    """The last column but zeros is made of the others."""
    made = words(64, 5)
    last = max(i for i, c in enumerate(coefficients) if c)
    inverse = pow(-coefficients[last], -1, 1 << 32)
    others = combined(np.delete(made, last, axis=1), np.delete(np.array(coefficients), last))
    made[:, last] = others * np.uint32(inverse)
    (found,) = relations(made)
    assert found in (coefficients, tuple(-c for c in coefficients))


def test_one_that_breaks_anywhere_is_none() -> None:
    made = words(20_000, 3)
    made[:, 2] = made[:, 0] + made[:, 1]
    assert len(relations(made)) == 1
    made[19_001, 2] += np.uint32(1)
    assert relations(made) == ()


def test_thousandths_of_counts_and_sums() -> None:
    """Columns that 8 divides: a count beside a sum of ones and zeros."""
    made = words(64, 3) * np.uint32(1_000)
    made[:, 2] = made[:, 0] - np.uint32(60) * made[:, 1]
    assert relations(made) in (((1, -60, -1),), ((-1, 60, 1),))


def test_too_few_rows_to_tell() -> None:
    with pytest.raises(NotFound):
        relations(words(4, 9))


# --- among measures ----------------------------------------------------------------------------------------


def measured(people: Any, cells: Any, keys: Any) -> Sketched:
    """A table of so many cells and their total (the last). `people[p, m]`: whom measure m counts."""
    secrets = np.random.default_rng(7).integers(0, 1 << 32, len(people), dtype=np.uint32)
    ranks, bucket = secrets, np.arange(len(people)) % BUCKETS
    groups = [np.flatnonzero(cells == cell) for cell in range(keys)] + [np.arange(len(people))]
    columns, sketches, samples = [], [], []
    for number in range(people.shape[1]):
        counted = people[:, number]
        sketch = np.zeros((len(groups), BUCKETS), dtype=np.uint32)
        for at, group in enumerate(groups):
            np.add.at(sketch[at], bucket[group], (secrets[group] | 1) * counted[group].astype(np.uint32))
        exact = np.array([counted[group].sum() for group in groups])
        columns.append(column(f"m{number}", exact))
        sketches.append(sketch)
        samples.append(Sample(np.sort(ranks[counted]), 1 << 32))
    exact = np.array([column.exact for column in columns], dtype=np.float64)
    return Sketched(tuple(columns), exact, np.array(sketches), tuple(samples))


def column(name: str, exact: Any) -> Column:
    zeros, one = np.zeros(len(exact)), np.ones(len(exact))
    backing = Backing(exact, exact, exact, np.full(len(exact), NOBODY_ELSEWHERE), one, one, zeros, zeros)
    nobody = np.zeros((0, BUCKETS), dtype=np.uint32)
    vectors = Vectors(nobody, nobody, zeros, zeros, np.zeros(0, np.uint32), zeros)  # type: ignore[arg-type]
    return Column(Measure(name, False, MeasureKind.PATIENTS), exact, backing, vectors)


def names(table: Sketched) -> set[frozenset[tuple[str, float]]]:
    return {frozenset(relation.terms) for relation in related(table)}


def one_of(*shares: int) -> Any:
    """A variable of so many classes, as a column of numbers."""
    return np.repeat(np.arange(len(shares)), shares)


def test_what_adds_up_in_every_cell() -> None:
    """All, the young, the middle, the old; those who smoke, who drink, who do either, who do both."""
    dice = np.random.default_rng(3)
    age, smokes, drinks = dice.integers(0, 3, 400), dice.random(400) < 0.4, dice.random(400) < 0.5
    everybody = np.ones(400, dtype=bool)
    people = [everybody, age == 0, age == 1, age == 2, smokes, drinks, smokes | drinks, smokes & drinks]
    found = names(measured(np.array(people).T, dice.integers(0, 4, 400), 4))
    assert frozenset({("m1", 1.0), ("m2", 1.0), ("m3", 1.0), ("m0", -1.0)}) in found
    assert {frozenset(name for name, _ in terms) for terms in found} == {
        frozenset({"m0", "m1", "m2", "m3"}),
        frozenset({"m4", "m5", "m6", "m7"}),
    }


def test_what_holds_by_numbers_alone_is_no_relation() -> None:
    """As many women as smokers are not the same people."""
    women = one_of(200, 200) == 1
    people = np.array([women, np.roll(women, 100), np.ones(400, dtype=bool)]).T
    assert related(measured(people, np.zeros(400, dtype=int), 1)) == ()


def test_more_measures_than_anybody_could_follow() -> None:
    people = np.random.default_rng(0).random((300, 200)) < 0.5
    with pytest.raises(Tangled):
        related(measured(people, np.zeros(300, dtype=int), 1))


def safe(table: Sketched) -> dict[str, Any]:
    return {name: np.zeros(table.exact.shape[1], dtype=np.int8) for name in table.names}


def held(table: Sketched, statuses: Any = None) -> list[tuple[str, int]]:
    decided = without_remainders(table, statuses or safe(table), FEW, related(table))
    return [(n, int(c)) for n, status in decided.items() for c in np.flatnonzero(status == Status.HELD)]


@pytest.mark.parametrize("classes", [2, 3, 4, 6])
def test_the_few_that_are_left_are_told_by_no_difference(classes: int) -> None:
    """All, and all classes of a variable but the last, where it is few."""
    value = one_of(*([60] * classes), 2)
    people = np.array([value >= 0, *(value == c for c in range(classes))]).T
    table = measured(people, np.zeros(len(value), dtype=int), 1)
    assert related(table) == () and {cell for _, cell in held(table)} == {0, 1}
    people[:, 1] |= value == classes
    assert held(measured(people, np.zeros(len(value), dtype=int), 1)) == [], "nobody is left anywhere"


def test_many_that_are_left_are_no_secret_but_nobody_in_one_cell_is() -> None:
    value = one_of(60, 60, 20)
    people = np.array([value >= 0, value == 0, value == 1]).T
    mixed = np.arange(140) % 2
    assert held(measured(people, mixed, 2)) == []
    apart = np.where(value == 2, 0, mixed)
    assert {cell for _, cell in held(measured(people, apart, 2))} == {1}


def test_nobody_anywhere_may_be_what_is_left() -> None:
    """Those of both, whom nobody found, are either's less the one's less the other's."""
    value = one_of(60, 60)
    chosen = [value >= 0, value == 0, value == 1]
    nowhere = np.zeros(120, dtype=bool)
    assert held(measured(np.array(chosen).T, np.zeros(120, dtype=int), 1)) == []
    found = held(measured(np.array([*chosen, nowhere]).T, np.zeros(120, dtype=int), 1))
    assert {cell for _, cell in found} == {0, 1}


def test_what_is_public_is_not_withheld() -> None:
    value = one_of(60, 60, 2)
    table = measured(np.array([value >= 0, value == 0, value == 1]).T, np.zeros(122, dtype=int), 1)
    statuses = {**safe(table), "m1": np.full(2, Status.KNOWN), "m2": np.full(2, Status.KNOWN)}
    assert held(table, statuses) == [("m0", 0), ("m0", 1)]
    assert held(table, dict.fromkeys(table.names, np.full(2, Status.KNOWN))) == []


# --- the law -----------------------------------------------------------------------------------------------

LIMITS = Limits(min_patients=3, min_physicians=1)
_CONDITIONS = {
    "a": lambda a, b: a == 0,
    "not a": lambda a, b: a != 0,
    "second a": lambda a, b: a == 1,
    "third a": lambda a, b: a == 2,
    "b": lambda a, b: b,
    "a or b": lambda a, b: (a == 0) | b,
    "a and b": lambda a, b: (a == 0) & b,
    "b, not a": lambda a, b: (a != 0) & b,
    "a, not b": lambda a, b: (a == 0) & ~b,
    "either": lambda a, b: (a == 0) ^ b,
}


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 11), st.booleans()), min_size=30, max_size=90),
    st.sampled_from([(0, 1, 2), (0, 0, 0, 0, 0, 1), (1, 2), (0, 2), (0,), (2, 2, 2, 0, 1)]),
    st.sets(st.sampled_from(sorted(_CONDITIONS)), min_size=2, max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_no_withheld_number_follows_from_those_that_are_shown(
    people: Any, classes: Any, conditions: set[str]
) -> None:
    """Everything a reader may reckon with: how many people there are of each kind in each cell, whatever that
    is. A number follows if it is a sum of multiples of those shown."""
    cell, a, b = (np.array(column) for column in zip(*people, strict=True))
    a = np.array(classes)[a % len(classes)]
    chosen = [np.ones(len(people), dtype=bool)] + [_CONDITIONS[name](a, b) for name in sorted(conditions)]
    table = measured(np.array(chosen).T, cell, 3)
    try:
        hidden = np.concatenate(list(suppress(problem_of(table), LIMITS).withheld.values()))
    except Refusal:
        assume(False)
    shown, withheld = kinds_counted(sorted(conditions))[~hidden], kinds_counted(sorted(conditions))[hidden]
    known = np.linalg.matrix_rank(shown) if len(shown) else 0
    for number in withheld:
        assert np.linalg.matrix_rank(np.vstack([shown, number])) > known


def problem_of(table: Sketched) -> TableProblem:
    counts = dict(zip(table.names, table.exact, strict=True))
    primary = {
        name: np.where(v < 3, Status.PRIMARY, Status.SAFE).astype(np.int8) for name, v in counts.items()
    }
    statuses = without_remainders(table, primary, 2, related(table))
    quantities = tuple(
        Quantity(name, Kind.COUNT, values, statuses[name], values.astype(np.int64))
        for name, values in counts.items()
    )
    coordinates = np.array([[1], [2], [3], [0]])
    return TableProblem((Tree("cell", (-1, 0, 0, 0)),), coordinates, quantities, relations=related(table))


def kinds_counted(conditions: list[str]) -> Any:
    """What each number counts, as a row over kinds of people (cell × a × b), measure after measure."""
    kinds = [(c, a, b) for c in range(3) for a in range(3) for b in (False, True)]
    cell, a, b = (np.array(column) for column in zip(*kinds, strict=True))
    met = [np.ones(len(kinds), dtype=bool)] + [_CONDITIONS[name](a, b) for name in conditions]
    places = [cell == 0, cell == 1, cell == 2, cell >= 0]
    return np.array([m & place for m in met for place in places], dtype=np.float64)


def test_without_relations_the_law_is_broken() -> None:
    """What the test above can tell: a part is withheld to hide another; all, and the rest, are shown."""
    cell = np.repeat([0, 1, 2], [42, 80, 80])
    a = np.concatenate([one_of(2, 40), one_of(40, 40), one_of(40, 40)])
    table = measured(np.array([a >= 0, a == 0, a != 0]).T, cell, 3)
    for relations_known, broken in (((), True), (related(table), False)):
        hidden = suppress(replace(problem_of(table), relations=relations_known), LIMITS).withheld
        assert (hidden["m1"] & ~hidden["m0"] & ~hidden["m2"]).any() == broken
