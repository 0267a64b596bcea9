"""Where a form is expected and there is none, the page says why: to who reviews, and to who asked."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from hub_config.airlock.pages.rules import RULES
from hub_config.airlock.pool.actions import delegate
from hub_config.airlock.rules.permission import Act
from hub_config.governance import actions as governance
from hub_config.governance.charter import MemberRole
from hub_config.governance.releases.facts import State, Verdict
from hub_config.governance.roles import Role
from tests.pages import Visit, visiting

from .little_airlock import File, LittleAirlock, now, person

SUSPENDED = "Le projet these-ines est suspendu"


def words(visit: Visit, path: str) -> str:
    """What the page says, without its markup."""
    answer = visit.get(path)
    assert answer.status_code == 200
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def asked(visit: Visit, method: str, path: str, request: str) -> httpx.Response:
    address = re.sub(r"\{(number|block|finding)\}", "1", path.replace("{id}", request))
    return visit.post(address) if method == "POST" else visit.get(address)


def suspend(airlock: LittleAirlock) -> None:
    with airlock.desk.store.change() as session:
        governance.suspend(session, "these-ines", audit=airlock.desk.store.recorder("admin"))


@pytest.mark.parametrize("voted", [False, True], ids=["not voted", "voted"])
def test_a_reviewer_is_told_that_the_project_is_suspended(airlock: LittleAirlock, voted: bool) -> None:
    request = airlock.sent()
    if voted:
        airlock.vote(request, "diane")
    path = f"/relecture/{request}"
    assert "Votre avis sur la demande" in words(airlock.visit("diane"), path)
    suspend(airlock)
    told = words(airlock.visit("diane"), path)
    assert SUSPENDED in told
    assert "Votre avis sur la demande" not in told
    assert "Vous pouvez encore le changer" not in told


def test_a_reviewer_who_joined_the_project_is_told_so_and_sees_nothing(airlock: LittleAirlock) -> None:
    """Of what was sent: of a draft they are told that there is none."""
    request, draft = airlock.sent(), airlock.draft(File("b.csv", b"b"))
    with airlock.desk.store.change() as session:
        audit = airlock.desk.store.recorder("admin")
        governance.add_member(session, "these-ines", "diane", MemberRole.CHERCHEUR, audit=audit)
    diane = airlock.visit("diane")
    for method, path in (at for at, rule in RULES.items() if isinstance(rule, Act)):
        told, hidden = (asked(diane, method, path, of) for of in (request, draft))
        assert told.status_code == 403, path
        assert "personne ne relit les sorties de son projet" in told.text
        assert "Mes diagnostics" not in told.text
        assert hidden.status_code == 404, path
    rachid = airlock.visit("rachid")
    assert rachid.get(f"/relecture/{request}").status_code == 404, "who is no reviewer is told of none"


def test_one_reviewer_too_many_is_told_so(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    airlock.vote(request, "diane")
    airlock.vote(request, "denis", Verdict.CHANGES, reasons=("contexte",))
    path = f"/relecture/{request}"
    assert "Cette demande a déjà ses relecteurs" in words(airlock.visit("dorian"), path)
    assert "Rien à décider ici" not in words(airlock.visit("diane"), path)


def test_a_stand_in_is_told_that_the_seat_has_its_vote(airlock: LittleAirlock) -> None:
    request, today = airlock.sent(), now().date()
    with airlock.desk.store.change() as session:
        delegate(
            session,
            person("diane"),
            "sophie",
            today,
            today + timedelta(days=5),
            at=now(),
            audit=airlock.desk.store.recorder("diane"),
        )
    airlock.vote(request, "diane")
    stand_in = visiting(airlock.app, "sophie", Role.MEDECIN_DIM)
    assert "un relecteur et son suppléant n’en font qu’un" in words(stand_in, f"/relecture/{request}")


@pytest.mark.parametrize("state", [State.DRAFT, State.IN_REVIEW, State.RELEASED, State.RETURNED])
def test_a_requester_is_told_what_stops_their_request(airlock: LittleAirlock, state: State) -> None:
    request = at_state(airlock, state)
    ines, path = airlock.visit("ines"), f"/demandes/{request}"
    before = ines.get(path).text
    suspend(airlock)
    assert SUSPENDED in words(ines, path)
    assert SUSPENDED not in before
    page = ines.get(path).text
    forms = set(re.findall(r'(?:action|href)="/demandes/[^/]+/([^"]+)"', page))
    assert forms <= {"retirer", "envoyer"}, "what is refused is not offered"
    assert 'type="submit" disabled' in page or "envoyer" not in forms
    assert "sa page dit ce qui vous arrête" in words(ines, "/demandes")


def at_state(airlock: LittleAirlock, state: State) -> str:
    """A request of Inès' in this state."""
    if state is State.DRAFT:
        return airlock.draft(File())
    if state is State.RELEASED:
        return airlock.released()
    request = airlock.sent()
    for name in ("diane", "denis")[: 1 if state is State.IN_REVIEW else 2]:
        airlock.vote(request, name, Verdict.CHANGES, reasons=("contexte",))
    assert airlock.facts(request).state is state
    return request


def test_what_left_before_the_end_is_still_handed_out(airlock: LittleAirlock) -> None:
    """A project that is closed asks for nothing new, and its page offers what left."""
    draft, left = airlock.draft(File("b.csv", b"b")), airlock.released()
    with airlock.desk.store.change() as session:
        governance.close(session, "these-ines", audit=airlock.desk.store.recorder("admin"))
    ines = airlock.visit("ines")
    assert "est clos, pour de bon" in words(ines, f"/demandes/{draft}")
    assert f"/demandes/{left}/fichiers/1/telecharger" in ines.get(f"/demandes/{left}").text
    assert "Télécharger les fichiers." in words(ines, "/demandes")


def test_a_request_that_takes_up_one_nobody_judged_says_that_all_is_to_be_read(
    airlock: LittleAirlock,
) -> None:
    request, ines = airlock.sent(), airlock.visit("ines")
    ines.post(f"/demandes/{request}/retirer")
    again = ines.post(f"/demandes/{request}/reprendre").headers["location"].rsplit("/")[-1]
    ines.post(f"/demandes/{again}/envoyer")
    told = words(airlock.visit("diane"), f"/relecture/{again}")
    assert "Personne n’avait jugé celle-là" in told
    assert "repliés" not in told


def test_a_requester_is_told_that_too_few_physicians_may_read_it(airlock: LittleAirlock) -> None:
    """And no vote shows in that: it is said of the pool."""
    request, few = airlock.sent(), "Trop peu de médecins peuvent la relire"
    ines, path = airlock.visit("ines"), f"/demandes/{request}"
    assert few not in words(ines, path)
    for name in ("denis", "dorian"):
        airlock.visit("charles").post("/relecteurs/retirer", {"reviewer": name})
    airlock.visit("diane").get(f"/relecture/{request}")
    before = words(ines, path)
    assert few in before
    airlock.vote(request, "diane")
    assert words(ines, path) == before
