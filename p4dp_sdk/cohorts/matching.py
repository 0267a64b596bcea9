"""Matching 1:n of cases and controls, on rows: for projects with the microdata grant only.

Greedy and deterministic: cases in an order that `seed` draws; each takes the nearest controls that are left,
ties as drawn. Exact on everything without a caliper. Without replacement a control serves once (Austin, Stat
Med 33 (2014) 1057-1069, compares greedy matching orders). A case is nobody's control. Whether a control was
still at risk on the case's index date, the control's own cohort has to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from p4dp_sdk.cohorts.errors import CohortError
from p4dp_sdk.cohorts.events import PATIENT
from p4dp_sdk.errors import UnknownColumnError
from p4dp_sdk.wire.messages import N_

DRAW = "draw"


@dataclass(frozen=True)
class Rule:
    """`n` controls a case, alike in `on`; numbers may differ by `caliper` at most."""

    n: int
    on: tuple[str, ...]
    caliper: Mapping[str, float]
    replacement: bool
    seed: int

    def __post_init__(self) -> None:
        if self.n < 1 or not self.on:
            raise CohortError(
                N_("This matching can't be done."),
                N_("It needs one control a case at least, and something to match on."),
                N_('For example: cohort.match(controls, n=4, on=["age", "sex"], caliper={"age": 2}).'),
            )
        for name in self.caliper:
            if name not in self.on:
                raise UnknownColumnError(name, self.on)

    @property
    def exact(self) -> list[str]:
        return [name for name in self.on if name not in self.caliper]


def matched(cases: pd.DataFrame, controls: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """One row a matched person: matched_set, is_case and the columns of the cohort; sets in the order of the
    cases. A case for whom nobody is found stands alone; rows with a missing value in `on` are matched with
    nobody."""
    draws = np.random.default_rng(rule.seed)
    cases = _shuffled(cases, draws)
    free = _shuffled(controls[~controls[PATIENT].isin(cases[PATIENT])].dropna(subset=list(rule.on)), draws)
    sets = [pd.concat(list(_set(number, case, found))) for number, case, found in _found(cases, free, rule)]
    if not sets:
        return cases.drop(columns=DRAW).assign(matched_set=0, is_case=True)
    return pd.concat(sets, ignore_index=True).drop(columns=DRAW)


def _shuffled(frame: pd.DataFrame, draws: np.random.Generator) -> pd.DataFrame:
    """By the draw, and so in the same order whatever order the rows came in."""
    ordered = frame.sort_values([PATIENT, *(c for c in ("index_date",) if c in frame)])
    return ordered.assign(**{DRAW: draws.permutation(len(ordered))}).sort_values(DRAW)


def _found(
    cases: pd.DataFrame, free: pd.DataFrame, rule: Rule
) -> Iterator[tuple[int, pd.DataFrame, pd.DataFrame]]:
    for number in range(len(cases)):
        case = cases.iloc[[number]]
        alike = _alike(case.iloc[0], free, rule).drop_duplicates(PATIENT).head(rule.n)
        if not rule.replacement:
            free = free[~free[PATIENT].isin(alike[PATIENT])]
        yield number + 1, case, alike


def _alike(case: pd.Series, free: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """The controls within the calipers, nearest first."""
    near = free
    for name in rule.exact:
        near = near[near[name] == case[name]]
    away = pd.Series(0.0, index=near.index)
    for name, most in rule.caliper.items():
        distance = (near[name].astype("float64") - float(case[name])).abs()
        near, away = near[distance <= most], away[distance <= most] + distance[distance <= most] / (most or 1)
    return near.assign(away=away).sort_values(["away", DRAW]).drop(columns="away")


def _set(number: int, case: pd.DataFrame, found: pd.DataFrame) -> Iterator[pd.DataFrame]:
    yield case.assign(matched_set=number, is_case=True)
    if len(found):
        yield found.assign(matched_set=number, is_case=False)
