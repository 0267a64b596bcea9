"""A small real hub for the sites: our scopes, our services and our door for visitors; a login by name alone,
and no proxy."""

import os
from pathlib import Path

from jupyterhub.auth import DummyAuthenticator
from jupyterhub.proxy import Proxy

from hub_config.hub.policy import CUSTOM_SCOPES, ROLES, services
from hub_config.hub.visitors import handlers
from hub_config.origins import SERVICES
from hub_config.settings import load_settings

settings = load_settings()
here = Path(settings.home)
c = get_config()  # type: ignore[name-defined]  # noqa: F821


class ByName(DummyAuthenticator):  # type: ignore[misc]
    """Whoever is named in the file `people` is in, with the roles that stand there."""

    async def authenticate(self, handler, data):
        return self._model(data["username"])

    async def refresh_user(self, user, handler=None):
        return self._model(user.name) or False

    def _model(self, name):
        people = dict(line.split(":") for line in (here / "people").read_text().split())
        return {"name": name, "groups": people[name].split(",")} if name in people else None

    def full_name(self, name):
        return f"{name.capitalize()} Martin"


class NoProxy(Proxy):  # type: ignore[misc]
    should_start = False

    async def get_all_routes(self):
        return {}

    async def add_route(self, routespec, target, data):
        pass

    async def delete_route(self, routespec):
        pass


c.JupyterHub.bind_url = c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings.port}"
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.db_url = f"sqlite:///{here / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(here / "cookies")
c.JupyterHub.authenticator_class = ByName
c.Authenticator.allow_all = True
c.Authenticator.manage_groups = True
c.Authenticator.auth_refresh_age = 1
c.Authenticator.auth_refresh_strict = True
c.JupyterHub.extra_handlers = handlers()
c.JupyterHub.custom_scopes = CUSTOM_SCOPES
c.JupyterHub.load_roles = [
    *ROLES,
    {"name": "tester", "services": ["tester"], "scopes": ["tokens", "read:tokens", "list:users"]},
]
c.JupyterHub.oauth_require_pkce = True
checkout = here / "checkout"
for name in SERVICES:
    (checkout / "hub_config" / name).mkdir(parents=True)
    (checkout / "hub_config" / name / "__main__.py").touch()
c.JupyterHub.services = [{"name": "tester", "api_token": os.environ["TESTER_TOKEN"]}] + [
    {name: value for name, value in site.items() if name not in ("command", "cwd", "environment")}
    | {"api_token": os.environ["SITE_TOKEN"] + site["name"]}
    for site in services(checkout, settings)[1:]
]
