"""A report of the enclave's own run leaves with one look, byte for byte; what only says so
does not.

The real pages, checks and record; the run itself is put on record as the operators' command does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub_config.airlock.intake import receiving
from hub_config.airlock.intake import reports as on_disk
from hub_config.airlock.intake.receiving import receive
from hub_config.airlock.pages import reports as pages
from hub_config.airlock.pseudonyms import Searched
from hub_config.governance import actions as governance
from hub_config.governance.audit import read_records
from hub_config.governance.audit.record import Record
from hub_config.governance.facts import ProjectFacts
from hub_config.governance.releases.facts import OutputClass, State
from hub_config.governance.releases.findings import Rule
from hub_config.governance.report_runs import approved
from hub_config.governance.report_runs.facts import Approvals, KeptFile, Outcome, RunFacts
from hub_config.governance.report_runs.templates import read_template
from hub_config.reports.keeping import Done, Leaving, keep, place_for
from hub_config.reports.plain import plain
from hub_config.reports.recording import put_on_record, run_of

from .little_airlock import LittleAirlock

RUN = "a1b2c3d4e5f6"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": "# Rapport du centre"},
    {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": 'code: str = "K86"', "outputs": []},
]
TABLE = "<table><tr><th>cisp2</th><th>patients</th></tr><tr><td>K86</td><td>3934</td></tr></table>"
WORDS = {
    "title": "Le rapport du centre",
    "purpose": "Réunion du département",
    "context": "Patients de 2022, par diagnostic",
    "controls": "Agrégats protégés par la passerelle",
}


@pytest.fixture
def house(airlock: LittleAirlock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleAirlock]:
    """An approved template of its own, and nobody to ask for pseudonyms."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "essai.ipynb").write_text(json.dumps({"cells": CELLS}))
    monkeypatch.setattr(approved, "FOLDER", tmp_path / "templates")
    airlock.desk = replace(airlock.desk, search=lambda *_: Searched((), done=True))
    airlock.app.state.desk = airlock.desk
    yield airlock


def facts_of(house: LittleAirlock, project: str) -> ProjectFacts:
    with house.desk.store.session() as session:
        return governance.project_facts(session, project)


def ran(
    house: LittleAirlock, run: str = RUN, project: str = "these-ines", outcome: Outcome = Outcome.DONE
) -> tuple[Path, RunFacts]:
    """A run as the command leaves it: on disk, and on record."""
    facts, settings = facts_of(house, project), house.desk.settings
    done = Done(
        run=run, template=read_template("essai"), facts=facts, parameters={"code": "K86"},
        began=NOON, ended=NOON, outcome=outcome.value, requests=("r-7", "r-8"),
    )  # fmt: skip
    folder = place_for(settings, project, f"2026-03-01-essai-{run}")
    notebook = plain({"cells": [*CELLS, {"cell_type": "markdown", "source": f"Exécution {run}"}]})
    files = keep(folder, done, Leaving(notebook, f"<h1>Rapport</h1>{TABLE}"), "fr")
    assert put_on_record(settings, done, outcome, files, "operator:root")
    approved = Approvals({"essai": done.template.sha256})
    return folder, run_of(done, outcome, files, "operator:root", approved)


def class_of(
    house: LittleAirlock, content: bytes, name: str = "essai.html", project: str = "these-ines"
) -> tuple[OutputClass, set[Rule]]:
    checked = receive(house.desk, project, name, content, lambda *_: Searched((), done=True)).checked
    return checked.output_class, {each.rule for each in checked.findings}


def audited(house: LittleAirlock) -> list[Record]:
    return list(read_records(house.desk.settings.audit_dir, house.desk.settings.keys_dir))


# --- what it is for ----------------------------------------------------------------------------------------


def test_a_report_leaves_with_one_look_byte_for_byte(house: LittleAirlock) -> None:
    folder, _ = ran(house)
    ines = house.visit("ines")
    assert f"/rapports/{RUN}" in ines.get("/demandes").text
    form = ines.get(f"/rapports/{RUN}").text
    assert "essai.html" in form and "essai.ipynb" in form and "manifest.json" not in form
    made = ines.post(f"/rapports/{RUN}", {**WORDS, "file-1": "1", "file-2": "1"})
    assert made.status_code == 303, made.text
    request = made.headers["location"].rsplit("/")[-1]
    assert {file.output_class for file in house.facts(request).files} == {OutputClass.REPRODUCED}
    assert ines.post(f"/demandes/{request}/envoyer").status_code == 303
    assert house.facts(request).looks_needed == 1
    seen = house.visit("diane").get(f"/relecture/{request}").text
    for told in ("reproduit", "essai", RUN, "K86", "operator:root", "r-7 r-8", "3934"):
        assert told in seen, told
    house.vote(request, "diane")
    assert house.facts(request).state is State.RELEASED
    for file in house.facts(request).files:
        got = ines.get(f"/demandes/{request}/fichiers/{file.number}/telecharger").content
        assert got == (folder / file.name).read_bytes()
    record = json.loads(house.desk.record(request))
    assert {each["proof"]["run"] for each in record["files"]} == {RUN}
    (event,) = (each for each in audited(house) if each.what == "report.keep")
    assert event.who == "operator:root" and event.details["parameters"] == '{"code":"K86"}'


