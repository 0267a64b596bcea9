"""The words of the charter, version by version, in French and English. Data.

A version is never edited once it was in force anywhere: people accepted these words. A change is a new
version, and everybody is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["fr", "en"]


@dataclass(frozen=True)
class Article:
    title: str
    text: str


@dataclass(frozen=True)
class CharterText:
    """One version: its articles in both languages, in the same order."""

    version: int
    french: tuple[Article, ...]
    english: tuple[Article, ...]

    def articles(self, language: Language) -> tuple[Article, ...]:
        return self.french if language == "fr" else self.english


CHARTERS: tuple[CharterText, ...] = (
    CharterText(
        version=1,
        french=(
            Article(
                "Une finalité, celle de mon projet",
                "Je n'utilise les données que pour la finalité déclarée et approuvée de mon projet, dans son "
                "espace de travail et jusqu'à son échéance. Un autre usage est un autre projet : je le "
                "demande.",
            ),
            Article(
                "Ne reconnaître personne",
                "Je ne cherche à reconnaître ni un patient, ni un médecin, ni un cabinet, même par "
                "recoupement. Si cela m'arrive sans l'avoir voulu, je n'en fais rien et je préviens aussitôt "
                "le délégué à la protection des données.",
            ),
            Article(
                "Rien ne sort sans le sas",
                "Aucun résultat ne quitte la plateforme autrement que par le sas de sortie : ni photo, "
                "ni capture d'écran, ni recopie, ni fichier caché dans un autre. Je ne cherche pas à "
                "contourner les protections ; si j'en trouve le moyen, je le signale.",
            ),
            Article(
                "Un accès personnel",
                "Mon compte est à moi seul : je ne prête ni mon mot de passe ni mon second facteur, et je "
                "ferme ma session. Quand je quitte le projet, je le dis à son responsable.",
            ),
            Article(
                "Le secret demeure",
                "Je suis tenu au secret professionnel sur ce que je vois ici, pendant le projet et après "
                "lui.",
            ),
            Article(
                "Ce que je fais est journalisé",
                "Chaque question posée aux données, chaque demande et chaque décision est inscrite dans un "
                "journal que le délégué à la protection des données peut lire. Un manquement peut entraîner "
                "la fermeture de mes accès et des poursuites.",
            ),
            Article(
                "Citer et rendre compte",
                "Je cite la plateforme dans ce que je publie, et je dis au public, en mots simples, à quoi "
                "mon projet a servi.",
            ),
        ),
        english=(
            Article(
                "One purpose, my project's",
                "I use the data only for the purpose that my project declared and was approved for, in its "
                "workspace and until it expires. Another use is another project: I ask for it.",
            ),
            Article(
                "Recognise nobody",
                "I don't try to recognise a patient, a physician or a practice, nor do so by cross-checking. "
                "If it happens without my wish, I make no use of it and tell the data protection officer at "
                "once.",
            ),
            Article(
                "Nothing leaves but by the airlock",
                "No result leaves the platform other than by the output airlock: no photograph, no "
                "screenshot, no copying by hand, no file hidden in another. I don't try to get round the "
                "protections; if I find a way, I report it.",
            ),
            Article(
                "A personal access",
                "My account is mine alone: I lend neither my password nor my second factor, and I close my "
                "session. When I leave the project, I tell whoever is responsible for it.",
            ),
            Article(
                "Secrecy stays",
                "I am bound by professional secrecy on what I see here, during the project and after it.",
            ),
            Article(
                "What I do is logged",
                "Every question asked of the data, every request and every decision is written into a log "
                "that the data protection officer can read. A breach may close my accesses and lead to "
                "prosecution.",
            ),
            Article(
                "Cite and account for it",
                "I cite the platform in what I publish, and I tell the public, in plain words, what my "
                "project served.",
            ),
        ),
    ),
)


def text_of(version: int) -> CharterText:
    """The words of a version. KeyError for one that this release does not have."""
    return {charter.version: charter for charter in CHARTERS}[version]
