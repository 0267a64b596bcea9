"""Use cases of registered notebooks: asked for by a member, decided by a physician, withdrawn.

Who may is the airlock's rule; what can never be holds here and in the database: nobody decides on their own,
and what was decided is not decided again. One transaction of the caller's, one audit event each.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.facts import AccessLevel
from hub_config.governance.notebooks.cells import cells_alone
from hub_config.governance.notebooks.facts import (
    NAME,
    OPEN,
    TRANSITIONS,
    NotebookState,
    NotebookStep,
    Registration,
    read_outputs,
)
from hub_config.governance.notebooks.models import RegisteredNotebook
from hub_config.governance.notebooks.problems import BadNotebook, Why
from hub_config.governance.notebooks.reading import facts_of
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.reading import gives_rows
from hub_config.governance.report_runs.parameters import BadTemplate, read_parameters
from hub_config.governance.rights.actions import fresh_id

PURPOSE: Final = (20, 2_000)
REASON: Final = (10, 2_000)
MOST_OPEN: Final = 20


@dataclass(frozen=True)
class Wanted:
    """As a member asks. `outputs`: one line a file, `name.csv : what it shows`."""

    project: str
    name: str
    purpose: str
    outputs: str = ""
    rows: bool = False


def ask(
    session: Session, wanted: Wanted, file: bytes, who: str, *, at: datetime, audit: Recorder
) -> Registration:
    """Put the notebook's cells on record, for a physician to read. Raises BadNotebook."""
    content = cells_alone(file)
    _check_words(wanted)
    outputs = read_outputs(wanted.outputs)
    _check_parameters(content)
    _check_rows(session, wanted, declares=bool(outputs))
    _check_free(session, wanted)
    row = RegisteredNotebook(
        id=fresh_id("n"),
        project=wanted.project,
        name=wanted.name,
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        purpose=wanted.purpose.strip(),
        access=(AccessLevel.MICRODATA if wanted.rows else AccessLevel.AGGREGATE).value,
        outputs=[{"name": each.name, "told": each.told} for each in outputs],
        state=NotebookState.ASKED.value,
        asked_by=who,
        asked_at=at,
        reason="",
    )
    session.add(row)
    _record(session, row, "notebook.ask", audit)
    return facts_of(row)


def take(
    session: Session,
    number: str,
    step: NotebookStep,
    who: str,
    reason: str = "",
    *,
    at: datetime,
    audit: Recorder,
) -> Registration:
    """Approve, refuse (with a reason) or withdraw. Raises BadNotebook."""
    row = session.get(RegisteredNotebook, number, with_for_update=True)
    after = None if row is None else TRANSITIONS[NotebookState(row.state)].get(step)
    if row is None or after is None:
        raise BadNotebook(Why.STEP)
    match step:
        case NotebookStep.APPROVE | NotebookStep.REFUSE:
            _decide(row, step, who, reason, at)
        case NotebookStep.WITHDRAW:
            row.ended_by, row.ended_at = who, at
        case _:
            assert_never(step)
    row.state = after.value
    _record(session, row, f"notebook.{step.value}", audit)
    return facts_of(row)


def _decide(row: RegisteredNotebook, step: NotebookStep, who: str, reason: str, at: datetime) -> None:
    if who == row.asked_by:
        raise BadNotebook(Why.OWN)
    least, most = REASON if step is NotebookStep.REFUSE else (0, REASON[1])
    if not least <= len(reason.strip()) <= most:
        raise BadNotebook(Why.REASON)
    row.decided_by, row.decided_at, row.reason = who, at, reason.strip()


def _check_words(wanted: Wanted) -> None:
    if not NAME.fullmatch(wanted.name):
        raise BadNotebook(Why.NAME)
    if not PURPOSE[0] <= len(wanted.purpose.strip()) <= PURPOSE[1]:
        raise BadNotebook(Why.PURPOSE)


def _check_parameters(content: bytes) -> None:
    try:
        read_parameters(json.loads(content), may_have_none=True)
    except BadTemplate:
        raise BadNotebook(Why.PARAMETERS) from None


def _check_rows(session: Session, wanted: Wanted, *, declares: bool) -> None:
    if wanted.rows and not gives_rows(session, wanted.project):
        raise BadNotebook(Why.NO_ROWS)
    if wanted.rows and not declares:
        raise BadNotebook(Why.ROWS_WITHOUT_OUTPUTS)


def _check_free(session: Session, wanted: Wanted) -> None:
    query = select(RegisteredNotebook).where(
        RegisteredNotebook.project == wanted.project,
        RegisteredNotebook.state.in_([state.value for state in OPEN]),
    )
    names = [row.name for row in session.scalars(query)]
    if wanted.name in names:
        raise BadNotebook(Why.NAME_TAKEN)
    if len(names) >= MOST_OPEN:
        raise BadNotebook(Why.TOO_MANY)


def _record(session: Session, row: RegisteredNotebook, what: str, audit: Recorder) -> None:
    audit.record(
        session,
        what,
        row.project,
        notebook=row.id,
        name=row.name,
        sha256=row.sha256,
        access=row.access,
        outputs=", ".join(each["name"] for each in row.outputs),
    )
