"""May this user work in this project now?

Asked of the governance store at every start, by the one predicate of the house.
"""

from __future__ import annotations

from datetime import date

from hub_config.governance import actions, rules
from hub_config.governance.problems import GovernanceProblem, UnknownProject
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.spawner.problems import Problem
from p4dp_sdk.wire.errors import ErrorCode

_BY_CODE = {
    ErrorCode.NOT_A_MEMBER: Problem.NOT_A_MEMBER,
    ErrorCode.PROJECT_NOT_ACTIVE: Problem.PROJECT_NOT_ACTIVE,
    ErrorCode.GRANT_EXPIRED: Problem.GRANT_EXPIRED,
    ErrorCode.CHARTER_NOT_ACCEPTED: Problem.CHARTER_NOT_ACCEPTED,
}


def why_not_admitted(settings: Settings, user: str, project: str, *, at: date) -> Problem | None:
    """None if `user` may start a workspace of `project`.

    A project that does not exist looks like one of others.
    """
    if not project:
        return Problem.NO_PROJECT
    try:
        store = open_store(settings)
        try:
            with store.session() as session:
                facts = actions.project_facts(session, project)
        finally:
            store.close()
    except UnknownProject:
        return Problem.NOT_A_MEMBER
    except GovernanceProblem:
        return Problem.STORE_SILENT
    denial = rules.why_not(user, facts, at)
    return None if denial is None else _BY_CODE.get(denial.code, Problem.NOT_A_MEMBER)
