"""The register's words as frozen values: a dossier asks for a project, an entry keeps one. No I/O, no clock.

A *dossier* is one request to the committee, the DPO and the administrator: for a new project, another grant
or more time. `TRANSITIONS` is its whole life. An *entry* is a project as the register of processing tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from hub_config.governance.facts import AccessLevel

RawAnswers = Mapping[str, Any]  # what was typed, field by field: text, a list of texts, or texts by name
ASKED: Final = "yes"  # a box that was ticked


class LegalBasis(StrEnum):
    """On what ground the data may be used: the CNIL's reference methodologies, or a decision of its own."""

    MR_001 = "MR-001"
    MR_002 = "MR-002"
    MR_003 = "MR-003"
    MR_004 = "MR-004"
    MR_005 = "MR-005"
    MR_006 = "MR-006"
    MR_007 = "MR-007"
    MR_008 = "MR-008"
    AUTHORISATION = "authorisation"
    INTERNAL_RESEARCH = "internal-research"
    WAREHOUSE_REFERENCE = "warehouse-reference"

    @property
    def needs_reference(self) -> bool:
        """Whether it means something only with the number of the decision."""
        return self is LegalBasis.AUTHORISATION


class Scope(StrEnum):
    NATIONAL = "national"
    REGIONAL = "regional"  # a DMG lead's own centres


class Kind(StrEnum):
    CREATION = "creation"
    AMENDMENT = "amendment"  # another grant, other words
    RENEWAL = "renewal"  # the same, for longer


class State(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in-review"
    RETURNED = "returned"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    SUBMIT = "submit"
    RETURN = "return"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


TRANSITIONS: Mapping[State, Mapping[Step, State]] = {
    State.DRAFT: {Step.SUBMIT: State.IN_REVIEW, Step.WITHDRAW: State.WITHDRAWN},
    State.IN_REVIEW: {
        Step.RETURN: State.RETURNED,
        Step.APPROVE: State.APPROVED,
        Step.REFUSE: State.REFUSED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.RETURNED: {Step.SUBMIT: State.IN_REVIEW, Step.WITHDRAW: State.WITHDRAWN},
    State.APPROVED: {},
    State.REFUSED: {},
    State.WITHDRAWN: {},
}


class Office(StrEnum):
    """Whose consent a project needs: all three."""

    CSE = "cse"
    DPO = "dpo"
    ADMIN = "admin"


class Verdict(StrEnum):
    FAVOURABLE = "favourable"
    RETURN = "return"
    UNFAVOURABLE = "unfavourable"


class Ballot(StrEnum):
    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"


@dataclass(frozen=True)
class Vote:
    voter: str
    ballot: Ballot
    comment: str
    at: datetime


@dataclass(frozen=True)
class Conflict:
    """A member of the committee who takes no part, and why."""

    username: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Reserve:
    """A condition of the committee: nothing opens before it is lifted."""

    id: int
    text: str
    by: str
    at: datetime
    answer: str = ""
    lifted_by: str | None = None
    lifted_at: datetime | None = None
    lifted_because: str = ""

    @property
    def open(self) -> bool:
        return self.lifted_at is None


@dataclass(frozen=True)
class Opinion:
    """What one office decided, when and why. `details` is what it decided besides: the DPO's legal basis,
    the administrator's technical grant, the committee's count."""

    office: Office
    verdict: Verdict
    by: str
    reason: str
    at: datetime
    round: int
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DossierFacts:
    id: str
    kind: Kind
    project: str | None
    requester: str
    state: State
    round: int  # 1 for the first submission; opinions of earlier rounds are history
    answers: RawAnswers
    created_at: datetime
    saved_at: datetime
    submitted_at: datetime | None
    closed_at: datetime | None
    version: int
    votes: tuple[Vote, ...] = ()  # of this round
    voted_before: frozenset[str] = frozenset()  # in a round before this one: who, not what
    conflicts: tuple[Conflict, ...] = ()
    reserves: tuple[Reserve, ...] = ()
    opinions: tuple[Opinion, ...] = ()  # of every round, oldest first
    belonging: frozenset[str] = frozenset()  # to the project as it is: members of now and before, responsible

    @property
    def title(self) -> str:
        return str(self.answers.get("title", ""))

    @property
    def involved(self) -> frozenset[str]:
        """Who may decide nothing about it: they asked for it, direct it, would work in it, or belong to the
        project, whatever the form says of them."""
        return self.named | self.belonging

    @property
    def named(self) -> frozenset[str]:
        """Whom the form names."""
        director = str(self.answers.get("director_login", "")).strip().lower()
        return frozenset({self.requester, *members_of(self.answers), *([director] if director else [])})

    @property
    def asks_recontact(self) -> bool:
        return asks_recontact(self.answers)

    def opinion(self, office: Office) -> Opinion | None:
        """What this office said in this round."""
        found = [one for one in self.opinions if one.office is office and one.round == self.round]
        return found[-1] if found else None


def members_of(answers: RawAnswers) -> tuple[str, ...]:
    """The logins typed, however they are separated."""
    typed = str(answers.get("members", "")).replace(",", " ").replace(";", " ")
    return tuple(dict.fromkeys(name.lower() for name in typed.split()))


def asks_recontact(answers: RawAnswers) -> bool:
    """Whether practices may be asked to tell patients of the study."""
    return answers.get("recontact") == ASKED


@dataclass(frozen=True)
class Answers:
    """A complete request, every field checked: nothing else may be submitted."""

    title: str
    protocol: str
    purpose: str
    director: str
    director_login: str
    scope: Scope
    legal_basis: LegalBasis
    legal_reference: str
    centres: frozenset[str] | None
    access: AccessLevel
    tables: Mapping[str, str]  # why each is needed
    date_from: date | None
    date_to: date | None
    defence_on: date | None
    expires_on: date
    recontact: str  # why practices are to tell patients of the study; "": they are not
    members: tuple[str, ...]
    lay_fr: str
    lay_en: str


@dataclass(frozen=True)
class EntryFacts:
    """A project in the register of processing, beside its grant and members, which governance keeps."""

    project: str
    scope: Scope
    responsible: str
    director: str
    protocol: str
    legal_basis: LegalBasis
    legal_reference: str
    retention: str
    dpia: str
    lay_fr: str
    lay_en: str
    lead: str | None  # the DMG lead whose region it is
    review_due: date | None
    dossier: str | None


@dataclass(frozen=True)
class KnownPerson:
    """Somebody who logged in: their name and roles as the hub said them last."""

    username: str
    full_name: str
    roles: frozenset[str]
    seen_at: datetime
