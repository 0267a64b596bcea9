"""The whole life of a request of release, in one dict. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.governance.releases.facts import State, Step

TRANSITIONS: Final[Mapping[State, Mapping[Step, State]]] = {
    State.DRAFT: {
        Step.CHANGE: State.DRAFT,
        Step.SUBMIT: State.SUBMITTED,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.EXPIRE: State.WITHDRAWN,
    },
    State.SUBMITTED: {
        Step.CHANGE: State.DRAFT,
        Step.TAKE: State.IN_REVIEW,
        Step.APPROVE: State.APPROVED,  # conforme d'origine, where the policy asks for no look
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.IN_REVIEW: {
        Step.CHANGE: State.DRAFT,
        Step.APPROVE: State.APPROVED,
        Step.RETURN: State.RETURNED,
        Step.REJECT: State.REJECTED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.APPROVED: {
        Step.CHANGE: State.DRAFT,
        Step.RELEASE: State.RELEASED,
        Step.REOPEN: State.IN_REVIEW,
        Step.RETURN: State.RETURNED,  # the bytes on the shelf are no longer those that were reviewed
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.RELEASED: {Step.RECALL: State.RELEASED},  # what left has left: recalled beside, with its reason
    State.RETURNED: {Step.WITHDRAW: State.WITHDRAWN},  # mended in a new request that names this one
    State.REJECTED: {},
    State.WITHDRAWN: {},
}

OPEN: Final = frozenset({State.SUBMITTED, State.IN_REVIEW})
"""Reviewers have something to do."""

CHANGEABLE: Final = frozenset(state for state, steps in TRANSITIONS.items() if Step.CHANGE in steps)


def next_state(state: State, step: Step) -> State | None:
    """The state after `step`, or None where a request in `state` can't take it."""
    return TRANSITIONS[state].get(step)


def takes(step: Step) -> tuple[State, ...]:
    """The states from which `step` is possible."""
    return tuple(state for state, steps in TRANSITIONS.items() if step in steps)
