"""What all requests of one site share: who is logged in, the hub, the templates. One a process, in
`app.state.house`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

from hub_config.governance.roles import Role
from hub_config.settings import Settings
from hub_config.web.held import HeldForms, Marks
from hub_config.web.hub import Hub
from hub_config.web.pace import Pace
from hub_config.web.sessions import Arrivals, Sessions
from hub_config.web.texts import Catalogues, Language, language_of

CALLBACK: Final = "/oauth_callback"


@dataclass(frozen=True)
class MenuItem:
    """A link of the site's menu. `roles`: who sees it; None for everybody. It opens nothing by itself: what
    it leads to decides for itself who may read it."""

    path: str
    label: str
    roles: frozenset[Role] | None = None


@dataclass
class House:
    """`hub` is put in by whoever serves the site; until then nobody gets in. So is the key behind `marks`:
    until then one that ends with the process."""

    name: str
    title: str
    settings: Settings
    menu: tuple[MenuItem, ...]
    uploads: tuple[re.Pattern[str], ...]
    catalogues: Catalogues
    templates: Environment
    sessions: Sessions
    arrivals: Arrivals
    pace: Pace
    held: HeldForms
    marks: Marks
    hub: Hub

    @property
    def origin(self) -> str:
        return self.settings.service_url(self.name)

    @property
    def is_behind_tls(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def session_cookie(self) -> str:
        return self._cookie(f"p4dp-{self.name}")

    @property
    def arrival_cookie(self) -> str:
        return self._cookie(f"p4dp-{self.name}-login")

    @property
    def cookie_options(self) -> Mapping[str, Any]:
        return {"path": "/", "httponly": True, "samesite": "lax", "secure": self.is_behind_tls}

    def begin_session(self, token: str, username: str) -> str:
        """A handle for `username`, whose forms are marked as theirs."""
        return self.sessions.begin(token, self.marks.token_for(username))

    def language(self, request: Request) -> Language:
        return language_of(request, self.settings.language)

    def _cookie(self, name: str) -> str:
        """A page of a workspace, on a host beside ours, may set cookies for both; none of this prefix. On a
        laptop not every browser takes such cookies over plain HTTP."""
        return f"__Host-{name}" if self.is_behind_tls else name


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


def environment(*places: Path) -> Environment:
    """Templates of the first place win. Escaped always; a name that is missing is an error."""
    loader = ChoiceLoader([FileSystemLoader(place) for place in places])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
