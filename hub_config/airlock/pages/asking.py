"""Who asks for what: the dependency that every handler here takes. It reads the rule of the address, puts the
question, and lets nobody through without an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pages.previews import Language
from hub_config.airlock.pages.queues import Case
from hub_config.airlock.pages.rules import RULES, Door
from hub_config.airlock.rules.permission import Act, Denial
from hub_config.airlock.texts import TEXTS, AirlockProblem
from hub_config.governance.roles import Person
from hub_config.web.answers import Told
from hub_config.web.house import house_of
from hub_config.web.login import Visitor
from hub_config.web.pages import text
from hub_config.web.texts import N_

CLOSED = N_("Cette page ne vous est pas ouverte.")
NOT_A_REVIEWER = N_(
    "La relecture est ouverte aux médecins que le comité (CSE) a nommés. Demandez-lui de vous nommer."
)


@dataclass(frozen=True)
class Asked:
    """Somebody who may do what they ask for. `case` is there where the address names a request."""

    person: Person
    desk: Desk
    language: Language
    today: date
    found: Case | None

    def told(self, request: Request, problem: AirlockProblem | None) -> str:
        """What was refused, in the visitor's language; empty where nothing was."""
        return text(request, TEXTS[problem.problem], **problem.blanks) if problem else ""

    def stopped(self, request: Request, denial: Denial | None) -> str:
        """What a rule says no to, in the visitor's language; empty where none does."""
        return self.told(request, denial.denied() if denial else None)

    @property
    def case(self) -> Case:
        if self.found is None:
            raise Told(404, CLOSED)
        return self.found


def asked(request: Request, person: Visitor) -> Asked:
    """Raises Told where the rule says no, KeyError where there is no rule."""
    desk: Desk = request.app.state.desk
    rule = RULES[request.method, request.scope["route"].path]
    today = desk.now().date()
    case = _found(request, desk, person, rule, today)
    return Asked(person, desk, house_of(request).language(request), today, case)


def _found(request: Request, desk: Desk, person: Person, rule: Act | Door, today: date) -> Case | None:
    match rule:
        case Act():
            return desk.judged(person, request.path_params["id"], rule, today)
        case Door():
            if not desk.opens(person, rule, today):
                raise Told(403, NOT_A_REVIEWER if rule is Door.REVIEWERS else CLOSED)
            return None


Allowed = Annotated[Asked, Depends(asked)]
