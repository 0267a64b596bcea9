"""From an authorised query to a signed publication table. Runs in a worker thread, on one connection.

A table whose cells an earlier one held, all of them, is that table: its numbers and its marks are given again
as they were, with their date, whoever objected since.

Nothing is signed, and so nothing leaves, that was not measured exactly, decided by the primary rules and by
earlier publications, protected by secondary suppression with its proof, and put on the ledger's disk. If
somebody published meanwhile what clashes, the table is protected anew, never patched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from hub_config.gateway.answer import conformed
from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.engine import Session, scratch
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.publication.cube import Cube, Kept, Shape, coded, placed, shape_of
from hub_config.gateway.publication.defined import Defined, defined
from hub_config.gateway.publication.dimensions import Codes, Label, Parents, unknown_labels, variable_of
from hub_config.gateway.publication.problem import Statuses, problem_of
from hub_config.gateway.publication.relations import Tangled, related, without_remainders
from hub_config.gateway.publication.rules import Publishable, Vocabulary, publishable
from hub_config.gateway.publication.selectors import check_selectors
from hub_config.gateway.publication.shown import Shown
from hub_config.gateway.publication.signing import Signer
from hub_config.gateway.publication.sketched import Sketched, sketched
from hub_config.gateway.publication.verdicts import (
    Flags,
    batches_of,
    buckets_of,
    is_confirmed,
    known_sums,
    primary,
    remembered,
)
from hub_config.gateway.rules.cells import Cells
from hub_config.gateway.rules.earlier.definitions import Setting, number_of
from hub_config.gateway.rules.memory import Asker, Memory
from hub_config.gateway.rules.plan import AuthorisedQuery, Release
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.disclosure.hypercube import Known, Limits, Relation, Status, Suppression, TableProblem
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.primary import applicable
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.publication import GIVEN_AGAIN, Document, Row, Statement, cell

METHOD = "exact; primary and secondary suppression, audited"
ROWS_HELD = "rows-held"  # the project sees rows: a physician looks before anything of it leaves
_SECONDS = 30.0
_WITH_TOTALS = 3  # a hypercube may have so many times the cells that a table may have
_ATTEMPTS = 3  # somebody may publish what clashes between the question to the ledger and its record

Suppress = Callable[[TableProblem, Limits], Suppression]


class Evidence(Protocol):
    """Measures roll-ups of a release exactly."""

    def __call__(
        self, session: Session, release: Release, policy: Policy, keyring: Keyring, kept: Sequence[Kept]
    ) -> Mapping[Kept, Cells]: ...


@dataclass(frozen=True)
class Press:
    """What publishing stands on."""

    evidence: Evidence
    keyring: Keyring
    memory: Memory
    suppress: Suppress
    signer: Signer
    now: Callable[[], datetime]
    selectors: Callable[[AuthorisedQuery], None] = check_selectors  # refuse who names people one by one


@dataclass(frozen=True)
class Ground:
    """What definitions of cells stand on, beside the question. `scope`: which rows the grant gives."""

    snapshot: int
    scope: str
    recorded: frozenset[tuple[str, str]]
    single: frozenset[str]
    codes: Mapping[tuple[str, str], tuple[str, ...]]

    def setting(self, keyring: Keyring) -> Setting:
        scope = f"{self.snapshot} {self.scope}"
        return Setting(keyring.names("definitions"), scope, self.recorded, self.single, self.codes)


@dataclass(frozen=True)
class Order:
    """One table to publish: what was asked, by whom, and what must be said of it."""

    query: AuthorisedQuery
    title: str
    definition: str
    asker: Asker
    synthetic: bool
    parents: tuple[Parents, ...]
    vocabulary: Vocabulary
    ground: Ground

    @property
    def policy(self) -> Policy:
        return self.query.policy

    @property
    def is_rehearsal(self) -> bool:
        """In the sandbox: protected as on real data, remembered by nobody."""
        return self.query.access is AccessLevel.SANDBOX


def publish(order: Order, session: Session, press: Press) -> Document:
    """The table of `order`, signed and remembered. Raises Refusal."""
    plan = split(replace(order.query, access=AccessLevel.AGGREGATE))  # whoever asks: as on real data
    asked = publishable(plan, order.policy, order.vocabulary)
    press.selectors(order.query)
    shape, left_out = _shape(order, asked.release, session, press)
    definitions = defined(shape, order.ground.setting(press.keyring))
    if not order.is_rehearsal and (before := press.memory.again(_all(definitions))) is not None:
        shown = Shown.again(shape, definitions, before.values)
        statement = _statement(order, asked, shown, left_out, session, before.given_at)
        return press.signer.sign(replace(statement, method=f"{METHOD}; {GIVEN_AGAIN}"))
    cube = _measured(order, shape, session, press)
    measures = _Measures.of(cube)
    for _ in range(_ATTEMPTS):
        hidden = _suppressed(order, cube, definitions, measures, press)
        shown = Shown.measured(cube, hidden)
        statement = _statement(order, asked, shown, left_out, session, press.now())
        session.stop.check()
        if order.is_rehearsal or _remember(order, cube, definitions, hidden, press):
            return press.signer.sign(statement)
    raise Refusal(ErrorCode.LEDGER_FAILED)


def _all(definitions: Defined) -> frozenset[int]:
    return frozenset(number_of(row) for rows in definitions.numbers.values() for row in rows)


# --- what is measured --------------------------------------------------------------------------------------


def _shape(order: Order, release: Release, session: Session, press: Press) -> tuple[Shape, tuple[str, ...]]:
    """The hypercube, without the groups of whom it is not known if they are too few to be shown; and the keys
    that have such. What follows counts the others only, or the few would be the rest of a total."""
    dropped = [_too_few(order, release, number, session, press) for number in range(len(release.domains))]
    variables = tuple(
        variable_of(domain, order.parents, labels)
        for domain, labels in zip(release.domains, dropped, strict=True)
    )
    if not all(variable.labels for variable in variables):
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="no groups: use group_by")
    left_out = [domain.keys[0] for domain, labels in zip(release.domains, dropped, strict=True) if labels]
    return shape_of(release, variables), tuple(left_out)


def _too_few(order: Order, release: Release, number: int, session: Session, press: Press) -> frozenset[Label]:
    """Labels of one domain that stand for "not known" and that fail alone, all other keys put together."""
    domain = release.domains[number]
    candidates = unknown_labels(domain)
    if not candidates:
        return frozenset()
    alone = replace(
        release, keys=domain.keys, domains=(domain,), patient_keys=release.patient_keys & set(domain.keys)
    )
    shape = shape_of(alone, (variable_of(domain, ()),))
    statuses = primary(_measured(order, shape, session, press), order.policy)
    places = _places(shape)
    return frozenset(
        label
        for label, codes in shape.rows_of_table()
        if codes and label in candidates and any(status[places[codes]] for status in statuses.values())
    )


def _measured(order: Order, shape: Shape, session: Session, press: Press) -> Cube:
    release = coded(shape)
    return placed(shape, press.evidence(session, release, order.policy, press.keyring, shape.rollups))


def _places(shape: Shape) -> dict[Codes, int]:
    return {tuple(map(int, codes)): place for place, codes in enumerate(shape.coordinates)}


# --- how it is protected -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Measures:
    """The measures of a cube, and what ties them in every cell; None where that can't be told."""

    table: Sketched
    relations: tuple[Relation, ...] | None

    @classmethod
    def of(cls, cube: Cube) -> _Measures:
        table = sketched(cube)
        try:
            return cls(table, related(table))
        except Tangled:
            return cls(table, None)


