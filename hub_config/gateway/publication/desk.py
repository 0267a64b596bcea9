"""The use cases of publication: publish a table, give the public key. As every use case of the gateway, each
is recorded before its answer leaves.

An aggregate project publishes what may leave. In the sandbox a table is protected as on real data, so that
people can learn it, and says that its data are synthetic. A project that sees rows gets its table protected
and signed too, marked for a physician's look: refused, it would be computed from the rows, where no rule
protects it at all; unmarked, somebody who knows the rows could choose what a table gives away.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from hub_config.gateway.actions import (
    Admission,
    Call,
    Details,
    Gateway,
    admit,
    answered_on,
    asker_of,
    owner,
    question_of,
    recorded,
    understood_of,
)
from hub_config.gateway.binding import furnish
from hub_config.gateway.client import Client
from hub_config.gateway.engine import Session
from hub_config.gateway.engines.port import stored
from hub_config.gateway.execution import Question, Understood, authorised
from hub_config.gateway.publication.dimensions import Parents, parents_of
from hub_config.gateway.publication.documents import PublicationKeyDocument
from hub_config.gateway.publication.press import Ground, Order, publish
from hub_config.gateway.publication.request import PublishRequest
from hub_config.gateway.publication.rules import Vocabulary, vocabulary_of
from hub_config.gateway.rules.earlier.definitions import (
    known_codes,
    recorded_columns,
    scope_of,
    single_tables,
)
from hub_config.gateway.rules.plan import AuthorisedQuery
from hub_config.gateway.stopping import Stop
from hub_config.gateway.workers import watched
from p4dp_sdk.catalogue.model import Catalogue
from p4dp_sdk.wire.publication import ALGORITHM, Document


async def publish_table(gateway: Gateway, call: Call, client: Client) -> bytes:
    """The signed document of a table, as JSON. Raises Refusal."""
    stop = Stop(gateway.limits.seconds)

    async def work(details: Details) -> bytes:
        admission = await admit(gateway, call)
        details |= answered_on(admission)
        async with AsyncExitStack() as held:
            await held.enter_async_context(gateway.slots.take(call.binding.id))
            asked = PublishRequest.read(await client.read_body(gateway.limits.request_bytes))
            details["title"] = asked.title
            await owner(gateway, admission, asked.document, of_own=False)
            question = question_of(gateway, admission, asked.document)
            understood = await understood_of(gateway, question, stop, client, details)

            def compute() -> Document:
                return _computed(gateway, admission, question, understood, asked.title, stop)

            document = await watched(gateway.workers, compute, stop, client, gateway.limits.seconds)
            details |= _recorded_of(document)
            return document.to_json()

    return await recorded(gateway, call, "gateway.publish", work)


async def publication_key(gateway: Gateway, call: Call) -> PublicationKeyDocument:
    """The key that verifies what this enclave publishes. Anybody may have it."""

    async def work(_: Details) -> PublicationKeyDocument:
        await admit(gateway, call)
        signer = gateway.press.signer
        return PublicationKeyDocument(
            algorithm=ALGORITHM, key=signer.name, public_key=signer.public_key, request_id=call.request_id
        )

    return await recorded(gateway, call, "gateway.publication-key", work)


def _computed(
    gateway: Gateway,
    admission: Admission,
    question: Question,
    understood: Understood,
    title: str,
    stop: Stop,
) -> Document:
    snapshot, press = admission.snapshot, gateway.press
    engine = gateway.engines.engine(snapshot.number, snapshot.database)
    with engine.session(stop) as session:
        bound = furnish(session, question.room, [question.tables[name] for name in understood.tables])
        query = authorised(question, understood.expression, bound, session)
        order = Order(
            query=query,
            title=title,
            definition=understood.definition,
            asker=asker_of(admission),
            synthetic=snapshot.manifest.synthetic,
            parents=_parents(gateway.catalogue, session),
            vocabulary=_vocabulary(gateway.catalogue, query),
            ground=_ground(gateway.catalogue, query, admission),
        )
        return publish(order, session, press)


def _vocabulary(catalogue: Catalogue, query: AuthorisedQuery) -> Vocabulary:
    return vocabulary_of(catalogue, query.domains)


def _ground(catalogue: Catalogue, query: AuthorisedQuery, admission: Admission) -> Ground:
    return Ground(
        snapshot=admission.facts.snapshot,
        scope=scope_of(admission.facts.grant),
        recorded=recorded_columns(catalogue),
        single=single_tables(catalogue),
        codes=known_codes(catalogue, query.domains),
    )


def _parents(catalogue: Catalogue, session: Session) -> tuple[Parents, ...]:
    """Of the catalogue's code lists, and each centre's region in this snapshot."""
    found = session.ask(stored("centres", {"centre_id": "string", "region": "string"}).distinct())
    regions = {row["centre_id"]: row["region"] for row in found.to_pylist() if row["centre_id"] is not None}
    return parents_of(catalogue.code_systems.values(), {"centre": regions})


def _recorded_of(document: Document) -> Details:
    """What the audit log keeps of a table: how much was shown, and the signature that names it."""
    statement, signature = document.statement, document.signature
    return {
        "protection": "publication",
        "shown": statement.shown,
        "withheld": statement.withheld,
        "unverified": " ".join(statement.unverified),
        "signature": signature.value,
    }
