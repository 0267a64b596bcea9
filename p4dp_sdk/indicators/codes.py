"""Reasons and diagnoses: the codes that occur most, one's own beside the whole base.

"No code" (SC) is a class like any other and stays in the table: what is not coded is part of the practice.
"""

from __future__ import annotations

from typing import Final

from p4dp_sdk.indicators.general import rows_of
from p4dp_sdk.indicators.measure import Dashboard, Measure, Unit
from p4dp_sdk.indicators.words import words


def _codes(name: str, table: str, french: str, english: str) -> Measure:
    return Measure(
        id=name,
        unit=Unit.ROW,
        window=None,
        population=rows_of(table),
        keys=("cisp2", "coding_source", "coding_version"),
        **words("codes", french=french, english=english),
    )


MEASURES: Final = (
    _codes("motifs", "reasons", "Motifs", "reasons"),
    _codes("diagnostics", "diagnoses", "Diagnostics", "diagnoses"),
)
DASHBOARDS: Final = (
    Dashboard("motifs", "Motifs et diagnostics", "Reasons and diagnoses", tuple(m.id for m in MEASURES)),
)
