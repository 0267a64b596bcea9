"""What nobody read is made to look read: a file called unchanged since a request that was never looked at, a
preview that another upload of the same bytes replaces, a batch that changed since its page was shown, a file
that no check could read. Each passes with the defence taken out, and not with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from hub_config.airlock.intake import receiving
from hub_config.airlock.pages import changes, desk
from hub_config.airlock.pages.changes import Change
from hub_config.airlock.rules import voting
from hub_config.governance.releases import reading
from hub_config.governance.releases.facts import CheckState, State, Verdict
from tests.services.airlock.intake.conftest import WORDS, Door, door, house, ines
from tests.services.airlock_pages.little_airlock import SIGNED, File, LittleAirlock

__all__ = ["door", "house", "ines"]
ROWS = b"patient,age\n1,34\n2,81\n"
UNCHANGED = "Inchangé depuis"


@pytest.fixture
def airlock(tmp_path: Path) -> Iterator[LittleAirlock]:
    made = LittleAirlock(tmp_path / "home")
    yield made
    made.desk.store.close()


def taken_up(airlock: LittleAirlock, first: str) -> str:
    answer = airlock.visit("ines").post(f"/demandes/{first}/reprendre")
    return str(answer.headers["location"]).rsplit("/")[-1]


def never_read(airlock: LittleAirlock) -> str:
    """Inès sends rows, takes them back before anybody looks, and takes the request up again."""
    first = airlock.sent(File(content=ROWS))
    airlock.visit("ines").post(f"/demandes/{first}/retirer")
    again = taken_up(airlock, first)
    airlock.send(again)
    return airlock.visit("diane").get(f"/relecture/{again}").text


def test_what_was_never_read_is_not_called_unchanged(airlock: LittleAirlock) -> None:
    with patch.object(desk, "_read_before", lambda session, now: reading.find_request(session, now.previous)):
        assert UNCHANGED in never_read(airlock)
    assert UNCHANGED not in never_read(airlock)


def smuggled(airlock: LittleAirlock) -> str:
    """What came back for another reason comes again, one file under its old name with other bytes."""
    first = airlock.sent(File("a.csv"), File("b.csv", b"sexe,patients\nF,3000\n"))
    for name in ("diane", "denis"):
        airlock.vote(first, name, Verdict.CHANGES, reasons=("contexte",))
    again = taken_up(airlock, first)
    airlock.visit("ines").post(f"/demandes/{again}/fichiers/2/retirer")
    added = airlock.draft(File("b.csv", ROWS))  # its bytes are on the shelf, and shown
    with airlock.desk.store.change() as session:
        from hub_config.governance.releases.models import ReleaseFile, ReleaseRequest

        (file,) = session.get_one(ReleaseRequest, added).files
        kept = {c.key: getattr(file, c.key) for c in ReleaseFile.__table__.columns}
        session.add(ReleaseFile(**kept | {"request": again, "number": 2}))
    airlock.send(again)
    return airlock.visit("diane").get(f"/relecture/{again}").text


def test_a_changed_file_is_not_smuggled_in_as_unchanged(airlock: LittleAirlock) -> None:
    def by_name(file: object, before: object) -> Change:
        return Change.SAME

    with patch.object(changes, "change_of", by_name):
        assert smuggled(airlock).count(UNCHANGED) == 2
    assert smuggled(airlock).count(UNCHANGED) == 1


def not_mended(airlock: LittleAirlock) -> str:
    """Denis objected to the second file; it comes again as it was, beside a mended first."""
    first = airlock.sent(File("a.csv"), File("b.csv", ROWS))
    files = {1: Verdict.APPROVE, 2: Verdict.CHANGES}
    airlock.vote(first, "diane", Verdict.CHANGES, reasons=("contexte",))
    airlock.vote(first, "denis", Verdict.CHANGES, reasons=("contexte",), files=files)
    again = taken_up(airlock, first)
    airlock.send(again)
    return airlock.visit("dorian").get(f"/relecture/{again}").text


def test_what_a_reviewer_objected_to_is_not_folded_away(airlock: LittleAirlock) -> None:
    with patch.object(changes, "objected", lambda file, before: False):
        assert not_mended(airlock).count(UNCHANGED) == 2
    assert not_mended(airlock).count(UNCHANGED) == 1


async def sent(client: httpx.AsyncClient, name: str) -> tuple[str, str, str]:
    """A table with few patients, in a request of its own: id, hash, and the checks' mark."""
    request = (await client.post("/v1/requests", json=WORDS)).json()["id"]
    content = b"sexe;patients (<11 masqu\xc3\xa9s)\r\nF;312\r\nM;4\r\n"
    file = (await client.put(f"/v1/requests/{request}/files?name={name}", content=content)).json()
    return request, file["sha256"], file["kind"]


