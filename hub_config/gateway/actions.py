"""The use cases of the gateway: whoami, catalogue, query. One function each, one audit event each, written
first.

An answer or a refusal leaves only once its event is on disk; if that fails, nothing leaves. Everything
about the person and the project is read again at each request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final, TypeVar

from hub_config.gateway.answer import Answer, ipc_stream
from hub_config.gateway.authorise import held_by, policy_of, sees_rows, visible_tables
from hub_config.gateway.binding import Room, site_codes
from hub_config.gateway.client import Client
from hub_config.gateway.describe import catalogue_document, whoami_document
from hub_config.gateway.documents import CatalogueDocument, WhoamiDocument
from hub_config.gateway.engine import Engine, Engines
from hub_config.gateway.execution import Question, Understood, answer, understand
from hub_config.gateway.objecting import objectors_in
from hub_config.gateway.own.tables import own_tables
from hub_config.gateway.pace import Pace
from hub_config.gateway.ports import Audit, Governance, Recontacts
from hub_config.gateway.protection import Guard
from hub_config.gateway.pseudonyms import ProjectKey
from hub_config.gateway.publication.press import Press
from hub_config.gateway.rolls import Rolls
from hub_config.gateway.rules.memory import Asker
from hub_config.gateway.slots import Slots
from hub_config.gateway.stopping import Stop, Stopped, StopReason
from hub_config.gateway.workers import in_thread, watched
from hub_config.governance.audit import AuditDiskFull, AuditEvent, Decision
from hub_config.governance.bindings import Binding
from hub_config.governance.budgets import Budgets
from hub_config.governance.centres import denied, reached
from hub_config.governance.facts import AccessLevel, Objectors, ProjectFacts
from hub_config.governance.persons.facts import Link
from hub_config.governance.rolling import rolled, snapshot_of
from hub_config.sections import PolicySettings
from hub_config.sockets.identity import Hub, authenticate
from hub_config.warehouse.snapshot import ProblemKind, Snapshot, SnapshotProblem
from p4dp_sdk.catalogue.model import Catalogue
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import scope_asked
from p4dp_sdk.wire.protocol import Limits, Scope

T = TypeVar("T")
Pieces = AsyncIterator[bytes]
Instead = Callable[[Snapshot], Snapshot]
Details = dict[str, str | int | bool | None]

_STREAM_TIMES: Final = 5  # a whole stream of rows may take so many times the limit of one computation

_FAILURES: Final = frozenset(
    {
        ErrorCode.BUSY,
        ErrorCode.TIMED_OUT,
        ErrorCode.OUT_OF_MEMORY,
        ErrorCode.DISK_FULL,
        ErrorCode.SNAPSHOT_MISSING,
        ErrorCode.SNAPSHOT_CORRUPT,
        ErrorCode.ENGINE_FAILED,
        ErrorCode.AUDIT_FAILED,
        ErrorCode.IDENTITY_UNAVAILABLE,
        ErrorCode.INTERNAL,
    }
)


@dataclass(frozen=True)
class Gateway:
    """What the use cases stand on. `workers` compute queries; `office` reads and records, so it never
    waits for those.
    """

    hub: Hub
    governance: Governance
    budgets: Budgets
    audit: Audit
    catalogue: Catalogue
    engines: Engines
    warehouse_dir: Path
    policy: PolicySettings
    limits: Limits
    master_key: bytes = field(repr=False)
    workers: Executor
    office: Executor
    slots: Slots
    pace: Pace
    today: Callable[[], date]
    guard: Guard
    press: Press
    recontacts: Recontacts
    rolls: Rolls = field(default_factory=Rolls, repr=False)


@dataclass(frozen=True)
class Call:
    """One request: the workspace its socket belongs to, the header it came with, and its number."""

    binding: Binding
    authorization: str | None = field(repr=False)
    request_id: str


@dataclass(frozen=True)
class Admission:
    """A request that may be answered: the project as it is now, who objected, and its snapshot."""

    call: Call
    facts: ProjectFacts
    objectors: Objectors
    snapshot: Snapshot


async def whoami(gateway: Gateway, call: Call) -> WhoamiDocument:
    async def work(_: Details) -> WhoamiDocument:
        admission = await admit(gateway, call)
        policy = policy_of(admission.facts, gateway.policy, gateway.limits.cells)
        return whoami_document(
            call.binding, admission.facts, admission.snapshot, policy, gateway.limits, call.request_id
        )

    return await recorded(gateway, call, "gateway.whoami", work)


async def catalogue(gateway: Gateway, call: Call) -> CatalogueDocument:
    async def work(_: Details) -> CatalogueDocument:
        admission = await admit(gateway, call)
        return await in_thread(gateway.office, lambda: _describe(gateway, admission))

    return await recorded(gateway, call, "gateway.catalogue", work)


@asynccontextmanager
async def query(gateway: Gateway, call: Call, client: Client) -> AsyncIterator[Pieces]:
    """The answer to a wire document, as the pieces of an Arrow stream; recorded before the first piece is
    given.
    """

    def read(body: bytes, _: Admission) -> Task:
        return Task(body, answer)

    async with answered(gateway, call, client, "gateway.query", read) as pieces:
        yield pieces


@dataclass(frozen=True)
class Task:
    """What a request asks for: the wire document in its body, and how it is answered. `of_own`: it may be
    about one's own rows."""

    document: bytes
    compute: Callable[[Question, Understood, Engine, Stop], Answer]
    of_own: bool = True


