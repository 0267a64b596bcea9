"""What the pages of registered notebooks say of closed vocabularies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.airlock.rules.code_signs import Sign
from hub_config.governance.notebooks.facts import NotebookState
from hub_config.governance.notebooks.problems import Why
from hub_config.governance.report_runs.parameters import Kind
from hub_config.web.texts import N_

STATES: Final[Mapping[NotebookState, str]] = {
    NotebookState.ASKED: N_("attend une lecture"),
    NotebookState.APPROVED: N_("accepté"),
    NotebookState.REFUSED: N_("refusé"),
    NotebookState.WITHDRAWN: N_("retiré"),
}

SIGNS: Final[Mapping[str, str]] = {
    Sign.RUNS_TEXT.value: N_(
        "exécute du texte, ou passe par un nom interne : ce qui s’exécute n’est pas ce qui se lit"
    ),
    Sign.SYSTEM.value: N_("se sert du système (fichiers, programmes, réseau)"),
    Sign.PACKED.value: N_("encode ou décode des données"),
    Sign.COMMAND.value: N_("donne une commande à IPython ou au système"),
    Sign.DATA.value: N_("contient beaucoup de valeurs écrites : demandez-vous d’où elles viennent"),
    Sign.LONG.value: N_(
        "se lit mal : ligne ou mot très longs, grand blanc, ou plus de 300 lignes. Lisez jusqu’au bout"
    ),
    Sign.FOREIGN.value: N_("contient des lettres d’un autre alphabet"),
    Sign.UNREADABLE.value: N_("n’est pas du Python lisible"),
}

KINDS: Final[Mapping[Kind, str]] = {
    Kind.TEXT: N_("texte"),
    Kind.INTEGER: N_("nombre entier"),
    Kind.NUMBER: N_("nombre"),
    Kind.TRUTH: N_("oui ou non"),
    Kind.DATE: N_("date"),
    Kind.LIST: N_("liste de textes"),
}

REFUSALS: Final[Mapping[Why, str]] = {
    Why.NOT_A_NOTEBOOK: N_(
        "Ce fichier n’est pas un notebook Python (format 4). Enregistrez-le de nouveau dans JupyterLab."
    ),
    Why.TOO_LONG: N_(
        "Ce notebook est trop long pour être lu : 200 cellules et 60 000 signes au plus. Divisez-le."
    ),
    Why.RAW_CELL: N_("La cellule %(line)s est une cellule brute : changez-la en texte ou en code."),
    Why.HIDDEN: N_(
        "La cellule %(line)s contient des caractères invisibles : un médecin doit voir tout ce qui "
        "s’exécute. "
        "Retapez-la."
    ),
    Why.DATA_ADDRESS: N_(
        "La cellule %(line)s contient une image écrite dans le texte (« data: ») : un médecin n’en verrait "
        "que des lettres. Retirez-la."
    ),
    Why.PARAMETERS: N_(
        "La cellule « parameters » ne se lit pas : une seule, avec seulement des lignes « nom: type ="
        " valeur  # aide »."
    ),
    Why.NAME: N_(
        "Donnez un nom de 3 à 48 signes : minuscules sans accent, chiffres et tirets ; pas « n-… », qui "
        "est un numéro."
    ),
    Why.NAME_TAKEN: N_(
        "Le projet a déjà un notebook de ce nom : retirez-le d’abord, ou donnez un autre nom."
    ),
    Why.PURPOSE: N_("Dites en quelques mots (20 signes au moins) ce que fait le notebook et à quoi il sert."),
    Why.OUTPUTS: N_(
        "Un fichier déclaré ne convient pas (ligne %(line)s) : un par ligne, « nom.csv : ce qu’il "
        "montre » ; csv, "
        "json, md, png ou txt ; 20 au plus, chacun une fois, avec une phrase de 10 à 300 signes."
    ),
    Why.NO_ROWS: N_("Ce projet n’a pas accès aux données individuelles : décochez cette case."),
    Why.ROWS_WITHOUT_OUTPUTS: N_(
        "D’un notebook qui lit des données individuelles, seuls les fichiers déclarés sont gardés : "
        "déclarez-en au "
        "moins un."
    ),
    Why.TOO_MANY: N_("Le projet a déjà 20 notebooks ouverts : retirez ceux qui ne servent plus."),
    Why.REASON: N_("Un refus se motive : dites en quelques mots ce qui doit changer."),
    Why.STEP: N_("Ce n’est plus possible : ce notebook a déjà changé d’état. Relisez la page."),
    Why.OWN: N_("C’est votre notebook : un autre médecin le lit."),
}

REGISTERED_REASON: Final = N_(
    "Reproduit : l’enclave a elle-même exécuté un notebook du projet, dont un médecin avait lu le code, et a "
    "gardé ce fichier, octet pour octet. Le code est d’un membre du projet ; reste à juger ce qu’il montre."
)
