"""`quality-rules.md`: every quality rule from its registry, and the table of plausibility."""

from __future__ import annotations

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.quality import Effect, Plausible, Rule, load_plausible, load_rules

from .page import page, table

HOW = """
What a snapshot's rows are judged by while it is made, in this order: a row bears the code of the first rule
that fires. What was exported (`value_raw`, `unit_raw`, `label_raw`, the date) is never changed; rows whose
exported text was not kept are not judged. `warehouse check` counts them, and so does `ws.quality`.
"""
EFFECTS = {
    Effect.CORRECTS: "The harmonised value is put right.",
    Effect.SETS_ASIDE: "The harmonised value is emptied.",
    Effect.MARKS: "The row is marked, nothing else.",
    Effect.COUNTS: "Counted in `quality.json`; no row bears it.",
}
SOURCES = {
    "own": "our own, wide on purpose: only what no body has is set aside",
    "facts": "published with the dashboards",
}


def build() -> str:
    labels = {code.code: code for code in load_catalogue().code_systems["dq_code"].codes}
    parts = [part for rule in load_rules().values() for part in _rule(rule, labels[rule.dq_code].label_en)]
    return page("Quality rules", HOW, *parts, "## Table of plausibility", PLAUSIBLE, _table())


PLAUSIBLE = """
Inclusive bounds by age in months, in the unit named; at an unknown age the widest of the measure. Heights
before 19 years are also held to limits of our own by sex and month of age: 4 standard deviations about the
WHO's median, widened to round numbers. Bounds of weights before 10 years and of heights are wider than what
the WHO flags as biologically implausible (weight for age under -6 or over +5 standard deviations, height for
age beyond 6).
"""


def _rule(rule: Rule, label: str) -> list[str]:
    kinds = f" ({', '.join(rule.kinds)})" if rule.kinds else ""
    return [
        f"## {rule.name}",
        f"`{rule.dq_code}`: {label}. {EFFECTS[rule.effect]} Asked of {', '.join(rule.tables)}{kinds}.",
        f"{rule.what_en} {rule.why_en}",
        f"*{rule.what_fr} {rule.why_fr}*",
        f"Source: {rule.source}",
    ]


def _table() -> str:
    heads = ("measure", "unit", "age (months)", "from", "to", "source")
    return table(heads, (_cells(each) for each in load_plausible()))


def _cells(each: Plausible) -> tuple[str, ...]:
    ages = f"{each.from_months} to {each.to_months}" if each.to_months else f"{each.from_months} on"
    return each.kind, each.unit, ages, f"{each.low:g}", f"{each.high:g}", SOURCES[each.source]
