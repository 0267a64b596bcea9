"""Whose token this is, for the services with pages: name, full name and roles, asked at every request.

A token tells this to the one service it was made for, and to nobody else: a person's cookie, a workspace's
token and another service's are refused. Asking renews what the identity provider vouches for, so who was put
out is out here too.
"""

from __future__ import annotations

from typing import Any, Final

from jupyterhub.apihandlers.base import APIHandler
from tornado import web

from hub_config.governance.roles import Role
from hub_config.origins import SERVICES

_KNOWN: Final = frozenset(role.value for role in Role)


class VisitorHandler(APIHandler):  # type: ignore[misc]  # untyped upstream
    async def prepare(self) -> None:
        await super().prepare()
        service = self.path_kwargs["service"]
        if self.get_token() is None or f"access:services!service={service}" not in self.expanded_scopes:
            raise web.HTTPError(403)

    def get(self, service: str) -> None:
        token, user = self.get_token(), self.current_user
        if token.client_id != f"service-{service}" or token.user is None:
            raise web.HTTPError(403)
        groups = sorted({group.name for group in user.groups} & _KNOWN)
        name = user.authenticator.full_name(user.name)
        self.finish({"name": user.name, "full_name": name, "groups": groups})


def handlers() -> list[Any]:
    return [(rf"/p4dp/visitor/(?P<service>{'|'.join(SERVICES)})", VisitorHandler)]
