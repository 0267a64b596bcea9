"""The register on both databases: an enclave of its own, with a clock that tests set and a warehouse of two
centres that is never opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI

from hub_config.governance import actions
from hub_config.governance.facts import ProjectFacts
from hub_config.governance.register import reading
from hub_config.governance.register.facts import DossierFacts
from hub_config.governance.roles import Role
from hub_config.governance.store import Store, open_store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.register.app import create_app
from hub_config.register.secretariat import Secretariat
from hub_config.settings import Settings
from tests.pages import Visit, stranger, visiting
from tests.postgresql_server import fresh_database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CENTRES = frozenset({"C01", "C02", "C03"})
ANSWERS = {
    "title": "Asthme de l'enfant en médecine générale",
    "director": "Pr Anne Durand, DMG de Rouen",
    "protocol": "Étude descriptive des consultations pour asthme de 2015 à 2022, par âge et par saison.",
    "purpose": "Décrire le suivi de l'asthme de l'enfant en soins primaires, pour une thèse d'exercice.",
    "legal_basis": "MR-004",
    "legal_reference": "2026-004",
    "access": "aggregate",
    "centres": ["*"],
    "tables": ["patients", "diagnoses"],
    "need_patients": "L'âge et le sexe décrivent les enfants.",
    "need_diagnoses": "L'asthme est un diagnostic codé.",
    "defence_on": "2027-06-15",
    "expires_on": "2027-09-30",
    "lay_fr": "Nous comptons combien d'enfants asthmatiques sont suivis par leur généraliste, et quand.",
}


@dataclass
class Registry:
    """A running register, and the people at its door."""

    settings: Settings
    store: Store
    app: FastAPI
    office: Secretariat
    visits: dict[str, Visit] = field(default_factory=dict)

    def at(self, user: str, *roles: Role) -> Visit:
        """`user` at the register, logged in once."""
        if user not in self.visits:
            self.visits[user] = visiting(self.app, user, *roles)
        return self.visits[user]

    @property
    def ines(self) -> Visit:
        return self.at("ines", Role.INTERNE)

    @property
    def charles(self) -> Visit:
        return self.at("charles", Role.CSE)

    @property
    def claire(self) -> Visit:
        return self.at("claire", Role.CSE)

    @property
    def dora(self) -> Visit:
        return self.at("dora", Role.DPO)

    @property
    def admin(self) -> Visit:
        return self.at("admin", Role.ADMIN)

    @property
    def stranger(self) -> Visit:
        return stranger(self.app)

    def dossier(self, dossier_id: str) -> DossierFacts:
        with self.store.session() as session:
            found = reading.dossier(session, dossier_id)
        assert found is not None
        return found

    def project(self, slug: str) -> ProjectFacts:
        with self.store.session() as session:
            return actions.project_facts(session, slug)

    def events(self) -> list[str]:
        """What the audit chain says happened."""
        import json

        lines = [
            line
            for path in sorted(self.settings.audit_dir.glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]
        return [json.loads(line)["what"] for line in lines]

    # the story, step by step

    def begun(self, visit: Visit | None = None) -> str:
        """An empty request; its number."""
        answer = (visit or self.ines).post("/demandes")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].split("/")[2]

    def sent(self, visit: Visit | None = None, **changed: object) -> str:
        """A complete request, sent."""
        visit = visit or self.ines
        number = self.begun(visit)
        answer = self.fill(visit, number, do="submit", **changed)
        assert answer.status_code == 303, answer.text
        return number

    def fill(self, visit: Visit, number: str, *, do: str = "save", **changed: object):  # type: ignore[no-untyped-def]
        version = self.dossier(number).version
        fields = {**ANSWERS, "version": str(version), "do": do, **changed}
        return visit.post(f"/demandes/{number}/formulaire", fields)

    def judged(self, number: str, visit: Visit | None = None, **changed: str):  # type: ignore[no-untyped-def]
        fields = {
            "verdict": "favourable",
            "reason": "Conforme à la MR-004.",
            "legal_basis": "MR-004",
            "legal_reference": "2026-004",
            "retention": "Jusqu'à la soutenance, puis deux ans.",
            "dpia": "AIPD-7",
            "round": str(self.dossier(number).round),
            **changed,
        }
        return (visit or self.dora).post(f"/instruction/{number}/avis", fields)

    def granted(self, number: str, visit: Visit | None = None, **changed: object):  # type: ignore[no-untyped-def]
        fields = {
            "verdict": "favourable",
            "reason": "Technique en place.",
            "snapshot": "1",
            "access": "aggregate",
            "tables": ["patients", "diagnoses"],
            "centres": ["*"],
            "expires_on": "2027-09-30",
            "round": str(self.dossier(number).round),
            **changed,
        }
        return (visit or self.admin).post(f"/instruction/{number}/octroi", fields)

    def voted(self, number: str, visit: Visit, ballot: str = "for", reserve: str = ""):  # type: ignore[no-untyped-def]
        fields = {"ballot": ballot, "reserve": reserve, "round": str(self.dossier(number).round)}
        return visit.post(f"/instruction/{number}/vote", fields)

    def closed(self, number: str, visit: Visit | None = None, reason: str = "Avis du comité."):  # type: ignore[no-untyped-def]
        fields = {"reason": reason, "version": str(self.dossier(number).version)}
        return (visit or self.charles).post(f"/instruction/{number}/clore", fields)

    def lifted(self, number: str, visit: Visit | None = None, reason: str = "Réponse claire."):  # type: ignore[no-untyped-def]
        """The newest reserve."""
        dossier = self.dossier(number)
        fields = {"reason": reason, "version": str(dossier.version)}
        path = f"/instruction/{number}/reserves/{dossier.reserves[-1].id}/lever"
        return (visit or self.charles).post(path, fields)

    def leads(self, user: str, *centres: str) -> None:
        """The committee names somebody who logged in here."""
        for centre in centres:
            named = self.charles.post("/personnes/centres", {"user": user, "centre": centre})
            assert named.status_code == 303, named.text

    def approved(self, visit: Visit | None = None, **changed: object) -> str:
        """A project that all three agreed to; its name."""
        number = self.sent(visit, **changed)
        self.judged(number)
        self.granted(number)
        self.voted(number, self.charles)
        self.voted(number, self.claire)
        closed = self.closed(number, reason="Intérêt scientifique net.")
        assert closed.status_code == 303, closed.text
        slug = self.dossier(number).project
        assert slug is not None
        return slug


@pytest.fixture
def clock() -> list[datetime]:
    """What time it is: set `clock[0]`."""
    return [NOON]


def opened(settings: Settings, clock: list[datetime]) -> Registry:
    store = open_store(settings)

    def terms(number: int | None) -> Terms:
        return Terms(SnapshotTerms(number or 1, synthetic=True, centres=CENTRES), settings.policy)

    office = Secretariat(settings, store, terms, lambda: [1], lambda: clock[0])
    return Registry(settings, store, create_app(office), office)


@pytest.fixture
def registry(tmp_path: Path, clock: list[datetime]) -> Iterator[Registry]:
    found = opened(Settings(home=tmp_path / "home"), clock)
    yield found
    found.store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path, clock: list[datetime]) -> Iterator[Registry]:
    """The register on each database in turn."""
    make: Callable[[str | None], Settings] = lambda url: Settings(home=tmp_path / "home", database_url=url)  # noqa: E731
    if request.param == "sqlite":
        found = opened(make(None), clock)
        yield found
        found.store.close()
        return
    server, like = request.getfixturevalue("postgres"), request.getfixturevalue("migrated")
    with fresh_database(server, like=like) as url:
        found = opened(make(url), clock)
        yield found
        found.store.close()
