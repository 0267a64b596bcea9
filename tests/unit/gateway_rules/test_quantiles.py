"""Quantiles from public bins: laws of the grid, the leaf that holds a quantile, and when none is shown."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.evidence.quantile import Records
from hub_config.gateway.rules.plan import Measure, MeasureKind
from hub_config.gateway.rules.quantiles import (
    MOST_LEAVES,
    Descent,
    Grid,
    Supports,
    grid_of,
    leaves,
    settle,
    step_of,
)
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Role, Unit
from p4dp_sdk.disclosure.policy import Policy

AGES = Grid(0.0, 1.0, 7)
LUCKIEST = np.nextafter(1, 0)
SMALL = settings(max_examples=60, deadline=None)


def settled(found, grid, policy, uniform=LUCKIEST):
    """With the draw by which everybody who reaches a limit clears it, or another."""
    drawn = np.full(len(found.leaf), uniform)
    return settle(found, grid, policy, Supports(drawn, drawn, drawn, drawn, drawn))


def measure(bounds, whole):
    step = step_of(*bounds, whole)
    return Measure("q", False, MeasureKind.QUANTILE, bounds=bounds, quantile=0.5, step=step)


class TestGrid:
    @pytest.mark.parametrize(
        ("bounds", "whole", "step", "depth"),
        [
            ((0.0, 120.0), True, 1.0, 7),  # age
            ((0.0, 365.0), True, 1.0, 9),  # days of a prescription
            ((0.0, 400.0), False, 0.1, 12),  # biometrics
            ((0.0, 2000.0), False, 0.1, 15),  # laboratory
            ((0.0, 1.0), False, 0.0001, 14),  # confidence
            ((0.0, 65_535.0), True, 1.0, 16),  # counts
            ((-65_535.0, 65_535.0), True, 1.0, 17),  # days between two dates
        ],
    )
    def test_steps_and_levels_are_those_of_the_docstring(self, bounds, whole, step, depth):
        grid = grid_of(measure(bounds, whole))
        assert (grid.step, grid.depth) == (pytest.approx(step), depth)

    def test_every_number_of_the_catalogue_that_can_be_asked_has_a_grid(self):
        asked = [t for t in load_catalogue().tables.values() if t.unit is not Unit.ENCLAVE]
        numbers = [c for t in asked for c in t.columns if c.role is Role.NUMERIC]
        for column in numbers:
            grid = grid_of(measure(column.bounds, "int" in column.dtype))
            low, high = column.bounds
            assert grid.leaf(np.array([low]))[0] == 0
            assert grid.leaf(np.array([high]))[0] < grid.leaves <= 2 * MOST_LEAVES

    def test_whole_steps_are_the_middle_of_their_leaf(self):
        tenths = Grid(0.0, 0.1, 12)
        values = np.arange(0, 400.05, 0.1)
        leaf = tenths.leaf(values)
        assert np.array_equal(leaf, np.arange(len(values)))
        assert np.array_equal(tenths.middle(leaf, np.full(len(leaf), 12)), np.round(values, 1))

    def test_what_lies_outside_belongs_to_the_ends(self):
        assert AGES.leaf(np.array([-1e300, -3.0, 1e9])).tolist() == [0, 0, 127]

    @SMALL
    @given(st.lists(st.tuples(st.integers(0, 127), st.integers(0, 127)), min_size=1, max_size=20))
    def test_shared_levels_are_those_whose_bins_hold_both(self, pairs):
        one, other = (np.array(side) for side in zip(*pairs, strict=True))
        shared = AGES.shared(one, other)
        for level in range(AGES.depth + 1):
            height = AGES.depth - level
            assert np.array_equal(shared >= level, one >> height == other >> height)


class TestLeaves:
    @SMALL
    @given(
        st.lists(st.lists(st.integers(0, 120), max_size=12), min_size=1, max_size=5),
        st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]),
    )
    def test_is_the_quantile_of_the_rows(self, cells, q):
        entries = [(c, leaf, values.count(leaf)) for c, values in enumerate(cells) for leaf in set(values)]
        arrays = [np.array(column, dtype=np.int64) for column in zip(*entries, strict=True)]
        cell, leaf, rows = arrays or [np.zeros(0, dtype=np.int64)] * 3
        found = leaves(len(cells), cell, leaf, rows.astype(float), q, np.zeros(len(cells)))
        wanted = [np.quantile(v, q, method="inverted_cdf") if v else -1 for v in cells]
        assert found.tolist() == [int(value) for value in wanted]

    @SMALL
    @given(st.lists(st.integers(0, 120), min_size=1, max_size=30), st.integers(-40, 40))
    def test_a_moved_rank_is_that_of_another_row(self, values, moved):
        ones, at = np.ones(len(values)), np.array(values)
        (found,) = leaves(1, np.zeros(len(at), dtype=np.int64), at, ones, 0.0, np.array([float(moved)]))
        assert found == sorted(values)[min(max(moved, 1), len(values)) - 1]


@SMALL
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 9)), max_size=30))
def test_nobody_counts_more_than_the_cap(entries):
    cell, unit, leaf = np.array(entries, dtype=np.int64).reshape(-1, 3).T
    caps, rows = np.array([1.0, 2.0, 50.0]), np.full(len(cell), 2)
    counted = Records(cell, unit, (), leaf, rows).flattened(caps)
    for one, who in set(zip(cell.tolist(), unit.tolist(), strict=True)):
        theirs = (cell == one) & (unit == who)
        assert counted[theirs].sum() == pytest.approx(min(rows[theirs].sum(), caps[one]))


def descent(values, patients=None, physicians=None, q=0.5):
    """What the engine would count of one cell, by hand: one row a value."""
    values = np.asarray(values)
    patients = np.arange(len(values)) if patients is None else np.asarray(patients)
    physicians = patients % 5 if physicians is None else np.asarray(physicians)
    at, counts = np.unique(values, return_counts=True)
    (leaf,) = leaves(1, np.zeros(len(at), dtype=np.int64), at, counts.astype(float), q, np.zeros(1))
    rows = []
    for level in range(AGES.depth + 1):
        own, theirs = leaf >> (AGES.depth - level), values >> (AGES.depth - level)
        here = theirs == own
        sides = (here, theirs < own, theirs > own)
        rows.append([*(len(set(patients[side])) for side in sides), outside_two(patients, physicians, here)])
    inside, below, above, others = np.array(rows).T[:, None, :]
    return Descent(np.array([leaf]), inside, below, above, others)


def outside_two(patients, physicians, here):
    """Those who are of neither of the two GPs that have most."""
    of_gps = Counter(dict(zip(patients[here], physicians[here], strict=True)).values())
    return sum(of_gps.values()) - sum(count for _, count in of_gps.most_common(2))


class TestSettle:
    def test_the_finest_bin_with_support(self):
        ages = np.repeat(np.arange(40, 72), 3)  # 55 is the median; three people a year
        value, level = settled(descent(ages), AGES, Policy())
        assert level[0] == 5 and value[0] == 53.5  # 52 to 55: twelve people

    def test_many_of_one_value_show_it(self):
        ages = [30] * 12 + [50] * 20 + [70] * 12
        assert settled(descent(ages), AGES, Policy())[0][0] == 50.0

    def test_the_whole_range_says_nothing_and_is_not_shown(self):
        value, level = settled(descent(np.arange(10)), AGES, Policy())
        assert np.isnan(value[0]) and level[0] == -1

    @pytest.mark.parametrize("q", [0.0, 0.01, 0.99, 1.0])
    def test_an_extreme_is_somebodys(self, q):
        ages = np.repeat(np.arange(40, 72), 3)
        value, _ = settled(descent(ages, q=q), AGES, Policy())
        assert np.isnan(value[0]) or (ages < value[0]).sum() >= 11 <= (ages > value[0]).sum()

    def test_one_person_with_many_rows_is_one(self):
        ages = [30] * 12 + [50] * 200 + [70] * 12
        patients = [*range(12), *[99] * 200, *range(200, 212)]
        assert np.isnan(settled(descent(ages, patients), AGES, Policy())[0][0])

    def test_one_gps_patients_are_not_enough(self):
        ages = [30] * 12 + [50] * 20 + [70] * 12
        alone = [1] * 12 + [2] * 20 + [3] * 12
        value, level = settled(descent(ages, physicians=alone), AGES, Policy())
        assert np.isnan(value[0]) and level[0] == -1

    @pytest.mark.parametrize(("others", "level"), [(0, -1), (1, 7)])
    def test_nor_are_those_of_two(self, others, level):
        """One of a third, and with luck the value is shown."""
        ages = [30] * 30 + [50] * 30 + [70] * 30
        third = ([1, 2] * 15)[: 30 - others] + [3] * others
        found = settled(descent(ages, physicians=third * 3), AGES, Policy())
        assert found[1][0] == level

    @SMALL
    @given(st.lists(st.integers(0, 120), min_size=1, max_size=80), st.sampled_from([0.25, 0.5, 0.75]))
    def test_whatever_is_shown_has_support(self, ages, q):
        found = descent(ages, q=q)
        (value,), (level,) = settled(found, AGES, Policy())
        if level < 0:
            assert np.isnan(value)
            return
        assert min(side[0, level] for side in (found.patients, found.below, found.above)) >= 11
        assert AGES.leaf(np.array([value]))[0] >> (7 - level) == found.leaf[0] >> (7 - level)

    @SMALL
    @given(st.lists(st.integers(0, 120), min_size=1, max_size=80))
    def test_quantiles_that_are_shown_are_in_order(self, ages):
        """Coarser bins have more inside and less beside them: a bin fails for all quantiles, or for none."""
        values = [settled(descent(ages, q=q), AGES, Policy())[0][0] for q in (0.1, 0.25, 0.5, 0.75, 0.9)]
        shown = [value for value in values if not np.isnan(value)]
        assert shown == sorted(shown)

    def test_an_empty_cell_has_none(self):
        nothing = np.zeros((1, 8), dtype=np.int64)
        empty = Descent(np.array([-1]), nothing, nothing, nothing, nothing)
        assert np.isnan(settled(empty, AGES, Policy())[0][0])

    def test_in_tables_about_gps_the_gp_is_the_unit(self):
        ages = [30] * 12 + [50] * 20 + [70] * 12
        made = descent(ages)
        alone = Descent(made.leaf, made.patients, made.below, made.above, None)
        assert settled(alone, AGES, Policy())[0][0] == 50.0

    def test_a_limit_that_is_met_exactly_is_mostly_not_cleared(self):
        """Else the bin would tell whether one person more is in it."""
        ages = np.repeat([20, 50, 80], 11)
        found = descent(ages)
        levels = [settled(found, AGES, Policy(), uniform)[1][0] for uniform in (0.0, 0.5, LUCKIEST)]
        assert levels[0] == levels[1] == -1 < levels[2]
        crowd = descent(np.repeat([20, 50, 80], 30))
        assert settled(crowd, AGES, Policy(), 0.0) == settled(crowd, AGES, Policy())
