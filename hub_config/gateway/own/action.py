"""Who asks, for scope `own`: found out for each question; and the use case that says so."""

from __future__ import annotations

from hub_config.gateway.actions import Admission, Call, Details, Gateway, admit, recorded
from hub_config.gateway.authorise import held_by, visible_tables
from hub_config.gateway.documents import MeDocument
from hub_config.gateway.own.rows import is_told_apart
from hub_config.gateway.own.tables import own_tables
from hub_config.gateway.stopping import Stop
from hub_config.gateway.workers import in_thread
from hub_config.governance.persons.facts import Link
from p4dp_sdk.wire.protocol import PROTOCOL_VERSION


async def me(gateway: Gateway, call: Call) -> MeDocument:
    """As what the person is known in this snapshot, and which tables hold rows of theirs. Never a number."""

    async def work(_: Details) -> MeDocument:
        admission = await admit(gateway, call)
        return await in_thread(gateway.office, lambda: _described(gateway, admission))

    return await recorded(gateway, call, "gateway.me", work)


def _described(gateway: Gateway, admission: Admission) -> MeDocument:
    manifest = admission.snapshot.manifest
    link = gateway.governance.own(admission.call.binding.user, manifest.source)
    available = link is not None and _is_available(gateway, admission, link)
    tables = visible_tables(held_by(gateway.catalogue, admission.snapshot.columns), admission.facts.grant)
    own = own_tables(tables, gateway.catalogue, link.standing) if link and available else {}
    return MeDocument(
        protocol=PROTOCOL_VERSION,
        standing=link.standing if link else None,
        available=available,
        source=manifest.source,
        snapshot=manifest.number,
        tables=tuple(own),
        request_id=admission.call.request_id,
    )


def _is_available(gateway: Gateway, admission: Admission, link: Link) -> bool:
    engine = gateway.engines.engine(admission.snapshot.number, admission.snapshot.database)
    with engine.session(Stop(gateway.limits.seconds)) as session:
        return is_told_apart(session, link.standing)
