"""Which rule each address stands on. An address that is not in this table answers nobody.

An `Act` is asked of the request that the address names, before its handler sees it. A `Door` opens what
names no request: what is listed behind it is asked about one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub_config.airlock.rules.permission import Act


class Door(StrEnum):
    OWN = "own"  # everybody logged in: their own requests, absences, projects
    REVIEWERS = "reviewers"  # who is a reviewer today
    POOL = "pool"  # who may read who the reviewers are
    NAMING = "naming"  # who names reviewers: the committee


Rule = Act | Door

RULES: Final[Mapping[tuple[str, str], Rule]] = MappingProxyType(
    {
        ("GET", "/"): Door.OWN,
        # the requester
        ("GET", "/demandes"): Door.OWN,
        ("GET", "/demandes/nouvelle"): Door.OWN,
        ("POST", "/demandes/nouvelle"): Door.OWN,
        ("GET", "/rapports/{run}"): Door.OWN,
        ("POST", "/rapports/{run}"): Door.OWN,
        # notebooks of a project's own: `rules.registering` is asked about each
        ("GET", "/notebooks"): Door.OWN,
        ("GET", "/notebooks/nouveau"): Door.OWN,
        ("POST", "/notebooks/nouveau"): Door.OWN,
        ("GET", "/notebooks/{number}"): Door.OWN,
        ("POST", "/notebooks/{number}/avis"): Door.OWN,
        ("POST", "/notebooks/{number}/retirer"): Door.OWN,
        ("GET", "/demandes/{id}"): Act.VIEW,
        ("POST", "/demandes/{id}/textes"): Act.EDIT,
        ("POST", "/demandes/{id}/fichiers/{number}/retirer"): Act.EDIT,
        ("GET", "/demandes/{id}/espace"): Act.EDIT,
        ("POST", "/demandes/{id}/espace"): Act.EDIT,
        ("POST", "/demandes/{id}/fichiers/{number}/constats/{finding}/expliquer"): Act.EDIT,
        ("POST", "/demandes/{id}/envoyer"): Act.SUBMIT,
        ("POST", "/demandes/{id}/retirer"): Act.WITHDRAW,
        ("POST", "/demandes/{id}/reprendre"): Act.RESUBMIT,
        ("POST", "/demandes/{id}/reponse"): Act.ANSWER,
        ("GET", "/demandes/{id}/fichiers/{number}/images/{block}"): Act.VIEW,
        ("GET", "/demandes/{id}/fichiers/{number}/dessin"): Act.VIEW,
        ("GET", "/demandes/{id}/fichiers/{number}/telecharger"): Act.DOWNLOAD,
        ("GET", "/demandes/{id}/manifeste"): Act.DOWNLOAD,
        ("GET", "/demandes/{id}/fiche-de-controle"): Act.DOWNLOAD,
        # reviewers
        ("GET", "/relecture"): Door.REVIEWERS,
        ("POST", "/relecture/lot"): Door.REVIEWERS,
        ("GET", "/relecture/{id}"): Act.VIEW,
        ("GET", "/relecture/{id}/fichiers/{number}/images/{block}"): Act.VIEW,
        ("GET", "/relecture/{id}/fichiers/{number}/dessin"): Act.VIEW,
        ("POST", "/relecture/{id}/avis"): Act.VOTE,
        ("POST", "/relecture/{id}/consolidation"): Act.CONSOLIDATE,
        ("POST", "/relecture/{id}/remarque"): Act.COMMENT,
        ("POST", "/relecture/{id}/question"): Act.ASK,
        ("POST", "/relecture/{id}/remplacer"): Act.REPLACE,
        ("POST", "/relecture/{id}/sortir"): Act.RELEASE,
        # what was decided, on record
        ("GET", "/dossiers/{id}"): Act.READ_RECORD,
        ("GET", "/dossiers/{id}/fiche-de-controle"): Act.READ_NAMES,
        ("POST", "/dossiers/{id}/rappel"): Act.RECALL,
        # notices
        ("POST", "/nouvelles/vu"): Door.OWN,
        # the pool
        ("GET", "/absences"): Door.REVIEWERS,
        ("POST", "/absences"): Door.REVIEWERS,
        ("POST", "/absences/fin"): Door.REVIEWERS,
        ("GET", "/relecteurs"): Door.POOL,
        ("POST", "/relecteurs/nommer"): Door.NAMING,
        ("POST", "/relecteurs/retirer"): Door.NAMING,
        ("POST", "/relecteurs/absences"): Door.NAMING,
        ("POST", "/relecteurs/retour"): Door.NAMING,
    }
)
