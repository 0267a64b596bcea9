"""Who fulfils criteria on one day: counts for a trial's or a campaign's recruitment, never a list.

The people are those of the *file active* on that day (a contact in 24 months, alive, under observation).
Criteria are Ibis conditions on them, combined in the order written; each is worked out per patient. Nothing
here protects: what comes back is the gateway's protected answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from p4dp_sdk.indicators.people import active_list, aged
from p4dp_sdk.indicators.window import Window
from p4dp_sdk.locale import translate as _
from p4dp_sdk.tables.derived import Derived

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from p4dp_sdk.cohorts.attrition import Attrition

Criteria = Mapping[str, Any]


@dataclass(frozen=True)
class OnDate:
    """The people under care on `day`, of `tables` (`ws.tables`)."""

    tables: Any
    day: str | date

    @property
    def on(self) -> date:
        return self.day if isinstance(self.day, date) else date.fromisoformat(self.day)

    @cached_property
    def people(self) -> ir.Table:
        """The active list: a row a patient."""
        return active_list(self.tables, self.on)

    def aged(self, youngest: int, oldest: int) -> Any:
        """Whether the age in completed years lies between two, both included."""
        return aged(self.people.birth_month, youngest, oldest, self.on)

    def has(self, codes: Any, months: int | None = None) -> Any:
        """Whether an event of the code list is on record until the day: ever, or in the last `months`.

        Raises CohortError where no table of the project is coded in a system of the list.
        """
        from p4dp_sdk.cohorts import checks

        events = checks.events(codes, self).relation()
        return self._is_among(events.filter(self._window(months).holds(events.date)))

    def last_value(self, analyte: str, *, months: int, low: float, high: float) -> Any:
        """Whether the last valid laboratory value of the last `months` lies between two, both included. Of
        several on that day, their mean."""
        rows = self.tables.lab_results
        valid = (rows.analyte == analyte) & rows.value.notnull() & self._window(months).holds(rows.date)
        each = rows.filter(valid).select("patient_id", "date", "value")
        dated = each.mutate(last=each.date.max().over(group_by=each.patient_id))
        values = (
            dated.filter(dated.date == dated.last).group_by("patient_id").agg(value=lambda t: t.value.mean())
        )
        return self._is_among(values.filter(values.value.between(low, high)))

    def flow(self, criteria: Criteria) -> Attrition:
        """How many patients each criterion leaves, in the order written: one question."""
        from p4dp_sdk.cohorts.attrition import Attrition

        held = list(criteria.values())
        counts = {"step_0": self.people.patient_id.nunique()}
        for place in range(len(held)):
            fulfilled = reduce(and_, held[: place + 1])
            counts[f"step_{place + 1}"] = self.people.patient_id.nunique(where=fulfilled)
        return Attrition([_("Active list"), *criteria], self.people.agg(**counts))

    def count(self, criteria: Criteria, by: str) -> ir.Table:
        """The question of how many fulfil all criteria, by a column of `people`: `.execute()` it, or publish
        it."""
        chosen = self.people.filter(*criteria.values())
        return chosen.group_by(by).agg(patients=chosen.patient_id.nunique()).order_by(by)

    def without_each(self, criteria: Criteria) -> Derived:
        """How many fulfil all criteria, and all but each: `criterion`, `patients`."""
        import pandas as pd

        counted = {"n_all": self._fulfilling(list(criteria.values()))}
        for place, left_out in enumerate(criteria):
            others = [condition for name, condition in criteria.items() if name != left_out]
            counted[f"n_{place}"] = self._fulfilling(others)
        answer = self.people.agg(**counted).execute()
        patients = pd.array([answer[name].iloc[0] for name in counted], dtype="Int64")
        frame = pd.DataFrame({"criterion": [_("none: all criteria"), *criteria], "patients": patients})
        return Derived(frame, {"criterion": _("Without this criterion"), "patients": _("Patients")})

    def _fulfilling(self, conditions: list[Any]) -> Any:
        where = reduce(and_, conditions) if conditions else None
        return self.people.patient_id.nunique(where=where)

    def _window(self, months: int | None) -> Window:
        return Window(None, self.on) if months is None else Window.before(self.on, months)

    def _is_among(self, rows: ir.Table) -> Any:
        return self.people.patient_id.isin(rows.patient_id)
