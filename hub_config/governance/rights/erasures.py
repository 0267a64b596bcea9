"""Use cases of erasure: who may hold copies of an objector's rows is asked to erase them, and says when it is
done.

Rows that were shown lie in workspaces, where nothing of the enclave reaches into files: it can be asked for,
and be on record. An erasure names the holder and the project, and of the objector no more than the receipt
does. One transaction of the caller's, one audit event each.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.moments import aware, aware_or_none
from hub_config.governance.objections.facts import ObjectionScope
from hub_config.governance.recorder import Recorder
from hub_config.governance.rights import models
from hub_config.governance.rights.actions import BadRight, receipt_of
from hub_config.governance.rights.facts import Erasure


def ask(
    session: Session, receipt: str, holders: Iterable[tuple[str, str]], *, at: datetime, audit: Recorder
) -> int:
    """Ask each of `holders`, of whom project and person, to erase copies made before the receipt's objection
    was recorded. Who was asked before is not asked again; how many were now. Raises BadRight where copies may
    stay."""
    found = receipt_of(session, receipt)
    if found.scope is ObjectionScope.FUTURE:
        raise BadRight("future")
    known = {(row.project, row.username) for row in of_receipt(session, receipt)}
    fresh = sorted(set(holders) - known)
    for project, person in fresh:
        row = models.Erasure(
            receipt=receipt,
            project=project,
            username=person,
            held_until=found.recorded_at,
            asked_by=audit.who,
            asked_at=at,
        )
        session.add(row)
    audit.record(session, "rights.ask-erasure", None, receipt=receipt, people=len(fresh))
    return len(fresh)


def acknowledge(
    session: Session, receipt: str, project: str, person: str, *, at: datetime, audit: Recorder
) -> Erasure:
    """The copies are erased, says whoever the recorder acts for: the holder, or the data protection officer
    who was told. Raises BadRight."""
    row = session.get(models.Erasure, (receipt, project, person))
    if row is None:
        raise BadRight("no-erasure")
    if row.done_at is not None:
        raise BadRight("erased")
    row.done_by, row.done_at = audit.who, max(at, aware(row.asked_at))
    audit.record(session, "rights.erased", project, receipt=receipt, person=person)
    return _facts(row)


def of_receipt(session: Session, receipt: str) -> list[Erasure]:
    rows = models.Erasure
    found = select(rows).where(rows.receipt == receipt).order_by(rows.project, rows.username)
    return [_facts(row) for row in session.scalars(found)]


def of_person(session: Session, person: str) -> list[Erasure]:
    """What this person was asked to erase; what is still to do first, then the newest."""
    rows = models.Erasure
    found = (
        select(rows).where(rows.username == person).order_by(rows.done_at.isnot(None), rows.asked_at.desc())
    )
    return [_facts(row) for row in session.scalars(found)]


def _facts(row: models.Erasure) -> Erasure:
    done = aware_or_none(row.done_at)
    return Erasure(
        row.receipt,
        row.project,
        row.username,
        aware(row.held_until),
        row.asked_by,
        aware(row.asked_at),
        row.done_by,
        done,
    )
