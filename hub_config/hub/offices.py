"""The offices of the house that are open to a person: the airlock and the register, by role. Pure.

A link is a courtesy; each page decides for itself who may read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hub_config.governance.roles import Role
from hub_config.hub.texts import N_

EVERYBODY = frozenset(Role)
ANALYSTS = frozenset({Role.INTERNE, Role.CHERCHEUR})


@dataclass(frozen=True)
class Door:
    """One page of an office; `label` is French."""

    path: str
    label: str
    roles: frozenset[Role] = EVERYBODY


@dataclass(frozen=True)
class Office:
    service: str
    title: str
    purpose: str
    doors: tuple[Door, ...]


OFFICES = (
    Office(
        service="airlock",
        title=N_("Sas de sortie"),
        purpose=N_("Ce qui quitte la plateforme est d'abord relu ici."),
        doors=(
            Door("/demandes", N_("Mes demandes de sortie")),
            Door("/relecture", N_("Relire les demandes"), frozenset({Role.MEDECIN_DIM})),
            Door("/relecteurs", N_("Relecteurs"), frozenset({Role.CSE, Role.DPO, Role.ADMIN})),
        ),
    ),
    Office(
        service="register",
        title=N_("Registre"),
        purpose=N_("Les projets, leurs décisions et leurs droits d'accès ; les personnes et leurs droits."),
        doors=(
            Door("/", N_("Projets et demandes de projet")),
            Door("/entrees", N_("Sas d'entrée")),
            Door("/participation", N_("Participation et retraits"), frozenset({Role.AQD, Role.DPO})),
            Door("/droits", N_("Exercice des droits"), frozenset({Role.DPO})),
            Door("/journal", N_("Journal d'audit"), frozenset({Role.DPO})),
        ),
    ),
)


def open_to(roles: Iterable[str], running: Iterable[str]) -> list[Office]:
    """The offices among `running` services, each with the doors that some of `roles` opens."""
    held = frozenset(Role(name) for name in roles)
    return list(_open(held, frozenset(running)))


def analyses(roles: Iterable[str]) -> bool:
    """Whether a person comes for a workspace first; the others for the offices."""
    return bool(ANALYSTS & {Role(name) for name in roles})


def _open(held: frozenset[Role], running: frozenset[str]) -> Iterator[Office]:
    for office in OFFICES:
        doors = tuple(door for door in office.doors if door.roles & held)
        if office.service in running and doors:
            yield Office(office.service, office.title, office.purpose, doors)
