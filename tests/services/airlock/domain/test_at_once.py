"""Two at the same moment: two tabs, two physicians, two releases, a vote against a withdrawal. Whoever comes
second finds what the first left; nothing is lost, doubled or half done. On both databases.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from hub_config.airlock.actions import drafting, releasing, reviewing
from hub_config.airlock.actions.releasing import Released
from hub_config.airlock.notices.sending import Delivery, send_due
from hub_config.airlock.texts import AirlockProblem, Denied
from hub_config.governance.notices.models import Notice
from hub_config.governance.releases.facts import State, Verdict
from hub_config.governance.releases.models import ReleaseRecord, ReleaseReview
from hub_config.sections import MailSettings
from tests.services.airlock.domain.house import DENIS, DIANE, INES, House


def together(*acts: Callable[[], object]) -> list[object]:
    """The results, or refusals, of acts that begin at the same moment."""
    barrier = Barrier(len(acts))

    def begin(act: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return act()
        except AirlockProblem as problem:
            return problem

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(begin, acts))


def standing(house: House, request: str) -> list[tuple[str, str]]:
    with house.store.session() as session:
        rows = session.execute(
            select(ReleaseReview.reviewer, ReleaseReview.verdict)
            .where(ReleaseReview.request == request, ReleaseReview.standing)
            .order_by(ReleaseReview.reviewer)
        )
        return [(row[0], row[1]) for row in rows]


def test_two_tabs_vote_as_one(house: House) -> None:
    request = house.submitted()
    together(
        lambda: house.vote(request, DIANE),
        lambda: house.vote(request, DIANE, Verdict.CHANGES),
        lambda: house.vote(request, DIANE),
    )
    assert [who for who, _ in standing(house, request)] == ["diane"]
    assert house.facts(request).state is State.IN_REVIEW


def test_two_physicians_at_the_same_instant_both_count(house: House) -> None:
    for _ in range(3):
        request = house.submitted()
        together(lambda r=request: house.vote(r, DIANE), lambda r=request: house.vote(r, DENIS))
        assert standing(house, request) == [("denis", "approve"), ("diane", "approve")]
        assert house.facts(request).state is State.APPROVED


def test_what_is_released_by_several_is_released_once(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    house.vote(request, DENIS)
    results = together(*[lambda: house.release(request)] * 3)
    assert all(isinstance(result, Released) for result in results)
    with house.store.session() as session:
        assert session.scalar(select(func.count()).select_from(ReleaseRecord)) == 1
        told = session.scalar(select(func.count()).where(Notice.kind == "released"))
    assert told == len(house.recorded("release.release")) == 1


def test_a_vote_against_a_withdrawal(house: House) -> None:
    for _ in range(3):
        request = house.submitted()
        house.vote(request, DIANE)

        def withdraw(request: str = request) -> None:
            with house.doing(INES) as (session, how):
                drafting.withdraw(session, INES, request, **how)

        together(withdraw, lambda r=request: house.vote(r, DENIS))
        assert house.facts(request).state is State.WITHDRAWN
        with pytest.raises(Denied):
            house.release(request)


def test_a_vote_against_a_change_of_files(house: House) -> None:
    """The vote counts for the old files or not at all: the new ones never leave by it."""
    for round in range(3):
        request = house.submitted()
        house.vote(request, DIANE)
        ballot = house.ballot(request, Verdict.APPROVE)

        def vote(request: str = request, ballot: reviewing.Ballot = ballot) -> None:
            with house.doing(DENIS) as (session, how):
                reviewing.vote(session, DENIS, request, ballot, **how)

        def swap(request: str = request, content: bytes = b"rows %d" % round) -> None:
            house.add(request, content=content, replacing=True)

        together(vote, swap)
        assert house.facts(request).state is State.DRAFT
        assert standing(house, request) == []


def test_a_recall_against_a_download(house: House) -> None:
    request = house.released()

    def recall() -> None:
        with house.doing(DIANE) as (session, how):
            releasing.recall(session, DIANE, request, "Erreur", settings=house.settings, **how)

    together(recall, lambda: house.download(request))
    with pytest.raises(Denied):
        house.download(request)


def test_two_senders_mail_each_notice_once(house: House) -> None:
    mail = MailSettings(host="mail.example", sender="a@b.example", domain="b.example")
    settings = house.settings.model_copy(update={"mail": mail})
    for _ in range(4):
        house.submitted()
    mailed: list[str] = []

    def send() -> None:
        send_due(
            house.store, settings, lambda m: mailed.append(str(m["Message-ID"])) or Delivery.SENT, house.now
        )

    together(send, send, send)
    assert len(mailed) == len(set(mailed)) == 8
