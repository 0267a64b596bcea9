"""Standardised mean differences between two groups, from protected numbers.

Numbers and yes/no: Austin, "Balance diagnostics for comparing the distribution of baseline covariates between
treatment groups in propensity-score matched samples", Statistics in Medicine 28 (2009) 3083-3107: the
difference over the root of the mean of the two variances. Classes: the Mahalanobis distance of Yang & Dalton,
"A unified approach to measuring the effect size between two groups using SAS", SAS Global Forum 2012, paper
335. Of those of whom the variable is known. Unknown where one number that it takes is withheld.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from p4dp_sdk.cohorts.results.questions import PATIENTS, missing_name
from p4dp_sdk.cohorts.results.variables import Kind, Variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from p4dp_sdk.cohorts.results.asking import Number


def standardised(variable: Variable, one: Mapping[str, Number], two: Mapping[str, Number]) -> float | None:
    """The absolute standardised difference of `variable` between two groups; None where it isn't known."""
    match variable.kind:
        case Kind.NUMBER:
            return _of_means(variable, one, two)
        case Kind.YES_NO:
            return _of_shares(_share(variable, one), _share(variable, two))
        case Kind.CLASSES:
            return _of_classes(_shares(variable, one), _shares(variable, two))
        case _:
            assert_never(variable.kind)


def _of_means(variable: Variable, one: Mapping[str, Number], two: Mapping[str, Number]) -> float | None:
    means = [_value(group, f"{variable.name}_mean") for group in (one, two)]
    spreads = [_value(group, f"{variable.name}_sd") for group in (one, two)]
    if means[0] is None or means[1] is None or spreads[0] is None or spreads[1] is None:
        return None
    return _over(means[0] - means[1], (spreads[0] ** 2 + spreads[1] ** 2) / 2)


def _of_shares(one: float | None, two: float | None) -> float | None:
    if one is None or two is None:
        return None
    return _over(one - two, (one * (1 - one) + two * (1 - two)) / 2)


def _over(difference: float, variance: float) -> float | None:
    if variance > 0:
        return abs(difference) / math.sqrt(variance)
    return 0.0 if difference == 0 else None


def _share(variable: Variable, group: Mapping[str, Number]) -> float | None:
    patients, yes = _value(group, PATIENTS), _value(group, variable.name)
    missing = _value(group, missing_name(variable)) if variable.may_miss else 0.0
    if patients is None or yes is None or missing is None or patients <= missing:
        return None
    return min(1.0, yes / (patients - missing))


def _shares(variable: Variable, group: Mapping[str, Number]) -> list[float] | None:
    counts = [_value(group, level.name) for level in variable.levels]
    known = [count for count in counts if count is not None]
    total = sum(known)
    return [count / total for count in known] if len(known) == len(counts) and total > 0 else None


def _of_classes(one: Sequence[float] | None, two: Sequence[float] | None) -> float | None:
    if one is None or two is None:
        return None
    import numpy as np

    there = [at for at, pair in enumerate(zip(one, two, strict=True)) if max(pair) > 0]
    p, q = np.array(one)[there][1:], np.array(two)[there][1:]
    spread = sum((np.diag(share) - np.outer(share, share)) / 2 for share in (p, q))
    if not len(p):
        return 0.0
    if np.linalg.matrix_rank(spread) < len(p):
        return None
    return float(np.sqrt((p - q) @ np.linalg.solve(spread, p - q)))


def _value(group: Mapping[str, Number], measure: str) -> float | None:
    number = group.get(measure)
    return None if number is None else number.value
