"""What the airlock refuses, in words: French here, English from its gettext catalogue.

Each says what, why and what to do next; none carries a value of a file. `%(name)s` are filled by the pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


def N_(text: str) -> str:  # noqa: N802 (gettext's own name: marks a text for translation, where it is written)
    return text


class Problem(StrEnum):
    """Why something can't be done. A closed vocabulary, for people (`TEXTS`) and for programs alike."""

    UNKNOWN_REQUEST = "unknown-request"
    NOT_YOURS = "not-yours"
    NOT_A_REVIEWER = "not-a-reviewer"
    OWN_REQUEST = "own-request"
    OWN_PROJECT = "own-project"
    NOT_IN_THIS_STATE = "not-in-this-state"
    NOT_A_MEMBER = "not-a-member"
    ENOUGH_VOTES = "enough-votes"
    NOT_ONE_OF_THE_VOTERS = "not-one-of-the-voters"
    NO_CONFLICT = "no-conflict"
    FILES_CHANGED = "files-changed"
    NOT_BATCHABLE = "not-batchable"
    RECALLED = "recalled"
    NOT_ALLOWED = "not-allowed"
    WORDS_MISSING = "words-missing"
    WORDS_TOO_LONG = "words-too-long"
    NO_FILES = "no-files"
    TOO_MANY_FILES = "too-many-files"
    UNKNOWN_FILE = "unknown-file"
    SAME_NAME = "same-name"
    NOT_CHECKED = "not-checked"
    BLOCKED = "blocked"
    REASON_MISSING = "reason-missing"
    UNKNOWN_REASON = "unknown-reason"
    FILE_VERDICTS = "file-verdicts"
    QUARANTINE_REASON = "quarantine-reason"
    BLOCKED_APPROVAL = "blocked-approval"
    PREVIOUS = "previous"
    FILE_TOO_BIG = "file-too-big"
    SHELF_BROKEN = "shelf-broken"
    TOO_FEW_APPROVALS = "too-few-approvals"
    UNKNOWN_REVIEWER = "unknown-reviewer"
    BAD_DATES = "bad-dates"
    BAD_NAME = "bad-name"
    NOT_A_QUESTION = "not-a-question"
    STILL_THERE = "still-there"
    TOO_MANY_OPEN = "too-many-open"
    TOO_MANY_BYTES = "too-many-bytes"
    TOO_MANY_BYTES_TODAY = "too-many-bytes-today"
    TOO_FAST = "too-fast"
    UNKNOWN_FINDING = "unknown-finding"
    NOT_CONTESTABLE = "not-contestable"
    EXPLANATION_TOO_SHORT = "explanation-too-short"
    HOME_FILE = "home-file"
    HOME_KIND = "home-kind"
    SEAT_TAKEN = "seat-taken"
    READS_THE_LOG = "reads-the-log"
    OWN_NAMING = "own-naming"
    OWN_READING = "own-reading"
    PROJECT_SUSPENDED = "project-suspended"
    PROJECT_OVER = "project-over"
    PROJECT_CLOSED = "project-closed"
    HAS_LEFT = "has-left"


