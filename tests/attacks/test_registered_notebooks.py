"""Have code of one's own taken for what a physician has read: another project's notebook, one that was
refused or withdrawn, one that was changed afterwards; decide on one's own; and have the operators' command,
which may read everything, carry off what nobody declared.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from hub_config.airlock.pages import notebooks as pages
from hub_config.airlock.proofs.reproduced import of_runs
from hub_config.airlock.proofs.standing import Standing
from hub_config.governance import actions as governance
from hub_config.governance.charter import MemberRole
from hub_config.governance.facts import AccessLevel
from hub_config.governance.notebooks import actions, models, reading
from hub_config.governance.notebooks.actions import Wanted
from hub_config.governance.notebooks.facts import NotebookStep, Output, Registration
from hub_config.governance.notebooks.problems import BadNotebook
from hub_config.governance.problems import StoreProblem
from hub_config.governance.releases.facts import OutputClass
from hub_config.governance.report_runs.facts import KeptFile, Outcome, RunFacts
from hub_config.governance.report_runs.reading import approvals
from hub_config.governance.roles import Role
from hub_config.reports import collecting, registered
from hub_config.reports.collecting import declared, opened
from hub_config.reports.registered import NotebookBroken, SeveralNotebooks, UnknownNotebook, read_registered
from p4dp_sdk.disclosure.policy import Policy
from tests.pages import visiting
from tests.services.airlock_pages.little_airlock import LittleAirlock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CELLS = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": "print('vu')"}]
FILE = json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
WANTED = Wanted("these-ines", "these-hta", "Décrire les patients de ma thèse.", "t.csv : effectifs par âge")
SECRET = b"the operators' key"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LittleAirlock]:
    made = LittleAirlock(tmp_path_factory.mktemp("house"))
    yield made
    made.desk.store.close()


def asked(house: LittleAirlock, name: str, by: str = "ines") -> Registration:
    store = house.desk.store
    with store.change() as session:
        wanted = replace(WANTED, name=name)
        return actions.ask(session, wanted, FILE, by, at=NOON, audit=store.recorder(by))


def took(house: LittleAirlock, number: str, step: NotebookStep, by: str = "diane") -> None:
    store = house.desk.store
    with store.change() as session:
        reason = "Pour une raison." if step is NotebookStep.REFUSE else ""
        actions.take(session, number, step, by, reason, at=NOON, audit=store.recorder(by))


def approved(house: LittleAirlock, name: str) -> Registration:
    made = asked(house, name)
    took(house, made.id, NotebookStep.APPROVE)
    return made


def runs(house: LittleAirlock, which: str, project: str = "these-ines") -> bool:
    """Whether the operators' command would run it."""
    with suppress(UnknownNotebook):
        return read_registered(house.desk.settings, project, which).content != b""
    return False


def everything(session: Session, project: str) -> list[Registration]:
    """Undefended: whatever is on record stands, in every project."""
    return [reading.facts_of(row) for row in session.query(models.RegisteredNotebook)]


# --- what may run ------------------------------------------------------------------------------------------


def test_another_projects_notebook_is_not_ours(house: LittleAirlock, monkeypatch: pytest.MonkeyPatch) -> None:
    made = approved(house, "le-sien")
    for which in ("le-sien", made.id, made.sha256):
        assert runs(house, which)
        assert not runs(house, which, "modeles-rachid"), which
    monkeypatch.setattr(registered, "standing", everything)
    assert runs(house, made.id, "modeles-rachid"), "undefended, the attack succeeds"


