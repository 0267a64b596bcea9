"""Why a workspace does not start, in words for its user, French and English.

Never a path, a secret or somebody's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from jupyterhub.spawner import SpawnException

Language = Literal["fr", "en"]


class Problem(StrEnum):
    NO_PROJECT = "no-project"
    NOT_A_MEMBER = "not-a-member"
    PROJECT_NOT_ACTIVE = "project-not-active"
    GRANT_EXPIRED = "grant-expired"
    CHARTER_NOT_ACCEPTED = "charter-not-accepted"
    UNUSABLE_NAME = "unusable-name"
    NO_QUERY_RIGHT = "no-query-right"
    DISK_FULL = "disk-full"
    HOME_UNUSABLE = "home-unusable"
    NO_ENVIRONMENT = "no-environment"
    GATEWAY_SILENT = "gateway-silent"
    STORE_SILENT = "store-silent"
    NOT_RECORDED = "not-recorded"
    SANDBOX_UNAVAILABLE = "sandbox-unavailable"


@dataclass(frozen=True)
class _Text:
    status: int
    fr: str
    en: str


_TEXTS: Mapping[Problem, _Text] = {
    Problem.NO_PROJECT: _Text(
        400,
        "Un espace de travail appartient toujours à un projet. Choisissez un projet sur la page d'accueil.",
        "A workspace always belongs to a project. Choose a project on the home page.",
    ),
    Problem.NOT_A_MEMBER: _Text(
        403,
        "Ce projet n'existe pas, ou vous n'en êtes pas membre. Demandez à son responsable de vous y "
        "inscrire.",
        "There is no such project, or you are not a member of it. Ask the person in charge to add you.",
    ),
    Problem.PROJECT_NOT_ACTIVE: _Text(
        403,
        "Ce projet n'est pas ouvert : il attend son approbation, ou il est suspendu ou clos. "
        "Adressez-vous au comité.",
        "This project is not open: it awaits approval, or is suspended or closed. Ask the committee.",
    ),
    Problem.GRANT_EXPIRED: _Text(
        403,
        "Le droit d'accès de ce projet est arrivé à échéance. Demandez au comité de le prolonger.",
        "This project's grant has expired. Ask the committee to extend it.",
    ),
    Problem.CHARTER_NOT_ACCEPTED: _Text(
        403,
        "Acceptez d'abord la charte : elle vous attend dans le registre, depuis la page d'accueil.",
        "Accept the charter first: it awaits you in the register, from the home page.",
    ),
    Problem.UNUSABLE_NAME: _Text(
        400,
        "Votre identifiant contient des caractères qui ne peuvent pas nommer un dossier. Prévenez "
        "l'administrateur.",
        "Your user name has characters that can't name a folder. Tell the administrator.",
    ),
    Problem.NO_QUERY_RIGHT: _Text(
        403,
        "Votre compte ne porte pas le droit d'interroger l'entrepôt. Prévenez l'administrateur.",
        "Your account does not carry the right to query the warehouse. Tell the administrator.",
    ),
    Problem.DISK_FULL: _Text(
        507,
        "Le disque de l'enclave est plein : l'espace de travail n'a pas pu être préparé. Rien n'est perdu"
        " ; prévenez l'administrateur, puis réessayez.",
        "The enclave's disk is full: the workspace could not be prepared. Nothing is lost; tell the "
        "administrator, then try again.",
    ),
    Problem.HOME_UNUSABLE: _Text(
        500,
        "Le dossier de cet espace de travail ne peut pas être ouvert (autre propriétaire ?). Prévenez "
        "l'administrateur.",
        "This workspace's folder can't be opened (another owner?). Tell the administrator.",
    ),
    Problem.NO_ENVIRONMENT: _Text(
        500,
        "L'environnement Python des espaces de travail manque. L'administrateur doit relancer « make up ».",
        "The workspaces' Python environment is missing. The administrator must run `make up` again.",
    ),
    Problem.GATEWAY_SILENT: _Text(
        503,
        "La passerelle vers l'entrepôt ne répond pas : l'espace de travail n'est pas ouvert. Réessayez "
        "dans une minute ; si cela dure, prévenez l'administrateur.",
        "The gateway to the warehouse does not answer: the workspace is not opened. Try again in a "
        "minute; if it lasts, tell the administrator.",
    ),
    Problem.STORE_SILENT: _Text(
        503,
        "Le registre des projets ne répond pas : vos droits ne peuvent pas être vérifiés. Réessayez dans "
        "une minute.",
        "The register of projects does not answer: your rights can't be checked. Try again in a minute.",
    ),
    Problem.NOT_RECORDED: _Text(
        503,
        "Le démarrage n'a pas pu être inscrit au journal de la plateforme : l'espace de travail n'est pas "
        "ouvert. Prévenez l'administrateur.",
        "The start could not be written into the platform's log: the workspace is not opened. Tell the "
        "administrator.",
    ),
    Problem.SANDBOX_UNAVAILABLE: _Text(
        503,
        "Ce serveur ne peut pas isoler l'espace de travail : il n'est donc pas ouvert. L'administrateur "
        "trouvera la cause dans le journal (souvent : espaces de noms utilisateur interdits par le "
        "système).",
        "This server can't isolate the workspace, so it is not opened. The administrator will find the "
        "cause in the log (often: user namespaces forbidden by the system).",
    ),
}


def text_for(problem: Problem, language: Language) -> str:
    text = _TEXTS[problem]
    return text.fr if language == "fr" else text.en


class Refused(SpawnException):  # type: ignore[misc]
    """A workspace that does not start. The hub shows the text to the user and logs the problem's name."""

    def __init__(self, problem: Problem, language: Language) -> None:
        super().__init__(
            text_for(problem, language),
            reason=problem.value,
            status_code=_TEXTS[problem].status,
            log_message=problem.value,
        )
        self.problem = problem
