"""The use cases of the version before: which it is, and how its rows are counted.

It is that which `warehouse check` compares with: the last usable one of the same population. Whoever may see
single rows of the project's own version sees protected numbers of this one. See ADR 0040.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from hub_config.gateway import actions
from hub_config.gateway.actions import Admission, Call, Details, Gateway, Pieces, Task, admit, recorded
from hub_config.gateway.answer import Answer
from hub_config.gateway.authorise import held_by, visible_tables
from hub_config.gateway.client import Client
from hub_config.gateway.describe import snapshot_document
from hub_config.gateway.documents import PreviousDocument
from hub_config.gateway.engine import Engine
from hub_config.gateway.execution import Question, Understood, answer
from hub_config.gateway.previous.shape import require_counts
from hub_config.gateway.stopping import Stop
from hub_config.governance.centres import differing
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.rolling import before
from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import PROTOCOL_VERSION


async def previous(gateway: Gateway, call: Call) -> PreviousDocument:
    """Which version it is, and what of it can be compared."""

    async def work(details: Details) -> PreviousDocument:
        now = await admit(gateway, call)
        earlier = await _admit(gateway, call)
        details |= {"snapshot": earlier.snapshot.number}
        return _described(gateway, now, earlier)

    return await recorded(gateway, call, "gateway.previous", work)


@asynccontextmanager
async def count(gateway: Gateway, call: Call, client: Client) -> AsyncIterator[Pieces]:
    """The protected answer to a question of counts, recorded before its first piece is given."""

    def read(body: bytes, _: Admission) -> Task:
        return Task(body, _counted, of_own=False)

    async with actions.answered(gateway, call, client, "gateway.previous.count", read, _admit) as pieces:
        yield pieces


def _counted(question: Question, understood: Understood, engine: Engine, stop: Stop) -> Answer:
    require_counts(understood.expression)
    return answer(question, understood, engine, stop)


async def _admit(gateway: Gateway, call: Call) -> Admission:
    def earlier(now: Snapshot) -> Snapshot:
        if found := before(gateway.warehouse_dir, now):
            return found
        raise Refusal(ErrorCode.FIRST_VERSION, snapshot=now.number)

    admission = await admit(gateway, call, earlier)
    facts = admission.facts
    grant = replace(facts.grant, access=AccessLevel.AGGREGATE)
    return replace(admission, facts=replace(facts, grant=grant))


def _described(gateway: Gateway, now: Admission, earlier: Admission) -> PreviousDocument:
    grant, snapshot = earlier.facts.grant, earlier.snapshot
    tables = visible_tables(held_by(gateway.catalogue, snapshot.columns), grant)
    apart = differing(now.snapshot.manifest.merged, snapshot.manifest.merged)
    return PreviousDocument(
        protocol=PROTOCOL_VERSION,
        snapshot=snapshot_document(snapshot, grant),
        tables={name: tuple(column.name for column in table.columns) for name, table in tables.items()},
        apart=tuple(code for code in apart if grant.centres is None or code in grant.centres),
        request_id=earlier.call.request_id,
    )
