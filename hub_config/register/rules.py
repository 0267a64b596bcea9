"""Decisions of the register: facts in, decision out. No I/O, no clock, no randomness.

`why_not` is the one predicate of a dossier: buttons and actions alike ask it. Nobody decides on what they
asked for, direct or would work in; nobody holds two of the three offices on one dossier, in whichever rounds;
whoever declared a conflict takes no part. `why_not_of_project` is the same for what is done to a project on
record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from hub_config.governance.facts import AccessLevel, ProjectFacts, ProjectStatus
from hub_config.governance.register.facts import (
    TRANSITIONS,
    Ballot,
    DossierFacts,
    EntryFacts,
    Office,
    Scope,
    State,
    Step,
    Verdict,
)
from hub_config.governance.roles import Person, Role


class Act(StrEnum):
    VIEW = "view"
    SAVE = "save"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    ANSWER_RESERVE = "answer-reserve"
    DECLARE_CONFLICT = "declare-conflict"
    VOTE = "vote"
    CLOSE_VOTE = "close-vote"
    LIFT_RESERVE = "lift-reserve"
    DECIDE_DPO = "decide-dpo"
    DECIDE_ADMIN = "decide-admin"


class Denial(StrEnum):
    """Why not, in one word; `texts` says it to people."""

    NOT_YOURS = "not-yours"
    NOT_YOUR_ROLE = "not-your-role"
    INVOLVED = "involved"
    CONFLICT_DECLARED = "conflict-declared"
    OTHER_OFFICE = "other-office"
    NOT_NOW = "not-now"
    ALREADY_VOTED = "already-voted"
    ALREADY_DECIDED = "already-decided"
    NO_QUORUM = "no-quorum"
    TIED = "tied"
    SANDBOX = "sandbox"
    ASKED_ALREADY = "asked-already"
    LEADS_NO_MORE = "leads-no-more"
    REVIEW_FIRST = "review-first"


OFFICES: Mapping[Office, Role] = {Office.CSE: Role.CSE, Office.DPO: Role.DPO, Office.ADMIN: Role.ADMIN}
ASKERS = frozenset({Role.INTERNE, Role.CHERCHEUR, Role.DMG, Role.MEDECIN_REFERENT})
"""Who asks for projects, and whom a responsible may add to theirs."""

_ACTS_OF_OFFICES: Mapping[Act, Office] = {
    Act.DECLARE_CONFLICT: Office.CSE,
    Act.VOTE: Office.CSE,
    Act.CLOSE_VOTE: Office.CSE,
    Act.LIFT_RESERVE: Office.CSE,
    Act.DECIDE_DPO: Office.DPO,
    Act.DECIDE_ADMIN: Office.ADMIN,
}
_SETTLING: Mapping[Office, tuple[Act, ...]] = {
    Office.CSE: (Act.VOTE, Act.CLOSE_VOTE),
    Office.DPO: (Act.DECIDE_DPO,),
    Office.ADMIN: (Act.DECIDE_ADMIN,),
}
"""By what an office comes to its decision."""
_REQUESTERS: Mapping[Act, frozenset[State]] = {
    Act.SAVE: frozenset({State.DRAFT, State.RETURNED}),
    Act.SUBMIT: frozenset({State.DRAFT, State.RETURNED}),
    Act.WITHDRAW: frozenset({State.DRAFT, State.RETURNED, State.IN_REVIEW}),
    Act.ANSWER_RESERVE: frozenset({State.IN_REVIEW}),
}


def may_ask(person: Person) -> bool:
    return bool(person.roles & ASKERS)


def is_officer(person: Person) -> bool:
    """Whether they hold one of the three offices, on whatever dossier."""
    return bool(person.roles & frozenset(OFFICES.values()))


def why_not(person: Person, act: Act, dossier: DossierFacts, *, quorum: int) -> Denial | None:
    """None if `person` may do this to the dossier as it stands."""
    if act is Act.VIEW:
        return _why_not_view(person, dossier)
    if act in _REQUESTERS:
        return _why_not_requester(person, act, dossier)
    office = _ACTS_OF_OFFICES[act]
    if OFFICES[office] not in person.roles:
        return Denial.NOT_YOUR_ROLE
    if dossier.state is not State.IN_REVIEW:
        return Denial.NOT_NOW
    return _barred(person, office, dossier) or _why_not_office(person, act, office, dossier, quorum)


def _why_not_view(person: Person, dossier: DossierFacts) -> Denial | None:
    if person.username in dossier.named and dossier.state is not State.DRAFT:
        return None
    if person.username == dossier.requester:
        return None
    submitted = dossier.submitted_at is not None
    return None if submitted and is_officer(person) else Denial.NOT_YOURS


def _why_not_requester(person: Person, act: Act, dossier: DossierFacts) -> Denial | None:
    if person.username != dossier.requester:
        return Denial.NOT_YOURS
    return None if dossier.state in _REQUESTERS[act] else Denial.NOT_NOW


def _barred(person: Person, office: Office, dossier: DossierFacts) -> Denial | None:
    """What keeps an officer from this dossier, whatever they would do."""
    if person.username in dossier.involved:
        return Denial.INVOLVED
    if person.username in {conflict.username for conflict in dossier.conflicts}:
        return Denial.CONFLICT_DECLARED
    if offices_held(person.username, dossier) - {office}:
        return Denial.OTHER_OFFICE
    return None


def waits(person: Person, office: Office, dossier: DossierFacts, *, quorum: int) -> bool:
    """Whether the dossier waits for this person now: in this office there is something they may do, and its
    decision, or the lifting of its reserve, is needed."""
    acts = _SETTLING[office] if office in offices_needed(dossier) else ()
    if office is Office.CSE and any(reserve.open for reserve in dossier.reserves):
        acts = (*acts, Act.LIFT_RESERVE)
    return any(why_not(person, act, dossier, quorum=quorum) is None for act in acts)


def offices_held(username: str, dossier: DossierFacts) -> frozenset[Office]:
    """The offices in whose name they already spoke on this dossier, in this round or before: what was sent
    back and mended is still the request they judged. A reserve is the committee's, and so is its lifting."""
    spoke = {one.office for one in dossier.opinions if one.by == username}
    voted = {vote.voter for vote in dossier.votes} | dossier.voted_before
    reserved = {who for one in dossier.reserves for who in (one.by, one.lifted_by)}
    return frozenset(spoke | ({Office.CSE} if username in voted | reserved else set()))


