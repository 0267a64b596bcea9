"""The tokens of a workspace: what each may do, made and revoked with the hub's own records.

    JUPYTERHUB_API_TOKEN  the server's: says that it is active. Made by the hub, from `SERVER_SCOPES`.
    P4DP_TOKEN            the kernel's: asks the gateway, for this very server. Made here.

Neither lists users, starts servers, reads anybody else or makes another token.
"""

from __future__ import annotations

from typing import Any

from jupyterhub.scopes import get_scopes_for
from sqlalchemy import inspect

QUERY_SCOPE = "custom:p4dp:query"
GATEWAY_ACCESS = "access:services!service=gateway"
SERVER_SCOPES = ("users:activity!user",)


class NoQueryRight(Exception):
    """The user's roles don't include the right to query."""


def make_gateway_token(orm_user: Any, server: str, *, seconds: int | None = None) -> str:
    """A token that is worth `custom:p4dp:query!server=<user>/<server>` and the gateway's door, no more.

    Earlier ones of the same server are revoked: a workspace has one. It ends by itself after `seconds`, where
    given. Raises NoQueryRight.
    """
    revoke_gateway_tokens(orm_user, server)
    scopes = [f"{QUERY_SCOPE}!server={orm_user.name}/{server}"]
    held = get_scopes_for(orm_user)
    if GATEWAY_ACCESS in held or "access:services" in held:
        scopes.append(GATEWAY_ACCESS)
    try:
        token: str = orm_user.new_api_token(note=_note(server), scopes=scopes, expires_in=seconds)
    except ValueError as problem:
        raise NoQueryRight(str(problem)) from None
    return token


def revoke_gateway_tokens(orm_user: Any, server: str) -> None:
    """Revoke what `make_gateway_token` made for this server, known by its note: also after a hub that was
    killed."""
    session = inspect(orm_user).session
    for token in [token for token in orm_user.api_tokens if token.note == _note(server)]:
        session.delete(token)
    session.commit()


def _note(server: str) -> str:
    return f"P4DP gateway token of server {server}"