TEXTS: Final[Mapping[Problem, str]] = {
    Problem.UNKNOWN_REQUEST: N_("Cette demande n’existe pas, ou vous n’y avez pas accès."),
    Problem.NOT_YOURS: N_("Seule la personne qui a fait cette demande peut faire cela."),
    Problem.NOT_A_REVIEWER: N_(
        "Vous n’êtes pas relecteur : le CSE désigne les médecins qui relisent. Adressez-vous à lui."
    ),
    Problem.OWN_REQUEST: N_("C’est votre demande : personne ne relit la sienne. Deux confrères la reliront."),
    Problem.OWN_PROJECT: N_(
        "Vous êtes, ou étiez, membre du projet %(project)s : personne ne relit les sorties de son projet. "
        "D’autres relecteurs s’en chargent."
    ),
    Problem.NOT_IN_THIS_STATE: N_("Ce n’est plus possible : la demande a avancé. Relisez la page."),
    Problem.NOT_A_MEMBER: N_(
        "Vous n’êtes pas membre du projet %(project)s : seul un membre en demande ou en retire une sortie."
    ),
    Problem.PROJECT_SUSPENDED: N_(
        "Le projet %(project)s est suspendu, ou de nouveau à l’examen : d’ici là, rien ne s’y demande, ne s’y"
        " décide ni n’en sort. Tout est gardé tel quel ; le DPO ou l’administrateur de la plateforme dit "
        "pourquoi."
    ),
    Problem.PROJECT_OVER: N_(
        "Le droit d’accès du projet %(project)s est échu : rien de nouveau ne s’y demande ni ne s’y exécute. "
        "Les demandes déjà envoyées sont encore décidées et leurs fichiers remis, et ce qui est sorti reste "
        "téléchargeable. Pour continuer, demandez sa prolongation dans le registre."
    ),
    Problem.PROJECT_CLOSED: N_(
        "Le projet %(project)s est clos, pour de bon : rien de nouveau ne s’y demande ni ne s’y exécute. "
        "Les demandes déjà envoyées sont encore décidées et leurs fichiers remis, et ce qui est sorti reste "
        "téléchargeable. Pour d’autres résultats, demandez un nouveau projet dans le registre."
    ),
    Problem.HAS_LEFT: N_(
        "Votre départ de la plateforme a été enregistré : vos accès sont fermés. Si c’est une erreur, "
        "adressez-vous au délégué à la protection des données."
    ),
    Problem.ENOUGH_VOTES: N_("Cette demande a déjà ses relecteurs. Choisissez-en une autre dans la liste."),
    Problem.NOT_ONE_OF_THE_VOTERS: N_("Seuls les relecteurs qui ont voté se concertent sur cette demande."),
    Problem.NO_CONFLICT: N_("Pas de concertation ici : les votes ne sont pas tous là, ou s’accordent."),
    Problem.FILES_CHANGED: N_(
        "Les fichiers ont changé depuis que vous les avez ouverts : votre vote n’a pas été pris. Relisez-les."
    ),
    Problem.NOT_BATCHABLE: N_(
        "Seules s’approuvent par lot les demandes conformes d’origine, sans alerte ni fichier mis à l’écart."
    ),
    Problem.RECALLED: N_("Cette sortie a été rappelée : elle ne se télécharge plus. Sa page dit pourquoi."),
    Problem.NOT_ALLOWED: N_("Votre rôle ne permet pas cela."),
    Problem.WORDS_MISSING: N_("Remplissez le champ « %(field)s » : un relecteur ne peut pas juger sans lui."),
    Problem.WORDS_TOO_LONG: N_("Le champ « %(field)s » prend au plus %(most)s caractères."),
    Problem.NO_FILES: N_("La demande n’a pas de fichier : ajoutez au moins celui qui doit sortir."),
    Problem.TOO_MANY_FILES: N_("Une demande prend au plus %(most)s fichiers : faites-en deux."),
    Problem.UNKNOWN_FILE: N_("La demande n’a pas de fichier de ce numéro."),
    Problem.SAME_NAME: N_("La demande a déjà un fichier de ce nom : renommez l’un des deux."),
    Problem.NOT_CHECKED: N_("Les vérifications ne sont pas finies : attendez leur fin, puis envoyez."),
    Problem.BLOCKED: N_(
        "Un fichier ne peut pas sortir tel quel : sa page dit pourquoi et quoi changer. "
        "Corrigez-le ou retirez-le, puis envoyez."
    ),
    Problem.REASON_MISSING: N_("Dites pourquoi : un motif de la liste, ou un commentaire au demandeur."),
    Problem.UNKNOWN_REASON: N_("Ce motif n’est pas dans la liste."),
    Problem.FILE_VERDICTS: N_(
        "Un fichier n’est pas approuvé : la demande ne peut pas l’être. Revoyez le fichier, ou votre avis."
    ),
    Problem.QUARANTINE_REASON: N_(
        "Un fichier est mis à l’écart : écrivez comment vous l’avez examiné et pourquoi il peut sortir "
        "(%(least)s caractères au moins)."
    ),
    Problem.BLOCKED_APPROVAL: N_("Un fichier a un constat bloquant : la demande ne s’approuve pas."),
    Problem.PREVIOUS: N_("On ne reprend qu’une demande à vous, du même projet, à corriger ou retirée."),
    Problem.FILE_TOO_BIG: N_("Un fichier qui sort fait au plus %(megabytes)s Mo : agrégez, ou divisez-le."),
    Problem.SHELF_BROKEN: N_(
        "Le fichier gardé n’est plus celui qui a été relu : il ne sort pas. L’incident est consigné et le "
        "délégué à la protection des données prévenu. Refaites une demande."
    ),
    Problem.TOO_FEW_APPROVALS: N_(
        "Les approbations ne valent plus toutes (un relecteur a rejoint le projet, par exemple) : "
        "la demande attend un autre relecteur."
    ),
    Problem.UNKNOWN_REVIEWER: N_("Cette personne n’est pas relecteur : le CSE la désigne d’abord."),
    Problem.BAD_DATES: N_("La fin ne peut pas précéder le début : corrigez les dates."),
    Problem.BAD_NAME: N_("Ce n’est pas un nom de compte : minuscules, chiffres et . _ @ + - seulement."),
    Problem.NOT_A_QUESTION: N_("On ne répond qu’à une question posée sur cette demande."),
    Problem.TOO_MANY_OPEN: N_(
        "Vous avez déjà %(most)s brouillons dans ce projet : envoyez-en ou retirez-en d’abord."
    ),
    Problem.TOO_MANY_BYTES: N_(
        "Les fichiers d’une demande font ensemble au plus %(megabytes)s Mo : faites-en deux."
    ),
    Problem.TOO_MANY_BYTES_TODAY: N_(
        "Vous avez déposé plus de %(megabytes)s Mo en un jour : la place est à tous. Attendez demain, ou "
        "demandez à l’administrateur de la plateforme."
    ),
    Problem.SEAT_TAKEN: N_(
        "Un avis est déjà donné à cette place : un relecteur et son suppléant n’en font qu’un. Un autre "
        "relecteur est attendu."
    ),
    Problem.READS_THE_LOG: N_(
        "Votre rôle vous ouvre le journal, où un avis se lit avant que tous soient donnés : vous ne relisez "
        "donc pas."
    ),
    Problem.OWN_READING: N_(
        "Vous, ou le médecin que vous suppléez, avez accepté le notebook qui a produit un fichier de cette "
        "demande : un seul avis suffit, et c’est celui d’un autre médecin. Vous pouvez lui laisser une "
        "remarque."
    ),
    Problem.OWN_NAMING: N_("Personne ne se désigne : demandez-le à un autre membre du CSE."),
    Problem.TOO_FAST: N_("Trop de demandes en peu de temps : attendez une minute, puis recommencez."),
    Problem.UNKNOWN_FINDING: N_("Ce constat n’est plus là : le fichier a changé. Relisez la page."),
    Problem.NOT_CONTESTABLE: N_(
        "Ce constat ne s’explique pas : le fichier ne sort qu’une fois corrigé. Suivez le remède indiqué."
    ),
    Problem.EXPLANATION_TOO_SHORT: N_(
        "Une explication fait au moins %(least)s caractères : dites ce qu’est ce nombre, et pourquoi "
        "personne ne s’y reconnaît."
    ),
    Problem.HOME_FILE: N_(
        "Un des fichiers choisis ne se lit pas : il a été déplacé, ou n’est pas un fichier ordinaire. "
        "Revenez à la liste et choisissez de nouveau."
    ),
    Problem.HOME_KIND: N_("Ce type de fichier ne sort pas : choisissez un tableau, une figure ou un texte."),
    Problem.STILL_THERE: N_("Ce relecteur peut encore agir : son vote ne peut pas être mis de côté."),
}


class AirlockProblem(Exception):
    """Something that can't be done as asked. The message is French; `problem` and `blanks` say it in any
    language."""

    def __init__(self, problem: Problem, **blanks: str | int) -> None:
        self.problem, self.blanks = problem, blanks
        super().__init__(TEXTS[problem] % blanks)


class Denied(AirlockProblem):
    """A rule says that this person may not do this. An unknown request is denied in the same words as one
    that is not theirs to see."""
