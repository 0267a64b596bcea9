"""The use cases of re-contact: ask for it, and see how far one's requests have come. As every use case of the
gateway, each is recorded before its answer leaves."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime

from hub_config.gateway.actions import (
    Admission,
    Call,
    Details,
    Gateway,
    admit,
    answered_on,
    owner,
    question_of,
    recorded,
    understood_of,
)
from hub_config.gateway.client import Client
from hub_config.gateway.execution import Understood
from hub_config.gateway.recontact.documents import (
    CentreCountDocument,
    RecontactDocument,
    RecontactsDocument,
    RequestedDocument,
)
from hub_config.gateway.recontact.lists import Found, as_counting, find
from hub_config.gateway.recontact.request import RecontactAsked
from hub_config.gateway.stopping import Stop
from hub_config.gateway.workers import in_thread, watched
from hub_config.governance.facts import AccessLevel
from hub_config.governance.recontact.facts import RecontactRequest
from hub_config.governance.recontact.requests import Asked
from p4dp_sdk.wire.errors import ErrorCode, Refusal


async def request_recontact(gateway: Gateway, call: Call, client: Client) -> RequestedDocument:
    """Put a request on record. Raises Refusal."""
    stop = Stop(gateway.limits.seconds)

    async def work(details: Details) -> RequestedDocument:
        admission = await admit(gateway, call)
        details |= answered_on(admission)
        _require_grant(admission)
        async with AsyncExitStack() as held:
            await held.enter_async_context(gateway.slots.take(call.binding.id))
            asked = RecontactAsked.read(await client.read_body(gateway.limits.request_bytes))
            await owner(gateway, admission, asked.document, of_own=False)
            await in_thread(gateway.office, lambda: _may_ask(gateway, admission))
            question = as_counting(question_of(gateway, admission, asked.document))
            understood = await understood_of(gateway, question, stop, client, details)

            def compute() -> Found:
                snapshot = admission.snapshot
                engine = gateway.engines.engine(snapshot.number, snapshot.database)
                return find(question, understood, engine, stop)

            found = await watched(gateway.workers, compute, stop, client, gateway.limits.seconds)
            made = await in_thread(
                gateway.office, lambda: _asked(gateway, admission, asked, understood, found)
            )
            details |= {"protection": "exploration", "recontact": made.id}
            return _told(made, found, call)

    return await recorded(gateway, call, "gateway.recontact", work)


async def recontacts(gateway: Gateway, call: Call) -> RecontactsDocument:
    """The project's requests, as they stand."""

    async def work(_: Details) -> RecontactsDocument:
        admission = await admit(gateway, call)
        project = admission.facts.slug
        found = await in_thread(gateway.office, lambda: gateway.recontacts.of_project(project))
        told = tuple(
            RecontactDocument(
                request=each.id,
                title=each.title,
                state=each.state,
                requested_at=each.requested_at,
                patients=each.patients,
            )
            for each in found
        )
        return RecontactsDocument(requests=told, request_id=call.request_id)

    return await recorded(gateway, call, "gateway.recontacts", work)


def _require_grant(admission: Admission) -> None:
    grant = admission.facts.grant
    if not grant.recontact or grant.access is AccessLevel.SANDBOX:
        raise Refusal(ErrorCode.GRANT_MISSING, grant="recontact")
    manifest = admission.snapshot.manifest
    if manifest.physician_numbering != manifest.numbering:
        raise Refusal(ErrorCode.RECONTACT_REFUSED, why="the GPs of these data are invented")


def _may_ask(gateway: Gateway, admission: Admission) -> None:
    gateway.recontacts.check(admission.facts.slug, datetime.now(UTC))


def _asked(
    gateway: Gateway, admission: Admission, asked: RecontactAsked, understood: Understood, found: Found
) -> RecontactRequest:
    """Who decides reads what the expression selects, beside what the project says of it."""
    manifest = admission.snapshot.manifest
    said = Asked(
        project=admission.facts.slug,
        title=asked.title,
        protocol=asked.protocol,
        snapshot=manifest.number,
        numbering=manifest.numbering,
        synthetic=manifest.synthetic,
        patients=found.patients,
        definition=understood.definition,
        tables=understood.tables,
    )
    return gateway.recontacts.ask(admission.call.binding.user, said, found.people, datetime.now(UTC))


def _told(made: RecontactRequest, found: Found, call: Call) -> RequestedDocument:
    centres = (CentreCountDocument(centre_id=code, patients=count) for code, count in found.centres)
    return RequestedDocument(
        request=made.id,
        state=made.state,
        patients=found.patients,
        centres=tuple(centres),
        request_id=call.request_id,
    )
