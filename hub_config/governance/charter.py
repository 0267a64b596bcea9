"""What a project is created from, as frozen values. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hub_config.governance.facts import Grant


class MemberRole(StrEnum):
    """As what a person belongs to a project. The institution's roles come from the identity provider; these
    do not."""

    INTERNE = "interne"
    CHERCHEUR = "chercheur"
    MEDECIN_DIM = "medecin-dim"
    MEDECIN_REFERENT = "medecin-referent"
    DMG = "dmg"


@dataclass(frozen=True)
class Charter:
    """What a project is created from: everything the committee decided on."""

    slug: str
    title: str
    purpose: str
    snapshot: int
    grant: Grant
    members: Mapping[str, MemberRole] = field(default_factory=dict)
    open_to_all: bool = False
    rolling: str | None = None  # the population it follows from `snapshot` on
    policy: Mapping[str, Any] = field(default_factory=dict)  # keys of Policy, stricter than the site's
