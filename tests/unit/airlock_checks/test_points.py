"""A cloud of persons, told from a series along an axis."""

from __future__ import annotations

import random

import pytest

from hub_config.airlock.checks.inside.checkers.gathering import NOWHERE, Gathering
from hub_config.airlock.checks.inside.checkers.points import CLOUD, SERIES, Point, judge_points
from hub_config.airlock.checks.inside.found import Order
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import Severity

_DRAW = random.Random(7)  # noqa: S311
_HEIGHTS = [_DRAW.uniform(0, 300) for _ in range(400)]
_MONTHS = [0.0]
for number in range(130):
    _MONTHS.append(_MONTHS[-1] + (31, 28, 31, 30)[number % 4])


def judged(points: list[Point]) -> Severity | None:
    gathering = Gathering(Order("f.svg", FileKind.SVG))
    judge_points(gathering, {"m": points}, NOWHERE)
    return next((each.severity for each in gathering.found().findings), None)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(_DRAW.gauss(0, 80), y) for y in _HEIGHTS[: CLOUD + 1]], Severity.BLOCKING),
        ([(float(_DRAW.randint(18, 90)), y) for y in _HEIGHTS[:200]], Severity.BLOCKING),  # whole ages
        ([(3.64 * week, y) for week, y in enumerate(_HEIGHTS[: SERIES + 4])], Severity.WARNING),
        ([(x, y) for x, y in zip(_MONTHS, _HEIGHTS, strict=False)], Severity.WARNING),
        ([(3.6 * w, y) for w in range(60) for y in (_HEIGHTS[w], _HEIGHTS[-w - 1])], Severity.WARNING),
        ([(3.64 * w, y) for w, y in enumerate(_HEIGHTS[:104]) if w % 25 != 7], None),  # 100: weeks missing
        ([(_DRAW.gauss(0, 80), 12.0 * row) for row in range(25)], None),  # a forest plot
        ([], None),
    ],
)
def test_a_cloud_blocks_and_a_long_series_warns(points: list[Point], expected: Severity | None) -> None:
    assert judged(points) is expected
