"""The register of processing activities, to print or to keep: HTML, CSV, JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal, assert_never

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.register import export
from hub_config.governance.roles import Role
from hub_config.register.parts import require, show
from hub_config.register.secretariat import secretariat_of
from hub_config.web.answers import download
from hub_config.web.login import Visitor

router = APIRouter(prefix="/export")
READERS = (Role.DPO, Role.CSE, Role.ADMIN)
Form = Literal["html", "csv", "json"]


@router.get("/registre.{kind}")
def exported(request: Request, kind: Form, person: Visitor) -> Response:
    """Whoever exports is on the audit chain: the register names people."""
    require(person, *READERS)
    office = secretariat_of(request)
    office.greet(person)
    with office.acting(person) as (session, audit):
        found = export.activities(session, office.settings.projects)
        audit.record(session, "register.export", None, format=kind, activities=len(found))
    match kind:
        case "html":
            context = {
                "rows": [asdict(one) for one in found],
                "titles": export.TITLES,
                "projects": office.settings.projects,
                "today": office.today,
            }
            return show(request, "export", person, context)
        case "csv":
            return download("registre-des-traitements.csv", export.write_csv(found).encode(), "text/csv")
        case "json":
            content = export.write_json(found, on=office.today).encode()
            return download("registre-des-traitements.json", content, "application/json")
        case _:
            assert_never(kind)
