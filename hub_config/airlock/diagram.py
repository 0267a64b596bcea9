"""Draws the life of a request for the documentation, from the one dict that rules it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from hub_config.airlock.states import TRANSITIONS
from hub_config.governance.releases.facts import State, Step

WORDS: Final[Mapping[State, str]] = {
    State.DRAFT: "brouillon",
    State.SUBMITTED: "envoyée",
    State.IN_REVIEW: "en relecture",
    State.APPROVED: "approuvée",
    State.RELEASED: "sortie",
    State.RETURNED: "à corriger",
    State.REJECTED: "refusée",
    State.WITHDRAWN: "retirée",
}
WHO: Final[Mapping[Step, str]] = {
    Step.CHANGE: "The requester changes a file or a word: all votes are set aside.",
    Step.SUBMIT: "The requester hands it in; the files are checked, the context is given.",
    Step.TAKE: "The first reviewer opens it.",
    Step.APPROVE: "All the looks needed are cast, count, and approve; with no look where the policy says so.",
    Step.RETURN: "The reviewers ask for changes, or the kept bytes are no longer those that were reviewed.",
    Step.REJECT: "The reviewers agree that it must never leave.",
    Step.RELEASE: "The enclave hashes the bytes again and writes the disclosure record.",
    Step.REOPEN: "An approval no longer counts, since its reviewer has joined the project.",
    Step.RECALL: "A reviewer or the DPO records that it should not have left; downloads end.",
    Step.WITHDRAW: "The requester takes it back.",
    Step.EXPIRE: "Nobody has touched the draft for too long.",
}


def mermaid() -> str:
    """The state diagram, as the text of a mermaid block."""
    return "\n".join(["stateDiagram-v2", *(f"    {line}" for line in _lines())]) + "\n"


def reference() -> str:
    """The page `docs/reference/airlock-states.md`, whole."""
    steps = "\n".join(f"| `{step.value}` | {WHO[step]} |" for step in Step)
    return (
        "# The states of a release request\n\n"
        "Drawn from `TRANSITIONS` in `hub_config/airlock/states.py`; nothing else moves a request. "
        "In French: "
        + ", ".join(f"{state.value} *{WORDS[state]}*" for state in State)
        + f".\n\n```mermaid\n{mermaid()}```\n\n| Step | What happens |\n|---|---|\n{steps}\n"
    )


def _lines() -> Iterator[str]:
    yield f"[*] --> {_name(State.DRAFT)}"
    for state, steps in TRANSITIONS.items():
        for step, after in steps.items():
            yield f"{_name(state)} --> {_name(after)}: {step.value}"
        if not steps:
            yield f"{_name(state)} --> [*]"


def _name(state: State) -> str:
    """Mermaid takes no hyphen in a state's name."""
    return state.value.replace("-", "_")
