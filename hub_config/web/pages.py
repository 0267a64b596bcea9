"""A page in the house's look: `page(request, "queue.html", person, rows=rows)`.

Templates extend `layout.html` (blocks `title`, `head`, `main`, `script`) and know `_("…")`, `day`, `moment`,
`number`, `csrf_field()`, `person`, `language`. Everything is escaped; nothing is inline, neither script nor
style.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from hub_config.governance.roles import Person
from hub_config.web import wording
from hub_config.web.forms import FIELD
from hub_config.web.headers import csp
from hub_config.web.house import House, MenuItem, house_of
from hub_config.web.sessions import Session


def page(
    request: Request,
    template: str,
    person: Person | None,
    *,
    status: int = 200,
    inline_images: bool = False,
    **context: Any,
) -> HTMLResponse:
    """`template` filled with `context`. `person` None: a page for everybody, whoever looks at it.

    `inline_images`: this page shows pictures that it carries itself (`data:`).
    """
    html = render(request, template, person, **context)
    headers = {"Content-Security-Policy": csp(inline_images=True)} if inline_images else None
    return HTMLResponse(html, status_code=status, headers=headers)


def render(request: Request, template: str, person: Person | None, **context: Any) -> str:
    house = house_of(request)
    return house.templates.get_template(template).render({**_shared(request, house, person), **context})


def text(request: Request, said: str, **blanks: object) -> str:
    """`said` in the visitor's language, for what is no template: a file's name, a title of a workbook."""
    house = house_of(request)
    return house.catalogues.translate(said, house.language(request), **blanks)


def _shared(request: Request, house: House, person: Person | None) -> Mapping[str, Any]:
    language, session = house.language(request), request.state.session
    return {
        "_": partial(text, request),
        "language": language,
        "day": lambda value: "" if value is None else wording.day(_a_date(value), language),
        "moment": lambda value: "" if value is None else wording.moment(_a_moment(value), language),
        "number": lambda value: "" if value is None else wording.number(value, language),
        "csrf_field": partial(_csrf_field, session),
        "person": person,
        "site": house,
        "site_title": house.title,
        "menu": list(_menu(house, person)),
        "messages": _messages(request, session),
        "hub_url": house.settings.hub_url,
        "here": request.url.path,
        "address": str(request.url.replace(scheme="", netloc="")) if request.method == "GET" else "/",
        "is_logged_in": session is not None,
        "synthetic_only": house.settings.identity.provider == "demo",
    }


def _menu(house: House, person: Person | None) -> Iterator[MenuItem]:
    roles = person.roles if person else frozenset()
    return (item for item in house.menu if item.roles is None or item.roles & roles)


def _messages(request: Request, session: Session | None) -> list[str]:
    """What is to be said once, on the next page."""
    if session is None:
        return []
    waiting, session.messages = session.messages, []
    return [text(request, message.text, **message.blanks) for message in waiting]


def _csrf_field(session: Session | None) -> Markup:
    token = session.csrf if session else ""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)


def _a_date(value: object) -> date:
    if not isinstance(value, date):
        raise TypeError(f"day() takes a date, not {type(value).__name__}")
    return value


def _a_moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"moment() takes a datetime, not {type(value).__name__}")
    return value
