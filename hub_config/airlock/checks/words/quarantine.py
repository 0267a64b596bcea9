"""Why a file was put aside. What happens then is the same for all: two physicians handle it by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.airlock.checks.words.words import Language, Words, both

_BY_HAND: Final = "Ce qu'aucun contrôle ne sait lire est examiné à la main par deux médecins, sans aperçu."
_BY_HAND_EN: Final = "What no check can read is handled by two physicians, without a preview."


def _aside(french: tuple[str, str], english: tuple[str, str]) -> dict[Language, Words]:
    return both((french[0], _BY_HAND, french[1]), (english[0], _BY_HAND_EN, english[1]))


WORDS: Final[Mapping[Reason, Mapping[Language, Words]]] = {
    Reason.UNKNOWN_KIND: _aside(
        (
            "Fichier d'un type inconnu.",
            "Envoyez un tableau en CSV ou XLSX, une figure en PNG ou SVG, un texte en TXT ou HTML.",
        ),
        (
            "A file of an unknown kind.",
            "Send a table as CSV or XLSX, a figure as PNG or SVG, a text as TXT or HTML.",
        ),
    ),
    Reason.REFUSED_KIND: _aside(
        (
            "Fichier d'un type qui ne sort pas.",
            "Envoyez le contenu lui-même : des tableaux, des figures, les coefficients d'un modèle en JSON.",
        ),
        (
            "A file of a kind that doesn't leave.",
            "Send what is in it: tables, figures, the coefficients of a model as JSON.",
        ),
    ),
    Reason.NAME_DISAGREES: _aside(
        (
            "Le nom annonce un type, le contenu en est un autre.",
            "Donnez au fichier l'extension de ce qu'il contient.",
        ),
        ("The name says one kind, the content is another.", "Give the file the extension of what it holds."),
    ),
    Reason.DAMAGED: _aside(
        (
            "Fichier illisible : abîmé, incomplet ou d'une forme inhabituelle.",
            "Ouvrez-le et enregistrez-le de nouveau, de préférence en CSV.",
        ),
        (
            "The file can't be read: damaged, cut, or of an unusual form.",
            "Open it and save it again, best as CSV.",
        ),
    ),
    Reason.NOT_THE_SAME_ANEW: _aside(
        (
            "Fichier que la plateforme n'a pas su écrire de nouveau deux fois de la même façon.",
            "Ouvrez-le et enregistrez-le de nouveau, de préférence en CSV ou en PNG.",
        ),
        (
            "A file that the enclave could not write anew twice in the same way.",
            "Open it and save it again, best as CSV or PNG.",
        ),
    ),
    Reason.ENCRYPTED: _aside(
        ("Fichier protégé par un mot de passe ou chiffré.", "Enregistrez-le sans mot de passe."),
        ("The file is encrypted or has a password.", "Save it without a password."),
    ),
    Reason.BOMB: _aside(
        ("Le fichier se déplie en une taille démesurée.", "Recréez-le à partir des seuls résultats."),
        ("The file unpacks to an absurd size.", "Make it again from the results alone."),
    ),
    Reason.TOO_LARGE: _aside(
        (
            "Fichier trop volumineux pour être contrôlé.",
            "Réduisez-le à un tableau de résultats : 16 Mo et 5 000 lignes au plus.",
        ),
        (
            "The file is too large to be checked.",
            "Reduce it to a table of results: 16 MB and 5,000 rows at most.",
        ),
    ),
    Reason.TOO_MUCH: _aside(
        (
            "Le contrôle du fichier demande trop de mémoire.",
            "Réduisez-le à un tableau de résultats : 16 Mo et 5 000 lignes au plus.",
        ),
        (
            "Checking the file takes too much memory.",
            "Reduce it to a table of results: 16 MB and 5,000 rows at most.",
        ),
    ),
    Reason.ENCODING: _aside(
        ("Le texte du fichier ne se lit dans aucun codage.", "Enregistrez-le en UTF-8."),
        ("The file's text can be read in no encoding.", "Save it as UTF-8."),
    ),
    Reason.POLYGLOT: _aside(
        (
            "Le même fichier peut se lire comme deux types différents.",
            "Recréez-le avec l'outil habituel, par exemple `to_csv` ou `savefig`.",
        ),
        (
            "The same file can be read as two different kinds.",
            "Make it again with the usual tool, for example `to_csv` or `savefig`.",
        ),
    ),
    Reason.TIMED_OUT: _aside(
        (
            "Le contrôle du fichier n'a pas fini à temps.",
            "Simplifiez-le, ou partagez-le en plusieurs fichiers.",
        ),
        ("Checking the file did not end in time.", "Make it simpler, or split it into several files."),
    ),
    Reason.CRASHED: _aside(
        (
            "Le contrôle du fichier s'est arrêté sans réponse.",
            "Ouvrez le fichier et enregistrez-le de nouveau, de préférence en CSV.",
        ),
        ("Checking the file stopped without an answer.", "Open the file and save it again, best as CSV."),
    ),
    Reason.NONSENSE: _aside(
        (
            "Le contrôle du fichier a répondu de travers.",
            "Ouvrez le fichier et enregistrez-le de nouveau, de préférence en CSV.",
        ),
        (
            "Checking the file gave an answer that makes no sense.",
            "Open the file and save it again, best as CSV.",
        ),
    ),
    Reason.NO_BOX: _aside(
        (
            "Le contrôle des fichiers n'a pas pu démarrer.",
            "Ce n'est pas votre fichier : prévenez l'administrateur.",
        ),
        ("Checking files could not start.", "It is not your file: tell the administrator."),
    ),
}
