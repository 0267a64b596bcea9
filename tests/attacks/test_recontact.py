"""What re-contact might give away to those through whose hands a list goes. Each attack works with its
defence taken out.

A researcher chooses whom a request names, so whatever differs by the list is a question answered: the length
of a practice's file, what two files of it have in common, who is in it after an objection, and a key of
somebody else's.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.desk.recontact import lists
from hub_config.governance import actions as governance
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant, Objectors, ProjectFacts, ProjectStatus
from hub_config.governance.recontact import keys, models, requests
from hub_config.governance.recontact.facts import (
    Handed,
    Listed,
    PracticeKey,
    RecontactRequest,
    RequestState,
    RequestStep,
    room_for,
)
from hub_config.governance.recontact.problems import BadRecontact
from hub_config.governance.recontact.requests import Asked
from hub_config.governance.rights import actions as rights
from hub_config.governance.store import Store, open_store
from hub_config.governance.terms import SnapshotTerms, Terms, every_table
from hub_config.settings import Settings
from hub_config.warehouse.landing import Landing
from hub_config.warehouse.sealing.envelope import fingerprint_of, public_key, sealed
from p4dp_sdk.catalogue.load import load_catalogue

AT = datetime(2026, 1, 5, tzinfo=UTC)
TARGET = 42


@pytest.fixture(scope="module")
def pem() -> str:
    made = rsa.generate_private_key(65537, 3072).public_key()
    return made.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_of(pem: str) -> PracticeKey:
    print_ = fingerprint_of(pem)
    return PracticeKey("K-1", "CAB-1", "preset A", "preset A", 1, pem, print_, "alix", AT, "dora", None)


def request() -> RecontactRequest:
    state = RequestState.ANNOUNCED
    return RecontactRequest(
        "C-1", "essai", "lea", "Essai", "…", "preset A", True, 30, state, AT, "diane", AT, "", "SELECT 1", ()
    )


def length(settings: Settings, pem: str, patients: list[int]) -> int:
    handed = Handed(tuple(patients), room_for(len(patients), request().id, 1))
    file = lists.practice_file(settings, request(), key_of(pem), handed, "Essai", date(2026, 1, 5))
    return len(str(file))


@pytest.mark.parametrize("padded", [False, True], ids=["bare", "padded"])
def test_the_length_of_a_file_does_not_tell_whether_the_target_is_in_it(
    tmp_path: Path, pem: str, monkeypatch: pytest.MonkeyPatch, padded: bool
) -> None:
    """Two requests that differ by one person only: the postman weighs both."""
    if not padded:
        monkeypatch.setattr(lists, "padded", lambda seals, _key, _room: list(seals))
    settings = Settings(home=tmp_path)
    with_them, without, nobody = (length(settings, pem, who) for who in ([1, TARGET], [1], []))
    assert (with_them == without == nobody) is padded


ROUNDED = 25  # how lists were padded once, up to a multiple


def rounded(listed: int, _request: str, _physician_no: int) -> int:
    return max(ROUNDED, -(-listed // ROUNDED) * ROUNDED)


@pytest.mark.parametrize(("room", "told"), [(rounded, 1.0), (room_for, 0.1)], ids=["rounded", "drawn"])
def test_a_list_made_up_to_a_step_rarely_tells_one_person_more(
    room: Callable[[int, str, int], int], told: float
) -> None:
    """A researcher seeks people of a practice whom they know, just as many as one step holds, and the
    target: whether the file is longer tells whether the condition holds for the target."""
    drawn = [f"C-{number}" for number in range(400)]
    longer = [room(ROUNDED + 1, each, 1) > room(ROUNDED, each, 1) for each in drawn]
    share = sum(longer) / len(drawn)
    assert share == told if told == 1.0 else share < told
    assert all(room(0, each, 1) == room(ROUNDED, each, 1) for each in drawn)


def of_who_is_left(session: Session, row: models.RecontactRequest, physician_no: int) -> Handed:
    left = OF_PRACTICE(session, row, physician_no).patients
    return Handed(left, room_for(len(left), row.id, physician_no))


OF_PRACTICE = requests._of_practice


@pytest.mark.parametrize("fixed", [False, True], ids=["of who is left", "of who was listed"])
def test_a_file_does_not_get_shorter_by_objections(
    tmp_path: Path, pem: str, monkeypatch: pytest.MonkeyPatch, fixed: bool
) -> None:
    """The postman weighs a practice's file before and after the objections of a week."""
    if not fixed:
        monkeypatch.setattr(requests, "_of_practice", of_who_is_left)
    store = open_store(Settings(home=tmp_path / "home"))
    key = in_force(store, pem)
    with store.change() as session:
        seek(session, store, range(200))
    rooms = []
    for objected in (0, 150, 200):
        who = Objectors(patients=frozenset(range(objected)))
        monkeypatch.setattr(requests, "objectors", lambda _session, _numbering, who=who: who)
        with store.change() as session:
            recontact = session.scalars(select(models.RecontactRequest)).one()
            handed = requests.fetch(
                session, recontact.id, key, granted(), at=AT, audit=store.recorder("alix")
            )
        assert len(handed.patients) == 200 - objected
        rooms.append(handed.room)
    assert (len(set(rooms)) == 1) is fixed
    store.close()


