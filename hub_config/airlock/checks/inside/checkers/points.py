"""The marks of a vector figure: a cloud, whose every mark may be a person, or a series along an axis. Pure.

A vector file keeps each mark's exact place. Marks at even steps along one axis, as many at each step, are a
series: weeks, classes, deciles; nothing is known of whom they count, so a person looks. Marks at no steps
are a cloud: a patient, a physician or a censored follow-up each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from hub_config.airlock.checks.inside.checkers.gathering import Gathering
from hub_config.governance.releases.findings import Place, Rule, Severity

Point = tuple[float, float]

CLOUD: Final = 30  # a forest plot or a calibration has fewer
SERIES: Final = 100
_EVEN: Final = 0.2  # of a step: months are not equally long
_MOSTLY: Final = 0.9  # of the steps: a week may be missing


def judge_points(gathering: Gathering, drawn: Mapping[str, Sequence[Point]], place: Place) -> None:
    """`drawn`: where marks of one shape stand, by shape."""
    clouds = [len(points) for points in drawn.values() if not is_series(points)]
    series = [len(points) for points in drawn.values() if is_series(points)]
    if (most := max(clouds, default=0)) > CLOUD:
        gathering.add(Rule.POINTS, Severity.BLOCKING, place, count=most)
    elif (most := max(series, default=0)) > SERIES:
        gathering.add(Rule.POINTS, Severity.WARNING, place, count=most)


def is_series(points: Sequence[Point]) -> bool:
    """Whether the marks go by even steps along one of the axes, as many marks at each step."""
    return any(_goes_by_steps(axis) for axis in zip(*points, strict=True))


def _goes_by_steps(places: Iterable[float]) -> bool:
    at_each = Counter(round(each, 2) for each in places)
    if len(at_each) < 3 or max(at_each.values()) != min(at_each.values()):
        return False
    steps = [after - before for before, after in pairwise(sorted(at_each))]
    usual = median(steps)
    even = sum(abs(step - usual) <= _EVEN * usual for step in steps)
    return even >= _MOSTLY * len(steps)
