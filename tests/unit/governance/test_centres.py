"""What a grant of centres reaches where small ones are merged: all that was granted, or a clear no."""

from __future__ import annotations

import pytest

from hub_config.governance.centres import Denied, denied, reached, shown, too_small
from hub_config.warehouse.centres import NOWHERE

MERGED = {"R1:petits": ("A", "B"), NOWHERE: ("N",)}  # C stands alone


@pytest.mark.parametrize(
    ("granted", "reach", "refused"),
    [
        (None, None, []),
        ({"C"}, {"C"}, []),
        ({"A", "B"}, {"A", "B", "R1:petits"}, []),
        ({"A", "B", "C"}, {"A", "B", "C", "R1:petits"}, []),
        ({"A", "C"}, {"A", "C"}, [Denied("A", ("B",))]),
        ({"N"}, {"N"}, [Denied("N", ())]),
        ({"N", "A", "B", "C"}, {"A", "B", "C", "N", "R1:petits"}, [Denied("N", ())]),
        ({"R1:petits"}, set(), []),
        ({"R1:petits", "A"}, {"A"}, [Denied("A", ("B",))]),
    ],
)
def test_merged_centres_are_reached_by_whoever_has_all_of_them(
    granted: set[str] | None, reach: set[str] | None, refused: list[Denied]
) -> None:
    held = None if granted is None else frozenset(granted)
    assert reached(held, MERGED) == reach
    assert hash(reached(held, MERGED)) == hash(None if reach is None else frozenset(reach))
    assert list(denied(held, MERGED)) == refused


def test_what_a_snapshot_shows_of_the_centres_on_record() -> None:
    assert shown({"A", "B", "C", "N"}, MERGED) == {"R1:petits", "C"}
    assert shown({"A", "B"}, {}) == {"A", "B"}


def test_the_refusal_says_what_to_do() -> None:
    assert too_small(Denied("A", ("B",))) == (
        "centre 'A' has fewer than 5 active GPs and is one with 'B'. Grant all of these, or leave it out."
    )
    assert "stands in no centre. Leave it out, or grant all centres." in too_small(Denied("N", ()))
