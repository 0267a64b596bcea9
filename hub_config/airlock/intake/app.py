"""HTTP of the airlock in a workspace: draft, files, what the checks found, submit. And nothing else: nobody
reviews or downloads here.

The socket says whose workspace it is, the hub whose token it carries, and both must agree, as at the gateway;
a request of another project, or of somebody else, does not exist here. Bounded in bytes, drafts and pace:
one upload a person at a time, which waits for nobody's line but the checks'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Final, TypeVar
from weakref import WeakValueDictionary

from fastapi import Depends, FastAPI, Query, Request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp

from hub_config.airlock.actions import drafting, explaining
from hub_config.airlock.actions.holding import require_here
from hub_config.airlock.checks.texts import Language
from hub_config.airlock.intake.bodies import body_of, bounded
from hub_config.airlock.intake.documents import (
    ExplanationDocument,
    FileDocument,
    RequestDocument,
    RequestsDocument,
    WordsDocument,
    file_document,
    request_document,
    summary,
)
from hub_config.airlock.intake.problems import refused
from hub_config.airlock.intake.receiving import Search, receive
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.rules.permission import Act, why_not
from hub_config.airlock.rules.sight import seen_by
from hub_config.airlock.texts import AirlockProblem, Denied, Problem
from hub_config.governance.bindings import Binding
from hub_config.governance.releases import reading
from hub_config.governance.releases.facts import Membership, RequestFacts
from hub_config.governance.roles import Person
from hub_config.sockets.doors import (
    BINDING,
    PROBLEM,
    describe_problems,
    guarded,
    refuse_with_problems,
)
from hub_config.sockets.identity import Hub, authenticate

T = TypeVar("T")
MOST_BYTES: Final = 160 * 1024**2  # of a request's files together
_A_MINUTE: Final = 240  # requests of one workspace
_CHECKS: Final = 3  # files checked at once, of everybody: a check takes a process
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file's bytes; of a publication table or figure, its proof"
        " (`p4dp_sdk.figures.proof`): the airlock makes the file itself, in the form that `name` ends with.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@dataclass
class Office:
    """What the door stands on. Used from one event loop."""

    desk: Desk
    hub: Hub
    workers: Executor
    search: Search | None = None  # for pseudonyms: the gateway, unless given
    checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_CHECKS))
    uploads: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    pace: SlidingWindowCounterRateLimiter = field(
        default_factory=lambda: SlidingWindowCounterRateLimiter(MemoryStorage())
    )

    async def do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work)

    def upload_of(self, user: str) -> asyncio.Lock:
        """Whoever sends slowly, or much, keeps themselves waiting and nobody else."""
        return self.uploads.setdefault(user, asyncio.Lock())


@dataclass(frozen=True)
class Asked:
    """Somebody in their workspace, known."""

    office: Office
    binding: Binding
    language: Language

    @property
    def person(self) -> Person:
        """No role counts here: what a requester may do depends on membership alone."""
        return Person(self.binding.user, self.binding.user, frozenset())

    @property
    def desk(self) -> Desk:
        return self.office.desk

    def document(self, request: RequestFacts) -> RequestDocument:
        seen = seen_by(self.person, request, _members(self.desk, request.project))
        return request_document(seen, self.desk.settings.service_url("airlock"), self.language)


async def _asked(request: Request) -> Asked:
    """Raises Refusal where socket and token do not agree, AirlockProblem where somebody is too fast."""
    office: Office = request.app.state.office
    binding: Binding = request.scope[BINDING]
    if not office.pace.hit(parse(f"{_A_MINUTE}/minute"), binding.id):
        raise AirlockProblem(Problem.TOO_FAST)
    await authenticate(office.hub, binding, request.headers.get("authorization"))
    english = request.headers.get("accept-language", "").lower().startswith("en")
    return Asked(office, binding, "en" if english else "fr")


_Asked = Annotated[Asked, Depends(_asked)]
_Name = Annotated[str, Query(min_length=1, max_length=250, description="The file's name.")]


def create_app(office: Office) -> ASGIApp:
    """The application of every workspace socket of the airlock."""
    api = _api()
    api.state.office = office
    return guarded(bounded(api))


def openapi_document() -> dict[str, Any]:
    return _api().openapi()


def _api() -> FastAPI:
    api = FastAPI(
        title="P4DP airlock",
        version="1",
        description="How a workspace asks for files to leave, over its own unix socket, with its own"
        " server's bearer token.",
        docs_url=None,
        redoc_url=None,
        responses=PROBLEM,
    )
    refuse_with_problems(api)
    api.add_exception_handler(AirlockProblem, refused)
    _reading(api)
    _writing(api)
    _sending(api)
    describe_problems(api)
    return api


def _reading(api: FastAPI) -> None:
    @api.get("/v1/requests", summary="One's own requests of this project, newest first")
    async def requests(asked: _Asked) -> RequestsDocument:
        found = await asked.office.do(partial(_own, asked))
        pages = asked.desk.settings.service_url("airlock")
        return RequestsDocument(requests=tuple(summary(each, pages) for each in found))

    @api.get("/v1/requests/{id}", summary="One request: state, files, what was found")
    async def request(asked: _Asked, id: str) -> RequestDocument:
        return await asked.office.do(lambda: asked.document(_found(asked, id)))


def _writing(api: FastAPI) -> None:
    @api.post("/v1/requests", status_code=201, summary="Begin a request")
    async def begin(asked: _Asked, words: WordsDocument) -> RequestDocument:
        return await asked.office.do(lambda: asked.document(_begun(asked, words)))

    @api.put("/v1/requests/{id}", summary="Say in other words what it is about")
    async def describe(asked: _Asked, id: str, words: WordsDocument) -> RequestDocument:
        return await asked.office.do(lambda: asked.document(_described(asked, id, words)))

    @api.put(
        "/v1/requests/{id}/files",
        summary="Add a file, or replace that of this name; it is checked at once",
        openapi_extra=_BODY,
    )
    async def put_file(asked: _Asked, id: str, name: _Name, request: Request) -> FileDocument:
        await asked.office.do(lambda: _editable(asked, id))
        async with asked.office.upload_of(asked.binding.user):
            content = await body_of(request, asked.desk.settings.airlock.file_bytes)
            asked.desk.turns.note_bytes(asked.binding.user, len(content))
            async with asked.office.checks:
                return await asked.office.do(lambda: _added(asked, id, name, content))

    @api.put(
        "/v1/requests/{id}/files/{number}/findings/{finding}",
        summary="Answer a blocking finding that is contestable: two physicians judge the answer",
    )
    async def explain(
        asked: _Asked, id: str, number: int, finding: int, said: ExplanationDocument
    ) -> RequestDocument:
        answered = lambda: asked.document(_explained(asked, id, number, finding, said.text))  # noqa: E731
        return await asked.office.do(answered)

    @api.delete("/v1/requests/{id}/files/{number}", summary="Take a file out of the request")
    async def remove_file(asked: _Asked, id: str, number: int) -> RequestDocument:
        return await asked.office.do(lambda: asked.document(_removed(asked, id, number)))


def _sending(api: FastAPI) -> None:
    @api.post("/v1/requests/{id}/submit", summary="Hand it to the reviewers")
    async def submit(asked: _Asked, id: str) -> RequestDocument:
        return await asked.office.do(lambda: asked.document(_submitted(asked, id)))

    @api.delete("/v1/requests/{id}", summary="Take it back, for good")
    async def withdraw(asked: _Asked, id: str) -> RequestDocument:
        return await asked.office.do(lambda: asked.document(_withdrawn(asked, id)))


# --- use cases, each in a thread ---------------------------------------------------------------------------


def _own(asked: Asked) -> list[RequestFacts]:
    with asked.desk.store.session() as session:
        require_here(session, asked.person)
        return reading.requests_of(session, asked.binding.user, project=asked.binding.project)


def _found(asked: Asked, id: str) -> RequestFacts:
    """The request, if it is this person's and of this very project. Raises Denied."""
    with asked.desk.store.session() as session:
        require_here(session, asked.person)
        found = reading.find_request(session, id)
    if found is None or (found.requester, found.project) != (asked.binding.user, asked.binding.project):
        raise Denied(Problem.UNKNOWN_REQUEST)
    return found


