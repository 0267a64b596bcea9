"""A physician tries to learn how a colleague voted before voting: by every page and refusal, by mail, by how
many looks are asked for, by a second role that opens the audit log. Each tells with the defence taken out,
and nothing with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from hub_config.airlock.rules import permission, sight
from hub_config.airlock.texts import AirlockProblem
from hub_config.governance.audit import read_records
from hub_config.governance.audit.record import Record
from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.governance.releases.facts import RequestFacts, Verdict
from hub_config.governance.roles import Role
from tests.pages import Visit, visiting
from tests.services.airlock_pages.little_airlock import SIGNED, LittleAirlock

Told = list[tuple[str, int, str]]


@pytest.fixture
def airlock(tmp_path: Path) -> Iterator[LittleAirlock]:
    made = LittleAirlock(tmp_path / "home")
    yield made
    made.desk.store.close()


def told(denis: Visit, request: str) -> Told:
    """Every page that could tell, and every refusal, but for the form's token; headers too."""
    at = f"/relecture/{request}"
    form = {"verdict": "approve", "seal": "0" * 64, "voter": "diane", "end": "return", "reason": "contexte"}
    pages = (at, "/relecture", "/relecteurs", "/absences", f"/dossiers/{request}", f"/demandes/{request}")
    answers = [denis.get(page) for page in pages]
    answers += [denis.post(f"{at}/{act}", form) for act in ("consolidation", "remplacer", "sortir", "avis")]
    return [
        (str(each.url), each.status_code, re.sub(re.escape(denis.csrf), "", each.text + str(each.headers)))
        for each in answers
    ]


def learnt(airlock: LittleAirlock, request: str) -> Told:
    """What Denis is told otherwise once Diane has voted, remarked and asked."""
    denis, diane = airlock.visit("denis"), airlock.visit("diane")
    before = told(denis, request)
    airlock.vote(request, "diane", Verdict.CHANGES, reasons=("contexte",), comment="non", to_requester="non")
    diane.post(f"/relecture/{request}/remarque", {"text": "entre nous", "to": "reviewers"})
    diane.post(f"/relecture/{request}/question", {"text": "pourquoi ?"})
    return [after for after, was in zip(told(denis, request), before, strict=True) if after != was]


def test_no_page_and_no_refusal_tells_of_a_vote(airlock: LittleAirlock) -> None:
    with patch.object(sight, "_blind", lambda username, request: request):
        assert learnt(airlock, airlock.sent())
    assert learnt(airlock, airlock.sent()) == []


def test_asking_to_put_a_vote_aside_does_not_tell_whether_there_is_one(airlock: LittleAirlock) -> None:
    with patch.object(permission, "_why_not_concert", lambda request, members: None):
        assert any("remplacer" in url for url, _, _ in learnt(airlock, airlock.sent()))
    assert learnt(airlock, airlock.sent()) == []


def looks_told(airlock: LittleAirlock) -> set[str]:
    """What the page says of the looks needed, before and after Diane is undecided about a born-safe table."""
    request = airlock.sent(SIGNED)
    said = []
    for _ in range(2):
        page = airlock.visit("denis").get(f"/relecture/{request}").text
        said += re.findall("un seul avis suffit|deux avis, donnés sans se voir", page)
        airlock.vote(request, "diane", Verdict.UNDECIDED)
    return set(said)


def test_the_looks_needed_do_not_tell_that_the_first_is_undecided(airlock: LittleAirlock) -> None:
    blind = sight._blind

    def as_needed(username: str, request: RequestFacts) -> RequestFacts:
        return replace(blind(username, request), looks_needed=request.looks_needed)

    with patch.object(sight, "_blind", as_needed):
        assert len(looks_told(airlock)) == 2
    assert len(looks_told(airlock)) == 1


def test_no_mail_tells_of_a_vote(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    airlock.vote(request, "diane", Verdict.CHANGES, reasons=("contexte",))
    with airlock.desk.store.session() as session:
        notices = [(each.recipient, each.kind) for each in session.query(Notice)]
    assert {kind for _, kind in notices} == {NoticeKind.TO_REVIEW.value}
    airlock.vote(request, "denis")
    with airlock.desk.store.session() as session:
        kinds = {each.kind for each in session.query(Notice)}
    assert NoticeKind.TO_CONSOLIDATE.value in kinds, "the same outbox tells, once both have voted"


def log_of(airlock: LittleAirlock) -> list[Record]:
    chain = airlock.desk.store.audit
    return list(read_records(chain.directory, chain.keys))


def votes_with_the_log_open(airlock: LittleAirlock) -> bool:
    """Denis is data protection officer too: he reads Diane's vote in the log, and votes."""
    request = airlock.sent()
    airlock.vote(request, "diane", Verdict.CHANGES, reasons=("contexte",))
    (cast,) = [each for each in log_of(airlock) if each.what == "release.vote"][-1:]
    assert cast.who == "diane" and cast.details["verdict"] == "changes", "the log tells"
    denis = visiting(airlock.app, "denis", Role.MEDECIN_DIM, Role.DPO)
    seal = airlock.facts(request).seal
    denis.post(f"/relecture/{request}/avis", {"verdict": "approve", "seal": seal})
    return {each.reviewer for each in airlock.facts(request).reviews} == {"diane", "denis"}


def test_whoever_reads_the_log_does_not_review(airlock: LittleAirlock) -> None:
    with patch.object(permission, "SEE_VOTES", frozenset()):
        assert votes_with_the_log_open(airlock)
    assert not votes_with_the_log_open(airlock)


def test_no_more_votes_than_needed(airlock: LittleAirlock) -> None:
    """A third who votes late would learn by the outcome what the two said."""
    request = airlock.sent()
    for name, verdict in (("diane", Verdict.APPROVE), ("denis", Verdict.UNDECIDED)):
        airlock.vote(request, name, verdict)
    with pytest.raises(AirlockProblem):
        airlock.vote(request, "dorian")
    assert "consolid" not in airlock.visit("dorian").get(f"/relecture/{request}").text.lower()
