"""Outcomes: the first event after the index date, seen until the exit, and what may prevent it.

The day of the index is not after it. Time runs in days from the index to the first of event, competing event
and exit; on one day the event is named before what competes with it, and that before censoring. Death censors
unless it competes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce
from operator import or_
from typing import Any

import ibis
import ibis.expr.types as ir

from p4dp_sdk.cohorts.definition import DEATH, Outcome, Summary, Variable
from p4dp_sdk.cohorts.events import Events
from p4dp_sdk.cohorts.features import EXIT, INDEX
from p4dp_sdk.cohorts.windows import EVER, Window

REASON = "exit_reason"
EVENT, COMPETING, CENSORED = "event", "competing", "censored"
AFTER = Window(before=None, after=EVER)


def columns(outcome: Outcome) -> tuple[str, str, str]:
    """Date of the event (NULL unless it came), days to the end, how it ended."""
    return f"{outcome.name}_date", f"{outcome.name}_time", f"{outcome.name}_event"


def dates(outcome: Outcome) -> Iterator[Variable]:
    """The first dates that decide it, as variables of their own."""
    yield Variable(_own(outcome), Summary.FIRST, outcome.events, AFTER)
    for at, events in enumerate(outcome.competing.values()):
        if isinstance(events, Events):
            yield Variable(_rival(outcome, at), Summary.FIRST, events, AFTER)


def reads(outcome: Outcome, needed: Collection[str]) -> set[str]:
    """What of the exit the wanted columns of `outcome` need."""
    _, time, event = columns(outcome)
    competes = bool(outcome.competing)
    dies = {REASON, EXIT} if _death_competes(outcome) and event in needed else set()
    return dies | ({EXIT} if time in needed or (event in needed and competes) else set())


def settled(rows: ir.Table, outcome: Outcome, needed: Collection[str]) -> ir.Table:
    """`rows` with those of the three columns of `outcome` that are `needed`."""
    date, time, event = columns(outcome)
    own, rivals = rows[_own(outcome)], [rows[name] for name in _rivals(outcome)]
    first = ibis.least(own, *rivals) if rivals else own
    came = (own == first) if rivals else own.notnull()
    made: dict[str, Any] = {}
    if date in needed:
        made[date] = ibis.ifelse(came, own, ibis.null("date")) if rivals else own
    if time in needed:
        made[time] = ibis.coalesce(first, rows[EXIT]).delta(rows[INDEX], unit="day")
    if event in needed:
        made[event] = _how(rows, outcome, came, first)
    return rows.mutate(**made)


def _how(rows: ir.Table, outcome: Outcome, came: Any, first: Any) -> Any:
    competing = [first.notnull()] if _rivals(outcome) else []
    if _death_competes(outcome):
        competing.append(rows[REASON] == DEATH)
    cases = [(came, EVENT)]
    cases += [(reduce(or_, competing), COMPETING)] if competing else []
    return ibis.cases(*cases, else_=CENSORED)


def _death_competes(outcome: Outcome) -> bool:
    return DEATH in outcome.competing.values()


def _own(outcome: Outcome) -> str:
    return f"{outcome.name}_first"


def _rivals(outcome: Outcome) -> list[str]:
    return [variable.name for variable in dates(outcome) if variable.name != _own(outcome)]


def _rival(outcome: Outcome, at: int) -> str:
    return f"{outcome.name}_competing_{at + 1}"
