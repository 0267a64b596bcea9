"""From the expression of patients to its list and to what may be said of it. In a worker thread, on one
session.

The list and the count come of one relation, the catalogue's own `patients` kept to whom the expression names,
under the very rules of a count: what could not be counted cannot be listed either, and a formula that makes
up identifiers finds nobody but by the hidden number of a row it was allowed to see. Only what is protected
leaves this module beside the list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import ibis

from hub_config.gateway.authorise import visible_schema
from hub_config.gateway.binding import furnish
from hub_config.gateway.engine import Engine, Session
from hub_config.gateway.execution import Question, Understood, authorised, compiled
from hub_config.gateway.protection import explored
from hub_config.gateway.rules.plan import PATIENT, PHYSICIAN, BoundTable, ProtectedTable, ReleasePlan
from hub_config.gateway.rules.split import split
from hub_config.gateway.stopping import Stop
from hub_config.governance.facts import AccessLevel
from hub_config.governance.recontact.facts import MOST_PATIENTS, Listed
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_PATIENTS: Final = "patients"
_ID: Final = "patient_id"
_CENTRE: Final = "centre_id"
_COUNT: Final = "patients_sought"
_STOP: Final = MOST_PATIENTS + 1_000  # so far above what may be told that no protected number gets there


@dataclass(frozen=True)
class Found:
    """`people` stay in the enclave; `patients` and `centres` (None: withheld) any count would say."""

    people: tuple[Listed, ...]
    patients: int
    centres: tuple[tuple[str | None, int | None], ...]


def find(question: Question, understood: Understood, engine: Engine, stop: Stop) -> Found:
    """Raises Refusal for an expression that is not one of patients, or of too few to be told their number."""
    _require_patients(question, understood)
    people = _sought(question, understood.expression)
    names = dict.fromkeys([_PATIENTS, *understood.tables])
    with engine.session(stop) as session:
        bound = furnish(session, question.room, [question.tables[name] for name in names])
        total = people.aggregate(**{_COUNT: people[_ID].nunique()})
        patients = _within(_told(_counted(question, total, bound, session)))
        by_centre = people.group_by(_CENTRE).aggregate(**{_COUNT: people[_ID].nunique()})
        centres = _by_centre(_counted(question, by_centre, bound, session))
        listed = _listed(question, total, bound, session)
        stop.check()
        return Found(listed, patients, centres)


def _require_patients(question: Question, understood: Understood) -> None:
    table = question.tables.get(_PATIENTS)
    if table is None or not (table.has(_ID) and table.has(_CENTRE)):
        raise Refusal(ErrorCode.GRANT_MISSING, table=_PATIENTS, grant="recontact")
    if understood.expression.as_table().columns != (_ID,):
        raise Refusal(ErrorCode.RECONTACT_REFUSED, why="name patients by one column, patient_id")


def _sought(question: Question, expression: ibis.Expr) -> ibis.Table:
    """Each patient once, with their own GP and centre."""
    patients = ibis.table(visible_schema(question.tables[_PATIENTS]), name=_PATIENTS)
    return patients.semi_join(expression.as_table(), _ID)


def _plan(
    question: Question, counted: ibis.Table, bound: Mapping[str, BoundTable], session: Session
) -> ReleasePlan:
    plan = split(authorised(question, counted, bound, session))
    if not isinstance(plan, ReleasePlan) or len(plan.releases) != 1:
        raise Refusal(ErrorCode.RECONTACT_REFUSED, why="name patients by one column, patient_id")
    return plan


def _counted(
    question: Question, counted: ibis.Table, bound: Mapping[str, BoundTable], session: Session
) -> ProtectedTable:
    """As any draft is: protected, and remembered by the ledger."""
    plan = _plan(question, counted, bound, session)
    protected = explored(session, plan.releases, question.policy, question.guard, question.asker)
    return protected[plan.releases[0].name]


def _told(table: ProtectedTable) -> int:
    number: float | None = table.frame.column(table.frame.column_names[-1])[0].as_py()
    if number is None:
        raise Refusal(ErrorCode.RECONTACT_REFUSED, why="too few patients, or too few practices")
    return round(number)


def _within(patients: int) -> int:
    """By the number that is told: a limit on the exact one would be an exact count, one request at a time."""
    if patients > MOST_PATIENTS:
        raise Refusal(ErrorCode.RECONTACT_REFUSED, why="too many patients for one list")
    return patients


def _by_centre(table: ProtectedTable) -> tuple[tuple[str | None, int | None], ...]:
    centres, numbers = (column.to_pylist() for column in table.frame.columns)
    return tuple(
        (centre, None if number is None else round(number))
        for centre, number in zip(centres, numbers, strict=True)
    )


def _listed(
    question: Question, total: ibis.Table, bound: Mapping[str, BoundTable], session: Session
) -> tuple[Listed, ...]:
    """The hidden numbers of the rows that were counted; nothing that the expression itself computes."""
    rows = _plan(question, total, bound, session).releases[0].rows
    everyone = rows.select(PATIENT, PHYSICIAN).distinct().limit(_STOP + 1)
    found = session.fetch(compiled(session, everyone).sql)
    if found.num_rows > _STOP:
        raise Refusal(ErrorCode.RECONTACT_REFUSED, why="too many patients for one list")
    return tuple(
        Listed(int(row[PATIENT]), None if row[PHYSICIAN] is None else int(row[PHYSICIAN]))
        for row in found.to_pylist()
    )


def as_counting(question: Question) -> Question:
    """The same question on the enclave's own numbers and by the rules of a count, whatever the project may
    see otherwise: what is found here is shown to nobody."""
    room = replace(question.room, key=None)
    return replace(question, room=room, access=AccessLevel.AGGREGATE)
