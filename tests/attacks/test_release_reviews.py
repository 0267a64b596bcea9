"""Attacks on the reviews of what leaves: a file swapped after its review, two tabs, a colleague in the
project, a peep at the other's vote, a name that deceives. Each succeeds with the defence taken out, then
fails with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from hub_config.airlock.actions import reviewing
from hub_config.airlock.actions.releasing import Broken, Handed
from hub_config.airlock.rules import names, permission, sight, voting
from hub_config.airlock.shelf import Shelf
from hub_config.airlock.texts import AirlockProblem
from hub_config.governance.releases.facts import RequestFacts, Review, State, Verdict
from hub_config.governance.releases.reading import membership
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from tests.services.airlock.domain.house import DENIS, DIANE, INES, TABLE, House, furnished

ROWS = b"patient,age\n1,34\n2,81\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    settings = Settings(home=tmp_path / "home")
    store = open_store(settings)
    yield furnished(House(store, settings))
    store.close()


def leaves(house: House, request: str) -> bytes | None:
    """What the requester can download in the end, if anything."""
    try:
        house.release(request)
        handed = house.download(request)
    except AirlockProblem:
        return None
    return handed.content if isinstance(handed, Handed) else None


@contextmanager
def without_the_seal() -> Iterator[None]:
    """Votes count whatever they were cast on, and a change sets none aside."""

    def counted(request: RequestFacts, barred: frozenset[str]) -> tuple[Review, ...]:
        return tuple(review for review in request.reviews if review.reviewer not in barred)

    with (
        patch.object(voting, "counted", counted),
        patch("hub_config.airlock.actions.reviewing.counted", counted),
        patch("hub_config.airlock.actions.releasing.counted", counted),
        patch("hub_config.airlock.actions.holding.set_aside", lambda reviews: None),
        patch("hub_config.airlock.rules.permission.counted", counted),
    ):
        yield


def swapped_between_the_votes(house: House) -> bytes | None:
    """Diane approves a table; the requester swaps it for rows, and hands it in again; Denis is careless."""
    request = house.submitted()
    house.vote(request, DIANE)
    house.add(request, content=ROWS, replacing=True)
    house.submit(request)
    house.vote(request, DENIS)
    return leaves(house, request)


def test_a_file_swapped_between_the_votes_does_not_leave_by_one(house: House) -> None:
    with without_the_seal():
        assert swapped_between_the_votes(house) == ROWS
    assert swapped_between_the_votes(house) is None


def swapped_under_the_eyes(house: House) -> bytes | None:
    """Both have the table open in their browsers when it is swapped; they approve what they saw."""
    request = house.submitted()
    seen = house.facts(request).seal
    house.add(request, content=ROWS, replacing=True)
    house.submit(request)
    try:
        for reviewer in (DIANE, DENIS):
            ballot = voting.Ballot(Verdict.APPROVE, seen)
            with house.doing(reviewer) as (session, how):
                reviewing.vote(session, reviewer, request, ballot, **how)
    except AirlockProblem:
        return None
    return leaves(house, request)


def test_a_vote_is_on_what_was_seen(house: House) -> None:
    def any_seal(ballot: voting.Ballot, request: RequestFacts) -> None:
        return None

    with without_the_seal(), patch("hub_config.airlock.actions.reviewing.why_not_this", any_seal):
        assert swapped_under_the_eyes(house) == ROWS
    assert swapped_under_the_eyes(house) is None


def swapped_on_the_shelf(house: House) -> bytes | None:
    """Somebody with access to the disk, after the votes."""
    request = house.submitted()
    house.vote(request, DIANE)
    house.vote(request, DENIS)
    house.shelf.path(hashlib.sha256(TABLE).hexdigest()).write_bytes(ROWS)
    return leaves(house, request)


def test_bytes_swapped_on_the_shelf_do_not_leave(house: House) -> None:
    with (
        patch.object(Shelf, "verify", lambda self, sha256: None),
        patch.object(Shelf, "read", lambda self, sha256: b"".join(self.chunks(sha256))),
    ):
        assert swapped_on_the_shelf(house) == ROWS
    assert swapped_on_the_shelf(house) is None


def swapped_after_the_release(house: House) -> Handed | Broken:
    house.shelf.put(TABLE, limit=1_000)
    request = house.released()
    house.shelf.path(hashlib.sha256(TABLE).hexdigest()).write_bytes(ROWS)
    return house.download(request)


def test_nor_after_the_release(house: House) -> None:
    with patch.object(Shelf, "read", lambda self, sha256: b"".join(self.chunks(sha256))):
        assert isinstance(swapped_after_the_release(house), Handed)
    assert isinstance(swapped_after_the_release(house), Broken)


def two_tabs(house: House, second: AbstractContextManager[object]) -> State:
    request = house.submitted()
    house.vote(request, DIANE)
    with second:
        house.vote(request, DIANE)
    return house.facts(request).state


def test_two_tabs_are_one_look(house: House) -> None:
    def every_vote(request: RequestFacts, barred: frozenset[str]) -> tuple[Review, ...]:
        return (*request.reviews, *(replace(each, reviewer="again") for each in request.reviews))

    uncounted: AbstractContextManager[object] = patch(
        "hub_config.airlock.actions.reviewing.counted", every_vote
    )
    assert two_tabs(house, uncounted) is State.APPROVED
    assert two_tabs(house, nullcontext()) is State.IN_REVIEW


def a_friend_reviews(house: House, project: str, *, joins: str) -> bytes | None:
    """A physician with a part in the project: before the request, or between the vote and the release."""
    house.project(project, INES)
    if joins == "before":
        house.join(project, DIANE)
        house.leave(project, DIANE)
    request = house.submitted(project=project)
    try:
        house.vote(request, DIANE)
        house.vote(request, DENIS)
    except AirlockProblem:
        return None
    if joins == "after":
        house.join(project, DIANE)
    return leaves(house, request)


@contextmanager
def nobody_barred() -> Iterator[None]:
    """But the requester."""

    def only_requester(request: RequestFacts, members: object) -> frozenset[str]:
        return frozenset({request.requester})

    with patch.object(permission, "_parties", only_requester):
        yield


@pytest.mark.parametrize("joins", ["before", "after"])
def test_a_friend_in_the_project_does_not_count(house: House, joins: str) -> None:
    with nobody_barred():
        assert a_friend_reviews(house, "these-marc", joins=joins) == TABLE
    assert a_friend_reviews(house, "these-lise", joins=joins) is None


def peeps(house: House) -> bool:
    """Whether Diane can tell, by all she is shown, if Denis has voted."""
    request = house.submitted()

    def shown() -> RequestFacts:
        with house.store.session() as session:
            members = membership(session, "these-ines")
        return sight.seen_by(DIANE, house.facts(request), members)

    before = shown()
    house.vote(request, DENIS, Verdict.CHANGES, comment="Non", to_requester="Trop petit")
    return shown() != before


def test_nobody_peeps_at_the_others_vote(house: House) -> None:
    unblinded: AbstractContextManager[object] = patch.object(
        sight, "_blind", lambda username, request: request
    )
    with unblinded:
        assert peeps(house)
    assert not peeps(house)


@pytest.mark.parametrize("name", ["../../../keys/audit", "note\u202efdp.csv", "a\x00.csv", "C:\\x\\t.csv"])
def test_no_name_leads_elsewhere_or_deceives(house: House, name: str) -> None:
    def kept(name: str) -> str:
        request = house.draft()
        house.add(request, name=name, content=b"x")
        return house.facts(request).files[1].name

    deceiving = set("/\\\x00\u202e")
    with patch("hub_config.airlock.actions.drafting.cleaned", lambda name: name.replace("\x00", "\x01\\")):
        assert set(kept(name)) & deceiving
    assert not set(kept(name)) & deceiving
    assert names.cleaned(name) == kept(name)
