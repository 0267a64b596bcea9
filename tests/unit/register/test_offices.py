"""The law of the three offices, over any history of a dossier: whoever spoke for one speaks for no other of
it, in whichever round, and may always speak for the same one again when it is sent anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.governance.register.facts import (
    Ballot,
    DossierFacts,
    Kind,
    Office,
    Opinion,
    Reserve,
    State,
    Verdict,
    Vote,
)
from hub_config.governance.roles import Person
from hub_config.register import rules
from hub_config.register.rules import OFFICES, Act, Denial, why_not

AT = datetime(2026, 11, 22, tzinfo=UTC)
SENT = DossierFacts(
    id="p-1", kind=Kind.CREATION, project="asthme", requester="ines", state=State.IN_REVIEW, round=1,
    answers={"title": "Asthme"}, created_at=AT, saved_at=AT, submitted_at=AT, closed_at=None, version=1,
)  # fmt: skip
EVERYTHING: Final = frozenset(OFFICES.values())
PEOPLE = ("paule", "charles", "claire")
SPEAKS: Mapping[Act, Office] = {
    Act.VOTE: Office.CSE,
    Act.CLOSE_VOTE: Office.CSE,
    Act.LIFT_RESERVE: Office.CSE,
    Act.DECIDE_DPO: Office.DPO,
    Act.DECIDE_ADMIN: Office.ADMIN,
}
"""Acts by which somebody speaks for an office."""


@dataclass
class History:
    """A dossier that goes to and fro, and who spoke for what in it, noted apart."""

    dossier: DossierFacts = SENT
    spoke: dict[str, set[Office]] = field(default_factory=lambda: defaultdict(set))
    refused: list[tuple[str, Act]] = field(default_factory=list)

    def send_anew(self) -> None:
        voters = {vote.voter for vote in self.dossier.votes}
        before = self.dossier.voted_before | voters
        self.dossier = replace(self.dossier, round=self.dossier.round + 1, votes=(), voted_before=before)

    def try_to(self, who: str, act: Act) -> None:
        person = Person(who, who, EVERYTHING)
        denial = why_not(person, act, self.dossier, quorum=1)
        if denial is None:
            self.spoke[who].add(SPEAKS[act])
            self.dossier = _done(self.dossier, who, act)
        elif denial is Denial.OTHER_OFFICE:
            self.refused.append((who, act))


def _done(dossier: DossierFacts, who: str, act: Act) -> DossierFacts:
    match act:
        case Act.VOTE:
            return replace(dossier, votes=(*dossier.votes, Vote(who, Ballot.FOR, "", AT)))
        case Act.LIFT_RESERVE:
            lifted = Reserve(1, "?", "colette", AT, lifted_by=who, lifted_at=AT, lifted_because="oui")
            return replace(dossier, reserves=(*dossier.reserves, lifted))
        case _:
            said = Opinion(SPEAKS[act], Verdict.RETURN, who, "…", AT, dossier.round)
            return replace(dossier, opinions=(*dossier.opinions, said))


STEPS = st.lists(
    st.one_of(st.none(), st.tuples(st.sampled_from(PEOPLE), st.sampled_from(sorted(SPEAKS)))), max_size=24
)
"""None: it is sent back, and sent anew."""


def lived(steps: list[tuple[str, Act] | None]) -> History:
    history = History()
    for step in steps:
        if step is None:
            history.send_anew()
        else:
            history.try_to(*step)
    return history


@settings(deadline=None, derandomize=True)
@given(STEPS)
def test_nobody_speaks_for_two_offices_in_any_history(steps: list[tuple[str, Act] | None]) -> None:
    history = lived(steps)
    assert all(len(offices) <= 1 for offices in history.spoke.values())


@settings(deadline=None, derandomize=True)
@given(STEPS)
def test_the_same_office_is_always_open_to_who_spoke_for_it(steps: list[tuple[str, Act] | None]) -> None:
    """A small committee is not locked out: a request sent anew is decided on by those who decided before."""
    history = lived(steps)
    for who, act in history.refused:
        assert SPEAKS[act] not in history.spoke[who]
    history.send_anew()
    for who, offices in history.spoke.items():
        person = Person(who, who, EVERYTHING)
        for act in (Act.VOTE, Act.DECIDE_DPO, Act.DECIDE_ADMIN):
            expected = None if SPEAKS[act] in offices else Denial.OTHER_OFFICE
            assert why_not(person, act, history.dossier, quorum=1) is expected


def test_the_law_is_one_that_can_be_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the look at this round alone, Paule judges as DPO what she voted on when it came first."""

    def this_round(username: str, dossier: DossierFacts) -> frozenset[Office]:
        spoke = {one.office for one in dossier.opinions if one.by == username and one.round == dossier.round}
        voted = username in {one.voter for one in dossier.votes}
        return frozenset(spoke | ({Office.CSE} if voted else set()))

    steps: list[tuple[str, Act] | None] = [("paule", Act.VOTE), None, ("paule", Act.DECIDE_DPO)]
    assert lived(steps).spoke["paule"] == {Office.CSE}
    monkeypatch.setattr(rules, "offices_held", this_round)
    assert lived(steps).spoke["paule"] == {Office.CSE, Office.DPO}
