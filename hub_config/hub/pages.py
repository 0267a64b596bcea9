"""The hub's pages that are ours: home, start and stop of a workspace, language, style. HTTP only; `desk`
decides.

Pages of JupyterHub that have no use here (tokens, administration, sharing) answer 404.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyterhub.handlers import BaseHandler
from jupyterhub.handlers.base import UserUrlHandler
from jupyterhub.handlers.pages import SpawnHandler
from jupyterhub.user import User
from tornado import web

from hub_config.hub import visitors
from hub_config.hub.desk import Desk
from hub_config.hub.offices import analyses, open_to
from hub_config.hub.texts import (
    LANGUAGE_COOKIE,
    LANGUAGES,
    language_of,
    page_address,
    page_language,
    page_text,
    translate,
)
from hub_config.origins import to_own_origin
from hub_config.settings import Settings
from hub_config.web import STATIC as SHARED_STATIC

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")
SLUG = r"(?P<slug>[a-z0-9-]+)"


class Told(web.HTTPError):
    """A refusal whose text is meant for the person: the error page shows it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, "%s", message)
        self.jupyterhub_message = message


class _DeskHandler(BaseHandler):  # type: ignore[misc]  # untyped upstream
    def initialize(self, desk: Desk) -> None:
        self.desk = desk


class HomeHandler(_DeskHandler):
    """The person's projects."""

    @web.authenticated
    async def get(self) -> None:
        user = self.current_user
        roles = [group.name for group in user.groups]
        offices = open_to(roles, self.desk.sites)
        html = await self.render_template(
            "home.html",
            cards=await self.desk.cards(user.name),
            running={name for name, spawner in user.spawners.items() if spawner.ready},
            pending={name for name, spawner in user.spawners.items() if spawner.pending},
            server_url=user.server_url,
            offices=offices,
            offices_first=bool(offices) and not analyses(roles),
            service_url=self.desk.settings.service_url,
        )
        self.finish(html)


class StartHandler(SpawnHandler):  # type: ignore[misc]  # untyped upstream
    """As JupyterHub starts a server, but only one of a project, and only where governance agrees."""

    def initialize(self, desk: Desk) -> None:
        self.desk = desk

    async def _get(self, user_name: str, server_name: str, display_name: str) -> None:
        await self._check(user_name, server_name)
        await super()._get(user_name=user_name, server_name=server_name, display_name=display_name)

    async def _post(self, user_name: str, server_name: str, display_name: str) -> None:
        await self._check(user_name, server_name)
        await super()._post(user_name=user_name, server_name=server_name, display_name=display_name)

    async def _check(self, user_name: str, server_name: str) -> None:
        refusal = await self.desk.refusal(user_name, server_name)
        if refusal is not None:
            raise Told(403, translate(refusal, language_of(self)))


class StopHandler(_DeskHandler):
    """Stop one's own workspace; what is saved stays."""

    @web.authenticated
    async def post(self, slug: str) -> None:
        user = self.current_user
        spawner = user.spawners.get(slug)
        if spawner is not None and spawner.ready:
            await self.stop_single_user(user, slug)
        self.redirect(f"{self.hub.base_url}home")


class LanguageHandler(BaseHandler):  # type: ignore[misc]  # untyped upstream
    """Remember the language and go back to where the person was, here only."""

    def get(self, language: str) -> None:
        self.set_cookie(
            LANGUAGE_COOKIE, language, path="/hub/", httponly=True, samesite="Lax", expires_days=365
        )
        self.redirect(local_path(self.get_argument("next", ""), self.hub.base_url))


class WorkspaceAddressHandler(UserUrlHandler):  # type: ignore[misc]  # untyped upstream
    """An address of a workspace on the hub's host: leads to the workspace's own origin."""

    def redirect(self, url: str, *args: Any, **kwargs: Any) -> None:
        super().redirect(to_own_origin(url, self.subdomain_host), *args, **kwargs)


class ClosedHandler(BaseHandler):  # type: ignore[misc]  # untyped upstream
    """Says so to whoever asks, by their name if they are logged in."""

    async def prepare(self) -> None:
        await super().prepare()
        raise web.HTTPError(404)


def local_path(wanted: str, base_url: str) -> str:
    """`wanted` if it is a page of this hub, else the home page: never another site."""
    plain = wanted.startswith(base_url) and not any(sign in wanted for sign in ("//", "\\", "\n", "\r"))
    return wanted if plain else f"{base_url}home"


def handlers(desk: Desk) -> list[Any]:
    """Ours, in front of JupyterHub's own."""
    desked = {"desk": desk}
    return [
        (r"/home", HomeHandler, desked),
        (r"/spawn", StartHandler, desked),
        (r"/spawn/(?P<user_name>[^/]+)", StartHandler, desked),
        (r"/spawn/(?P<user_name>[^/]+)/(?P<server_name>[^/]+)", StartHandler, desked),
        (rf"/p4dp/stop/{SLUG}", StopHandler, desked),
        (rf"/p4dp/language/({'|'.join(LANGUAGES)})", LanguageHandler),
        *visitors.handlers(),
        (r"/p4dp/static/(style\.css|icon\.svg)", web.StaticFileHandler, {"path": str(SHARED_STATIC)}),
        (r"/p4dp/static/(.*)", web.StaticFileHandler, {"path": str(STATIC)}),
        (r"/user/(?P<user_name>[^/]+)(?P<user_path>/.*)?", WorkspaceAddressHandler),
        (r"/token", ClosedHandler),
        (r"/admin.*", ClosedHandler),
        (r"/accept-share.*", ClosedHandler),
    ]


def template_vars(desk: Desk) -> Mapping[str, Any]:
    """For every page. JupyterHub calls what can be called with the user, hence the wrappers."""
    return {
        "_": lambda _user: page_text,
        "page_language": lambda _user: page_language,
        "page_address": lambda _user: page_address,
        "project_title": lambda _user: desk.title,
        "full_name": full_name,
        "synthetic_only": synthetic_only(desk.settings),
    }


def full_name(user: User | None) -> str:
    """As on every page; the user's own name where the provider gave none."""
    return user.authenticator.full_name(user.name) if user else ""


def synthetic_only(settings: Settings) -> bool:
    """The laptop's provider is for the demonstration: no real person logs in through it."""
    return settings.identity.provider == "demo"
