"""Why a step of re-contact was refused, and the names of states and steps, in words that name nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from hub_config.desk.texts import N_
from hub_config.governance.recontact.facts import RequestState, RequestStep
from hub_config.governance.recontact.problems import BadRecontact, Why
from hub_config.web.answers import Told

PROBLEMS: Final[Mapping[Why, str]] = {
    Why.NO_KEY: N_("Aucune clé en vigueur ne porte ce numéro."),
    Why.NO_REQUEST: N_("Aucune demande de recontact ne porte ce numéro."),
    Why.NO_PRACTICE: N_("Aucun cabinet participant ne porte ce code. Enregistrez d'abord son entrée."),
    Why.BAD_KEY: N_(
        "Ce n'est pas une clé publique de cabinet. Demandez au médecin le fichier « cle-publique » que "
        "l'outil a enregistré ; jamais l'autre."
    ),
    Why.FINGERPRINT: N_(
        "L'empreinte lue par le médecin n'est pas celle de cette clé, ou l'identifiant n'est pas le sien : "
        "n'enregistrez rien. Rappelez le cabinet à son numéro habituel, et faites relire l'un et l'autre."
    ),
    Why.OTHERS_GP: N_("Les patients de ce médecin sont scellés pour un autre cabinet participant."),
    Why.OWN: N_(
        "Une autre personne que vous doit le faire : nul ne confirme sa propre saisie, ni n'approuve la "
        "demande d'un projet dont il est membre."
    ),
    Why.STEP: N_("Ce n'est plus à cette étape : rouvrez la page, puis recommencez."),
    Why.REASON: N_("Donnez le motif du refus, en 400 signes au plus."),
    Why.TEXT: N_("Un champ est vide ou trop long. Complétez-le, puis recommencez."),
    Why.NOT_GRANTED: N_(
        "Le projet n'a pas, ou n'a plus, le droit de recontact : rien n'est transmis. Voyez avec le CSE."
    ),
    Why.TOO_MANY_OPEN: N_("Trois demandes de ce projet sont déjà ouvertes."),
    Why.TOO_MANY_A_YEAR: N_("Ce projet a déjà fait douze demandes en un an."),
    Why.OUTDATED: N_(
        "Cette liste a plus de six mois : faites-la clore, et que le projet refasse sa demande."
    ),
}
STATES: Final[Mapping[RequestState, tuple[str, str]]] = {
    RequestState.REQUESTED: (N_("à décider"), "wait"),
    RequestState.APPROVED: (N_("approuvée, à annoncer"), "wait"),
    RequestState.ANNOUNCED: (N_("annoncée aux cabinets"), "good"),
    RequestState.REFUSED: (N_("refusée"), "bad"),
    RequestState.CLOSED: (N_("close"), ""),
}
NEXT: Final[Mapping[RequestState, str]] = {
    RequestState.REQUESTED: N_("Un médecin DIM ou le CSE décide ; jamais un membre du projet."),
    RequestState.APPROVED: N_("L'AQD l'annonce aux cabinets ; les fichiers se téléchargent ensuite."),
    RequestState.ANNOUNCED: N_("L'AQD remet à chaque cabinet son fichier. Personne ne renvoie rien."),
    RequestState.REFUSED: N_("La liste est effacée. Le projet peut faire une autre demande."),
    RequestState.CLOSED: N_("La liste est effacée. Le projet peut faire une autre demande."),
}
STEPS: Final[Mapping[RequestStep, str]] = {
    RequestStep.APPROVE: N_("Approuver"),
    RequestStep.REFUSE: N_("Refuser"),
    RequestStep.ANNOUNCE: N_("Annoncer aux cabinets"),
    RequestStep.CLOSE: N_("Clore, et effacer la liste"),
    RequestStep.EXPIRE: N_("Effacer d'elle-même"),
}
BUSY: Final = N_(
    "Un chargement est en cours pour cette source : les listes se préparent quand il est fini. Réessayez "
    "plus tard."
)
NO_SOURCE: Final = N_(
    "Aucune version figée n'est encore faite de la source inscrite pour ce cabinet. Attendez le premier "
    "chargement de ses exports ; si la source est mal écrite, inscrivez le cabinet sous un nouveau code, "
    "avec une source de la liste."
)
DONE: Final = N_("C'est enregistré.")

T = TypeVar("T")


def in_words(work: Callable[[], T]) -> T:
    """What `work` gives; what it refuses, as a page in words."""
    try:
        return work()
    except BadRecontact as problem:
        raise Told(404 if problem.why.startswith("no-") else 422, PROBLEMS[problem.why]) from None
