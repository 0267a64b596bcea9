"""The registry and its reference tables: whole, in one vocabulary, and wide enough for real bodies."""

from __future__ import annotations

import csv
import re
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_config.warehouse.loader.rules import Doubt
from hub_config.warehouse.quality.conditions import CODES, COUNTED, MEASURED, VACCINATIONS
from hub_config.warehouse.synthesis.knowledge import load_knowledge
from hub_config.warehouse.synthesis.traps import Rule as Trap
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.quality import (
    FINE,
    Effect,
    Plausible,
    Rule,
    load_height_limits,
    load_plausible,
    load_rules,
)

CATALOGUE = load_catalogue()
CODES_OF = {name: {code.code for code in system.codes} for name, system in CATALOGUE.code_systems.items()}
RULES = list(load_rules().values())
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@every_rule
def test_a_rule_names_what_the_catalogue_has(rule: Rule) -> None:
    assert rule.dq_code in CODES_OF["dq_code"]
    assert rule.tables
    for table in rule.tables:
        assert table in CATALOGUE.tables
        bears = CATALOGUE.tables[table].has("dq_code")
        assert bears or rule.effect is Effect.COUNTS or table == "history"
    assert set(rule.kinds) <= CODES_OF["measure"] | CODES_OF["analyte"]
    texts = (rule.what_fr, rule.what_en, rule.why_fr, rule.why_en, rule.source)
    assert all(text and text == text.strip() for text in texts)


@every_rule
def test_a_rule_is_applied_somewhere(rule: Rule) -> None:
    """A rule that nothing asks would be a promise only."""
    by_hand = {"history_on_1_january", "code_without_system", "possible_duplicate"}
    for table in rule.tables:
        if rule.effect is Effect.COUNTS:
            assert rule.name in COUNTED or rule.name in by_hand
        elif table != "history":
            assert rule.name in (VACCINATIONS if table == "vaccinations" else MEASURED)


def test_no_condition_is_without_its_rule() -> None:
    assert {*MEASURED, *VACCINATIONS, *COUNTED} <= set(load_rules())


def test_one_vocabulary() -> None:
    """Every code is some rule's; loader and synthesis write no other."""
    named = {rule.dq_code for rule in RULES} | {FINE}
    assert named == CODES_OF["dq_code"]
    assert {each.value for each in Doubt} | {each.value for each in Trap} <= named


def test_codes_are_written_as_their_systems_are() -> None:
    for system, pattern in CODES.items():
        strange = [code for code in CODES_OF[system] if not re.fullmatch(pattern, code)]
        assert strange == []
    assert not re.fullmatch(CODES["cisp2"], "A10BA02")
    assert not re.fullmatch(CODES["atc"], "K86.1")


def ages_of(plausible: tuple[Plausible, ...]) -> dict[tuple[str, str, str], list[Plausible]]:
    kinds: dict[tuple[str, str, str], list[Plausible]] = {}
    for each in plausible:
        kinds.setdefault((each.table, each.kind, each.unit), []).append(each)
    return kinds


def test_plausible_bounds_cover_every_age_once() -> None:
    for ages in ages_of(load_plausible()).values():
        assert ages[0].from_months == 0
        assert ages[-1].to_months is None
        assert all(one.to_months == other.from_months for one, other in pairwise(ages))
        assert all(each.low < each.high for each in ages)
        assert {each.source for each in ages} <= {"who", "own", "facts"}


def test_plausible_bounds_are_of_what_is_measured_in_its_unit() -> None:
    systems = {"biometrics": "measure", "lab_results": "analyte"}
    kinds = {(table, kind) for table, kind, _ in ages_of(load_plausible())}
    assert kinds == {(table, code) for table, system in systems.items() for code in CODES_OF[system]}
    assert {each.unit for each in load_plausible()} <= CODES_OF["unit"]


@given(st.sampled_from(["M", "F"]), st.integers(0, 227))
def test_heights_within_4_standard_deviations_are_plausible(sex: str, months: int) -> None:
    """The coarse table never takes away what the fine one allows; and bodies grow."""
    low, high = load_height_limits()[(sex, months)]
    (bounds,) = (each for each in load_plausible() if each.kind == "height" and each.covers(months))
    assert bounds.low < low < high < bounds.high
    if months:
        before = load_height_limits()[(sex, months - 1)]
        assert before[0] <= low + 0.5
        assert before[1] <= high + 0.5


@pytest.mark.parametrize(
    ("sex", "months", "median"), [("M", 24, 87.1), ("F", 72, 115.1), ("M", 120, 137.8), ("F", 216, 163.1)]
)
def test_height_limits_lie_about_the_published_medians(sex: str, months: int, median: float) -> None:
    """Medians as printed in the WHO's tables (2006, 2007): 4 z of about 4 % each on either side."""
    low, high = load_height_limits()[(sex, months)]
    assert (low + high) / 2 == pytest.approx(median, rel=0.01)
    assert (high - low) / 2 == pytest.approx(4 * 0.042 * median, rel=0.15)


def test_the_levels_of_the_synthesis_are_plausible() -> None:
    bounds = {each.kind: each for each in load_plausible() if each.table == "lab_results"}
    for analyte in load_knowledge().analytes:
        each = bounds[analyte.analyte]
        assert each.unit == analyte.unit
        assert each.low <= analyte.low
        assert analyte.high <= each.high


def test_molar_masses_follow_from_their_formulas() -> None:
    weights = {"C": 12.0107, "H": 1.00794, "N": 14.0067, "O": 15.9994, "K": 39.0983, "Na": 22.98977}
    with (files("p4dp_sdk.catalogue.reference") / "molar_masses.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            atoms = re.findall(r"([A-Z][a-z]?)(\d*)", row["formula"])
            mass = sum(weights[element] * int(count or 1) for element, count in atoms)
            assert float(row["molar_mass"]) == pytest.approx(mass, abs=0.006)
            assert row["analyte"] in CODES_OF["analyte"]
