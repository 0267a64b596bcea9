"""The thirty requests in an airlock: through the real intake with the real checks, up to two at a time, then
the real use cases. Diane and Denis review; neither has a part in any project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from fastapi import FastAPI

from hub_config.airlock.actions import drafting, reviewing
from hub_config.airlock.actions.drafting import Words
from hub_config.airlock.app import app_of
from hub_config.airlock.checks import Bounds, inspecting
from hub_config.airlock.checks.inside.found import Order
from hub_config.airlock.checks.inside.program import answer_to
from hub_config.airlock.checks.inside.protocol import Answer, read_answer, write_answer
from hub_config.airlock.intake.receiving import Received, receive
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pool.actions import name_reviewer
from hub_config.airlock.proofs import rendering
from hub_config.airlock.pseudonyms import Searched
from hub_config.airlock.rules.voting import Ballot
from hub_config.airlock.shelf import Shelf
from hub_config.airlock.texts import AirlockProblem, Problem
from hub_config.governance import actions as governance
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.releases import reading
from hub_config.governance.releases.facts import RequestFacts, Verdict
from hub_config.governance.roles import Person, Role
from hub_config.governance.store import open_store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from p4dp_sdk.figures.drawing import Format, draw
from p4dp_sdk.figures.proof import Proof
from p4dp_sdk.tables.safe import SafeTable
from p4dp_sdk.wire.publication import Column, Document, Lineage, Shape
from tests.benchmarks.airlock.requests import PROJECTS, Born, Made, Request
from tests.corpus.running import searched
from tests.pages import Visit, visiting
from tests.unit.sdk.signed_tables import pem, signed

REVIEWERS = ("diane", "denis")
POLICY = {
    "min_patients": 11,
    "min_physicians": 3,
    "min_outside": 11,
    "max_physician_share": 0.85,
    "dominance_k": 0.85,
}


def person(name: str) -> Person:
    role = Role.MEDECIN_DIM if name in REVIEWERS else Role.CSE if name == "charles" else Role.CHERCHEUR
    return Person(name, name.capitalize(), frozenset({role}))


@dataclass
class Thirty:
    """An airlock, and which of its requests is which of the fixture."""

    home: Path
    desk: Desk = field(init=False)
    app: FastAPI = field(init=False)
    waiting: dict[str, Request] = field(default_factory=dict)
    stopped: list[Request] = field(default_factory=list)  # by the checks: nobody has to read them

    def __post_init__(self) -> None:
        settings = Settings(home=self.home)
        self.desk = Desk(open_store(settings), Shelf(settings.releases_dir), settings)
        self.app = app_of(self.desk)
        keys = settings.publication_keys_dir
        keys.mkdir(parents=True)
        (keys / f"{signed().signature.key}.pem").write_text(pem())
        self._furnish()

    def _furnish(self) -> None:
        self.found({slug: who for who, slug in PROJECTS.items()})
        store = self.desk.store
        with store.change() as session:
            for name in REVIEWERS:
                name_reviewer(session, person("charles"), name, at=_now(), audit=store.recorder("charles"))

    def found(self, projects: Mapping[str, str]) -> None:
        """Approved projects, each with one member."""
        store, terms = self.desk.store, Terms(SnapshotTerms(1, synthetic=True))
        with store.change() as session:
            audit = store.recorder("admin")
            for slug, who in projects.items():
                grant = Grant(AccessLevel.AGGREGATE, {"patients": None}, legal_basis="MR-004")
                charter = Charter(slug, f"Projet {slug}", "Décrire", 1, grant, {who: MemberRole.CHERCHEUR})
                governance.create_project(session, charter, terms=terms, audit=audit)
                governance.approve(session, slug, audit=audit)

    def close(self) -> None:
        self.desk.store.close()

    def visit(self, name: str) -> Visit:
        return visiting(self.app, name, *person(name).roles)

    def facts(self, request: str) -> RequestFacts:
        with self.desk.store.session() as session:
            found = reading.find_request(session, request)
        assert found is not None
        return found

    def load(self, requests: Sequence[Request], *, at_once: int = 2) -> None:
        """All of them, sent and waiting, unless the checks stop them."""
        with ThreadPoolExecutor(at_once) as checks:
            received = [
                [self._receiving(checks, request, files) for files in (request.before, request.files)]
                for request in requests
            ]
            for request, (before, files) in zip(requests, received, strict=True):
                try:
                    self._enter(request, _done(before), _done(files))
                except AirlockProblem as problem:
                    assert problem.problem is Problem.BLOCKED, (request.title, problem)
                    self.stopped.append(request)

    def _receiving(
        self, checks: ThreadPoolExecutor, request: Request, files: Iterable[Born | Made]
    ) -> list[Future[Received]]:
        return [
            checks.submit(
                receive, self.desk, request.project, file.name, content(file, request.project), _search
            )
            for file in files
        ]

    def _enter(self, request: Request, before: list[Received], files: list[Received]) -> None:
        if not before:
            self.waiting[self._sent(request, self._draft(request), files)] = request
            return
        refused = self._sent(request, self._draft(request), before)
        for name in REVIEWERS:
            self._return(refused, name)
        with self.desk.store.change() as session:
            audit = self.desk.store.recorder(request.who)
            again = drafting.resubmit(session, person(request.who), refused, at=_now(), audit=audit).id
        self.waiting[self._sent(request, again, files)] = request

    def _draft(self, request: Request) -> str:
        words = Words(request.title, request.purpose, request.context, request.controls)
        with self.desk.store.change() as session:
            audit = self.desk.store.recorder(request.who)
            who = person(request.who)
            return drafting.open_draft(session, who, request.project, words, at=_now(), audit=audit).id

    def _sent(self, request: Request, id: str, files: list[Received]) -> str:
        who, settings = person(request.who), self.desk.settings.airlock
        with self.desk.store.change() as session:
            audit = self.desk.store.recorder(request.who)
            for file in files:
                drafting.add_file(
                    session, who, id, file.name, file.shelved, file.checked,
                    settings=settings, at=_now(), audit=audit, replacing=True,
                )  # fmt: skip
            drafting.submit(session, who, id, settings=settings, at=_now(), audit=audit)
        return id

    def _return(self, id: str, name: str) -> None:
        ballot = Ballot(Verdict.CHANGES, self.facts(id).seal, reasons=("petits-effectifs",))
        with self.desk.store.change() as session:
            audit = self.desk.store.recorder(name)
            reviewing.vote(session, person(name), id, ballot, at=_now(), audit=audit)


@contextmanager
def without_boxes() -> Iterator[None]:
    """The same checkers and the same drawing code in this process: a tenth of the time, for ordinary tests.
    matplotlib draws in one thread only, so load one at once."""

    def drawn(proof: Proof, ending: str) -> bytes:
        assert proof.spec is not None
        return draw(proof.spec, proof.document, Format(ending))

    def asked(content: bytes, order: Order, _: Bounds) -> Answer:
        return read_answer(write_answer(answer_to(content, order)))

    with mock.patch.object(inspecting, "_ask", asked), mock.patch.object(rendering, "_drawn", drawn):
        yield


def content(file: Born | Made, project: str) -> bytes:
    """What the person's notebook sends."""
    if isinstance(file, Made):
        return file.make()
    document = _document(file, project)
    if not file.figure:
        return document.to_json()
    return SafeTable(document).plot.bar(titled=False).proof.to_json()


def _document(file: Born, project: str) -> Document:
    header, rows = file.table.header, file.table.rows
    return signed(
        project=project,
        policy=POLICY,
        snapshot=1,
        definition=file.definition,
        title=file.table.title,
        columns=(
            Column(header[0], Shape.TEXT, Lineage.KEY, (header[0],)),
            *(Column(name, Shape.INTEGER, Lineage.MEASURE, (name,), protected=True) for name in header[1:]),
        ),
        rows=tuple((row[0], *map(int, row[1:])) for row in rows),
        total=None,
        shown=len(rows) * (len(header) - 1),
        withheld=0,
        reasons=(),
    )


def _search(_project: str, _snapshot: int, candidates: Sequence[int]) -> Searched:
    """The gateway's answer: it knows the corpus' pseudonyms."""
    return Searched(searched(candidates), done=True)


def _done(files: list[Future[Received]]) -> list[Received]:
    return [file.result() for file in files]


def _now() -> datetime:
    return datetime.now(UTC)


__all__ = ["REVIEWERS", "Thirty", "content", "person"]
