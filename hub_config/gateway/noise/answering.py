"""A question answered with noise: split, bounded, paid for, measured, drawn, and only then post-processed.

Everything that can be refused without looking at the data is refused before the budget is charged; after that
nothing gives it back, since an error may depend on the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pyarrow as pa

from hub_config.gateway import execution
from hub_config.gateway.answer import Answer, conformed
from hub_config.gateway.binding import furnish
from hub_config.gateway.engine import Engine, Session, scratch
from hub_config.gateway.execution import Question, Understood
from hub_config.gateway.noise.bounds import bounded
from hub_config.gateway.noise.mechanism import drawn
from hub_config.gateway.noise.noisy import Share, noisy, shared
from hub_config.gateway.noise.statements import totals
from hub_config.gateway.rules.plan import ProtectedTable, Release, ReleasePlan
from hub_config.gateway.rules.split import split
from hub_config.gateway.stopping import Stop
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import Disclosure


@dataclass(frozen=True)
class Price:
    """What a noisy answer costs, and the most rows or cells of one patient that count in it. `pay` spends
    the budget, durably, or raises Refusal."""

    epsilon: float
    contributions: int
    pay: Callable[[], None]


def noisy_answer(
    question: Question, understood: Understood, engine: Engine, stop: Stop, price: Price
) -> Answer:
    """Compute `question` with noise. Raises Refusal; Stopped when nobody waits."""
    with ExitStack() as stack:
        session = stack.enter_context(engine.session(stop))
        plan = _plan(question, understood, session)
        bounds = bounded(plan, price.contributions, question.policy.max_cells)
        shares = shared(bounds, price.epsilon)
        price.pay()
        tables = {r.name: _measured(session, r, shares[r.name]) for r in plan.releases}
        schema = understood.expression.as_table().schema().to_pyarrow()
        shown = _post_processed(plan, tables, question, session)
        stop.check()
        return Answer(
            disclosure=_disclosure(question, understood, price, shares, tables),
            schema=schema,
            batches=iter([conformed(batch, schema) for batch in shown.to_batches()]),
            resources=stack.pop_all(),
        )


def _plan(question: Question, understood: Understood, session: Session) -> ReleasePlan:
    """As for a project that sees aggregates only, whatever this one sees."""
    bound = furnish(session, question.room, [question.tables[name] for name in understood.tables])
    authorised = execution.authorised(question, understood.expression, bound, session)
    plan = split(replace(authorised, access=AccessLevel.AGGREGATE))
    if not isinstance(plan, ReleasePlan):
        raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation="noise", why="no patient here")
    return plan


def _measured(session: Session, release: Release, shares: Sequence[Share]) -> ProtectedTable:
    return noisy(release, shares, [totals(session, release, share.bounded) for share in shares], drawn)


def _post_processed(
    plan: ReleasePlan, tables: Mapping[str, ProtectedTable], question: Question, session: Session
) -> pa.Table:
    publics = {p.name: execution.fetched(session, p.expression, question) for p in plan.publics}
    with scratch(session.stop, session.aggregates) as empty:
        for name, table in {**{n: t.frame for n, t in tables.items()}, **publics}.items():
            empty.register(name, table)
        return execution.fetched(empty, plan.post, question)


def _disclosure(
    question: Question,
    understood: Understood,
    price: Price,
    shares: Mapping[str, Sequence[Share]],
    tables: Mapping[str, ProtectedTable],
) -> Disclosure:
    counts = [share for parts in shares.values() for share in parts if share.bounded.counts]
    return Disclosure(
        request_id=question.request_id,
        project=question.project,
        snapshot=question.manifest.number,
        protection="noise",
        min_patients=question.policy.min_patients,
        min_physicians=question.policy.min_physicians,
        measures=execution.summary(tables),
        definition=understood.definition,
        method=_method(price),
        error=max((share.error for share in counts), default=0.0),
    )


def _method(price: Price) -> str:
    return f"discrete Laplace, ε={price.epsilon:g}, contributions≤{price.contributions}"
