"""What the tests of the airlock's domain do all the time, in one line each. No pages, no checks: files come
in as already checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from hub_config.airlock.actions import drafting, releasing, reviewing
from hub_config.airlock.actions.drafting import Checked, Words
from hub_config.airlock.pool import actions as pool
from hub_config.airlock.rules.voting import Ballot
from hub_config.airlock.shelf import Shelf
from hub_config.governance import actions
from hub_config.governance.audit import read_records
from hub_config.governance.audit.record import Record
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import (
    CheckState,
    FileKind,
    OutputClass,
    RequestFacts,
    Verdict,
)
from hub_config.governance.releases.reading import find_request
from hub_config.governance.roles import Person, Role
from hub_config.governance.store import Store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings

MONDAY = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
INES = Person("ines", "Inès", frozenset({Role.INTERNE}))
RACHID = Person("rachid", "Rachid", frozenset({Role.CHERCHEUR}))
DIANE = Person("diane", "Diane", frozenset({Role.MEDECIN_DIM}))
DENIS = Person("denis", "Denis", frozenset({Role.MEDECIN_DIM}))
ODILE = Person("odile", "Odile", frozenset({Role.MEDECIN_REFERENT}))
DORA = Person("dora", "Dora", frozenset({Role.DPO}))
CHARLES = Person("charles", "Charles", frozenset({Role.CSE}))
WORDS = Words("Tableau 1", "Thèse", "Patients de 40 à 84 ans, 2015-2019", "Effectifs d’au moins 11")
SAFE = Checked(FileKind.CSV, OutputClass.BORN_SAFE, CheckState.CHECKED, (), {"generated_text": True}, "v1")
UNVERIFIED = Checked(FileKind.CSV, OutputClass.UNVERIFIED, CheckState.CHECKED, (), None, "v1")
TERMS = Terms(SnapshotTerms(1, synthetic=True))
TABLE = b"sexe,patients\nF,120\nH,96\n"


@dataclass
class House:
    store: Store
    settings: Settings
    now: datetime = MONDAY
    shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.settings.releases_dir)

    @contextmanager
    def doing(self, person: Person) -> Iterator[tuple[Session, dict[str, Any]]]:
        with self.store.change() as session:
            yield session, {"at": self.now, "audit": self.recorder(person)}

    def recorder(self, person: Person) -> Recorder:
        return self.store.recorder(person.username)

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def project(self, slug: str, member: Person, access: AccessLevel = AccessLevel.AGGREGATE) -> None:
        grant = Grant(access, {"patients": None}, legal_basis="MR-004")
        charter = Charter(slug, f"Projet {slug}", "Décrire", 1, grant, {member.username: MemberRole.INTERNE})
        with self.store.change() as session:
            actions.create_project(session, charter, terms=TERMS, audit=self.store.recorder("admin"))
            actions.approve(session, slug, audit=self.store.recorder("admin"))

    def join(self, slug: str, person: Person) -> None:
        with self.store.change() as session:
            role = MemberRole.CHERCHEUR
            actions.add_member(session, slug, person.username, role, audit=self.store.recorder("admin"))

    def leave(self, slug: str, person: Person) -> None:
        with self.store.change() as session:
            actions.remove_member(session, slug, person.username, audit=self.store.recorder("admin"))

    def draft(self, person: Person = INES, project: str = "these-ines", checked: Checked = UNVERIFIED) -> str:
        with self.doing(person) as (session, how):
            request = drafting.open_draft(session, person, project, WORDS, **how).id
        self.add(request, person, checked=checked)
        return request

    def add(
        self,
        request: str,
        person: Person = INES,
        name: str = "tableau1.csv",
        content: bytes = TABLE,
        checked: Checked = UNVERIFIED,
        replacing: bool = False,
    ) -> None:
        shelved = self.shelf.put(content, limit=self.settings.airlock.file_bytes)
        with self.doing(person) as (session, how):
            drafting.add_file(
                session,
                person,
                request,
                name,
                shelved,
                checked,
                settings=self.settings.airlock,
                replacing=replacing,
                **how,
            )

    def submit(self, request: str, person: Person = INES) -> RequestFacts:
        with self.doing(person) as (session, how):
            return drafting.submit(session, person, request, settings=self.settings.airlock, **how)

    def submitted(self, **draft: Any) -> str:
        request = self.draft(**draft)
        self.submit(request, draft.get("person", INES))
        return request

    def vote(
        self, request: str, person: Person, verdict: Verdict = Verdict.APPROVE, **more: Any
    ) -> RequestFacts:
        ballot = self.ballot(request, verdict, **more)
        with self.doing(person) as (session, how):
            return reviewing.vote(session, person, request, ballot, **how)

    def consolidate(
        self, request: str, person: Person, verdict: Verdict = Verdict.APPROVE, **more: Any
    ) -> RequestFacts:
        ballot = self.ballot(request, verdict, **more)
        with self.doing(person) as (session, how):
            return reviewing.consolidate(session, person, request, ballot, **how)

    def ballot(self, request: str, verdict: Verdict, **more: Any) -> Ballot:
        if verdict in (Verdict.CHANGES, Verdict.REJECT):
            more = {"reasons": ("petits-effectifs",), **more}
        return Ballot(verdict, self.facts(request).seal, **more)

    def release(self, request: str) -> releasing.Released | releasing.Reopened | releasing.Broken:
        with self.store.change() as session:
            return releasing.release(
                session,
                self.shelf,
                request,
                settings=self.settings,
                at=self.now,
                audit=self.store.recorder("enclave"),
            )

    def download(
        self, request: str, person: Person = INES, number: int = 1
    ) -> releasing.Handed | releasing.Broken:
        with self.doing(person) as (session, how):
            return releasing.download(
                session, self.shelf, person, request, number, settings=self.settings, **how
            )

    def released(self, **draft: Any) -> str:
        request = self.submitted(**draft)
        self.vote(request, DIANE)
        if self.facts(request).looks_needed == 2:
            self.vote(request, DENIS)
        self.release(request)
        return request

    def facts(self, request: str) -> RequestFacts:
        with self.store.session() as session:
            found = find_request(session, request)
        assert found is not None
        return found

    def recorded(self, what: str = "") -> list[Record]:
        records = read_records(self.store.audit.directory, self.store.audit.keys)
        return [record for record in records if record.what.startswith(what)]


def furnished(house: House) -> House:
    """Inès' and Rachid's projects; Diane, Denis and Odile on the pool."""
    house.project("these-ines", INES)
    house.project("modeles-rachid", RACHID, AccessLevel.MICRODATA)
    for reviewer in (DIANE, DENIS, ODILE):
        with house.doing(CHARLES) as (session, how):
            pool.name_reviewer(session, CHARLES, reviewer.username, **how)
    return house
