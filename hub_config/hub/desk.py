"""The desk where a person asks for a workspace: which projects are theirs, and whether they may start one
now.

Decisions are governance's (`rules.why_not`), read anew at each request; this module words them. What can't be
read is refused: no governance store, no workspace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

from hub_config.governance import actions
from hub_config.governance.facts import AccessLevel, ProjectFacts
from hub_config.governance.problems import UnknownProject
from hub_config.governance.register import leaving
from hub_config.governance.rules import Denial, why_not
from hub_config.governance.store import Store, open_store
from hub_config.hub.texts import N_
from hub_config.settings import Settings
from p4dp_sdk.wire.errors import ErrorCode

ACCESS_LABELS: Mapping[AccessLevel, str] = {
    AccessLevel.AGGREGATE: N_("Résultats agrégés et protégés"),
    AccessLevel.MICRODATA: N_("Données individuelles pseudonymisées"),
    AccessLevel.SANDBOX: N_("Données fictives, sans protection"),
}
REFUSALS: Mapping[ErrorCode, str] = {
    ErrorCode.NOT_A_MEMBER: N_(
        "Vous n'êtes pas membre de ce projet. Demandez à son responsable de vous y ajouter."
    ),
    ErrorCode.PROJECT_NOT_ACTIVE: N_(
        "Ce projet n'est pas ouvert : il n'est pas encore approuvé, ou il est suspendu ou clos. "
        "Voyez avec son responsable ou avec l'administrateur de la plateforme."
    ),
    ErrorCode.GRANT_EXPIRED: N_(
        "Le droit d'accès de ce projet a expiré. Son responsable peut en demander le renouvellement."
    ),
    ErrorCode.CHARTER_NOT_ACCEPTED: N_(
        "Avant d'ouvrir un espace de travail, lisez et acceptez la charte de la plateforme."
    ),
}
NO_PROJECT = N_(
    "Un espace de travail appartient toujours à un projet : choisissez-en un sur la page d'accueil."
)
OTHER_REFUSAL = N_(
    "Cet espace de travail ne peut pas être ouvert. Prévenez l'administrateur de la plateforme."
)


@dataclass(frozen=True)
class Card:
    """A project as the home page shows it. `refusal` None: its workspace may be started; `asks_charter`: once
    the person accepted the charter, in the register."""

    slug: str
    title: str
    purpose: str
    access: str
    level: str
    expires_on: date | None
    snapshot: int
    rolling: bool
    refusal: str | None
    asks_charter: bool = False


class Desk:
    """`sites`: the services with pages that the hub starts."""

    def __init__(self, settings: Settings, sites: Sequence[str] = ()) -> None:
        self.settings, self.sites = settings, sites

    @cached_property
    def _store(self) -> Store:
        return open_store(self.settings)

    async def cards(self, user: str) -> list[Card]:
        """The person's projects, and those open to all, those that can be opened first."""
        cards = await asyncio.to_thread(self._cards, user)
        return sorted(cards, key=lambda card: (card.refusal is not None, card.level == AccessLevel.SANDBOX))

    async def refusal(self, user: str, slug: str) -> str | None:
        """Why this workspace may not be started now, in French (translate it); None if it may."""
        return await asyncio.to_thread(self._refusal, user, slug)

    async def title(self, slug: str) -> str:
        """The project's title, for somebody who was let in; its name where there is no such project."""
        return await asyncio.to_thread(self._title, slug)

    def has_left(self, user: str) -> bool:
        """Whether the register has `user` as gone. Raises GovernanceProblem when it can't be read."""
        with self._store.session() as session:
            return leaving.has_left(session, user)

    def _title(self, slug: str) -> str:
        try:
            with self._store.session() as session:
                return actions.project_facts(session, slug).title
        except UnknownProject:
            return slug

    def _cards(self, user: str) -> list[Card]:
        today = _today()
        with self._store.session() as session:
            return [_card(user, facts, today) for facts in actions.projects_of(session, user)]

    def _refusal(self, user: str, slug: str) -> str | None:
        if not slug:
            return NO_PROJECT
        try:
            with self._store.session() as session:
                facts = actions.project_facts(session, slug)
        except UnknownProject:  # told apart from a project of others by nobody
            return REFUSALS[ErrorCode.NOT_A_MEMBER]
        return _worded(why_not(user, facts, _today()))


def _card(user: str, facts: ProjectFacts, today: date) -> Card:
    denial = why_not(user, facts, today)
    return Card(
        slug=facts.slug,
        title=facts.title,
        purpose=facts.purpose,
        access=ACCESS_LABELS[facts.grant.access],
        level=facts.grant.access.value,
        expires_on=facts.grant.expires_on,
        snapshot=facts.snapshot,
        rolling=facts.rolling is not None,
        refusal=_worded(denial),
        asks_charter=denial is not None and denial.code is ErrorCode.CHARTER_NOT_ACCEPTED,
    )


def _worded(denial: Denial | None) -> str | None:
    return None if denial is None else REFUSALS.get(denial.code, OTHER_REFUSAL)


def _today() -> date:
    return datetime.now(UTC).date()