Read = Callable[[bytes, Admission], Task]
Enter = Callable[[Gateway, Call], Awaitable[Admission]]


@asynccontextmanager
async def answered(
    gateway: Gateway, call: Call, client: Client, what: str, read: Read, enter: Enter | None = None
) -> AsyncIterator[Pieces]:
    """The answer to whatever `read` makes of a body, as the pieces of an Arrow stream, recorded as `what`.
    `enter` admits it, in place of `admit`."""
    stop = Stop(gateway.limits.seconds)
    snapshot: Snapshot

    async def work(details: Details) -> Answer:
        nonlocal snapshot
        admission = await (enter or admit)(gateway, call)
        snapshot = admission.snapshot
        details |= answered_on(admission)
        await held.enter_async_context(gateway.slots.take(call.binding.id))
        task = read(await client.read_body(gateway.limits.request_bytes), admission)
        own = await owner(gateway, admission, task.document, of_own=task.of_own)
        details |= {} if own is None else {"scope": Scope.OWN.value, "standing": own.standing.value}
        question = question_of(gateway, admission, task.document, own)
        understood = await understood_of(gateway, question, stop, client, details)
        computed = await _compute(
            gateway, admission, lambda on: task.compute(question, understood, on, stop), stop, client
        )
        details["protection"] = computed.disclosure.protection
        return computed

    async with AsyncExitStack() as held:
        computed = await recorded(gateway, call, what, work)
        held.push_async_callback(in_thread, gateway.office, computed.close)
        yield _pieces(gateway, snapshot, computed, stop, client)


# --- admission ---------------------------------------------------------------------------------------------


async def admit(gateway: Gateway, call: Call, instead: Instead | None = None) -> Admission:
    """Token, membership, project and snapshot, in this order: a stranger learns nothing of the later ones.
    `instead` gives another snapshot for the project's own, and may refuse."""
    await authenticate(gateway.hub, call.binding, call.authorization)
    return await in_thread(gateway.office, lambda: _read(gateway, call, instead))


