"""Cohorts: patients from an index date on, said in the words of a protocol.

A definition is data (`definition`), made by a person through `Cohort`, checked as it is written (`checks`),
and compiled to one lazy Ibis relation (`compile`). It protects nobody: the gateway does, on whatever is asked
of the relation.
"""

from p4dp_sdk.cohorts.cohort import Cohort
from p4dp_sdk.cohorts.errors import CohortError
from p4dp_sdk.cohorts.events import Events, EventTable
from p4dp_sdk.cohorts.windows import EVER, Span, Window, days, months, weeks, years

__all__ = [
    "EVER",
    "Cohort",
    "CohortError",
    "EventTable",
    "Events",
    "Span",
    "Window",
    "days",
    "months",
    "weeks",
    "years",
]
