"""What the ledger holds of a project, in numbers, for its DPO and for other actions. No value of a cell."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub_config.governance.ledger.models import Answer, Audience, Measured, Part


@dataclass(frozen=True)
class Day:
    """The answers of one day (UTC). Cells are counted once for each measure of each answer; `snapped` of
    those shown took over an earlier value, or none tells them from it."""

    day: date
    answers: int
    publications: int
    shown: int
    snapped: int
    withheld: int


@dataclass(frozen=True)
class Exposure:
    """What one person was shown: here, and in other projects that are compared with it."""

    person: str
    answers: int
    cells: int
    elsewhere: int
    cells_elsewhere: int


@dataclass(frozen=True)
class Report:
    project: str
    method: str | None
    days: tuple[Day, ...]
    people: tuple[Exposure, ...]
    bytes: int


def method_of(session: Session, project: str) -> str | None:
    """How the project's first draft was blurred; None before it."""
    query = select(Answer.method).where(Answer.project == project, ~Answer.publication)
    return session.scalar(query.order_by(Answer.number).limit(1))


def report(session: Session, project: str, people: Collection[str]) -> Report:
    """The ledger of `project`, and what `people` were shown."""
    groups = select(Part.group).join(Answer, Answer.number == Part.answer).where(Answer.project == project)
    size = session.scalar(select(func.sum(func.length(Measured.content))).where(Measured.id.in_(groups)))
    return Report(
        project=project,
        method=method_of(session, project),
        days=_days(session, project),
        people=tuple(_exposure(session, project, person) for person in sorted(people)),
        bytes=size or 0,
    )


def _days(session: Session, project: str) -> tuple[Day, ...]:
    cells = (
        select(
            Part.answer,
            func.sum(Part.shown).label("shown"),
            func.sum(Part.snapped).label("snapped"),
            func.sum(Part.withheld).label("withheld"),
        )
        .group_by(Part.answer)
        .subquery()
    )
    query = select(Answer.given_at, Answer.publication, cells.c.shown, cells.c.snapped, cells.c.withheld)
    query = query.outerjoin(cells, cells.c.answer == Answer.number).where(Answer.project == project)
    days: dict[date, list[int]] = {}
    for given_at, publication, *counts in session.execute(query.order_by(Answer.number)):
        total = days.setdefault(_utc_day(given_at), [0] * 5)
        for place, count in enumerate((1, int(publication), *(count or 0 for count in counts))):
            total[place] += int(count)
    return tuple(Day(day, *counts) for day, counts in sorted(days.items()))


def _utc_day(moment: datetime) -> date:
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()


def _exposure(session: Session, project: str, person: str) -> Exposure:
    here, cells = _shown_to(session, person, Answer.project == project)
    elsewhere, cells_elsewhere = _shown_to(session, person, Answer.project != project)
    return Exposure(person, here, cells, elsewhere, cells_elsewhere)


def _shown_to(session: Session, person: str, where: object) -> tuple[int, int]:
    query = (
        select(func.count(Answer.number.distinct()), func.coalesce(func.sum(Part.shown), 0))
        .join(Audience, Audience.answer == Answer.number)
        .outerjoin(Part, Part.answer == Answer.number)
        .where(Audience.username == person, where)  # type: ignore[arg-type]
    )
    answers, cells = session.execute(query).one()
    return int(answers), int(cells)