def in_force(store: Store, pem: str) -> PracticeKey:
    said = {"numbering": "preset A", "at": AT}
    with store.change() as session:
        alix, dora, print_ = store.recorder("alix"), store.recorder("dora"), fingerprint_of(pem)
        rights.enter(session, "CAB-1", source="preset A", software="L", on=AT.date(), audit=alix)
        heard = {"fingerprint": print_, "heard": print_}
        made = keys.record_key(session, "CAB-1", pem, 1, audit=alix, **heard, **said)  # type: ignore[arg-type]
        return keys.confirm_key(session, made.id, print_, 1, audit=dora, **said)  # type: ignore[arg-type]


def seek(session: Session, store: Store, patients: Collection[int]) -> None:
    grant, members = granted().grant, {"lea": MemberRole.CHERCHEUR}
    charter, terms = (
        Charter("essai", "Essai", "x", 1, grant, members),
        Terms(SnapshotTerms(1, synthetic=True)),
    )
    admin = store.recorder("admin")
    governance.create_project(session, charter, terms=terms, audit=admin)
    governance.approve(session, "essai", audit=admin)
    asked = Asked("essai", "Essai", "…", 1, "preset A", True, 200, "SELECT 1", ("patients",))
    people = [Listed(each, 1) for each in patients]
    made = requests.ask(session, asked, people, at=AT, audit=store.recorder("lea"))
    for step, who in ((RequestStep.APPROVE, "diane"), (RequestStep.ANNOUNCE, "alix")):
        requests.step(session, made.id, step, granted(), at=AT, audit=store.recorder(who))


def granted() -> ProjectFacts:
    grant = Grant(AccessLevel.AGGREGATE, every_table(), legal_basis="MR-003", recontact=True)
    return ProjectFacts("essai", "Essai", "x", ProjectStatus.APPROVED, 1, grant, frozenset({"lea"}))


SAMPLE = 12  # bytes: as long as the shortest part of a file


def landed(settings: Settings, pem: str, patients: Collection[int]) -> None:
    """Seals as a load leaves them: made once, kept."""
    key, landing = key_of(pem), Landing.of(settings.home / "landing", "preset A")
    rows = [[who, 1, key.fingerprint, sealed(public_key(pem), f"ZQX-{who}")] for who in patients]
    with landing.held("test"), landing.changing(load_catalogue()) as connection:
        connection.executemany("INSERT INTO seals VALUES (?, ?, ?, ?)", rows)


def handed(settings: Settings, pem: str, patients: Collection[int]) -> list[bytes]:
    """What is closed in the file, part by part: the words of its head are the same each time."""
    of_loaded = replace(request(), synthetic=False)
    people = Handed(tuple(patients), 25)
    file = lists.practice_file(settings, of_loaded, key_of(pem), people, "Essai", date(2026, 1, 5))
    head = {"format", "request", "project", "title", "protocol", "practice", "key", "made_on"}
    return [b64decode(str(part)) for name, part in file.items() if name not in head]


