"""What the register does by itself: reminders, suspension for want of a review; the charter in and out of
force."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from hub_config.governance.facts import ProjectStatus
from hub_config.governance.notices.models import Notice
from hub_config.governance.recontact import requests as recontacts
from hub_config.governance.recontact.facts import KEPT, Listed, RequestState
from hub_config.governance.recontact.models import RecontactPatient
from hub_config.governance.recontact.requests import Asked
from hub_config.governance.register import charter
from hub_config.governance.rules import why_not
from hub_config.register.upkeep import AGAIN, due

from .conftest import NOON, Registry


def notices(registry: Registry) -> list[tuple[str, str]]:
    with registry.store.session() as session:
        rows = session.scalars(select(Notice).order_by(Notice.id))
        assert all(row.request is None for row in rows)
        return [(row.recipient, row.kind) for row in session.scalars(select(Notice).order_by(Notice.id))]


def with_setting(registry: Registry, suspends: bool | None) -> None:
    chosen = registry.settings.projects.model_copy(update={"review_suspends": suspends})
    registry.office.settings = registry.settings.model_copy(update={"projects": chosen})


@pytest.mark.parametrize("suspends", [None, True])
def test_a_project_nobody_confirmed_is_suspended_where_the_settings_say(
    either: Registry, clock: list[datetime], suspends: bool | None
) -> None:
    """Unset, not with the demo accounts, which tests use."""
    with_setting(either, suspends)
    slug = either.approved(expires_on="2028-11-30", defence_on="")
    clock[0] = NOON + timedelta(days=390)
    assert due(either.office).suspended == ()  # within the grace
    clock[0] = NOON + timedelta(days=400)
    done = due(either.office)
    assert done.suspended == ((slug,) if suspends else ())
    assert (either.project(slug).status is ProjectStatus.SUSPENDED) is bool(suspends)
    assert ("register.review-overdue" in either.events()) is bool(suspends)
    assert (("ines", "suspended") in notices(either)) is bool(suspends)
    if not suspends:
        return
    early = either.admin.post(f"/projets/{slug}/reprendre", {"reason": "On continue."})
    assert early.status_code == 403 and "revue annuelle" in early.text
    either.ines.post(f"/projets/{slug}/revue", {"kept": "ines", "listed": "ines"})
    assert either.admin.post(f"/projets/{slug}/reprendre", {"reason": "Revue faite."}).status_code == 303


def test_whoever_answers_for_a_project_is_reminded_now_and_again(
    registry: Registry, clock: list[datetime]
) -> None:
    registry.approved()  # until 2027-09-30
    assert due(registry.office).reminded == 0
    clock[0] = datetime(2027, 8, 15, 12, tzinfo=NOON.tzinfo)
    assert due(registry.office).reminded == 1
    assert due(registry.office).reminded == 0  # nor after a restart
    clock[0] += AGAIN + timedelta(hours=1)
    assert due(registry.office).reminded == 1
    assert notices(registry) == [("ines", "renewal")] * 2
    clock[0] = datetime(2027, 10, 2, 12, tzinfo=NOON.tzinfo)  # it has ended; the review is near
    due(registry.office)
    assert [kind for _, kind in notices(registry)] == ["renewal", "renewal", "access-review"]
    assert registry.events().count("register.remind") == 3


def test_who_left_is_not_reminded(registry: Registry, clock: list[datetime]) -> None:
    registry.approved()
    registry.dora.post("/personnes/depart", {"user": "ines", "reason": "Fin d'internat."})
    clock[0] = datetime(2027, 9, 15, 12, tzinfo=NOON.tzinfo)
    assert due(registry.office).reminded == 0


def test_a_list_of_re_contact_is_erased_after_six_months(either: Registry, clock: list[datetime]) -> None:
    slug = either.approved(expires_on="2028-11-30", defence_on="")
    told = ("Essai", "Bonjour docteur.", 1, "preset A", True, 30, "SELECT 1", ("patients",))
    with either.store.change() as session:
        audit = either.store.recorder("ines")
        recontacts.ask(session, Asked(slug, *told), [Listed(1, 1)], at=NOON, audit=audit)
    clock[0] = NOON + KEPT
    assert due(either.office).lists == 0
    clock[0] += timedelta(minutes=1)
    assert [due(either.office).lists, due(either.office).lists] == [1, 0]
    with either.store.session() as session:
        assert session.scalars(select(RecontactPatient)).all() == []
        assert [each.state for each in recontacts.requests(session)] == [RequestState.CLOSED]
    assert either.events().count("recontact.expire") == 1


def test_a_charter_that_is_lifted_asks_nobody(either: Registry) -> None:
    slug, day = either.approved(), NOON.date()
    audit = either.store.recorder("enclave")
    with either.store.change() as session:
        assert charter.put_in_force(session, audit=audit)
    assert why_not("ines", either.project(slug), day) is not None
    either.ines.post("/charte", {"version": "1", "accept": "yes"})
    with either.store.change() as session:
        assert charter.lift(session, audit=audit) and not charter.lift(session, audit=audit)
        assert charter.must_accept(session, "rachid") is None
    assert why_not("ines", either.project(slug), day) is None
    with either.store.change() as session:
        assert charter.put_in_force(session, audit=audit)
        assert charter.must_accept(session, "rachid") is not None
        assert charter.must_accept(session, "ines") is None  # the same words: accepted once
    assert either.events().count("charter.lift") == 1
