"""Time in therapeutic range by linear interpolation (Rosendaal FR, Cannegieter SC, van der Meer FJM, Briët E.
A method to determine the optimal intensity of oral anticoagulant therapy. Thromb Haemost 1993;69:236-9).

Between two values the INR is taken to move on a straight line; of the days between them, the share counts
that the line spends in the range. Values more than 56 days apart are not joined. The crossing is worked out
in closed form instead of day by day: the part of a line from a to b that lies in [low, high] is (clip(b) -
clip(a)) / (b - a).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ibis.expr.types as ir

LONGEST_DAYS: Final = 56


def time_in_range(values: ir.Table, low: float, high: float) -> ir.Table:
    """One row a patient of `values` (`patient_id`, `date`, `value`, one a day) with at least one interval
    of 56 days or less: `share` of the observed days in the range from `low` to `high`, both included."""
    import ibis

    of_patient = ibis.window(group_by=values.patient_id, order_by=values.date)
    steps = values.mutate(
        before=values.value.lag().over(of_patient),
        days=values.date.delta(values.date.lag().over(of_patient), unit="day"),
    )
    steps = steps.filter(steps.days <= LONGEST_DAYS)
    share = _part_inside(steps.before, steps.value, low, high)
    each = steps.group_by("patient_id").agg(inside=(steps.days * share).sum(), days=steps.days.sum())
    return each.select("patient_id", share=each.inside / each.days)


def _part_inside(start: ir.FloatingValue, end: ir.FloatingValue, low: float, high: float) -> ir.FloatingValue:
    import ibis

    flat = ibis.ifelse(start.between(low, high), 1.0, 0.0)
    return ibis.ifelse(start == end, flat, (end.clip(low, high) - start.clip(low, high)) / (end - start))
