"""Conversions from UCUM: against factors printed elsewhere, there and back, and what can't be converted."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_config.warehouse.quality.units import UnitProblem, conversion, molar_masses
from hub_config.warehouse.synthesis.knowledge import Analyte, load_knowledge
from p4dp_sdk.catalogue.load import load_catalogue

UNITS = [code.code for code in load_catalogue().code_systems["unit"].codes]


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_of_the_catalogue_is_ucum(unit: str) -> None:
    assert conversion(unit, unit).factor == 1
    assert conversion("{x}", "{y}").factor == 1
    if unit not in ("%", "1", "{INR}"):
        with pytest.raises(UnitProblem, match="can't be converted"):
            conversion(unit, "cd")


@pytest.mark.parametrize(
    ("unit_raw", "unit", "kind", "factor", "shift"),
    [
        ("mg/dL", "mmol/L", "chol", 1 / 38.665, 0),  # as the NAFLD mapping had it by hand
        ("g/L", "mmol/L", "glucose", 5.5506, 0),
        ("mg/L", "umol/L", "creatinine", 8.84, 0),
        ("mg/dL", "umol/L", "creatinine", 88.4, 0),
        ("mg/mmol", "mg/g", "uacr", 8.84, 0),
        ("ng/mL", "nmol/L", "vitamin_d", 2.496, 0),
        ("mg/L", "umol/L", "uric_acid", 5.948, 0),
        ("mmol/mol", "%", "hba1c", 0.09148, 2.152),
        ("[degF]", "Cel", "temperature", 5 / 9, -160 / 9),
        ("[lb_av]", "kg", "weight", 0.45359237, 0),
        ("m", "cm", "height", 100, 0),
        ("mm", "cm", "height", 0.1, 0),
        ("kPa", "mm[Hg]", "sbp", 7.50062, 0),
        ("u[IU]/mL", "m[IU]/L", "tsh", 1, 0),
        ("G/L", "10*9/L", "platelets", 1, 0),
        ("µmol/l", "umol/L", "creatinine", 1, 0),
        ("{INR}", "1", "inr", 1, 0),
    ],
)
def test_factors(unit_raw: str, unit: str, kind: str, factor: float, shift: float) -> None:
    found = conversion(unit_raw, unit, kind)
    assert found.factor == pytest.approx(factor, rel=1e-3)
    assert found.shift == pytest.approx(shift, rel=1e-3)


@pytest.mark.parametrize("analyte", load_knowledge().analytes, ids=lambda each: each.analyte)
def test_the_factors_of_the_synthesis_follow_from_its_units(analyte: Analyte) -> None:
    found = conversion(analyte.unit, analyte.raw_unit, analyte.analyte)
    assert found.factor == pytest.approx(analyte.raw_factor, rel=1e-3)


@pytest.mark.parametrize(
    ("unit_raw", "unit", "kind"),
    [
        ("g/L", "mmol/L", "crp"),
        ("kg", "cm", "weight"),
        ("stones", "kg", "weight"),
        ("", "kg", "weight"),
        ("%", "mmol/L", "glucose"),
        ("mg/dL; DROP TABLE", "mmol/L", "glucose"),
        ("((((", "kg", "weight"),
        ("kg" * 500, "kg", "weight"),
    ],
)
def test_what_cannot_be_converted_is_a_problem(unit_raw: str, unit: str, kind: str) -> None:
    with pytest.raises(UnitProblem, match="Unit"):
        conversion(unit_raw, unit, kind)


@given(st.sampled_from(sorted(molar_masses())), st.floats(0.01, 1e4))
def test_there_and_back(analyte: str, value: float) -> None:
    there, back = (conversion(*pair, analyte) for pair in (("g/L", "mmol/L"), ("mmol/L", "g/L")))
    assert back.factor * (there.factor * value + there.shift) + back.shift == pytest.approx(value, rel=1e-9)


def test_every_synonym_is_of_a_ucum_unit() -> None:
    with (files("p4dp_sdk.catalogue.reference") / "unit_synonyms.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["written"] for row in rows}) == len(rows)
    for row in rows:
        assert conversion(row["written"], row["ucum"]).factor == 1