def test_words_or_files_that_are_missing_are_said_and_nothing_is_lost(house: LittleAirlock) -> None:
    ran(house)
    answer = house.visit("ines").post(f"/rapports/{RUN}", {**WORDS, "purpose": "à garder"})
    assert answer.status_code == 409 and "au moins un fichier" in answer.text and "à garder" in answer.text
    answer = house.visit("ines").post(f"/rapports/{RUN}", {**WORDS, "title": "", "file-1": "1"})
    assert answer.status_code == 409
    assert "d-" not in house.visit("ines").get("/demandes").text.split("<main")[1].replace("data-", "")


# --- what only says that it is one -------------------------------------------------------------------------


def test_a_byte_changed_is_enough(house: LittleAirlock, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = ran(house)
    true = (folder / "essai.html").read_bytes()
    false = true.replace(b"3934", b"3935")
    assert class_of(house, true)[0] is OutputClass.REPRODUCED
    assert class_of(house, true, "renommé.html")[0] is OutputClass.REPRODUCED, "a name is only a name"
    assert class_of(house, false)[0] is OutputClass.UNVERIFIED
    of_true = receiving.digest(true)
    monkeypatch.setattr(receiving, "digest", lambda _: of_true)
    assert class_of(house, false)[0] is OutputClass.REPRODUCED, "undefended, the attack succeeds"


@pytest.mark.parametrize(
    ("project", "outcome", "rule"),
    [
        ("modeles-rachid", Outcome.DONE, Rule.RUN_OF_ANOTHER_PROJECT),
        ("these-ines", Outcome.CELL_FAILED, Rule.RUN_NOT_DONE),
        ("these-ines", Outcome.TIMED_OUT, Rule.RUN_NOT_DONE),
    ],
)
def test_runs_of_others_and_runs_that_failed_do_not_count(
    house: LittleAirlock, project: str, outcome: Outcome, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, run = ran(house, project=project, outcome=outcome)
    content = (folder / "essai.html").read_bytes()
    found, rules = class_of(house, content)
    assert found is OutputClass.UNVERIFIED and rule in rules
    assert house.visit("ines").get(f"/rapports/{RUN}").status_code == 404
    assert RUN not in house.visit("ines").get("/demandes").text
    monkeypatch.setattr(
        receiving, "runs_that_kept",
        lambda *_: [replace(run, project="these-ines", outcome=Outcome.DONE)],
    )  # fmt: skip
    assert class_of(house, content)[0] is OutputClass.REPRODUCED, "undefended, the attack succeeds"


def test_a_template_taken_back_takes_its_reports_along(house: LittleAirlock) -> None:
    """Before they are sent, and between the vote and the release too: a second physician is asked for."""
    folder, _ = ran(house)
    drafts = []
    for _each in range(2):
        made = house.visit("ines").post(f"/rapports/{RUN}", {**WORDS, "file-1": "1"})
        drafts.append(made.headers["location"].rsplit("/")[-1])
    sent, draft = drafts
    house.send(sent)
    assert house.facts(sent).looks_needed == 1
    (approved.FOLDER / "essai.ipynb").write_text(json.dumps({"cells": CELLS, "mended": True}))
    found, rules = class_of(house, (folder / "essai.html").read_bytes())
    assert found is OutputClass.UNVERIFIED and Rule.TEMPLATE_NOT_APPROVED in rules
    house.send(draft)
    assert house.facts(draft).looks_needed == 2
    house.vote(sent, "diane")
    after = house.facts(sent)
    assert after.state is State.IN_REVIEW and after.output_class is OutputClass.UNVERIFIED
    house.vote(sent, "denis")
    assert house.facts(sent).state is State.RELEASED


def test_what_lies_in_the_folder_of_reports_proves_nothing(
    house: LittleAirlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forged manifest, a page put in the place of the kept one, a link to a key."""
    folder, run = ran(house)
    forged = house.desk.settings.reports_dir / "these-ines" / "2026-03-01-essai-000000000000"
    forged.mkdir()
    (forged / "essai.html").write_text("<p>3 patients</p>")
    (forged / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())
    assert class_of(house, (forged / "essai.html").read_bytes())[0] is OutputClass.UNVERIFIED
    assert class_of(house, (folder / "manifest.json").read_bytes(), "m.json")[0] is OutputClass.UNVERIFIED
    ines, reports = house.visit("ines"), house.desk.settings.reports_dir
    (folder / "essai.html").write_text("<p>3 patients</p>")
    assert ines.post(f"/rapports/{RUN}", {**WORDS, "file-1": "1"}).status_code == 409
    (house.home / "key").write_bytes(b"the operators' key")
    (folder / "essai.html").unlink()
    (folder / "essai.html").symlink_to(house.home / "key")
    assert ines.post(f"/rapports/{RUN}", {**WORDS, "file-1": "1"}).status_code == 409
    key = KeptFile("essai.html", receiving.digest(b"the operators' key"), 18)
    assert on_disk.kept_bytes(reports, run, key) is None, "though its bytes were on record"
    monkeypatch.setattr(on_disk, "_FILE", 0)
    assert on_disk.kept_bytes(reports, run, key) == b"the operators' key", "undefended, the attack succeeds"


def test_nobody_but_a_member_learns_of_a_run(house: LittleAirlock, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(house)
    rachid = house.visit("rachid")
    assert RUN not in rachid.get("/demandes").text
    for path in (f"/rapports/{RUN}", "/rapports/000000000000", "/rapports/..%2f..%2fkey"):
        assert rachid.get(path).status_code == 404
    assert rachid.post(f"/rapports/{RUN}", {**WORDS, "file-1": "1"}).status_code == 404
    assert pages.UNKNOWN in rachid.get(f"/rapports/{RUN}").text
