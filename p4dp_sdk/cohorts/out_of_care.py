"""Chronic patients who are no longer seen: out of care, and not merely out of sight.

Of the patients on the active list some months ago with a disease on record, each has one fate on the last
day: died; a trace since; out of care (alive, the practice still exports, no trace); or observation ended (the
practice's exports stopped, or it withdrew): of those nothing can be said, and they count in no share. A
period of observation that ended because the *patient* was inactive is no silence of the practice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, assert_never

from p4dp_sdk.cohorts.on_date import OnDate
from p4dp_sdk.indicators.intervals import wilson
from p4dp_sdk.indicators.people import observed
from p4dp_sdk.indicators.result import written
from p4dp_sdk.indicators.window import Window, months_before
from p4dp_sdk.locale import translate as _
from p4dp_sdk.tables.derived import Derived

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd


class Fate(StrEnum):
    """What became of a patient, on the last day."""

    FOLLOWED = "followed"
    OUT_OF_CARE = "out"
    DIED = "died"
    UNOBSERVED = "unobserved"

    @property
    def words(self) -> str:
        match self:
            case Fate.FOLLOWED:
                return _("followed: a trace since")
            case Fate.OUT_OF_CARE:
                return _("out of care: no trace since")
            case Fate.DIED:
                return _("died")
            case Fate.UNOBSERVED:
                return _("observation ended: unknown")
            case _:
                assert_never(self)


@dataclass(frozen=True)
class OutOfCare:
    """Patients with `codes` on the active list `months` before `day`, and what became of them."""

    tables: Any
    codes: Any
    day: str | date
    months: int = 24

    @property
    def on(self) -> date:
        return self.day if isinstance(self.day, date) else date.fromisoformat(self.day)

    @cached_property
    def before(self) -> OnDate:
        """The day on which they were still in care."""
        return OnDate(self.tables, months_before(self.on, self.months))

    def fate(self, traces: ir.Table) -> ir.Table:
        """A row a patient, with `fate`: `traces` are the rows (contacts, tests, prescriptions) of which one
        in the last `months` shows that somebody is followed."""
        import ibis

        patients = self.before.people.filter(self.before.has(self.codes))
        since = Window.before(self.on, self.months)
        recent = traces.filter(since.holds(traces.date))
        dead = self.tables.patients.filter(self.tables.patients.death_month <= self.on)
        fate = ibis.cases(
            (patients.patient_id.isin(dead.patient_id), Fate.DIED.value),
            (patients.patient_id.isin(recent.patient_id), Fate.FOLLOWED.value),
            (self._is_observable(patients), Fate.OUT_OF_CARE.value),
            else_=Fate.UNOBSERVED.value,
        )
        return patients.mutate(fate=fate)

    def _is_observable(self, patients: ir.Table) -> Any:
        """Whether a patient's absence says something: still observed, or no longer for being inactive."""
        periods = self.tables.observation_periods
        inactive = periods.filter(
            periods.end_reason == "inactive", periods.end_date >= self.before.on, periods.end_date <= self.on
        )
        current = observed(self.tables, self.on)
        return patients.patient_id.isin(current.patient_id) | patients.patient_id.isin(inactive.patient_id)

    def named(self, answer: pd.DataFrame) -> pd.DataFrame:
        """An answer with the fates in words."""
        named = answer.copy()
        named["fate"] = named["fate"].map(lambda fate: Fate(fate).words)
        return named

    def share(self, fates: ir.Table, by: str, labels: Mapping[str, str] | None = None) -> Derived:
        """The share (%) out of care among those followed or out of care: `by`, `denominator`, `numerator`,
        `share`, `low`, `high` (Wilson 1927, 95 %). A withheld number leaves <NA>. `labels` name
        the groups."""
        import pandas as pd

        known = fates.filter(fates.fate.isin([Fate.FOLLOWED.value, Fate.OUT_OF_CARE.value]))
        out = known.fate == Fate.OUT_OF_CARE.value
        ids = known.patient_id
        question = known.group_by(by).agg(denominator=ids.nunique(), numerator=ids.nunique(where=out))
        answer = question.order_by(by).execute()
        limits = [_limits(n, d) for n, d in zip(answer["numerator"], answer["denominator"], strict=True)]
        for place, name in enumerate(("share", "low", "high")):
            answer[name] = pd.Series([each[place] for each in limits], dtype="Float64").round(1)
        answer[by] = [(labels or {}).get(group, group) for group in answer[by]]
        return Derived(pd.DataFrame(answer), _titles(by))

    def explain(self) -> str:
        return _(
            "Active list of {start}, with {codes} on record; what became of them by {end}: {months} months."
        ).format(
            start=written(self.before.on), codes=self.codes.label, end=written(self.on), months=self.months
        )


def _titles(by: str) -> dict[str, str]:
    groups = {"sex": _("Sex"), "age_band": _("Age"), "age_class": _("Age"), "centre_id": _("Centre")}
    return {
        by: groups.get(by, by),
        "denominator": _("Denominator"),
        "numerator": _("Out of care"),
        "share": _("Share (%)"),
        "low": _("Low (95 %)"),
        "high": _("High (95 %)"),
    }


def _limits(numerator: Any, denominator: Any) -> tuple[float | None, float | None, float | None]:
    import pandas as pd

    if pd.isna(numerator) or pd.isna(denominator) or denominator <= 0:
        return None, None, None
    part = min(float(numerator), float(denominator))
    low, high = wilson(part, float(denominator))
    return 100 * part / float(denominator), 100 * low, 100 * high
