"""`p4dp-enclave project`, `objection`, `audit` as operators type them, in an enclave of their own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click import Group
from click.testing import CliRunner, Result

from hub_config.cli import main
from hub_config.governance.audit import AuditChain, AuditEvent, Decision
from hub_config.governance.audit.commands import audit
from hub_config.governance.commands import project
from hub_config.governance.objections.commands import objection
from hub_config.settings import Settings, load_settings
from hub_config.warehouse.local_ids import synthetic_id
from hub_config.warehouse.manifest import write_manifest
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.snapshot import open_snapshot

Run = Callable[..., Result]
PATIENT, GP = synthetic_id(Kind.PATIENT, 30), synthetic_id(Kind.PHYSICIAN, 2)
OBJECT = ["objection", "add", "--source", "test"]
GRANT = [
    "--access",
    "aggregate",
    "--table",
    "patients",
    "--table",
    "diagnoses:patient_id,cisp2",
    "--legal-basis",
    "MR-004",
]
CHARTER = ["--title", "Thèse de Léa", "--purpose", "Décrire l’INR", *GRANT]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("P4DP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("P4DP_CONFIG", raising=False)
    monkeypatch.delenv("P4DP_PORT", raising=False)
    monkeypatch.delenv("P4DP_DEBUG", raising=False)
    return load_settings()


@pytest.fixture
def run(home: Settings) -> Run:
    """Types a command; fails unless it ends with the exit code expected."""

    def typed(*words: str, ends: int = 0) -> Result:
        result = CliRunner().invoke(main, list(words))
        assert result.exit_code == ends, result.output
        assert "Traceback" not in result.output
        return result

    return typed


@pytest.fixture
def enclave(home: Settings, make_snapshot: Callable[..., int]) -> Settings:
    make_snapshot(home, synthetic=True)
    make_snapshot(home, synthetic=False)
    return home


@pytest.fixture
def lea(enclave: Settings, run: Run) -> None:
    run("project", "create", "these-lea", *CHARTER, "--member", "lea:interne", "--expires", "2099-06-30")


def test_a_project_from_draft_to_closed(enclave: Settings, run: Run) -> None:
    created = run("project", "create", "these-lea", *CHARTER, "--member", "lea:interne", "--centre", "C01")
    assert "diagnoses: cisp2, patient_id" in created.output
    assert "p4dp-enclave project approve these-lea" in created.output
    assert "approved" in run("project", "approve", "these-lea").output
    assert "lea, marc" in run("project", "add-member", "these-lea", "Marc", "--role", "chercheur").output
    assert "marc." in run("project", "remove-member", "these-lea", "lea").output
    assert "next query is refused" in run("project", "suspend", "these-lea").output
    shown = run("project", "show", "these-lea").output
    for expected in ("Thèse de Léa", "Décrire l’INR", "suspended", "marc", "C01", "MR-004", "never"):
        assert expected in shown
    run("project", "close", "these-lea")
    assert "closed" in run("project", "list").output


def test_an_empty_enclave_says_how_to_begin(run: Run) -> None:
    assert "project create --help" in run("project", "list").output
    assert "warehouse synthesise" in run("project", "create", "these-lea", *CHARTER, ends=2).output


def test_a_grant_from_a_file(enclave: Settings, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "grant.toml"
    file.write_text('access = "aggregate"\nlegal_basis = "MR-004"\nexpires_on = 2030-01-02\ntables = "all"\n')
    names = ["--title", "t", "--purpose", "p", "--grant", str(file)]
    shown = run("project", "create", "these-lea", *names, "--snapshot", "1").output
    assert "2030-01-02" in shown
    assert "consultations" in shown
    assert "snds" not in shown
    said = run("project", "create", "autre", *names, "--table", "patients", ends=2).output
    assert "leave out the options" in said
    assert "(tables)" in said


def test_a_project_is_extended_and_approved_again(lea: None, run: Run, tmp_path: Path) -> None:
    run("project", "approve", "these-lea")
    file = tmp_path / "grant.toml"
    file.write_text('access = "aggregate"\nlegal_basis = "MR-004"\nexpires_on = 2031-01-02\ntables = "all"\n')
    shown = run("project", "amend", "these-lea", "--grant", str(file), "--snapshot", "1").output
    assert "draft" in shown
    assert "2031-01-02" in shown
    assert "2031-01-02" in run("project", "amend", "these-lea", "--snapshot", "2").output


def test_the_sandbox_is_for_synthetic_snapshots(enclave: Settings, run: Run) -> None:
    sandbox = [
        "--title",
        "Bac",
        "--purpose",
        "p",
        "--access",
        "sandbox",
        "--table",
        "all",
        "--legal-basis",
        "MR-004",
    ]
    said = run("project", "create", "bac", *sandbox, "--snapshot", "2", "--open-to-all", ends=2).output
    assert "Snapshot 2 holds real people" in said
    assert "everyone" in run("project", "create", "bac", *sandbox, "--snapshot", "1", "--open-to-all").output


def said_of(shown: str, name: str) -> str:
    return next(line.split(name)[1].strip() for line in shown.splitlines() if name in line)


def test_re_contact_is_granted_and_taken_back(enclave: Settings, run: Run, tmp_path: Path) -> None:
    created = run("project", "create", "these-lea", *CHARTER, "--recontact").output
    assert said_of(created, "Re-contact") == "granted"
    run("project", "approve", "these-lea")
    kept = run("project", "amend", "these-lea", "--snapshot", "1").output
    assert said_of(kept, "Re-contact") == "granted"
    amended = run("project", "amend", "these-lea", "--no-recontact").output
    assert said_of(amended, "Re-contact") == "no"
    assert "draft" in amended  # what changed is to be approved again
    assert said_of(run("project", "amend", "these-lea", "--recontact").output, "Re-contact") == "granted"
    assert said_of(run("project", "create", "these-leo", *CHARTER).output, "Re-contact") == "no"
    file = tmp_path / "grant.toml"
    file.write_text('access = "aggregate"\nlegal_basis = "MR-004"\ntables = "all"\nrecontact = true\n')
    said = run("project", "create", "autre", *CHARTER[:4], "--grant", str(file)).output
    assert said_of(said, "Re-contact") == "granted"
    refused = run("project", "create", "enfin", *CHARTER[:4], "--grant", str(file), "--recontact", ends=2)
    assert "leave out the options" in refused.output


def test_a_centre_that_is_merged_is_granted_with_the_others_of_it(
    home: Settings, run: Run, make_snapshot: Callable[..., int]
) -> None:
    make_snapshot(home, synthetic=False)
    merged = replace(open_snapshot(home.warehouse_dir, 1).manifest, merged={"petits": ("C03", "C04")})
    manifest = home.warehouse_dir / "1" / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_text(write_manifest(merged))
    said = run("project", "create", "these-lea", *CHARTER, "--centre", "C03", ends=2).output
    assert "centre 'C03' has fewer than 5 active GPs and is one with 'C04'" in said
    assert (
        "no centre 'petits'"
        in run("project", "create", "these-lea", *CHARTER, "--centre", "petits", ends=2).output
    )
    both = run("project", "create", "these-lea", *CHARTER, "--centre", "C03", "--centre", "C04").output
    assert "C03, C04" in both


REFUSED = [
    (["project", "create", "these-leo", *CHARTER, "--centre", "CO1"], "no centre 'CO1'. Did you mean 'C01'"),
    (["project", "create", "these-leo", *CHARTER, "--table", "patient"], "Did you mean 'patients'"),
    (["project", "create", "these-leo", *CHARTER, "--table", "diagnoses:cips2"], "Did you mean 'cisp2'"),
    (["project", "create", "these-leo", *CHARTER, "--snapshot", "9"], "no snapshot 9 (there are: 1, 2)"),
    (["project", "create", "these-leo", *CHARTER, "--min-patients", "5"], "looser than the site's 11"),
    (["project", "create", "these-leo", *CHARTER, "--member", "lea"], "expected USER:ROLE"),
    (["project", "create", "these-leo", *CHARTER, "--member", "lea:boss"], "the role one of interne"),
    (["project", "create", "these-leo", *CHARTER, "--open-to-all"], "name this project's members"),
    (["project", "create", "Léo", *CHARTER], "can't name a project"),
    (["project", "create", "these-lea", *CHARTER], "already a project"),
    (["project", "create", "these-leo", "--title", "t", "--purpose", "p"], "access: is missing."),
    (["project", "create", "these-leo", *CHARTER, "--from", "2020-01-02", "--to", "2020-01-01"], "is after"),
    (["project", "create", "these-leo", *CHARTER, "--expires", "soon"], "does not match the format"),
    (
        ["project", "create", "these-leo", "--title", "t", "--purpose", "p", "--grant", "/nowhere.toml"],
        "No such file",
    ),
    (["project", "approve", "these-le"], "Did you mean 'these-lea'"),
    (["project", "suspend", "these-lea"], "is draft: `suspend` is for approved projects"),
    (["project", "amend", "these-lea", "--snapshot", "9"], "no snapshot 9"),
    (["project", "remove-member", "these-lea", "zoe"], "not a member"),
    (["project", "add-member", "these-lea", "lea", "--role", "interne"], "already a member"),
    (["project", "add-member", "these-lea", "zoe", "--role", "boss"], "is not one of"),
    (["objection", "add"], "give one identifier"),
    (["objection", "add", "--patient", PATIENT, "--physician", GP], "give one identifier"),
    (["objection", "add", "--patient", PATIENT], "Say which source the identifier is of"),
    (["objection", "add", "--patient", PATIENT, "--source", "prest"], "No snapshot is made of 'prest'"),
    (["objection", "add", "--patient", PATIENT, "--source", "vendor"], "Nobody has that identifier"),
    ([*OBJECT, "--patient", synthetic_id(Kind.PATIENT, 29)], "Nobody has that identifier"),
    ([*OBJECT, "--physician", synthetic_id(Kind.PHYSICIAN, 3)], "Nobody has that identifier"),
    ([*OBJECT, "--patient", "30"], "not written as that source's are"),
    ([*OBJECT, "--patient", PATIENT, "--scope", "past"], "is not one of"),
    ([*OBJECT, "--patient", PATIENT, "--reference", "<b>"], "reference"),
    (["objection", "lift", "1", "--reason", "error"], "not in force"),
    (["audit", "verify", "--noted", "x"], "expected NUMBER:HASH"),
    (["audit", "export", "--format", "xml"], "is not one of"),
    (["projects"], "No such command"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_slip_is_one_message_and_exit_code_2(lea: None, run: Run, words: list[str], said: str) -> None:
    before = run("project", "list").output
    assert said in " ".join(run(*words, ends=2).output.split())
    assert run("project", "list").output == before


def test_objections(enclave: Settings, run: Run, home: Settings) -> None:
    first = run(*OBJECT, "--patient", PATIENT).output
    assert "next query honours it" in first and "scope all" in first
    assert "already" in run(*OBJECT, "--patient", PATIENT, "--scope", "future").output
    run(*OBJECT, "--physician", GP, "--scope", "future")
    assert listed(run) == [["1", "patient", "30", "test", "all"], ["2", "physician", "2", "test", "future"]]
    assert "is lifted" in run("objection", "lift", "1", "--reason", "recorded by error").output
    assert "next query honours it" in run(*OBJECT, "--patient", PATIENT, "--scope", "future").output
    assert [line[-1] for line in listed(run)] == ["all", "future", "future"]
    log = "".join(path.read_text() for path in home.audit_dir.glob("*.jsonl"))
    assert PATIENT not in log and GP not in log


def listed(run: Run) -> list[list[str]]:
    lines = run("objection", "list").output.splitlines()[1:-1]
    return [line.split()[:5] for line in lines]


def test_the_log_is_verified_by_what_was_noted(lea: None, run: Run, home: Settings) -> None:
    shown = run("audit", "verify").output
    assert "Intact: 1 events" in shown
    noted = shown.split("next run: ")[1].strip()
    run("project", "approve", "these-lea")
    assert "Intact: 2 events" in run("audit", "verify", "--noted", noted).output
    assert "BROKEN at event 1" in run("audit", "verify", "--noted", "1:" + "0" * 64, ends=1).output
    log = home.audit_dir / "000001.jsonl"
    log.write_bytes(log.read_bytes().replace(b"project.create", b"project.delete"))
    said = run("audit", "verify", ends=1).output
    assert "BROKEN at event 1, 000001.jsonl: the event does not match its hash" in said
    assert "breaks at event 1" in run("audit", "export", ends=2).output


def test_an_enclave_that_recorded_nothing_is_intact(run: Run) -> None:
    assert "Nothing is recorded yet" in run("audit", "verify").output


def test_events_are_exported_by_day_and_the_export_is_one(lea: None, run: Run, home: Settings) -> None:
    events = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [event["what"] for event in events] == ["project.create", "audit.export"]
    day = events[0]["at"][:10]
    assert len(run("audit", "export", "--from", day, "--to", day).stdout.splitlines()) == 3
    assert run("audit", "export", "--from", "2999-01-01").stdout == ""
    assert run("audit", "export", "--to", "1999-01-01").stdout == ""


def test_a_spreadsheet_runs_nothing_of_an_export(lea: None, run: Run, home: Settings, tmp_path: Path) -> None:
    formula = AuditEvent("=cmd|'/c calc'!A1", "query", "@SUM(1)", Decision.ALLOWED, {"sql": 'a,\n"b"'})
    AuditChain(home.audit_dir, home.keys_dir).append(formula)
    run("audit", "export", "--format", "csv", "--language", "en", "--output", str(tmp_path / "log.csv"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "log.csv").read_text())))
    assert [row["what"] for row in rows] == ["project.create", "query", "audit.export"]
    assert (rows[1]["who"], rows[1]["project"]) == ("'=cmd|'/c calc'!A1", "'@SUM(1)")
    assert json.loads(rows[1]["details"]) == {"sql": 'a,\n"b"'}
    assert rows[0]["who"].startswith("operator:")


def test_settings_that_can_not_be_used_are_one_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_PORT", "1")
    said = run("project", "list", ends=2).output
    assert "Settings refused" in said
    assert "port" in said


def test_a_snapshot_that_is_corrupt_is_one_message(enclave: Settings, run: Run) -> None:
    manifest = enclave.warehouse_dir / "2" / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_text("{")
    assert (
        "Snapshot 2 can't be used"
        in run("project", "create", "these-lea", *CHARTER, "--snapshot", "2", ends=2).output
    )


@pytest.mark.parametrize("group", [project, objection, audit], ids=lambda group: str(group.name))
def test_every_command_has_help(group: Group, run: Run) -> None:
    area = str(group.name)
    for name in group.commands:
        shown = run(area, name, "--help").output
        assert shown.startswith("Usage: ")
        assert group.commands[name].help