async def marked(door: Door, ines: httpx.AsyncClient) -> bool:
    """Whether reviewers still see the mark on the small cell once the same bytes came as a page."""
    request, sha256, _ = await sent(ines, "table.csv")
    checker = door.house.facts(request).files[0].checker
    before = door.house.shelf.get_preview(sha256, checker)
    await sent(ines, "table.html")
    return door.house.shelf.get_preview(sha256, checker) == before != {"blocks": []}


async def test_the_same_bytes_under_another_name_take_no_preview_s_place(
    door: Door, ines: httpx.AsyncClient
) -> None:
    with patch.object(receiving, "_told", lambda version, name, standing: version):
        assert not await marked(door, ines)
    assert await marked(door, ines)


def batch_approved(airlock: LittleAirlock) -> list[State]:
    """Diane has the batch on her screen when one of its tables is replaced; she approves what she saw."""
    first, second = airlock.sent(SIGNED), airlock.sent(SIGNED)
    diane, ines = airlock.visit("diane"), airlock.visit("ines")
    chosen = re.findall(r'value="(d-[a-z0-9]+:[0-9a-f]{64})"', diane.get("/relecture").text)
    assert len(chosen) == 2
    words = {"title": "Autre", "purpose": "Autre", "context": "Autre", "controls": "Autre"}
    assert ines.post(f"/demandes/{second}/textes", words).status_code == 303
    airlock.send(second)
    diane.post("/relecture/lot", {"request": chosen})
    states = [airlock.facts(each).state for each in (first, second)]
    for each in (first, second):
        if airlock.facts(each).state is not State.RELEASED:
            ines.post(f"/demandes/{each}/retirer")
    return states


def test_a_batch_approves_what_was_shown_or_nothing(airlock: LittleAirlock) -> None:
    def counted(request: object, barred: object) -> tuple[object, ...]:
        return tuple(request.reviews)  # type: ignore[attr-defined]

    with (
        patch("hub_config.airlock.actions.reviewing.why_not_this", lambda ballot, request: None),
        patch("hub_config.airlock.actions.reviewing.counted", counted),
        patch("hub_config.airlock.actions.releasing.counted", counted),
        patch.object(voting, "counted", counted),
    ):
        assert batch_approved(airlock) == [State.RELEASED, State.RELEASED]
    assert State.RELEASED not in batch_approved(airlock)


def quarantined(airlock: LittleAirlock, comment: str = "") -> State:
    """Two approve what no check could read, and say nothing of how they looked."""
    request = airlock.sent(File("x.bin", b"\0\1", state=CheckState.QUARANTINED, blocks=()))
    for name in ("diane", "denis"):
        form = {"verdict": "approve", "seal": airlock.facts(request).seal, "comment": comment}
        airlock.visit(name).post(f"/relecture/{request}/avis", form)
    return airlock.facts(request).state


def test_what_no_check_could_read_is_approved_by_nobody_without_a_reason(airlock: LittleAirlock) -> None:
    with patch.object(voting, "_why_not_approve", lambda ballot, request: None):
        assert quarantined(airlock) is State.RELEASED
    assert quarantined(airlock) is not State.RELEASED
    assert quarantined(airlock, "Ouvert sur un poste isolé : une figure seule.") is State.RELEASED
