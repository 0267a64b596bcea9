"""State machines as the documentation draws them. Pure: a dict in, a Mermaid diagram out."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


def state_diagram(transitions: Mapping[StrEnum, Mapping[StrEnum, StrEnum]], begin: StrEnum) -> str:
    """Every state and step of the dict, in its order; states without a step lead to the end."""
    lines = ["stateDiagram-v2", f"    [*] --> {_name(begin)}"]
    for state, steps in transitions.items():
        lines += [f"    {_name(state)} --> {_name(after)} : {step.value}" for step, after in steps.items()]
        if not steps:
            lines.append(f"    {_name(state)} --> [*]")
    return "\n".join(lines)


def _name(state: StrEnum) -> str:
    """Mermaid's names hold no hyphen."""
    return state.value.replace("-", "_")
