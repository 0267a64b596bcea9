"""Reads the governance store for one request: the project and the right to work in one transaction, then
who objected, once the snapshot says whose numbers it holds.

A run of a report sees its project as its service may: aggregates only, unless it runs a registered notebook
that reads rows. Whether that stands is asked for each question.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hub_config.governance import actions
from hub_config.governance.facts import Objectors, ProjectFacts
from hub_config.governance.notebooks.reading import standing_one
from hub_config.governance.objections import actions as objections
from hub_config.governance.persons import actions as persons
from hub_config.governance.persons.facts import Link
from hub_config.governance.problems import UnknownProject
from hub_config.governance.rules import why_not
from hub_config.governance.services import as_seen_by
from hub_config.governance.store import Store
from p4dp_sdk.wire.errors import ErrorCode, Refusal


@dataclass(frozen=True)
class StoredGovernance:
    store: Store

    def read(self, user: str, project: str, at: date, registration: str = "") -> ProjectFacts:
        try:
            with self.store.session() as session:
                facts = actions.project_facts(session, project)
                own = standing_one(session, project, registration) if registration else None
        except UnknownProject:
            raise Refusal(ErrorCode.NOT_A_MEMBER, project=project) from None
        if (denial := why_not(user, facts, at)) is not None:
            raise denial.refusal()
        return as_seen_by(user, facts, own)

    def objectors(self, numbering: str) -> Objectors:
        with self.store.session() as session:
            return objections.objectors(session, numbering)

    def own(self, user: str, source: str) -> Link | None:
        with self.store.session() as session:
            return persons.own_of(session, user, source)
