"""The register of processing activities as records: what article 30 of the GDPR asks for, project by project.

GDPR art. 30 § 1: (a) controller and DPO, (b) purposes, (c) data subjects and data, (d) recipients, (e)
transfers, (f) time limits, (g) security measures. One record a project, national or regional; the CNIL adds
the legal basis. Written as CSV or JSON here; pages print the same records.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from hub_config.governance import actions
from hub_config.governance.facts import Grant, ProjectFacts, ProjectStatus
from hub_config.governance.register import reading
from hub_config.governance.register.facts import DossierFacts, EntryFacts, Office, State, Verdict
from hub_config.governance.spreadsheets import inert
from hub_config.sections import ProjectSettings
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Catalogue

SUBJECTS: Final = "Patients des médecins participants ; médecins participants ; internes (carnet)"
TRANSFERS: Final = "Aucun transfert hors de l'Union européenne"
SECURITY: Final = (
    "Pseudonymisation à deux clés ; espaces de travail isolés, sans réseau ; double authentification ; "
    "réponses agrégées protégées (au moins 11 patients et 3 médecins) ; sorties relues par des médecins ; "
    "journal chaîné et signé"
)
RECONTACT: Final = "Oui, par le médecin du patient, sur liste scellée que lui seul ouvre"
PRACTICES: Final = "cabinets participants (leurs propres patients)"
UNSAID: Final = "Non renseigné"


@dataclass(frozen=True)
class Activity:
    """One processing activity, every field a text: art. 30 § 1 in its order."""

    reference: str
    title: str
    scope: str
    status: str
    controller: str  # a
    controller_contact: str
    dpo_contact: str
    responsible: str
    director: str
    purposes: str  # b
    legal_basis: str
    dpia: str
    subjects: str  # c
    data: str
    centres: str
    access: str
    recontact: str
    recipients: str  # d
    transfers: str  # e
    retention: str  # f
    expires_on: str
    security: str  # g
    decisions: str
    review_due: str


TITLES: Final[Mapping[str, str]] = {
    "reference": "Référence",
    "title": "Traitement",
    "scope": "Portée",
    "status": "État",
    "controller": "Responsable du traitement (art. 30 § 1 a)",
    "controller_contact": "Coordonnées du responsable (a)",
    "dpo_contact": "Délégué à la protection des données (a)",
    "responsible": "Responsable du projet",
    "director": "Directeur",
    "purposes": "Finalités (b)",
    "legal_basis": "Base légale",
    "dpia": "Analyse d'impact",
    "subjects": "Personnes concernées (c)",
    "data": "Catégories de données (c)",
    "centres": "Centres",
    "access": "Niveau d'accès",
    "recontact": "Recontact de patients",
    "recipients": "Destinataires (d)",
    "transfers": "Transferts vers un pays tiers ou une organisation internationale (e)",
    "retention": "Durées de conservation (f)",
    "expires_on": "Échéance de l'accès",
    "security": "Mesures de sécurité (g)",
    "decisions": "Décisions",
    "review_due": "Prochaine revue des accès",
}
_OFFICES: Final = {Office.CSE: "CSE", Office.DPO: "DPO", Office.ADMIN: "administrateur"}
_STATUSES: Final = {
    ProjectStatus.DRAFT: "à l'étude",
    ProjectStatus.APPROVED: "ouvert",
    ProjectStatus.SUSPENDED: "suspendu",
    ProjectStatus.CLOSED: "clos",
}
_VERDICTS: Final = {
    Verdict.FAVOURABLE: "favorable",
    Verdict.RETURN: "à compléter",
    Verdict.UNFAVOURABLE: "défavorable",
}
_ACCESS: Final = {
    "aggregate": "résultats agrégés et protégés",
    "microdata": "données individuelles pseudonymisées",
    "sandbox": "données fictives",
}


def activities(session: Session, settings: ProjectSettings) -> list[Activity]:
    """Every project that processes or processed personal data, national ones first. Drafts and the
    synthetic sandbox process nothing."""
    entries, catalogue = reading.entries(session), load_catalogue()
    found = [
        _activity(one, entries.get(one.slug), reading.dossiers_about(session, one.slug), settings, catalogue)
        for one in actions.all_projects(session)
        if _processes(one, entries)
    ]
    return sorted(found, key=lambda one: (one.scope != "nationale", one.reference))


def _processes(project: ProjectFacts, entries: Mapping[str, EntryFacts]) -> bool:
    """A draft processes nothing yet; one that was closed before it ever opened never did."""
    if project.open_to_all or (project.status is ProjectStatus.DRAFT and project.slug not in entries):
        return False
    return project.status is not ProjectStatus.CLOSED or project.slug in entries


def write_csv(found: Iterable[Activity]) -> str:
    """For a spreadsheet: French titles, a semicolon between fields, and no field that a formula begins."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, delimiter=";", lineterminator="\r\n")
    names = [field.name for field in fields(Activity)]
    writer.writerow([TITLES[name] for name in names])
    for one in found:
        writer.writerow([inert(str(getattr(one, name))) for name in names])
    return "\ufeff" + sheet.getvalue()


