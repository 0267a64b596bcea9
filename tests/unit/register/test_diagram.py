"""The documentation's diagram is the dict's."""

from __future__ import annotations

from pathlib import Path

from hub_config.governance.register.facts import TRANSITIONS, State
from hub_config.register.diagram import state_diagram

PAGE = Path(__file__).parents[3] / "docs/how-to/tenir-le-registre.md"


def test_the_documentation_draws_what_the_dict_says() -> None:
    drawn = state_diagram(TRANSITIONS, State.DRAFT)
    assert f"```mermaid\n{drawn}\n```" in PAGE.read_text()
    assert drawn.count("-->") == 1 + sum(len(steps) or 1 for steps in TRANSITIONS.values())
