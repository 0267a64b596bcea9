"""One dict moves a request: it is whole, what has left stays on record, and the documentation draws it."""

from __future__ import annotations

import pytest

from hub_config.airlock.diagram import WHO, WORDS, mermaid, reference
from hub_config.airlock.states import CHANGEABLE, OPEN, TRANSITIONS, next_state, takes
from hub_config.governance.releases.facts import State, Step

EXPECTED = """
            change  submit     take       approve   return    reject    release   reopen     recall    withdraw   expire
draft       draft   submitted  -          -         -         -         -         -          -         withdrawn  withdrawn
submitted   draft   -          in-review  approved  -         -         -         -          -         withdrawn  -
in-review   draft   -          -          approved  returned  rejected  -         -          -         withdrawn  -
approved    draft   -          -          -         returned  -         released  in-review  -         withdrawn  -
released    -       -          -          -         -         -         -         -          released  -          -
returned    -       -          -          -         -         -         -         -          -         withdrawn  -
rejected    -       -          -          -         -         -         -         -          -         -          -
withdrawn   -       -          -          -         -         -         -         -          -         -          -
"""  # noqa: E501


def rows() -> dict[State, dict[Step, State | None]]:
    header, *lines = [line.split() for line in EXPECTED.strip().splitlines()]
    steps = [Step(word) for word in header]
    return {
        State(words[0]): {
            step: None if word == "-" else State(word) for step, word in zip(steps, words[1:], strict=True)
        }
        for words in lines
    }


def test_every_state_and_step_is_decided() -> None:
    assert set(TRANSITIONS) == set(State) == set(rows())
    assert all(set(steps) == set(Step) for steps in rows().values())


@pytest.mark.parametrize("state", State)
def test_each_step_leads_where_the_table_says(state: State) -> None:
    assert {step: next_state(state, step) for step in Step} == rows()[state]


def test_nothing_is_released_but_from_approved() -> None:
    into = [(state, step) for state in State for step in Step if next_state(state, step) is State.RELEASED]
    assert into == [(State.APPROVED, Step.RELEASE), (State.RELEASED, Step.RECALL)]


def test_every_state_is_reached_and_every_step_is_possible_somewhere() -> None:
    reached = {State.DRAFT} | {after for steps in TRANSITIONS.values() for after in steps.values()}
    assert reached == set(State)
    assert all(takes(step) for step in Step)
    assert OPEN | {State.DRAFT, State.APPROVED} == CHANGEABLE


def test_the_diagram_has_every_transition() -> None:
    drawn = mermaid().splitlines()
    moves = sum(len(steps) for steps in TRANSITIONS.values())
    ends = sum(not steps for steps in TRANSITIONS.values())
    assert len(drawn) == 2 + moves + ends
    assert "    approved --> released: release" in drawn
    assert "    in_review --> approved: approve" in drawn


def test_the_page_explains_every_state_and_step() -> None:
    assert set(WORDS) == set(State)
    assert set(WHO) == set(Step)
    page = reference()
    assert all(f"`{step.value}`" in page for step in Step)
    assert page.count("```") == 2