def _why_not_office(
    person: Person, act: Act, office: Office, dossier: DossierFacts, quorum: int
) -> Denial | None:
    if act in (Act.LIFT_RESERVE, Act.DECLARE_CONFLICT):
        return None
    if dossier.opinion(office) is not None:
        return Denial.ALREADY_DECIDED
    voted = person.username in {vote.voter for vote in dossier.votes}
    if act is Act.VOTE and voted:
        return Denial.ALREADY_VOTED
    if act is Act.CLOSE_VOTE:
        return _why_not_close(dossier, quorum)
    return None


def _why_not_close(dossier: DossierFacts, quorum: int) -> Denial | None:
    match tally(dossier).outcome(quorum):
        case NoQuorum():
            return Denial.NO_QUORUM
        case Tie():
            return Denial.TIED
        case Verdict():
            return None


@dataclass(frozen=True)
class NoQuorum:
    missing: int


@dataclass(frozen=True)
class Tie:
    """As many for as against, or nobody for anything: another member must vote."""


@dataclass(frozen=True)
class Tally:
    """The committee's votes of this round. Abstentions make the quorum and decide nothing."""

    votes_for: int
    against: int
    abstentions: int

    @property
    def cast(self) -> int:
        return self.votes_for + self.against + self.abstentions

    def outcome(self, quorum: int) -> Verdict | NoQuorum | Tie:
        if self.cast < quorum:
            return NoQuorum(quorum - self.cast)
        if self.votes_for == self.against:
            return Tie()
        return Verdict.FAVOURABLE if self.votes_for > self.against else Verdict.UNFAVOURABLE


def tally(dossier: DossierFacts) -> Tally:
    """Only of who takes part: whoever declares a conflict, or leaves, takes their vote with them."""
    count = Counter(vote.ballot for vote in dossier.votes)
    return Tally(count[Ballot.FOR], count[Ballot.AGAINST], count[Ballot.ABSTAIN])


@dataclass(frozen=True)
class Waiting:
    """Not yet: these offices have said nothing, these many reserves stand."""

    offices: tuple[Office, ...]
    reserves: int


def offices_needed(dossier: DossierFacts) -> tuple[Office, ...]:
    """Whose consent it takes: all three. What a lead asks for their own centres, protected results, no SNDS
    and no re-contact, the committee leaves to the other two: it named the lead. A vote or a reserve takes it
    up all the same."""
    if is_of_own_region(dossier) and not dossier.votes and dossier.opinion(Office.CSE) is None:
        return (Office.DPO, Office.ADMIN)
    return tuple(Office)


def is_of_own_region(dossier: DossierFacts) -> bool:
    """A regional request for aggregate access only, that seeks nobody. Its scope was written at submission,
    not typed."""
    answers = dossier.answers
    return (
        answers.get("scope") == Scope.REGIONAL
        and answers.get("access") == AccessLevel.AGGREGATE
        and not dossier.asks_recontact
        and not any(str(name).startswith("snds_") for name in answers.get("tables") or ())
    )


