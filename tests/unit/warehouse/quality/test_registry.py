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
        assert {each.source for each in ages} <= {"own", "facts"}


def test_plausible_bounds_are_of_what_is_measured_in_its_unit() -> None:
    systems = {"biometrics": "measure", "lab_results": "analyte"}
    kinds = {(table, kind) for table, kind, _ in ages_of(load_plausible())}
    assert kinds == {(table, code) for table, system in systems.items() for code in CODES_OF[system]}
    assert {each.unit for each in load_plausible()} <= CODES_OF["unit"]


@given(st.sampled_from(["M", "F"]), st.integers(0, 227))
def test_the_heights_that_are_believed_are_plausible(sex: str, months: int) -> None:
    """The coarse table never takes away what the fine one allows; and bodies grow."""
    low, high = load_height_limits()[(sex, months)]
    (bounds,) = (each for each in load_plausible() if each.kind == "height" and each.covers(months))
    assert bounds.low < low < high < bounds.high
    if months:
        before = load_height_limits()[(sex, months - 1)]
        assert before[0] <= low + 0.5
        assert before[1] <= high + 0.5


# Median and coefficient of variation of length or height (cm), L being 1, as the WHO's tables print them:
# Child Growth Standards (2006) up to 60 months, growth reference (2007) from there on.
HEIGHTS = [
    ("M", 0, 49.8842, 0.03795), ("F", 0, 49.1477, 0.0379), ("F", 60, 109.4189, 0.04346),
    ("F", 72, 115.1244, 0.04447), ("M", 120, 137.7795, 0.04626), ("F", 144, 151.2327, 0.04523),
    ("M", 168, 163.1816, 0.04714), ("F", 216, 163.0595, 0.04053),
]  # fmt: skip


@pytest.mark.parametrize(("sex", "months", "median", "variation"), HEIGHTS)
def test_height_limits_are_wider_than_4_standard_deviations_and_not_much(
    sex: str, months: int, median: float, variation: float
) -> None:
    """And the coarse ones wider than 6, which the WHO calls biologically implausible beyond."""
    low, high = load_height_limits()[(sex, months)]
    deviation = median * variation
    month = 4.5 if months == 0 else 1.5  # cm grown in a month at most, by which a birth's month may err
    assert low <= median - 4 * deviation <= low + 4 + month
    assert high - 4 - month <= median + 4 * deviation <= high
    (bounds,) = (each for each in load_plausible() if each.kind == "height" and each.covers(months))
    assert bounds.low < median - 6 * deviation and median + 6 * deviation < bounds.high


def test_height_limits_are_round_numbers_of_our_own() -> None:
    with (files("p4dp_sdk.catalogue.reference") / "height_for_age.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) < 50 and all(int(row[side]) % 2 == 0 for row in rows for side in ("low", "high"))
    assert set(load_height_limits()) == {(sex, months) for sex in "MF" for months in range(228)}


# Weight (kg) at -6 and +5 standard deviations of the lighter and the heavier sex, worked out as the WHO's own
# software does (R packages anthro and anthroplus), which flags a weight outside as implausible.
WEIGHTS = [
    (0, 0.9, 6.3), (1, 1.4, 8.1), (2, 2.0, 9.7), (6, 3.2, 13.2), (12, 4.0, 16.3), (23, 5.1, 20.9),
    (24, 5.2, 21.3), (47, 6.5, 32.0), (48, 6.6, 32.5), (71, 8.0, 44.1), (72, 8.1, 44.7), (95, 9.3, 60.0),
    (96, 9.4, 60.8), (119, 11.2, 82.7),
]  # fmt: skip


@pytest.mark.parametrize(("months", "lightest", "heaviest"), WEIGHTS)
def test_weight_bounds_are_wider_than_what_the_who_calls_implausible(
    months: int, lightest: float, heaviest: float
) -> None:
    (bounds,) = (each for each in load_plausible() if each.kind == "weight" and each.covers(months))
    assert bounds.low <= lightest and heaviest <= bounds.high


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
