"""What moved between two versions: on numbers that can be checked by head, and by law."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p4dp_sdk.quality.moving import Counts, filled, moves

BLUR = 2.0
KEY = ["centre_id"]
Row = tuple[str, int | None, int | None, int | None]  # centre, rows, of them empty, bearing the rule


def counts(*rows: Row, each: int = 1) -> Counts:
    """`each`: rows of a patient."""
    frame = pd.DataFrame(rows, columns=[*KEY, "rows", "missing_value", "n"])
    frame = frame.astype(dict.fromkeys(("rows", "missing_value", "n"), "Int64"))
    frame["patients"] = frame["rows"] // each
    fired = frame[[*KEY, "n"]].assign(dq_code="out_of_range")
    return Counts.of(KEY, frame.drop(columns="n"), fired)


def told(now: Counts, before: Counts, points: float = 5.0) -> list[tuple[Any, ...]]:
    found = moves(now, before, KEY, points, BLUR)
    return [tuple(None if pd.isna(each) else each for each in row) for row in found.itertuples(index=False)]


def test_shares_and_rows_that_moved_the_largest_first() -> None:
    before = counts(("C1", 10_000, 1000, 100), ("C2", 10_000, 1000, 100))
    now = counts(("C1", 7_000, 2100, 70), ("C2", 10_000, 1000, 300))
    assert told(now, before) == [
        ("C1", "rows", "", 10_000.0, 7_000.0, -30.0),
        ("C1", "filled", "value", 90.0, 70.0, -20.0),
        ("C2", "rule", "out_of_range", 1.0, 3.0, 2.0),
    ]


def test_what_is_withheld_counts_as_none_and_is_shown_as_withheld() -> None:
    before, now = counts(("C1", 5000, None, None)), counts(("C1", 5000, 1000, 100))
    assert told(now, before) == [
        ("C1", "filled", "value", None, 80.0, -20.0),
        ("C1", "rule", "out_of_range", None, 2.0, 2.0),
    ]


def test_a_group_that_is_withheld_now_or_gone_comes_last() -> None:
    before = counts(("C1", 1000, 0, 0), ("C2", 1000, 0, 0), ("C3", 99, 0, 0))
    for now in (counts(("C1", 1000, 100, 0), ("C2", None, None, None)), counts(("C1", 1000, 100, 0))):
        assert told(now, before)[1:] == [("C2", "rows", "", 1000.0, None, None)]


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (("C1", 50_000, 5000, 500), "it grew"),
        (("C1", 9_600, 960, 96), "within the tolerance"),
        (("C1", 10_000, 1490, 100), "within the tolerance"),
        (("C1", 10_000, 1000, 149), "within a tenth of it"),
    ],
)
def test_what_is_not_told(now: Row, why: str) -> None:
    assert told(counts(now), counts(("C1", 10_000, 1000, 100))) == [], why


def test_few_patients_tell_nothing() -> None:
    """A tenth of the rows is lost: of 500 patients that may be those of the heaviest few."""
    few, many = (("C1", 5_000, 0, 0), ("C1", 4_500, 0, 0)), (("C1", 100_000, 0, 0), ("C1", 90_000, 0, 0))
    for (before, now), is_told in ((few, False), (many, True)):
        assert bool(told(counts(now, each=10), counts(before, each=10))) is is_told
    assert told(counts(few[1]), counts(few[0]))  # one row each: nobody is heavy


def test_without_groups() -> None:
    frame = {"rows": [5000], "patients": [5000], "missing_value": [500]}
    fired = pd.DataFrame({"dq_code": ["ok", "out_of_range"], "n": [900, 10]})
    before = Counts.of([], pd.DataFrame(frame), fired)
    now = Counts.of([], pd.DataFrame(frame | {"missing_value": [1500]}), fired)
    found = moves(now, before, [], 5.0, BLUR)
    assert found.to_dict("records") == [
        {"what": "filled", "name": "value", "before": 90.0, "after": 70.0, "moved": -20.0}
    ]
    assert filled(now, before, [], BLUR)["moved"].tolist() == [-20.0]


def test_what_is_drawn_is_nothing_where_it_may_be_blur() -> None:
    before = counts(("C1", 5000, 500, 0), ("C2", 5000, 500, 0), ("C3", 5000, 500, 0))
    now = counts(("C1", 5000, 1500, 0), ("C2", 5000, 503, 0), ("C3", None, None, None))
    found = filled(now, before, KEY, BLUR).set_index("centre_id")["moved"]
    assert found["C1"] == -20
    assert found["C2"] == 0
    assert pd.isna(found["C3"])


def test_centres_that_are_not_the_same_are_left_out() -> None:
    before, now = (
        counts(("C1", 5000, n, 0), ("C2", 5000, n, 0)).without("centre_id", {"C1"}) for n in (0, 2500)
    )
    assert {row[0] for row in told(now, before)} == {"C2"}


@given(
    st.integers(100, 5000), st.floats(0, 0.9), st.floats(0, 0.9), st.integers(1, 50), st.integers(0, 2**32)
)
def test_the_blur_alone_moves_nothing(
    patients: int, empty: float, bearing: float, each: int, seed: int
) -> None:
    """The same group blurred twice, each number by up to 1.5 of its standard deviations: the heaviest
    patients have so much more than the mean as waiting times would."""
    dice = np.random.default_rng(seed)

    def blurred(exact: int) -> int:
        heaviest = max(1.0, math.log(patients) * exact / patients)
        return max(0, round(exact + dice.uniform(-1.5, 1.5) * BLUR * heaviest))

    rows = patients * each
    sides = [
        counts(("C1", blurred(rows), blurred(int(rows * empty)), blurred(int(rows * bearing))))
        for _ in range(2)
    ]
    for side in sides:
        side.groups["patients"] = patients
    assert told(*sides) == []