def _suppressed(
    order: Order, cube: Cube, definitions: Defined, measures: _Measures, press: Press
) -> Mapping[str, Flags]:
    policy = order.policy
    statuses = primary(cube, policy)
    sums: tuple[Known, ...] = ()
    if not order.is_rehearsal:
        batches, places = batches_of(cube, definitions)
        statuses = remembered(statuses, press.memory.known(order.asker, batches, policy), places)
        sums = known_sums(press.memory.sums(order.asker, batches, policy), places)
    if measures.relations is not None:
        statuses = without_remainders(measures.table, statuses, policy.snap_radius, measures.relations)
    buckets = buckets_of(cube, press.keyring.missing_physician)
    problem = replace(problem_of(cube, statuses, buckets, measures.relations), sums=sums)
    limits = Limits.of(policy, _SECONDS)
    try:
        return press.suppress(problem, replace(limits, max_cells=_WITH_TOTALS * limits.max_cells)).withheld
    except Refusal as refusal:
        return _only_public(cube, statuses, refusal)


def _only_public(cube: Cube, statuses: Statuses, refusal: Refusal) -> Mapping[str, Flags]:
    """Where no pattern can be proved beside what was published before: what is public already, and nothing
    else, which tells nothing new. Raises `refusal` where that is nothing, or where it is another."""
    hidden = {name: status != Status.KNOWN for name, status in statuses.items()}
    public = any(bool(np.any(~flags & cube.shape.displayed)) for flags in hidden.values())
    if refusal.code is not ErrorCode.SUPPRESSION_FAILED or "seconds" in refusal.params or not public:
        raise refusal
    return hidden