def _read(gateway: Gateway, call: Call, instead: Instead | None) -> Admission:
    whose = call.binding
    facts = gateway.governance.read(whose.user, whose.project, gateway.today(), whose.registration)
    snapshot = gateway.rolls.of(call.binding, facts, lambda pinned: _snapshot(gateway.warehouse_dir, pinned))
    snapshot = instead(snapshot) if instead else snapshot
    facts = _within_centres(rolled(facts, snapshot), snapshot)
    if facts.grant.access is AccessLevel.SANDBOX and not snapshot.manifest.synthetic:
        raise Refusal(
            ErrorCode.PROJECT_NOT_ACTIVE, project=facts.slug, status="sandbox without synthetic data"
        )
    return Admission(call, facts, objectors_in(gateway.governance, snapshot.manifest), snapshot)


def _within_centres(facts: ProjectFacts, snapshot: Snapshot) -> ProjectFacts:
    """The same, its centres as the snapshot calls them. Raises Refusal where one that was granted can't be
    told from others."""
    merged, granted = snapshot.manifest.merged, facts.grant.centres
    for each in denied(granted, merged):
        others = {"others": ", ".join(each.others)} if each.others else {}
        raise Refusal(ErrorCode.CENTRES_MERGED, snapshot=snapshot.number, centre=each.centre, **others)
    return replace(facts, grant=replace(facts.grant, centres=reached(granted, merged)))


def _snapshot(warehouse_dir: Path, facts: ProjectFacts) -> Snapshot:
    number = facts.snapshot
    try:
        return snapshot_of(facts, warehouse_dir)
    except SnapshotProblem as problem:
        missing = problem.kind is ProblemKind.MISSING
        code = ErrorCode.SNAPSHOT_MISSING if missing else ErrorCode.SNAPSHOT_CORRUPT
        raise Refusal(code, snapshot=number) from None
    except OSError:
        raise Refusal(ErrorCode.SNAPSHOT_CORRUPT, snapshot=number) from None


def answered_on(admission: Admission) -> Details:
    """For the log: which snapshot it was, where the project's own record does not say it."""
    facts, number = admission.facts, admission.snapshot.number
    return {} if facts.rolling is None and facts.snapshot == number else {"snapshot": number}


def _describe(gateway: Gateway, admission: Admission) -> CatalogueDocument:
    engine = gateway.engines.engine(admission.snapshot.number, admission.snapshot.database)
    held = held_by(gateway.catalogue, admission.snapshot.columns)
    with engine.session(Stop(gateway.limits.seconds)) as session:
        site = site_codes(session, held, admission.facts.grant)
    return catalogue_document(
        gateway.catalogue, admission.facts, admission.snapshot, site, admission.call.request_id
    )


# --- a query -----------------------------------------------------------------------------------------------


async def owner(gateway: Gateway, admission: Admission, document: bytes, *, of_own: bool) -> Link | None:
    """Whose own rows `document` asks about: by the login, the register and the snapshot's source, never by
    the request. None where it is about everybody's. Raises Refusal where nobody is known, or not `of_own`."""
    if scope_asked(document, gateway.limits) is Scope.ALL:
        return None
    if not of_own:
        raise Refusal(ErrorCode.OWN_SCOPE)
    user, source = admission.call.binding.user, admission.snapshot.manifest.source
    found = await in_thread(gateway.office, lambda: gateway.governance.own(user, source))
    if found is None:
        raise Refusal(ErrorCode.NOT_LINKED, source=source)
    return found


def question_of(gateway: Gateway, admission: Admission, document: bytes, own: Link | None = None) -> Question:
    facts = admission.facts
    held = held_by(gateway.catalogue, admission.snapshot.columns)
    tables = visible_tables(held, facts.grant)
    rows = sees_rows(facts.grant.access)
    key = ProjectKey.derive(gateway.master_key, facts.slug) if rows else None
    return Question(
        document=document,
        tables=tables if own is None else own_tables(tables, held, own.standing),
        room=Room(held, facts.grant, admission.objectors, key, own),
        access=facts.grant.access,
        policy=policy_of(facts, gateway.policy, gateway.limits.cells),
        limits=gateway.limits,
        manifest=admission.snapshot.manifest,
        project=facts.slug,
        request_id=admission.call.request_id,
        asker=asker_of(admission),
        guard=gateway.guard,
    )


