"""Small answers of each kind that the figures of a study are drawn of."""

from __future__ import annotations

import pandas as pd

from p4dp_sdk.backend.results import attach
from p4dp_sdk.wire.protocol import MeasureSummary
from tests.unit.sdk.peer import disclosure


def draft(snapped: tuple[str, ...] = (), column: str = "n", **columns: object) -> pd.DataFrame:
    said = {column: MeasureSummary(2, 1, 1, (snapped,))} if snapped else {}
    keys = tuple(columns)[: len(snapped)]
    return attach(pd.DataFrame(columns), disclosure(measures=said, key_columns=keys, error=2.0))


def counts(*values: int | None) -> pd.arrays.IntegerArray:
    return pd.array(values, "Int64")


def shares(*values: float | None) -> pd.arrays.FloatingArray:
    return pd.array(values, "Float64")


# -- pyramid ----------------------------------------------------------------------------------------------


def people(**changes: object) -> pd.DataFrame:
    columns = {
        "age_band": ["10-19", "00-09", "10-19", "00-09"],
        "sex": ["F", "F", "M", "M"],
        "n": counts(300, None, 200, 40),
    }
    return draft(("10-19", "M"), **{**columns, **changes})


# -- heat map ---------------------------------------------------------------------------------------------


def crossed(**changes: object) -> pd.DataFrame:
    columns = {"code": ["K86", "K86", "T90"], "annee": [2019, 2020, 2019], "n": counts(30, None, 90)}
    return draft(("K86", "2019"), **{**columns, **changes})


# -- funnel -----------------------------------------------------------------------------------------------


def centres(**changes: object) -> pd.DataFrame:
    columns = {
        "centre_id": ["A", "B", "C", "D", "E"],
        "k": counts(40, 170, None, 60, None),
        "n": counts(100, 500, 300, 300, None),
    }
    return attach(pd.DataFrame({**columns, **changes}), disclosure(error=2.0))


# -- forest -----------------------------------------------------------------------------------------------


def ratios(**changes: object) -> pd.DataFrame:
    columns = {
        "label": ["Âge", "Jamais fumé", "Statine"],
        "estimate": shares(1.5, 1, None),
        "low": shares(1.2, None, None),
        "high": shares(1.9, None, None),
    }
    return attach(pd.DataFrame({**columns, **changes}), disclosure())


# -- Kaplan-Meier -----------------------------------------------------------------------------------------


def curves(**changes: object) -> pd.DataFrame:
    columns = {
        "group": ["F", "F", "F", "M", "M", "M"],
        "time": [12, 24, 36] * 2,
        "survival": shares(0.9, None, 0.7, 0.8, 0.6, None),
        "low": shares(0.85, None, 0.6, 0.7, 0.5, None),
        "high": shares(0.95, None, 0.8, 0.9, 0.7, None),
        "at_risk": counts(200, None, 90, 180, 100, None),
    }
    return draft(**{**columns, **changes})


# -- flow chart -------------------------------------------------------------------------------------------


def steps(**changes: object) -> pd.DataFrame:
    columns = {
        "step": ["Patients du projet", "Âgés de 40 ans", "Sans diabète", "Cohorte"],
        "n": counts(26125, None, 1400, 1400),
        "excluded": counts(None, 120, None, 0),
    }
    return draft(("Sans diabète",), **{**columns, **changes})
