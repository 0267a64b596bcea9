"""From the bytes of a query to its answer: decode, authorise, split, run each release, protect,
post-process.

Everything here runs in a worker thread on one connection of its own. What comes out of a release frame
that is not protected never leaves this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import assert_never

import ibis
import pyarrow as pa

from hub_config.gateway.answer import Answer, conformed, row_bytes
from hub_config.gateway.authorise import calendar_of, visible_schema
from hub_config.gateway.binding import Room, furnish, in_own_order, site_codes
from hub_config.gateway.compile import Statement, compile_hardened
from hub_config.gateway.engine import Engine, Session, scratch
from hub_config.gateway.own.answering import explored_own
from hub_config.gateway.protection import Guard, explored, rehearsed
from hub_config.gateway.rules.definition import definition
from hub_config.gateway.rules.earlier.definitions import (
    Setting,
    known_codes,
    recorded_columns,
    scope_of,
    single_tables,
)
from hub_config.gateway.rules.explore import expected_error
from hub_config.gateway.rules.memory import Asker
from hub_config.gateway.rules.own import without_physicians
from hub_config.gateway.rules.plan import (
    AuthorisedQuery,
    BoundTable,
    Plan,
    ProtectedTable,
    PublicPlan,
    ReleasePlan,
    RowsPlan,
)
from hub_config.gateway.rules.split import split
from hub_config.gateway.stopping import Stop
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.manifest import Manifest
from p4dp_sdk.catalogue.model import Table
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode
from p4dp_sdk.wire.protocol import Disclosure, Limits, MeasureSummary, Scope

Domains = Mapping[str, tuple[str, ...]]  # the codes of each code system


@dataclass(frozen=True)
class Question:
    """One admitted query: its bytes, what its project may see, and what an answer must say of itself."""

    document: bytes
    tables: Mapping[str, Table]
    room: Room
    access: AccessLevel
    policy: Policy
    limits: Limits
    manifest: Manifest
    project: str
    request_id: str
    asker: Asker
    guard: Guard

    @property
    def scope(self) -> Scope:
        return Scope.ALL if self.room.own is None else Scope.OWN


@dataclass(frozen=True)
class _Outcome:
    """What was run: batches of the answer, and how it was protected."""

    protection: str
    batches: Iterator[pa.RecordBatch]
    measures: Mapping[str, MeasureSummary]
    reasons: tuple[str, ...] = ()
    rows_may_be_missing: bool = False
    key_columns: tuple[str, ...] = ()
    method: str = ""
    error: float = 0.0


@dataclass(frozen=True)
class Understood:
    """A decoded query: its expression over visible schemas, the tables it reads, and what it asks as SQL."""

    expression: ibis.Expr
    tables: tuple[str, ...]
    definition: str


def answer(question: Question, understood: Understood, engine: Engine, stop: Stop) -> Answer:
    """Compute `question`: its first batch is ready on return. Raises Refusal; Stopped when nobody waits."""
    with ExitStack() as stack:
        session = stack.enter_context(engine.session(stop))
        bound = furnish(session, question.room, [question.tables[name] for name in understood.tables])
        query = authorised(question, understood.expression, bound, session)
        outcome = _run(split(query), question, session, query.domains)
        schema = understood.expression.as_table().schema().to_pyarrow()
        batches = _started(conformed(batch, schema) for batch in outcome.batches)
        stop.check()
        return Answer(
            disclosure=_disclosure(question, outcome, understood.definition),
            schema=schema,
            batches=batches,
            resources=stack.pop_all(),
        )


def understand(question: Question) -> Understood:
    """Decode `question` over the tables its project sees. Raises Refusal."""
    used: dict[str, None] = {}

    def schema_of(name: str) -> ibis.Schema:
        if name not in question.tables:
            raise Refusal(ErrorCode.UNKNOWN_TABLE, table=name[:64])
        used[name] = None
        return visible_schema(question.tables[name])

    try:
        expression = decode(question.document, schema_of, question.limits, question.scope)
        return Understood(expression, tuple(used), definition(expression))
    except RecursionError:
        raise Refusal(ErrorCode.TOO_DEEP, limit=question.limits.depth) from None


def authorised(
    question: Question, expression: ibis.Expr, bound: Mapping[str, BoundTable], session: Session
) -> AuthorisedQuery:
    """`expression` with everything it may touch: what `split` takes."""
    catalogue, grant = question.room.catalogue, question.room.grant
    site = site_codes(session, catalogue, grant)
    domains = {
        name: tuple(code for code, _ in site[name]) if name in site else tuple(c.code for c in system.codes)
        for name, system in catalogue.code_systems.items()
    }
    calendar = calendar_of(grant, question.manifest.first_date, question.manifest.last_date)
    return AuthorisedQuery(expression, bound, domains, calendar, question.access, question.policy)


# --- running a plan ----------------------------------------------------------------------------------------


def _run(plan: Plan, question: Question, session: Session, domains: Domains) -> _Outcome:
    match plan:
        case PublicPlan():
            return _Outcome("public", iter(fetched(session, plan.expression, question).to_batches()), {})
        case ReleasePlan():
            return _run_releases(plan, question, session, domains)
        case RowsPlan():
            return _run_rows(plan, question, session)
        case _:
            assert_never(plan)


def _run_releases(plan: ReleasePlan, question: Question, session: Session, domains: Domains) -> _Outcome:
    asked = (session, plan.releases, question.policy, question.guard, question.asker)
    own = question.scope is Scope.OWN
    protected = explored_own(*asked) if own else explored(*asked, _setting(question, domains))
    publics = {public.name: fetched(session, public.expression, question) for public in plan.publics}
    with scratch(session.stop, session.aggregates, session.spare) as empty:
        for name, table in {**{n: p.frame for n, p in protected.items()}, **publics}.items():
            empty.register(name, table)
        shown = fetched(empty, plan.post, question)
    return _Outcome(
        protection="exploration",
        batches=iter(shown.to_batches()),
        measures=summary(protected),
        reasons=reasons_of(protected),
        rows_may_be_missing=any(table.rows_may_be_missing for table in protected.values()),
        key_columns=plan.releases[0].keys if len(plan.releases) == 1 else (),
        method=question.policy.method.value,
        error=expected_error(question.policy),
    )


def _setting(question: Question, domains: Domains) -> Setting:
    """What definitions of its cells stand on: of the rows of whom, whatever the snapshot."""
    catalogue, grant = question.room.catalogue, question.room.grant
    return Setting(
        question.guard.keyring.names("drafts"),
        f"{question.manifest.numbering} {scope_of(grant)}",
        recorded_columns(catalogue),
        single_tables(catalogue),
        known_codes(catalogue, domains),
    )


def _run_rows(plan: RowsPlan, question: Question, session: Session) -> _Outcome:
    match question.access:
        case AccessLevel.MICRODATA:
            return _Outcome("rows", _streamed(session, in_own_order(plan.expression)), {})
        case AccessLevel.SANDBOX if question.manifest.synthetic:
            would = _rehearsed(plan.rehearsal, question, session)
            return _Outcome(
                protection="none",
                batches=_streamed(session, in_own_order(plan.expression)),
                measures=summary(would),
                reasons=reasons_of(would),
                rows_may_be_missing=any(table.rows_may_be_missing for table in would.values()),
            )
        case AccessLevel.SANDBOX | AccessLevel.AGGREGATE:
            raise Refusal(ErrorCode.ROW_LEVEL, grant="microdata")
        case _:
            assert_never(question.access)


def _rehearsed(plan: ReleasePlan | None, question: Question, session: Session) -> dict[str, ProtectedTable]:
    """What protection would have done, where it could have been applied."""
    if plan is None:
        return {}
    try:
        own = question.scope is Scope.OWN
        releases = [without_physicians(each) if own else each for each in plan.releases]
        return rehearsed(session, releases, question.policy, question.guard, question.project)
    except Refusal as refusal:
        if refusal.code is ErrorCode.TOO_MANY_CELLS:
            return {}
        raise


def fetched(session: Session, expression: ibis.Table, question: Question) -> pa.Table:
    """The whole answer of `expression`, of at most as many rows as `question` may have cells."""
    return _bounded(session, expression, question.limits.cells, question)


def _bounded(session: Session, expression: ibis.Table, most: int, question: Question) -> pa.Table:
    """The whole answer of `expression`, refused beyond `most` rows."""
    statement = compiled(session, expression.limit(most + 1))
    table = session.fetch(statement.sql)
    if table.num_rows > most:
        raise Refusal(ErrorCode.TOO_MANY_CELLS, limit=question.limits.cells)
    batches = [conformed(batch, statement.schema) for batch in table.to_batches()]
    return pa.Table.from_batches(batches, schema=statement.schema)


def _streamed(session: Session, expression: ibis.Table) -> Iterator[pa.RecordBatch]:
    rows, turns = session.turns(expression)
    statement = _prepared(session, rows)
    size = row_bytes(statement.schema)
    return (batch for _ in turns for batch in session.stream(statement.sql, size))


def compiled(session: Session, expression: ibis.Table) -> Statement:
    """`expression` as the engine takes it, what it joins registered on this session."""
    return _prepared(session, session.staged(expression))


def _prepared(session: Session, staged: ibis.Table) -> Statement:
    statement = compile_hardened(staged, session.aggregates)
    for name, table in statement.tables.items():
        session.register(name, table)
    return statement


def _started(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Compute the first batch now: what fails must fail before anything is sent."""
    first = next(batches, None)
    return iter(()) if first is None else chain([first], batches)


