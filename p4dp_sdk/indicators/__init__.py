"""The measures behind the dashboards that P4DP's users know: declared once, with numerator, denominator,
window, quality rules and source; divided by period, centre, age and sex; with intervals, funnels and
standardised rates.

`ws.indicators["polymedication_continue"].measure("sex")` in a workspace. Lazy (PEP 562): Ibis and pandas are
imported when a measure is asked.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from p4dp_sdk.indicators.activity import incidence, per_observed
    from p4dp_sdk.indicators.epidemic import watch
    from p4dp_sdk.indicators.indicator import Indicator
    from p4dp_sdk.indicators.intervals import wilson
    from p4dp_sdk.indicators.measure import Dashboard, Measure, Unit
    from p4dp_sdk.indicators.people import active_list, age_classes, aged, observed, reached
    from p4dp_sdk.indicators.registry import Indicators, dashboards, measures
    from p4dp_sdk.indicators.result import Result
    from p4dp_sdk.indicators.window import Every, Window, months_before, years_until

_HOMES = {
    "Dashboard": "measure",
    "Every": "window",
    "Indicator": "indicator",
    "Indicators": "registry",
    "Measure": "measure",
    "Result": "result",
    "Unit": "measure",
    "Window": "window",
    "active_list": "people",
    "age_classes": "people",
    "aged": "people",
    "dashboards": "registry",
    "incidence": "activity",
    "measures": "registry",
    "months_before": "window",
    "observed": "people",
    "per_observed": "activity",
    "reached": "people",
    "watch": "epidemic",
    "wilson": "intervals",
    "years_until": "window",
}

__all__ = [
    "Dashboard",
    "Every",
    "Indicator",
    "Indicators",
    "Measure",
    "Result",
    "Unit",
    "Window",
    "active_list",
    "age_classes",
    "aged",
    "dashboards",
    "incidence",
    "measures",
    "months_before",
    "observed",
    "per_observed",
    "reached",
    "watch",
    "wilson",
    "years_until",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
