"""From what the provider asserts to a person with roles, or a reason why not.

Pure: values in, decision out.

Claims are believed only once `tokens` verified them; nothing here checks a signature. Unknown groups give
nothing; a person without a role, with an unsuitable name or without a second factor does not get in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub_config.governance.roles import GROUPS, Person, Role
from hub_config.governance.services import is_service

USERNAME = re.compile(r"[a-z](?:[a-z0-9]|[._-](?=[a-z0-9])){0,47}")
"""A name becomes a directory, a host and a scope: lower case, no two separators in a row, none at the
ends.
"""


class Reason(StrEnum):
    """Why a person whom the provider knows does not get in."""

    NO_USERNAME = "no-username"
    BAD_USERNAME = "bad-username"
    RESERVED_USERNAME = "reserved-username"
    NO_SECOND_FACTOR = "no-second-factor"
    NO_ROLE = "no-role"
    HAS_LEFT = "has-left"


@dataclass(frozen=True)
class FactorPolicy:
    """A second factor is proved by every one of `required_amr`, or by one of `accepted_acr`."""

    required_amr: frozenset[str]
    accepted_acr: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Denied:
    reason: Reason


def identify(
    identity: Mapping[str, Any], profile: Mapping[str, Any], policy: FactorPolicy
) -> Person | Denied:
    """The person of `profile` (userinfo), authenticated as the verified id token `identity` says."""
    username = profile.get("preferred_username")
    if not isinstance(username, str) or not username:
        return Denied(Reason.NO_USERNAME)
    if not USERNAME.fullmatch(username):
        return Denied(Reason.BAD_USERNAME)
    if is_service(username):
        return Denied(Reason.RESERVED_USERNAME)
    if not has_second_factor(identity, policy):
        return Denied(Reason.NO_SECOND_FACTOR)
    roles = roles_of(profile.get("groups"))
    if not roles:
        return Denied(Reason.NO_ROLE)
    return Person(username, _text(profile.get("name")) or username, roles)


def has_second_factor(identity: Mapping[str, Any], policy: FactorPolicy) -> bool:
    """Unset policy means no one: an empty `required_amr` accepts nothing."""
    if _text(identity.get("acr")) in policy.accepted_acr:
        return True
    return bool(policy.required_amr) and policy.required_amr <= set(_texts(identity.get("amr")))


def roles_of(groups: object) -> frozenset[Role]:
    """Groups may come as Keycloak writes them, with a leading slash."""
    names = (name.removeprefix("/") for name in _texts(groups))
    return frozenset(GROUPS[name] for name in names if name in GROUPS)


def _texts(value: object) -> Iterable[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