def _remember(
    order: Order, cube: Cube, definitions: Defined, hidden: Mapping[str, Flags], press: Press
) -> bool:
    """Whether everything is on the ledger's disk as it will be shown; if not, nothing is."""
    batches, places = batches_of(cube, definitions, hidden)
    settled = press.memory.settle(order.asker, batches, order.policy, exact=True)
    return is_confirmed(settled, places, hidden)


def _rules(release: Release) -> tuple[str, ...]:
    """The rules that apply, not those that bit: in a small table that would be an answer."""
    rules = applicable(physicians=bool(release.physicians), elsewhere=True)
    return (*(reason.value for reason in rules), "secondary", "earlier")


# --- what is shown -----------------------------------------------------------------------------------------


def _finished(order: Order, asked: Publishable, session: Session, frame: pa.Table) -> pa.Table:
    """What the query wanted of the protected table, worked out where there is nothing else."""
    most = order.policy.max_published_cells
    with scratch(session.stop, session.aggregates) as empty:
        empty.register(asked.release.name, frame)
        for public in asked.plan.publics:
            empty.register(public.name, _fetched(session, public.expression, order.policy.max_cells))
        return _fetched(empty, asked.plan.post, most)


def _fetched(session: Session, expression: Any, most: int) -> pa.Table:
    statement = compile_hardened(session.staged(expression.limit(most + 1)), session.aggregates)
    for name, table in statement.tables.items():
        session.register(name, table)
    table = session.fetch(statement.sql)
    if table.num_rows > most:
        raise Refusal(ErrorCode.TOO_MANY_CELLS, limit=most)
    batches = [conformed(batch, statement.schema) for batch in table.to_batches()]
    return pa.Table.from_batches(batches, schema=statement.schema)


# --- what is said ------------------------------------------------------------------------------------------


def _statement(
    order: Order,
    asked: Publishable,
    shown: Shown,
    left_out: tuple[str, ...],
    session: Session,
    date: datetime,
) -> Statement:
    rows = _rows(_finished(order, asked, session, shown.frame()))
    total = _totals(order, asked, shown, session)
    numbers = [at for at, column in enumerate(asked.columns) if column.protected]
    withheld = sum(row[at] is None for row in rows for at in numbers)
    return Statement(
        project=order.asker.project,
        access=order.query.access.value,
        snapshot=order.asker.snapshot,
        synthetic=order.synthetic,
        policy={name: str(v) if isinstance(v, str) else v for name, v in asdict(order.policy).items()},
        method=METHOD,
        definition=order.definition,
        title=order.title,
        columns=asked.columns,
        rows=rows,
        total=total[0] if len(total) == 1 else None,
        shown=len(rows) * len(numbers) - withheld,
        withheld=withheld,
        reasons=_rules(asked.release) if withheld else (),
        left_out=left_out,
        unverified=tuple(_unverified(order, asked)),
        request_id=order.asker.request_id,
        date=date.isoformat(timespec="seconds"),
    )


def _totals(order: Order, asked: Publishable, shown: Shown, session: Session) -> tuple[Row, ...]:
    """The row of all groups together; none where a table has no groups, and is that row."""
    if not asked.release.keys:
        return ()
    return _rows(_finished(order, asked, session, shown.frame(of_all=True)))


def _unverified(order: Order, asked: Publishable) -> list[str]:
    columns = [column.name for column in asked.columns if not column.vouched]
    return [ROWS_HELD, *columns] if order.query.access is AccessLevel.MICRODATA else columns


def _rows(table: pa.Table) -> tuple[Row, ...]:
    columns = [[cell(value) for value in column.to_pylist()] for column in table.columns]
    return tuple(zip(*columns, strict=True))
