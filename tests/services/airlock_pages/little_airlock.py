"""An airlock with a few people, for tests of its pages: Inès and Rachid ask, Diane, Denis and Dorian review,
Charles names reviewers. Files are put on its shelf with previews and findings made by hand: no checks run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI

from hub_config.airlock.actions import drafting, reviewing
from hub_config.airlock.actions.drafting import Checked, Words
from hub_config.airlock.app import app_of
from hub_config.airlock.checks import Block, Preview, TableBlock, preview_document
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pool.actions import name_reviewer
from hub_config.airlock.rules.voting import Ballot
from hub_config.airlock.shelf import Shelf
from hub_config.governance import actions as governance
from hub_config.governance.releases import reading
from hub_config.governance.releases.facts import CheckState, FileKind, OutputClass, RequestFacts, Verdict
from hub_config.governance.releases.findings import Finding
from hub_config.governance.roles import Person, Role
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from tests.pages import Visit, visiting

PEOPLE = {
    "ines": Role.INTERNE,
    "rachid": Role.CHERCHEUR,
    "diane": Role.MEDECIN_DIM,
    "denis": Role.MEDECIN_DIM,
    "dorian": Role.MEDECIN_DIM,
    "charles": Role.CSE,
    "dora": Role.DPO,
}
REVIEWERS = ("diane", "denis", "dorian")
VERSION = "test"
TABLE = TableBlock(
    "", ("cisp2", "patients"), (("K86", "3934"), ("R74", "3553")), total_rows=2, total_columns=2
)
WORDS = Words("Mes diagnostics", "Ma thèse", "Tous les patients de 2019 à 2022", "Rien sous 11 patients")


@dataclass(frozen=True)
class File:
    """What a request asks to let out. Equal names and `content` are equal bytes."""

    name: str = "table.csv"
    content: bytes = b"cisp2,patients\nK86,3934\n"
    output_class: OutputClass = OutputClass.UNVERIFIED
    findings: tuple[Finding, ...] = ()
    blocks: tuple[Block, ...] = (TABLE,)
    proof: dict[str, object] | None = None
    kind: FileKind = FileKind.CSV
    state: CheckState = CheckState.CHECKED

    @property
    def checked(self) -> Checked:
        return Checked(self.kind, self.output_class, self.state, self.findings, self.proof, VERSION)


SIGNED = File(
    "figé.csv",
    b"signed",
    OutputClass.BORN_SAFE,
    proof={
        "definition": """SELECT "t0"."cisp2", COUNT(DISTINCT "t0"."patient_id") AS "patients"
            FROM "diagnoses" AS "t0" WHERE "t0"."cisp2" = 'K86' GROUP BY 1""",
        "columns": [
            {"name": "cisp2", "lineage": "key", "source": [], "alias": False},
            {"name": "patients", "lineage": "measure", "source": [], "alias": False},
        ],
        "generated_text": True,
        "snapshot": 1,
    },
)


@dataclass
class LittleAirlock:
    home: Path
    desk: Desk = field(init=False)
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        settings = Settings(home=self.home)
        store = open_store(settings)
        self.desk = Desk(store, Shelf(settings.releases_dir), settings)
        self.app = app_of(self.desk)
        with store.change() as session:
            governance.ensure_demo(session, 1, synthetic=True, audit=store.recorder("test"))
            for name in REVIEWERS:
                name_reviewer(session, person("charles"), name, at=now(), audit=store.recorder("charles"))

    def visit(self, name: str) -> Visit:
        return visiting(self.app, name, PEOPLE[name])

    def draft(self, *files: File, by: str = "ines", project: str = "these-ines", words: Words = WORDS) -> str:
        """The id of a request that is not sent."""
        who = person(by)
        with self.desk.store.change() as session:
            audit = self.desk.store.recorder(by)
            made = drafting.open_draft(session, who, project, words, at=now(), audit=audit)
            for file in files:
                shelved = self.desk.shelf.put(file.content, limit=10**6)
                document = preview_document(Preview(file.blocks))
                self.desk.shelf.put_preview(shelved.sha256, VERSION, document)
                drafting.add_file(
                    session, who, made.id, file.name, shelved, file.checked,
                    settings=self.desk.settings.airlock, at=now(), audit=audit,
                )  # fmt: skip
        return made.id

    def sent(self, *files: File, by: str = "ines", project: str = "these-ines", words: Words = WORDS) -> str:
        """The id of a request that waits for its reviewers."""
        made = self.draft(*(files or (File(),)), by=by, project=project, words=words)
        self.send(made, by)
        return made

    def send(self, request: str, by: str = "ines") -> None:
        settings = self.desk.settings.airlock
        with self.desk.store.change() as session:
            audit = self.desk.store.recorder(by)
            drafting.submit(session, person(by), request, settings=settings, at=now(), audit=audit)

    def vote(self, request: str, by: str, verdict: Verdict = Verdict.APPROVE, **more: object) -> None:
        ballot = Ballot(verdict, self.facts(request).seal, **more)  # type: ignore[arg-type]
        with self.desk.store.change() as session:
            audit = self.desk.store.recorder(by)
            reviewing.vote(session, person(by), request, ballot, at=now(), audit=audit)
        self.desk.follow(request)

    def released(self, *files: File, **more: str) -> str:
        """The id of a request whose files have left."""
        made = self.sent(*files, **more)  # type: ignore[arg-type]
        for name in ("diane", "denis")[: self.facts(made).looks_needed]:
            self.vote(made, name)
        return made

    def facts(self, request: str) -> RequestFacts:
        with self.desk.store.session() as session:
            found = reading.find_request(session, request)
        assert found is not None
        return found


def person(name: str) -> Person:
    return Person(name, name.capitalize(), frozenset({PEOPLE[name]}))


def now() -> datetime:
    return datetime.now(UTC)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