# --- what the answer says of itself ------------------------------------------------------------------------


def summary(protected: Mapping[str, ProtectedTable]) -> dict[str, MeasureSummary]:
    """Per measure; of several releases, each under its own name."""
    if len(protected) == 1:
        (only,) = protected.values()
        return dict(only.measures)
    return {
        f"{release}.{measure}": summary
        for release, table in protected.items()
        for measure, summary in table.measures.items()
    }


def reasons_of(protected: Mapping[str, ProtectedTable]) -> tuple[str, ...]:
    """Of all tables of an answer, once each, the commonest rule first."""
    return tuple(dict.fromkeys(reason for table in protected.values() for reason in table.reasons))


def _disclosure(question: Question, outcome: _Outcome, definition: str) -> Disclosure:
    return Disclosure(
        request_id=question.request_id,
        project=question.project,
        snapshot=question.manifest.number,
        protection=outcome.protection,
        min_patients=question.policy.min_patients,
        min_physicians=question.policy.min_physicians if question.scope is Scope.ALL else 0,
        measures=outcome.measures,
        reasons=outcome.reasons,
        rows_may_be_missing=outcome.rows_may_be_missing,
        definition=definition,
        method=outcome.method,
        error=outcome.error,
        key_columns=outcome.key_columns,
        scope=question.scope,
    )
