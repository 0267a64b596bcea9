"""The DPOs are reminded of rights requests: ten days before the answer is due, on the day, every week after;
never twice, and without a word of what was asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hub_config.airlock.notices.sending import Delivery, send_due
from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.governance.rights import reminders, requests
from hub_config.governance.rights.facts import Right, RightState, RightStep
from hub_config.governance.rights.models import RightsRequest
from hub_config.governance.rights.reminders import AGAIN, FIRST, reminder_on
from hub_config.governance.rights.requests import Taken
from hub_config.governance.roles import Role
from hub_config.register import upkeep
from hub_config.settings import Settings

from .conftest import NOON, Registry

DUE = date(2026, 12, 22)  # a Tuesday, one month after NOON
REFERENCE = "courrier-2026-14"


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 6, 30, tzinfo=NOON.tzinfo)


def asked(registry: Registry, right: Right = Right.ACCESS) -> str:
    with registry.store.change() as session:
        opened = requests.open_request(
            session,
            right,
            reference=REFERENCE,
            received_on=NOON.date(),
            at=NOON,
            audit=registry.store.recorder("dora"),
        )
    assert opened.due_on == DUE
    return opened.id


def step(registry: Registry, request: str, taken: RightStep, on: date) -> None:
    with registry.store.change() as session:
        requests.take_step(
            session, request, Taken(taken, on, "Motif."), audit=registry.store.recorder("dora")
        )


def notices(registry: Registry) -> list[tuple[str, str]]:
    kinds = [kind.value for kind in reminders.KINDS]
    with registry.store.session() as session:
        rows = session.scalars(select(Notice).where(Notice.kind.in_(kinds)).order_by(Notice.id))
        return [(row.recipient, row.kind) for row in rows]


def test_day_by_day_each_reminder_goes_once(either: Registry, clock: list[datetime]) -> None:
    either.dora.get("/")
    asked(either)
    sent = {}
    for days in range(50):
        today = NOON.date() + timedelta(days=days)
        for hours in (1, 9):
            clock[0] = at(today) + timedelta(hours=hours)
            if told := upkeep.due(either.office).rights:
                sent[today] = (told, notices(either)[-1])
    assert sent == {
        DUE - FIRST: (1, ("dora", "rights-soon")),
        DUE: (1, ("dora", "rights-due")),
        DUE + AGAIN: (1, ("dora", "rights-late")),
        DUE + 2 * AGAIN: (1, ("dora", "rights-late")),
    }
    assert either.events().count("rights.remind") == 4


@pytest.mark.parametrize("right", Right)
def test_each_right_has_its_reminder(registry: Registry, clock: list[datetime], right: Right) -> None:
    registry.dora.get("/")
    asked(registry, right)
    clock[0] = at(DUE)
    assert upkeep.due(registry.office).rights == 1


def test_after_an_outage_only_what_stands_now_is_said(registry: Registry, clock: list[datetime]) -> None:
    registry.dora.get("/")
    asked(registry)
    clock[0] = at(DUE + timedelta(days=3))
    assert [upkeep.due(registry.office).rights for _ in range(2)] == [1, 0]
    assert notices(registry) == [("dora", "rights-late")]


def test_a_prolonged_request_is_due_later_and_reminded_anew(
    registry: Registry, clock: list[datetime]
) -> None:
    registry.dora.get("/")
    request = asked(registry)
    clock[0] = at(DUE - FIRST)
    upkeep.due(registry.office)
    step(registry, request, RightStep.EXTEND, DUE)
    clock[0] = at(DUE + timedelta(days=20))
    assert upkeep.due(registry.office).rights == 0
    clock[0] = at(date(2027, 2, 22) - FIRST)
    assert upkeep.due(registry.office).rights == 1


@pytest.mark.parametrize("end", [RightStep.ANSWER, RightStep.REFUSE, RightStep.WITHDRAW])
def test_a_closed_request_is_at_rest(registry: Registry, clock: list[datetime], end: RightStep) -> None:
    registry.dora.get("/")
    request = asked(registry)
    step(registry, request, RightStep.TAKE, NOON.date())
    step(registry, request, end, NOON.date())
    clock[0] = at(DUE)
    assert upkeep.due(registry.office).rights == 0


def test_every_dpo_is_told_and_nobody_who_left(registry: Registry, clock: list[datetime]) -> None:
    for name in ("dora", "denise"):
        registry.at(name, Role.DPO).get("/")
    registry.ines.get("/")
    asked(registry)
    clock[0] = at(DUE - FIRST)
    assert upkeep.due(registry.office).rights == 2
    registry.at("daniel", Role.DPO).get("/")
    assert upkeep.due(registry.office).rights == 1, "who comes later is told too"
    registry.admin.post("/personnes/depart", {"user": "denise", "reason": "Fin de contrat."})
    clock[0] = at(DUE)
    upkeep.due(registry.office)
    assert sorted(who for who, kind in notices(registry) if kind == "rights-due") == ["daniel", "dora"]


def test_where_no_dpo_ever_came_the_alerts_are_told(registry: Registry, clock: list[datetime]) -> None:
    airlock = registry.settings.airlock.model_copy(update={"alerts": ("dpo@univ.example",)})
    registry.office.settings = registry.settings.model_copy(update={"airlock": airlock})
    asked(registry)
    clock[0] = at(DUE)
    upkeep.due(registry.office)
    assert notices(registry) == [("dpo@univ.example", "rights-due")]


def test_the_mail_is_a_link_and_nothing_of_the_request(registry: Registry, clock: list[datetime]) -> None:
    registry.dora.get("/")
    request = asked(registry)
    clock[0] = at(DUE)
    upkeep.due(registry.office)
    mail = registry.settings.mail.model_copy(update={"domain": "univ.example", "sender": "sas@p4dp.example"})
    settings: Settings = registry.settings.model_copy(update={"mail": mail})
    posted: list[EmailMessage] = []

    def post(message: EmailMessage) -> Delivery:
        posted.append(message)
        return Delivery.SENT

    for _ in range(2):
        send_due(registry.store, settings, post, clock[0])
    (message,) = posted
    text = message.as_string() + message.get_content()
    assert message["To"] == "dora@univ.example"
    assert "http://registre.p4dp.localhost:8000/droits\n" in message.get_content()
    assert not any(word in text for word in (request, REFERENCE, "access", "dora ", "22/12"))


def test_two_processes_at_once_remind_once(either: Registry, clock: list[datetime]) -> None:
    either.dora.get("/")
    for _ in range(5):
        asked(either)
    clock[0] = at(DUE)
    with ThreadPoolExecutor(4) as processes:
        done = list(processes.map(lambda _: upkeep.due(either.office).rights, range(8)))
    assert sum(done) == 5 and len(notices(either)) == 5


@given(st.integers(-30, 400), st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_a_reminder_stands_from_a_day_that_has_come(days: int, due_on: date) -> None:
    today = due_on + timedelta(days=days)
    reminder = reminder_on(today, due_on)
    assert (reminder is None) is (days < -10)
    if reminder is not None:
        assert timedelta(0) <= today - reminder.since < max(AGAIN, FIRST)
        assert reminder == reminder_on(reminder.since, due_on) or reminder.kind is NoticeKind.RIGHTS_LATE


def test_every_open_state_is_looked_at(registry: Registry, clock: list[datetime]) -> None:
    registry.dora.get("/")
    open_states = {RightState.RECEIVED, RightState.IN_HAND, RightState.EXTENDED}
    for state in RightState:
        request = asked(registry)
        with registry.store.change() as session:
            row = session.get_one(RightsRequest, request)
            row.state, row.reason = state.value, "Motif."
            row.closed_on = None if state in open_states else NOON.date()
    clock[0] = at(DUE)
    assert upkeep.due(registry.office).rights == len(open_states)