def write_json(found: Iterable[Activity], *, on: date) -> str:
    document = {"register": "GDPR article 30", "on": on.isoformat(), "activities": [asdict(a) for a in found]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _activity(
    project: ProjectFacts,
    entry: EntryFacts | None,
    dossiers: Sequence[DossierFacts],
    site: ProjectSettings,
    catalogue: Catalogue,
) -> Activity:
    grant = project.grant
    return Activity(
        reference=project.slug,
        title=project.title,
        scope="régionale" if entry and entry.scope == "regional" else "nationale",
        status=_STATUSES[project.status],
        controller=site.controller,
        controller_contact=site.controller_contact or UNSAID,
        dpo_contact=site.dpo_contact or UNSAID,
        responsible=entry.responsible if entry else UNSAID,
        director=entry.director if entry else UNSAID,
        purposes=project.purpose,
        legal_basis=grant.legal_basis,
        dpia=entry.dpia if entry and entry.dpia else UNSAID,
        subjects=SUBJECTS,
        data=", ".join(
            catalogue.tables[name].label_fr for name in sorted(grant.tables) if name in catalogue.tables
        ),
        centres="tous" if grant.centres is None else ", ".join(sorted(grant.centres)),
        access=_ACCESS[grant.access.value],
        recontact=_recontact(grant, dossiers),
        recipients=_recipients(project),
        transfers=TRANSFERS,
        retention=entry.retention if entry and entry.retention else UNSAID,
        expires_on=_day(grant.expires_on),
        security=SECURITY,
        decisions=_decisions(dossiers),
        review_due=_day(entry.review_due if entry else None),
    )


def _recontact(grant: Grant, dossiers: Sequence[DossierFacts]) -> str:
    """Whether practices may be asked to tell patients, and why the approved request wanted it."""
    if not grant.recontact:
        return "non"
    approved = [each for each in dossiers if each.state is State.APPROVED and each.asks_recontact]
    why = str(approved[-1].answers.get("recontact_why") or "") if approved else ""
    return f"{RECONTACT} : {why}" if why else RECONTACT


def _recipients(project: ProjectFacts) -> str:
    members = ", ".join(sorted(project.members)) or "aucun"
    return f"{members} ; {PRACTICES}" if project.grant.recontact else members


def _decisions(dossiers: Iterable[DossierFacts]) -> str:
    """Who agreed and when, of each request that was approved."""
    told = [
        f"{_OFFICES[opinion.office]} : {_VERDICTS[opinion.verdict]}, {_day(opinion.at.date())}"
        for dossier in dossiers
        if dossier.state is State.APPROVED
        for opinion in dossier.opinions
        if opinion.round == dossier.round
    ]
    return " ; ".join(told) or UNSAID


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else "sans échéance"
