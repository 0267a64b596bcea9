"""Clinical measures: overweight of children, cancer screening, diabetes, boosters, INR.

Each module builds populations in Ibis and declares its `MEASURES` and `DASHBOARDS`. Patients are as they were
on the last day of the window, and intervals ("24 months") are counted back from that day; of overweight
alone, the window itself is where measurements are looked for.
"""

from __future__ import annotations

from typing import Final

from p4dp_sdk.indicators.clinical import (
    diabetes_measures,
    dtp,
    inr_measures,
    overweight,
    screening,
)
from p4dp_sdk.indicators.measure import Dashboard, Measure

_ROOMS: Final = (overweight, screening, diabetes_measures, dtp, inr_measures)

MEASURES: Final[tuple[Measure, ...]] = tuple(measure for room in _ROOMS for measure in room.MEASURES)
DASHBOARDS: Final[tuple[Dashboard, ...]] = tuple(board for room in _ROOMS for board in room.DASHBOARDS)