def _members(desk: Desk, project: str) -> Membership:
    with desk.store.session() as session:
        return reading.membership(session, project)


def _editable(asked: Asked, id: str) -> RequestFacts:
    """Before any byte is read: may this person add to it now?"""
    found = _found(asked, id)
    with asked.desk.store.session() as session:
        members = reading.membership(session, found.project)
        pool = reading.pool_on(session, asked.desk.now().date())
    denial = why_not(asked.person, Act.EDIT, found, members=members, pool=pool)
    if denial is not None:
        raise denial.denied()
    return found


def _begun(asked: Asked, words: WordsDocument) -> RequestFacts:
    project = asked.binding.project
    return asked.desk.change(
        asked.person,
        lambda do: drafting.open_draft(
            do.session, asked.person, project, words.words(), at=do.at, audit=do.audit
        ),
    )


def _described(asked: Asked, id: str, words: WordsDocument) -> RequestFacts:
    _found(asked, id)
    return asked.desk.change(
        asked.person,
        lambda do: drafting.describe(do.session, asked.person, id, words.words(), at=do.at, audit=do.audit),
    )


def _added(asked: Asked, id: str, name: str, content: bytes) -> FileDocument:
    request = _editable(asked, id)
    if sum(file.size for file in request.files if file.name != name) + len(content) > MOST_BYTES:
        raise AirlockProblem(Problem.TOO_MANY_BYTES, megabytes=MOST_BYTES // 1024**2)
    received = receive(asked.desk, request.project, name, content, asked.office.search)
    added = asked.desk.change(
        asked.person,
        lambda do: drafting.add_file(
            do.session,
            asked.person,
            id,
            received.name,
            received.shelved,
            received.checked,
            settings=asked.desk.settings.airlock,
            at=do.at,
            audit=do.audit,
            replacing=True,
        ),
    )
    return file_document(added, asked.language)


def _removed(asked: Asked, id: str, number: int) -> RequestFacts:
    _found(asked, id)
    return asked.desk.change(
        asked.person,
        lambda do: drafting.remove_file(do.session, asked.person, id, number, at=do.at, audit=do.audit),
    )


def _explained(asked: Asked, id: str, number: int, finding: int, text: str) -> RequestFacts:
    _found(asked, id)
    asked.desk.change(
        asked.person,
        lambda do: explaining.explain(
            do.session, asked.person, id, number, finding, text, at=do.at, audit=do.audit
        ),
    )
    return _found(asked, id)


def _submitted(asked: Asked, id: str) -> RequestFacts:
    _found(asked, id)
    settings = asked.desk.settings.airlock
    sent = asked.desk.change(
        asked.person,
        lambda do: drafting.submit(do.session, asked.person, id, settings=settings, at=do.at, audit=do.audit),
    )
    return asked.desk.follow(id) or sent


def _withdrawn(asked: Asked, id: str) -> RequestFacts:
    _found(asked, id)
    return asked.desk.change(
        asked.person, lambda do: drafting.withdraw(do.session, asked.person, id, at=do.at, audit=do.audit)
    )
