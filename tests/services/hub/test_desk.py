"""Which projects a person sees, and which workspace they may start: governance's answer, in words."""

from __future__ import annotations

import pytest

from hub_config.governance import actions
from hub_config.governance.facts import AccessLevel
from hub_config.governance.register import charter, leaving
from hub_config.governance.store import open_store
from hub_config.hub.desk import ACCESS_LABELS, NO_PROJECT, REFUSALS, Desk
from hub_config.settings import Settings
from p4dp_sdk.wire.errors import ErrorCode


@pytest.fixture
def enclave(tmp_path):
    settings = Settings(home=tmp_path)
    store = open_store(settings)
    audit = store.recorder("test")
    with store.change() as session:
        actions.ensure_demo(session, 1, synthetic=True, audit=audit)

    def change(action, *arguments):
        with store.change() as session:
            action(session, *arguments, audit=audit)

    yield Desk(settings), change
    store.close()


async def test_one_sees_ones_own_projects_and_the_open_ones(enclave):
    desk, _ = enclave
    assert [card.slug for card in await desk.cards("ines")] == ["these-ines", "bac-a-sable"]
    assert [card.slug for card in await desk.cards("rachid")] == ["modeles-rachid", "bac-a-sable"]
    assert [card.slug for card in await desk.cards("dora")] == ["bac-a-sable"]


async def test_a_card_says_what_one_needs_to_choose(enclave):
    desk, _ = enclave
    card = (await desk.cards("ines"))[0]
    assert card.title and card.purpose and card.snapshot == 1 and card.refusal is None
    assert card.access == ACCESS_LABELS[AccessLevel.AGGREGATE]


async def test_a_project_is_called_by_its_title(enclave):
    desk, _ = enclave
    assert await desk.title("these-ines") == (await desk.cards("ines"))[0].title != "these-ines"
    assert await desk.title("no-such-project") == "no-such-project"


@pytest.mark.parametrize(
    ("user", "slug", "code"),
    [
        ("ines", "these-ines", None),
        ("ines", "bac-a-sable", None),
        ("ines", "modeles-rachid", ErrorCode.NOT_A_MEMBER),
        ("rachid", "these-ines", ErrorCode.NOT_A_MEMBER),
        ("ines", "no-such-project", ErrorCode.NOT_A_MEMBER),  # does not tell what exists
        ("ines", "../these-ines", ErrorCode.NOT_A_MEMBER),
    ],
)
async def test_who_may_start_what(enclave, user, slug, code):
    desk, _ = enclave
    assert await desk.refusal(user, slug) == (REFUSALS[code] if code else None)


async def test_a_workspace_without_a_project_is_refused(enclave):
    desk, _ = enclave
    assert await desk.refusal("ines", "") == NO_PROJECT


async def test_leaving_a_project_counts_at_once(enclave):
    desk, change = enclave
    assert await desk.refusal("ines", "these-ines") is None
    change(actions.remove_member, "these-ines", "ines")
    assert await desk.refusal("ines", "these-ines") == REFUSALS[ErrorCode.NOT_A_MEMBER]
    assert [card.slug for card in await desk.cards("ines")] == ["bac-a-sable"]


async def test_a_suspended_project_is_shown_and_says_why(enclave):
    desk, change = enclave
    change(actions.suspend, "these-ines")
    card = (await desk.cards("ines"))[-1]
    assert card.slug == "these-ines" and card.refusal == REFUSALS[ErrorCode.PROJECT_NOT_ACTIVE]
    assert await desk.refusal("ines", "these-ines") == REFUSALS[ErrorCode.PROJECT_NOT_ACTIVE]


def test_every_access_level_has_a_name():
    assert set(ACCESS_LABELS) == set(AccessLevel)


async def test_a_card_leads_to_the_charter_until_it_is_accepted(enclave):
    desk, change = enclave
    change(lambda session, audit: charter.put_in_force(session, audit=audit))
    card = (await desk.cards("ines"))[0]
    assert card.asks_charter and card.refusal == REFUSALS[ErrorCode.CHARTER_NOT_ACCEPTED]
    assert await desk.refusal("ines", "bac-a-sable") == card.refusal
    change(lambda session, audit: charter.accept(session, "ines", 1, "fr", audit=audit))
    assert [card.refusal for card in await desk.cards("ines")] == [None, None]
    assert not (await desk.cards("ines"))[0].asks_charter


async def test_whoever_left_has_no_project(enclave):
    desk, change = enclave
    change(lambda session, audit: leaving.leave(session, "ines", reason="parti", audit=audit))
    assert desk.has_left("ines") and not desk.has_left("rachid")
    assert await desk.refusal("ines", "these-ines") == REFUSALS[ErrorCode.NOT_A_MEMBER]
    assert await desk.refusal("ines", "bac-a-sable") == REFUSALS[ErrorCode.NOT_A_MEMBER]
