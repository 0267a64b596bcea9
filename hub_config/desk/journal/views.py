"""What of an event the DPO's page shows: kinds of events, their words, and the details that hold no value.
Pure.

The text of a query stays in the log: what a person typed may name a condition of one patient. The page shows
which tables, how many cells or files, which refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub_config.desk.texts import N_
from hub_config.governance.audit.record import Record


class Kind(StrEnum):
    ALL = "tout"
    SEEN = "vu"
    RELEASES = "sorties"
    REFUSALS = "refus"
    OBJECTIONS = "oppositions"
    LOGINS = "connexions"
    ENTRIES = "entrees"
    GOVERNANCE = "projets"


@dataclass(frozen=True)
class View:
    """Names of events, or their beginnings; and how they must have ended, where that matters."""

    label: str
    what: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()


VIEWS: Final[Mapping[Kind, View]] = {
    Kind.ALL: View(N_("Tous les événements")),
    Kind.SEEN: View(
        N_("Qui a vu quoi"),
        ("gateway.query", "gateway.publish", "gateway.noise", "gateway.me", "report.", "release.download"),
        ("allowed",),
    ),
    Kind.RELEASES: View(N_("Sorties"), ("release.", "reviewer.")),
    Kind.REFUSALS: View(N_("Refus et échecs"), (), ("refused", "failed")),
    Kind.OBJECTIONS: View(N_("Oppositions et retraits"), ("objection.", "participation.", "rights.")),
    Kind.LOGINS: View(N_("Connexions"), ("hub.", "workspace.")),
    Kind.ENTRIES: View(N_("Entrées de fichiers"), ("entry.", "codelist.")),
    Kind.GOVERNANCE: View(
        N_("Projets et rôles"), ("project.", "dossier.", "person.", "register.", "charter.")
    ),
}

WORDS: Final[Mapping[str, str]] = {
    "gateway.query": N_("Question posée"),
    "gateway.publish": N_("Tableau figé"),
    "gateway.noise": N_("Question bruitée"),
    "gateway.me": N_("Ses propres données"),
    "gateway.whoami": N_("Identité demandée"),
    "gateway.catalogue": N_("Catalogue lu"),
    "hub.login": N_("Connexion"),
    "hub.logout": N_("Déconnexion"),
    "hub.expelled": N_("Session close d'office"),
    "workspace.start": N_("Espace de travail ouvert"),
    "workspace.stop": N_("Espace de travail fermé"),
    "workspace.egress": N_("Volume envoyé au navigateur"),
    "report.start": N_("Rapport lancé"),
    "report.end": N_("Rapport terminé"),
    "report.keep": N_("Rapport inscrit au registre des exécutions"),
    "objection.add": N_("Opposition enregistrée"),
    "objection.lift": N_("Opposition levée"),
    "participation.lift": N_("Récépissé d'une opposition levée"),
    "rights.ask-erasure": N_("Effacement de copies demandé"),
    "rights.erased": N_("Copies effacées"),
    "participation.objection": N_("Récépissé d'opposition"),
    "participation.enter": N_("Entrée d'un cabinet"),
    "participation.software": N_("Changement de logiciel"),
    "participation.leave": N_("Retrait d'un médecin"),
    "project.create": N_("Projet créé"),
    "project.approve": N_("Projet approuvé"),
    "project.suspend": N_("Projet suspendu"),
    "project.amend": N_("Projet modifié"),
    "project.close": N_("Projet clos"),
    "project.add-member": N_("Membre ajouté"),
    "project.remove-member": N_("Membre retiré"),
    "audit.export": N_("Journal exporté"),
    "audit.read": N_("Journal consulté"),
    "audit.anchor": N_("Ancre posée"),
    "audit.prune": N_("Événements anciens supprimés"),
    "audit.verify": N_("Journal vérifié"),
    "person.link": N_("Compte relié à l'entrepôt"),
    "person.unlink": N_("Compte délié de l'entrepôt"),
    "person.leave": N_("Départ d'une personne"),
    "charter.accept": N_("Charte acceptée"),
    "charter.in-force": N_("Charte mise en vigueur"),
    "charter.lift": N_("Charte retirée"),
    "reviewer.name": N_("Relecteur nommé"),
    "reviewer.remove": N_("Relecteur retiré"),
    "reviewer.absence": N_("Absence d'un relecteur"),
    "register.entry": N_("Inscription au registre"),
    "register.remind": N_("Rappels envoyés"),
    "register.review-overdue": N_("Projet suspendu faute de revue"),
    "dossier.submit": N_("Demande de projet déposée"),
    "dossier.read": N_("Demande de projet lue"),
    "dossier.vote": N_("Vote du comité"),
    "dossier.decide": N_("Décision sur une demande de projet"),
    "audit.undone": N_("Changement annulé"),
    "audit.repair": N_("Journal réparé après un arrêt brutal"),
    "release.draft": N_("Demande de sortie commencée"),
    "release.submit": N_("Demande de sortie déposée"),
    "release.take": N_("Demande de sortie ouverte par un relecteur"),
    "release.vote": N_("Avis d'un relecteur"),
    "release.release": N_("Sortie accordée"),
    "release.download": N_("Sortie téléchargée"),
    "release.recall": N_("Sortie rappelée"),
    "release.withdraw": N_("Demande de sortie retirée"),
    "release.not-reproduced": N_("Fichier qui n'est plus reproduit : modèle retiré"),
    "codelist.add": N_("Liste de codes partagée"),
    "codes.load": N_("Table de codes chargée"),
    "dossier.begin": N_("Demande de projet commencée"),
    "dossier.save": N_("Demande de projet enregistrée"),
    "dossier.conflict": N_("Conflit d'intérêts déclaré"),
    "dossier.answer-reserve": N_("Réponse à une réserve"),
    "dossier.lift-reserve": N_("Réserve levée"),
    "person.take-back": N_("Retour d'une personne"),
    "project.rewrite": N_("Projet réécrit"),
    "register.lead": N_("Responsable d'un centre nommé"),
    "register.drop-lead": N_("Responsable d'un centre retiré"),
    "register.export": N_("Registre exporté"),
    "register.greet": N_("Première visite au registre"),
    "register.responsible": N_("Responsable d'un projet nommé"),
    "register.review": N_("Revue des accès faite"),
    "release.describe": N_("Textes d'une demande de sortie"),
    "release.explain": N_("Explication d'un constat"),
    "release.add-file": N_("Fichier ajouté à une demande"),
    "release.remove-file": N_("Fichier retiré d'une demande"),
    "release.ask": N_("Question d'un relecteur"),
    "release.answer": N_("Réponse au relecteur"),
    "release.comment": N_("Commentaire d'un relecteur"),
    "release.consolidate": N_("Concertation des relecteurs"),
    "release.assign": N_("Relecteurs désignés"),
    "release.replace": N_("Relecteur remplacé"),
    "release.return": N_("Demande de sortie à corriger"),
    "release.reject": N_("Demande de sortie refusée"),
    "release.approve": N_("Demande de sortie approuvée"),
    "release.reopen": N_("Demande de sortie rouverte"),
    "release.resubmit": N_("Demande de sortie reprise"),
    "release.remind": N_("Rappel aux relecteurs"),
    "release.expire": N_("Brouillon expiré"),
    "release.news-read": N_("Nouvelles lues"),
    "release.shelf-broken": N_("Fichier gardé altéré"),
    "reviewer.back": N_("Retour d'un relecteur"),
    "reviewer.delegate": N_("Suppléant nommé"),
    "entry.submit": N_("Fichier déposé au sas d'entrée"),
    "entry.accept": N_("Fichier accepté à l'entrée"),
    "entry.turn-away": N_("Fichier écarté par les contrôles d'entrée"),
    "entry.refuse": N_("Fichier refusé à l'entrée"),
    "participation.lookup": N_("Identifiant sans correspondance"),
    "rights.trace": N_("Espaces d'un opposant recherchés"),
    "rights.export": N_("Demandes de droits exportées"),
    "rights.open": N_("Demande d'exercice de droits"),
    "rights.step": N_("Demande de droits : étape"),
    "rights.remind": N_("Rappel d'une demande de droits envoyé"),
}

DECISIONS: Final[Mapping[str, str]] = {
    "allowed": N_("accordé"),
    "refused": N_("refusé"),
    "failed": N_("échec"),
}

# Names, counts, codes and states. Not the text of queries, nor a title that a person wrote.
SHOWN: Final = (
    "tables", "protection", "code", "scope", "standing", "cells", "files", "before", "after", "access",
    "snapshot", "members", "user", "role", "of", "new", "receipt", "reference", "kind", "request", "state",
    "verdict", "reason", "template", "events", "through", "first", "last", "format", "method", "due", "size",
    "bytes", "class", "looks", "dossier", "decision", "person", "of_project", "kinds",
)  # fmt: skip


LABELS: Final[Mapping[str, str]] = {
    "tables": N_("tables"),
    "protection": N_("protection"),
    "code": N_("motif"),
    "scope": N_("portée"),
    "before": N_("avant"),
    "after": N_("après"),
    "access": N_("accès"),
    "snapshot": N_("version figée"),
    "members": N_("membres"),
    "user": N_("personne"),
    "person": N_("personne"),
    "of_project": N_("projet"),
    "role": N_("rôle"),
    "standing": N_("qualité"),
    "of": N_("de"),
    "new": N_("nouvelle"),
    "receipt": N_("récépissé"),
    "reference": N_("référence"),
    "kind": N_("genre"),
    "request": N_("demande"),
    "reason": N_("motif"),
    "due": N_("échéance"),
    "size": N_("taille"),
    "bytes": N_("octets"),
}


@dataclass(frozen=True)
class Row:
    number: int
    at: str
    who: str
    what: str
    project: str
    decision: str
    where: str
    details: tuple[tuple[str, str], ...]
    hash: str


def row(record: Record) -> Row:
    return Row(
        record.number,
        record.at,
        record.who,
        WORDS.get(record.what, record.what),
        record.project or "",
        DECISIONS.get(record.decision, record.decision),
        record.where or "",
        tuple(_shown(record.details)),
        record.hash,
    )


def _shown(details: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for name in SHOWN:
        if details.get(name) not in (None, ""):
            yield LABELS.get(name, name), _said(details[name])


def _said(value: object) -> str:
    match value:
        case True:
            return N_("oui")
        case False:
            return N_("non")
        case _:
            return str(value)[:200]


@dataclass
class Tally:
    """What one person did in one project."""

    questions: int = 0
    published: int = 0
    own: int = 0
    refused: int = 0
    released: int = 0
    first: str = ""
    last: str = ""
    tables: set[str] = field(default_factory=set)


def who_saw_what(records: Iterable[Record]) -> dict[tuple[str, str], Tally]:
    """By person and project: how often, which tables, between when and when. Newest first is expected."""
    found: dict[tuple[str, str], Tally] = {}
    for record in records:
        tally = found.setdefault((record.who, record.project or ""), Tally())
        tally.last = tally.last or record.at
        tally.first = record.at
        tally.tables.update(str(record.details.get("tables") or "").split())
        _count(tally, record)
    return dict(sorted(found.items()))


def _count(tally: Tally, record: Record) -> None:
    if record.decision != "allowed":
        tally.refused += 1
        return
    match record.what:
        case "gateway.query" | "gateway.noise":
            tally.questions += 1
        case "gateway.publish":
            tally.published += 1
        case "gateway.me":
            tally.own += 1
        case "release.download" | "release.release":
            tally.released += 1
        case _:
            return