async def understood_of(
    gateway: Gateway, question: Question, stop: Stop, client: Client, details: Details
) -> Understood:
    """What is asked, on record whatever becomes of it. Raises Refusal."""
    understood = await watched(
        gateway.workers, lambda: understand(question), stop, client, gateway.limits.seconds
    )
    details |= {"tables": " ".join(understood.tables), "sql": understood.definition}
    return understood


def asker_of(admission: Admission) -> Asker:
    """In whose name an answer is remembered."""
    facts, call = admission.facts, admission.call
    user, related = call.binding.user, facts.related
    number = admission.snapshot.number
    return Asker(facts.slug, facts.compared, user, number, call.request_id, related)


async def _compute(
    gateway: Gateway, admission: Admission, work: Callable[[Engine], Answer], stop: Stop, client: Client
) -> Answer:
    snapshot = admission.snapshot

    def compute() -> Answer:
        return work(gateway.engines.engine(snapshot.number, snapshot.database))

    with _discarding(gateway, snapshot):
        return await watched(gateway.workers, compute, stop, client, gateway.limits.seconds)


@contextmanager
def _discarding(gateway: Gateway, snapshot: Snapshot) -> Iterator[None]:
    """An engine that fails inside answers no other question."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code in (ErrorCode.SNAPSHOT_CORRUPT, ErrorCode.ENGINE_FAILED):
            gateway.engines.discard(snapshot.number)
        raise


async def _pieces(gateway: Gateway, on: Snapshot, computed: Answer, stop: Stop, client: Client) -> Pieces:
    pieces = ipc_stream(computed)
    ends = time.monotonic() + _STREAM_TIMES * gateway.limits.seconds
    while True:
        left = max(0.0, min(gateway.limits.seconds, ends - time.monotonic()))
        with _discarding(gateway, on):
            piece = await watched(gateway.workers, lambda: next(pieces, None), stop, client, left)
        if piece is None:
            return
        yield piece


# --- the record --------------------------------------------------------------------------------------------


async def recorded(gateway: Gateway, call: Call, what: str, work: Callable[[Details], Awaitable[T]]) -> T:
    """The result of `work`, once its audit event is on disk; or its refusal, recorded the same way."""
    details: Details = {"request_id": call.request_id}
    try:
        result = await work(details)
    except Refusal as refusal:
        decision = Decision.FAILED if refusal.code in _FAILURES else Decision.REFUSED
        await _record(gateway, call, what, decision, details | {"code": refusal.code.value})
        raise
    except Stopped as stopped:
        await _record(gateway, call, what, Decision.FAILED, details | {"code": stopped.reason.value})
        raise
    except asyncio.CancelledError:
        await _record(gateway, call, what, Decision.FAILED, details | {"code": StopReason.SHUTDOWN.value})
        raise
    except Exception:
        await _record(gateway, call, what, Decision.FAILED, details | {"code": ErrorCode.INTERNAL.value})
        raise
    try:
        await _record(gateway, call, what, Decision.ALLOWED, details)
    except BaseException:
        if isinstance(result, Answer):
            result.close()
        raise
    return result


async def _record(
    gateway: Gateway,
    call: Call,
    what: str,
    decision: Decision,
    details: Mapping[str, str | int | bool | None],
) -> None:
    event = AuditEvent(
        call.binding.user, what, call.binding.project, decision, details, f"workspace:{call.binding.id}"
    )
    try:
        await in_thread(gateway.office, lambda: gateway.audit.append(event))
    except AuditDiskFull:
        raise Refusal(ErrorCode.DISK_FULL) from None
    except Exception:  # whatever kept it from being recorded, nothing may leave
        raise Refusal(ErrorCode.AUDIT_FAILED) from None