def samples(parts: list[bytes]) -> set[bytes]:
    return {part[at : at + SAMPLE] for part in parts for at in range(len(part) - SAMPLE + 1)}


def seals_in(parts: list[bytes]) -> set[bytes]:
    """As who knows how long a seal is would cut them."""
    return {part[at : at + 384] for part in parts for at in range(0, len(part), 384)}


def unwrapped(seals: Collection[bytes], _key: PracticeKey, _said: Mapping[str, str]) -> dict[str, str]:
    return {"sealed": b64encode(b"".join(seals)).decode()}


@pytest.mark.parametrize("wrapped", [False, True], ids=["seals", "wrapped"])
def test_two_files_of_a_practice_do_not_tell_seals_from_blanks(
    tmp_path: Path, pem: str, monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    """The postman takes a file twice and keeps what is in both; then records the objection of somebody whose
    name they know, and looks what is gone."""
    if not wrapped:
        monkeypatch.setattr(lists, "closed", unwrapped)
    settings = Settings(home=tmp_path)
    landed(settings, pem, [1, 7, TARGET])
    first, second = (handed(settings, pem, [1, 7, TARGET]) for _ in range(2))
    people = [Listed(who, 1) for who in (1, 7, TARGET)]
    left = requests.without_objectors(people, Objectors(patients=frozenset({TARGET})))
    third = handed(settings, pem, [each.patient_no for each in left])
    real = seals_in(first) & seals_in(second)
    assert len(real) == (0 if wrapped else 3)
    assert len(real - seals_in(third)) == (0 if wrapped else 1)
    common = samples(first) & samples(second) | samples(second) & samples(third)
    assert bool(common) is not wrapped
    assert [len(part) for part in first] == [len(part) for part in third]


@pytest.mark.parametrize("honest", [False, True], ids=["own", "somebody else's"])
def test_nobody_alone_makes_a_practices_lists_readable_to_themselves(
    tmp_path: Path, pem: str, honest: bool
) -> None:
    """The AQD records a key of their own making for a practice, and confirms it under their own name."""
    store = open_store(Settings(home=tmp_path / "home"))
    print_ = fingerprint_of(pem)
    said = {"fingerprint": print_, "heard": print_, "numbering": "preset A", "at": AT}
    with store.change() as session:
        alix = store.recorder("alix")
        rights.enter(session, "CAB-1", source="preset A", software="L", on=AT.date(), audit=alix)
        made = keys.record_key(session, "CAB-1", pem, 1, audit=alix, **said)  # type: ignore[arg-type]
    who = store.recorder("dora" if honest else "alix")

    def confirmed() -> list[PracticeKey]:
        with store.change() as session:
            keys.confirm_key(session, made.id, print_, 1, numbering="preset A", at=AT, audit=who)
        with store.session() as session:
            return keys.keys_in_force(session, "preset A")

    if honest:
        assert [key.id for key in confirmed()] == [made.id]
    else:
        with pytest.raises(BadRecontact):
            confirmed()
        with store.session() as session:
            assert keys.keys_in_force(session, "preset A") == []
    store.close()


def everybody(people: object, _objected: object) -> list[Listed]:
    return list(people)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("leaves_out", "seen"), [(everybody, True), (requests.without_objectors, False)], ids=["all", "less"]
)
def test_an_objection_to_the_future_ends_re_contact_too(
    leaves_out: Callable[..., list[Listed]], seen: bool
) -> None:
    """Their rows up to that day stay in every count; being written to is not in the past."""
    objected = Objectors(patients_until={TARGET: date(2030, 1, 1)})
    left = leaves_out([Listed(TARGET, 1), Listed(7, 1)], objected)
    assert (Listed(TARGET, 1) in left) is seen and Listed(7, 1) in left
