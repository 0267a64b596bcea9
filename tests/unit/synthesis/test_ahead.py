"""What is made ahead comes in its order, no further ahead than allowed; and a failure is heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from hub_config.warehouse.synthesis.run import _ahead


def test_in_order_and_no_further_ahead_than_allowed() -> None:
    made: list[int] = []

    def items() -> Iterator[Any]:
        for number in range(20):
            made.append(number)
            yield (number,)

    taken = []
    for (number,) in _ahead(items(), 3):
        assert len(made) <= number + 5  # three waiting, this one, and one more begun
        taken.append(number)
    assert taken == made == list(range(20))


def test_who_stops_listening_stops_the_making() -> None:
    before = threading.active_count()
    endless = _ahead(((number,) for number in count()), 3)  # type: ignore[misc]
    assert next(endless) == (0,)
    endless.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_a_failure_is_heard() -> None:
    def items() -> Iterator[Any]:
        yield (1,)
        raise ValueError("no more")

    heard = _ahead(items(), 2)
    assert next(heard) == (1,)  # type: ignore[comparison-overlap]
    with pytest.raises(ValueError, match="no more"):
        next(heard)
