"""Who a person is in the enclave: a closed list of roles, and the groups that give them. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    INTERNE = "interne"
    CHERCHEUR = "chercheur"
    MEDECIN_DIM = "medecin-dim"
    MEDECIN_REFERENT = "medecin-referent"
    DMG = "dmg"
    AQD = "aqd"
    DPO = "dpo"
    CSE = "cse"
    ADMIN = "admin"


GROUPS: Mapping[str, Role] = {
    "internes": Role.INTERNE,
    "chercheurs": Role.CHERCHEUR,
    "medecins-dim": Role.MEDECIN_DIM,
    "medecins-referents": Role.MEDECIN_REFERENT,
    "dmg": Role.DMG,
    "aqd": Role.AQD,
    "dpo": Role.DPO,
    "cse": Role.CSE,
    "administrateurs": Role.ADMIN,
}
"""A group of the provider that is not named here gives nothing."""


@dataclass(frozen=True)
class Person:
    """Who the provider says is there, as the hub last asked it."""

    username: str
    full_name: str
    roles: frozenset[Role]
