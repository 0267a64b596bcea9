"""`indicators.md`: every indicator by dashboard, as it explains itself, in French and English."""

from __future__ import annotations

from p4dp_sdk.indicators.explain import explain
from p4dp_sdk.indicators.measure import Measure
from p4dp_sdk.indicators.registry import dashboards, measures

from .page import code, page, table

HOW = """
What stands behind each dashboard. In a workspace: `ws.indicators["polymedication_continue"].measure("sex")`,
and `.explain()` says what is below. How to ask: [indicateurs](../how-to/indicateurs.md).
"""


def build() -> str:
    return page("Indicators", HOW, _listed(), *(part for name in dashboards() for part in _board(name)))


def _listed() -> str:
    rows = [
        (board.label_fr, code(name), measures()[name].label_fr)
        for board in dashboards().values()
        for name in board.measures
    ]
    return table(["Dashboard", "Indicator", "Content"], rows)


def _board(name: str) -> list[str]:
    board = dashboards()[name]
    return [f"## {board.label_fr}", *(part for each in board.measures for part in _measure(measures()[each]))]


def _measure(measure: Measure) -> list[str]:
    french, english = (explain(measure, language).splitlines()[-1] for language in ("fr", "en"))
    return [f"### {measure.id}", f"**{measure.label_fr}** · {measure.label_en}", french, f"*{english}*"]
