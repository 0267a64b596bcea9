"""Whose request is this: the socket's binding and the token must say the same. Pure decisions on the hub's
answer.
"""

from __future__ import annotations

from typing import Final

from hub_config.gateway.ports import Hub, TokenOwner
from hub_config.governance.bindings import Binding
from p4dp_sdk.wire.errors import ErrorCode, Refusal

SCOPE: Final = "custom:p4dp:query"


async def authenticate(hub: Hub, binding: Binding, authorization: str | None) -> None:
    """Return if the bearer's token was made for exactly this workspace. Raises Refusal otherwise."""
    owner = await hub.owner_of(_bearer(authorization))
    if owner is None:
        raise Refusal(ErrorCode.NOT_AUTHENTICATED)
    if not is_bound(owner, binding):
        raise Refusal(ErrorCode.WRONG_WORKSPACE)


def is_bound(owner: TokenOwner, binding: Binding) -> bool:
    """Same person, and the one scope that names this very server; a named server carries its project's
    name.
    """
    scope = f"{SCOPE}!server={binding.user}/{binding.server}"
    return (
        owner.is_person
        and owner.name == binding.user
        and scope in owner.scopes
        and binding.server == binding.project != ""
    )


def _bearer(authorization: str | None) -> str:
    kind, _, token = (authorization or "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Refusal(ErrorCode.NOT_AUTHENTICATED)
    return token.strip()