@pytest.mark.parametrize("step", [None, NotebookStep.REFUSE, NotebookStep.WITHDRAW])
def test_nothing_runs_that_is_not_approved_now(
    house: LittleAirlock, step: NotebookStep | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = asked(house, f"pas-{step or 'lu'}")
    if step is NotebookStep.WITHDRAW:
        took(house, made.id, NotebookStep.APPROVE)
        assert runs(house, made.name)
    if step is not None:
        took(house, made.id, step)
    assert not runs(house, made.name) and not runs(house, made.id)
    monkeypatch.setattr(registered, "standing", everything)
    assert runs(house, made.name), "undefended, the attack succeeds"


def test_a_byte_changed_after_the_reading_runs_nothing(
    house: LittleAirlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whoever can write the database, but not what else is on record of it."""
    made = approved(house, "change")
    with house.desk.store.change() as session:
        row = models.RegisteredNotebook
        session.execute(update(row).where(row.id == made.id).values(content=FILE.replace(b"vu", b"lu")))
    with pytest.raises(NotebookBroken):
        read_registered(house.desk.settings, "these-ines", "change")
    monkeypatch.setattr(registered, "content_of", lambda session, each: session.get(row, each.id).content)
    assert b"'lu'" in read_registered(house.desk.settings, "these-ines", "change").content, "undefended"


def test_what_was_withdrawn_takes_its_runs_files_along(house: LittleAirlock) -> None:
    made = approved(house, "retire")
    run = RunFacts(
        id="0a1b2c3d4e5f", project="these-ines", template=made.name, sha256=made.sha256, approved=True,
        parameters="{}", asked_by="operator:root", access=AccessLevel.AGGREGATE, snapshot=1, began=NOON,
        ended=NOON, outcome=Outcome.DONE, requests=(), files=(KeptFile("t.csv", "b" * 64, 1),),
        registration=made.id,
    )  # fmt: skip

    def class_in(project: str, file_of: RunFacts = run) -> OutputClass:
        with house.desk.store.session() as session:
            now = approvals(session, project)
        found = of_runs([file_of], Standing(project, 1, Policy(), holders=False), now)
        assert found is not None
        return found.output_class

    assert class_in("these-ines") is OutputClass.REPRODUCED, "the power of what follows"
    assert class_in("modeles-rachid") is OutputClass.UNVERIFIED
    elsewhere = replace(run, project="modeles-rachid")
    assert class_in("modeles-rachid", elsewhere) is OutputClass.UNVERIFIED, "though it was run there"
    assert class_in("these-ines", replace(run, sha256="c" * 64)) is OutputClass.UNVERIFIED
    assert class_in("these-ines", replace(run, registration=None)) is OutputClass.UNVERIFIED
    took(house, made.id, NotebookStep.WITHDRAW, "ines")
    assert class_in("these-ines") is OutputClass.UNVERIFIED


def test_a_name_never_stands_for_anothers_number(
    house: LittleAirlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator who types the number of a notebook runs that one, not one that is called so."""
    true = approved(house, "le-vrai")
    with pytest.raises(BadNotebook):
        asked(house, true.id)
    monkeypatch.setattr(actions, "NAME", re.compile(".*"))
    false = approved(house, true.id)
    for known in (reading.standing, lambda *args: list(reversed(reading.standing(*args)))):
        monkeypatch.setattr(registered, "standing", known)
        found = read_registered(house.desk.settings, "these-ines", true.id).registration
        assert found is not None and found.id == true.id != false.id
    monkeypatch.setattr(registered, "standing", lambda *_: [false, true])
    monkeypatch.setattr(registered, "_named", whichever)
    found = read_registered(house.desk.settings, "these-ines", true.id).registration
    assert found is not None and found.id == false.id, "undefended, the attack succeeds"


def whichever(known: list[Registration], _project: str, which: str) -> Registration:
    return next(each for each in known if which in (each.name, each.id, each.sha256))


def test_what_may_mean_two_runs_neither(house: LittleAirlock) -> None:
    one, two = approved(house, "jumeau-un"), approved(house, "jumeau-deux")
    with pytest.raises(SeveralNotebooks) as refused:
        read_registered(house.desk.settings, "these-ines", one.sha256)
    assert one.id in refused.value.text.fr and two.id in refused.value.text.fr


# --- who decides -------------------------------------------------------------------------------------------


def decides(house: LittleAirlock, who: str, made: Registration) -> int:
    visit = visiting(house.app, who, Role.MEDECIN_DIM)
    said = {"verdict": "approve", "sha256": made.sha256}
    return int(visit.post(f"/notebooks/{made.id}/avis", said).status_code)


def test_nobody_decides_on_their_own(house: LittleAirlock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A physician who asks: the rule, the action and the database each refuse."""
    made = asked(house, "le-mien", by="denis")
    assert decides(house, "denis", made) in (403, 404)
    monkeypatch.setattr(pages, "why_not", lambda *_, **__: None)
    assert decides(house, "denis", made) == 409
    monkeypatch.setattr(actions, "_decide", lambda row, _step, who, _reason, at: _sign(row, who, at))
    with pytest.raises(StoreProblem):
        took(house, made.id, NotebookStep.APPROVE, "denis")
    assert decides(house, "diane", made) == 303, "and somebody else may"


def _sign(row: models.RegisteredNotebook, who: str, at: datetime) -> None:
    row.decided_by, row.decided_at = who, at


def test_no_member_of_the_project_decides_whenever_they_joined(
    house: LittleAirlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = approved(house, "avant"), asked(house, "apres")
    assert runs(house, "avant"), "the power of what follows"
    store = house.desk.store
    with store.change() as session:
        audit = store.recorder("test")
        governance.add_member(session, "these-ines", "diane", MemberRole.CHERCHEUR, audit=audit)
    assert decides(house, "diane", after) == 403
    assert not runs(house, before.name), "an approval of theirs from before counts no more"
    monkeypatch.setattr(pages, "why_not", lambda *_, **__: None)
    assert decides(house, "diane", after) == 303, "undefended, the attack succeeds"
    assert not runs(house, "apres"), "and comes to nothing"
    monkeypatch.setattr(registered, "standing", everything)
    assert runs(house, "apres"), "but for the second look at who decided"


def test_what_was_decided_is_not_decided_again(house: LittleAirlock) -> None:
    made = asked(house, "deux-fois")
    took(house, made.id, NotebookStep.REFUSE, "denis")
    for step in NotebookStep:
        with pytest.raises(BadNotebook):
            took(house, made.id, step, "dorian")


# --- what it leaves ----------------------------------------------------------------------------------------

NAMES = ("bon.csv", "lien.csv", "dur.csv", "tube.csv", "faux.png", "page.html", "non.csv")
OUTPUTS = tuple(Output(name, "ce que c'est") for name in NAMES)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """As a hostile notebook can make it."""
    (tmp_path / "key").write_bytes(SECRET)
    folder = tmp_path / "home" / "work" / "sorties"
    folder.mkdir(parents=True)
    (folder / "bon.csv").write_text("age,n\n40,12\n")
    (tmp_path / "other").write_bytes(SECRET)
    (folder / "lien.csv").symlink_to(tmp_path / "key")
    os.link(tmp_path / "other", folder / "dur.csv")
    os.mkfifo(folder / "tube.csv")
    (folder / "faux.png").write_text("patient,code\n1,K86\n")
    (folder / "page.html").write_text("<script>fetch('//ailleurs')</script>")
    (folder / "patients.csv").write_text("1,K86\n")
    (folder / "\x1b[2J.txt").write_text("x")
    return tmp_path / "home"


def test_what_was_declared_is_taken_and_nothing_else(home: Path) -> None:
    with opened(home) as folder:
        left = declared(folder, OUTPUTS, 1_000)
        assert dict(left.files) == {"bon.csv": b"age,n\n40,12\n"}
        assert left.lacking == ("lien.csv", "dur.csv", "tube.csv", "faux.png", "page.html", "non.csv")
        assert left.undeclared == ("·[2J.txt", "patients.csv") and left.dropped == 2
        assert declared(folder, OUTPUTS, 5).files == {}, "nor more than a run may leave"


def test_links_among_the_outputs_are_not_followed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_FLAGS", collecting._FLAGS & ~os.O_NOFOLLOW)
    with opened(home) as folder:
        assert declared(folder, OUTPUTS, 1_000).files["lien.csv"] == SECRET, "undefended, the attack succeeds"


def test_nor_is_another_name_of_a_file_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_is_the_runs_own", lambda found, _: stat.S_ISREG(found.st_mode))
    with opened(home) as folder:
        assert declared(folder, OUTPUTS, 1_000).files["dur.csv"] == SECRET, "undefended, the attack succeeds"


def test_a_folder_of_outputs_that_is_a_link_is_not_entered(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "bon.csv").write_bytes(SECRET)
    for name in ("work/sorties", "work"):
        (home / name).rename(tmp_path / name.replace("/", "-"))
        (home / name).symlink_to(tmp_path / "elsewhere")
        with opened(home) as folder:
            assert declared(folder, OUTPUTS, 1_000).files == {}
        (home / name).unlink()
        (tmp_path / name.replace("/", "-")).rename(home / name)


def test_a_folder_of_countless_names_is_not_read_to_its_end(home: Path) -> None:
    for number in range(collecting.MOST_ENTRIES):
        (home / "work" / "sorties" / f"{number}").touch()
    with opened(home) as folder:
        left = declared(folder, OUTPUTS, 1_000)
    assert len(left.undeclared) == collecting.SHOWN and left.dropped <= collecting.MOST_ENTRIES
