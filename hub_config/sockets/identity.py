"""Whose request is this: the socket's binding and the token must say the same. Pure decisions on the hub's
answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from hub_config.governance.bindings import Binding
from p4dp_sdk.wire.errors import ErrorCode, Refusal

SCOPE: Final = "custom:p4dp:query"


@dataclass(frozen=True)
class TokenOwner:
    """What the hub says of a token now: whose it is (a service's token belongs to no person) and what it
    may do.
    """

    name: str
    is_person: bool
    scopes: frozenset[str]


class Hub(Protocol):
    async def owner_of(self, token: str) -> TokenOwner | None:
        """The owner of `token`, None if the hub does not know it. Raises Refusal if the hub can't be
        asked.
        """


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
