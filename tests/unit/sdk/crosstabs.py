"""A small crosstab, as the gateway would answer it."""

from __future__ import annotations

import pandas as pd

from p4dp_sdk.backend.results import attach
from tests.unit.sdk.peer import disclosure


def crosstab(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "age_band": pd.array(["20-29", "30-39", None], "string"),
            "patients": pd.array([None, 12345, 1999], "Int64"),
            "part": pd.array([None, 0.123456, 1234.5], "Float64"),
        }
    )
    return attach(frame, disclosure(**changes))