def settled(dossier: DossierFacts) -> Step | Waiting:
    """What the opinions of this round amount to. One office against refuses, one that sends back returns;
    approval takes all that are needed and no open reserve."""
    said = {office: dossier.opinion(office) for office in Office}
    verdicts = {opinion.verdict for opinion in said.values() if opinion is not None}
    if Verdict.UNFAVOURABLE in verdicts:
        return Step.REFUSE
    if Verdict.RETURN in verdicts:
        return Step.RETURN
    missing = tuple(office for office in offices_needed(dossier) if said[office] is None)
    reserves = sum(reserve.open for reserve in dossier.reserves)
    return Waiting(missing, reserves) if missing or reserves else Step.APPROVE


def next_state(state: State, step: Step) -> State | None:
    return TRANSITIONS[state].get(step)


class ProjectAct(StrEnum):
    """What is done to a project on record, outside a dossier."""

    VIEW = "view"
    ADD_MEMBER = "add-member"
    REMOVE_MEMBER = "remove-member"
    CONFIRM_MEMBERS = "confirm-members"
    ASK_AMENDMENT = "ask-amendment"
    ASK_RENEWAL = "ask-renewal"
    NAME_RESPONSIBLE = "name-responsible"
    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"


_BY_OFFICERS: Mapping[ProjectAct, frozenset[Role]] = {
    ProjectAct.NAME_RESPONSIBLE: frozenset({Role.ADMIN, Role.CSE}),
    ProjectAct.SUSPEND: frozenset({Role.ADMIN, Role.DPO}),
    ProjectAct.RESUME: frozenset({Role.ADMIN}),
    ProjectAct.CLOSE: frozenset({Role.ADMIN}),
}
_NOT_ON_ONE_S_OWN = frozenset({ProjectAct.NAME_RESPONSIBLE, ProjectAct.RESUME})
_STATUSES: Mapping[ProjectAct, frozenset[ProjectStatus]] = {
    ProjectAct.ADD_MEMBER: frozenset({ProjectStatus.APPROVED}),
    ProjectAct.REMOVE_MEMBER: frozenset(ProjectStatus) - {ProjectStatus.CLOSED},
    ProjectAct.CONFIRM_MEMBERS: frozenset({ProjectStatus.APPROVED, ProjectStatus.SUSPENDED}),
    ProjectAct.ASK_AMENDMENT: frozenset({ProjectStatus.APPROVED}),
    ProjectAct.ASK_RENEWAL: frozenset({ProjectStatus.APPROVED}),
    ProjectAct.NAME_RESPONSIBLE: frozenset(ProjectStatus) - {ProjectStatus.CLOSED},
    ProjectAct.SUSPEND: frozenset({ProjectStatus.APPROVED}),
    ProjectAct.RESUME: frozenset({ProjectStatus.SUSPENDED}),
    ProjectAct.CLOSE: frozenset(ProjectStatus) - {ProjectStatus.CLOSED},
}


def why_not_of_project(
    person: Person, act: ProjectAct, project: ProjectFacts, entry: EntryFacts | None
) -> Denial | None:
    """None if `person` may do this to the project. The responsible looks after members and asks for more;
    officers see all, suspend and close."""
    responsible = entry is not None and entry.responsible == person.username
    if act is ProjectAct.VIEW:
        seen = responsible or person.username in project.members or is_officer(person)
        return None if seen else Denial.NOT_YOURS
    if project.open_to_all:
        return Denial.SANDBOX
    if act in _BY_OFFICERS:
        if not person.roles & _BY_OFFICERS[act]:
            return Denial.NOT_YOUR_ROLE
        if act in _NOT_ON_ONE_S_OWN and (responsible or person.username in project.members):
            return Denial.INVOLVED
    elif not responsible:
        return Denial.NOT_YOURS
    return None if project.status in _STATUSES[act] else Denial.NOT_NOW


# dates


@dataclass(frozen=True)
class ReviewPolicy:
    """How often members are confirmed, and how long after the date the project is suspended."""

    months: int
    grace_days: int


class ReviewState(StrEnum):
    NONE = "none"
    COMING = "coming"
    DUE = "due"
    OVERDUE = "overdue"  # past the grace: suspended by policy


def review_state(due: date | None, policy: ReviewPolicy, at: date, notice_days: int) -> ReviewState:
    if due is None or at < due - timedelta(days=notice_days):
        return ReviewState.NONE
    if at < due:
        return ReviewState.COMING
    return ReviewState.DUE if at <= due + timedelta(days=policy.grace_days) else ReviewState.OVERDUE


def next_review(at: date, policy: ReviewPolicy) -> date:
    """The same day so many months on, or the last day of a shorter month."""
    months = at.year * 12 + at.month - 1 + policy.months
    year, month = divmod(months, 12)
    for day in (at.day, 30, 29, 28):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def expires_soon(expires_on: date | None, at: date, notice_days: int) -> bool:
    """Whether it is time to ask for a renewal: from the notice on, and after the end too."""
    return expires_on is not None and at >= expires_on - timedelta(days=notice_days)
