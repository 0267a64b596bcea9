"""Words that are more than words: markup in titles and names, file names that lead elsewhere or add a header,
labels that a spreadsheet runs, recipients that add a line to a mail. Each does harm with the defence taken
out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.airlock.actions.drafting import Words
from hub_config.airlock.checks import inspect_bytes
from hub_config.airlock.notices.letters import Letter, compose
from hub_config.airlock.pages import names
from hub_config.airlock.proofs.rendering import render
from hub_config.airlock.rules.names import MOST, cleaned
from hub_config.governance.models import Project
from hub_config.governance.notices.models import NoticeKind
from hub_config.governance.releases.findings import Finding, Rule, Severity
from hub_config.governance.roles import Role
from p4dp_sdk.figures import sheets
from p4dp_sdk.figures.proof import Proof
from tests.pages import visiting
from tests.services.airlock_pages.little_airlock import File, LittleAirlock
from tests.unit.sdk.signed_tables import signed

SCRIPT = "</title></textarea><script>alert(1)</script><img src=x onerror=alert(2)>"
NAMES = {
    "up and away": "../../../etc/passwd",
    "a drive": "C:\\Windows\\System32\\a.dll",
    "absolute": "/etc/cron.d/x",
    "nothing follows": "table.csv\x00.exe",
    "a header": 'a"\r\nSet-Cookie: p4dp=1\r\nX: ".csv',
    "turned round": "table\u202evsc.exe",
    "not seen": "ta\u200bble.csv",
    "an option": "-rf.csv",
    "a device": "CON.csv",
    "endless": "a" * 5_000 + ".csv",
    "another alphabet": "t\u0430ble.csv",
}


@pytest.fixture
def airlock(tmp_path: Path) -> Iterator[LittleAirlock]:
    made = LittleAirlock(tmp_path / "home")
    yield made
    made.desk.store.close()


def shown(airlock: LittleAirlock) -> str:
    """All pages that show what a hostile requester, project and reviewer call themselves."""
    with airlock.desk.store.change() as session:
        session.get_one(Project, "these-ines").title = SCRIPT
    words = Words(SCRIPT, SCRIPT, SCRIPT, SCRIPT)
    request = airlock.sent(File(f"{SCRIPT}.csv"), words=words)
    diane = visiting(airlock.app, "diane", Role.MEDECIN_DIM, full_name=SCRIPT)
    ines = visiting(airlock.app, "ines", Role.INTERNE, full_name=SCRIPT)
    diane.post(f"/relecture/{request}/question", {"text": SCRIPT})
    diane.post(f"/relecture/{request}/avis", {"verdict": "changes", "seal": "0", "comment": SCRIPT})
    pages = [diane.get(path).text for path in ("/relecture", f"/relecture/{request}", "/absences")]
    pages += [ines.get(path).text for path in ("/demandes", f"/demandes/{request}", "/demandes/nouvelle")]
    return "\n".join(pages)


def test_no_word_of_a_person_is_markup(airlock: LittleAirlock) -> None:
    page = shown(airlock)
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page and "<img src=x" not in page


def test_without_escaping_they_would_be(airlock: LittleAirlock) -> None:
    airlock.app.state.house.templates.autoescape = False
    assert "<script>alert" in shown(airlock)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_cleaned_or_blocks(name: str) -> None:
    """Whatever is left to deceive after cleaning is a finding that blocks."""
    kept = cleaned(name)
    assert not set(kept) & set('/\\:*?"<>|\0\r\n\u202e\u200b') and 0 < len(kept) <= MOST
    found = {finding.rule for finding in inspect_bytes(b"sexe;patients\r\nF;312\r\n", name).findings}
    assert Rule.DECEPTIVE_NAME in found


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_adds_nothing_to_what_a_browser_is_told(airlock: LittleAirlock, name: str) -> None:
    path = f"/demandes/{airlock.released(File(name))}/fichiers/1/telecharger"
    answer = airlock.visit("ines").get(path)
    told = answer.headers["content-disposition"]
    assert "set-cookie" not in answer.headers and told.isascii() and told.count('"') == 2
    assert not set("/\\\r\n\0") & set(told) and len(told) < 1_000


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_no_name_whatever_ends_its_quotes(name: str) -> None:
    told = names.disposition(name)
    assert told.isascii() and told.isprintable() and told.count('"') == 2 and "\\" not in told


def test_an_uncleaned_name_would() -> None:
    with patch.object(names, "sanitised", lambda name: name):
        assert "\r\nSet-Cookie" in names.disposition(NAMES["a header"])


FORMULAS = ("=cmd|' /C calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1+1")


@pytest.mark.parametrize("label", FORMULAS)
def test_a_label_is_no_formula_in_what_the_airlock_makes(label: str) -> None:
    document = signed(rows=((label, 120, 0.5), ("b", 96, 0.5)))
    statement = document.statement

    def cells() -> list[str]:
        content = render("t.csv", Proof(document)).content.decode("utf-8-sig")
        return [row[0] for row in csv.reader(io.StringIO(content), delimiter=";")]

    with patch.object(sheets, "inert", lambda text: text):
        assert label in cells()
    assert label not in cells() and f"'{label}" in cells()
    book = openpyxl.load_workbook(io.BytesIO(render("t.xlsx", Proof(document)).content))
    assert all(cell.data_type != "f" for row in book.active.rows for cell in row)
    assert statement.rows[0][0] == label


@pytest.mark.parametrize("address", ["a@b.fr\r\nBcc: all@b.fr", "a@b.fr\nX: 1"])
def test_no_recipient_adds_a_line_to_a_mail(address: str) -> None:
    letter = Letter(1, "diane", NoticeKind.TO_REVIEW, "d-7k3m9q22", datetime(2026, 5, 4, tzinfo=UTC))
    with pytest.raises(ValueError):
        compose(letter, address=address, sender="sas@chu.fr", origin="https://sas.chu.fr")


def test_a_born_safe_table_does_not_hide_what_its_name_pretends() -> None:
    from hub_config.airlock.checks import Inspection, Preview
    from hub_config.airlock.intake import receiving
    from hub_config.airlock.proofs import Classification, Standing
    from hub_config.airlock.pseudonyms import Searched
    from hub_config.governance.releases.facts import FileKind, OutputClass
    from p4dp_sdk.disclosure.policy import Policy

    deceptive = Finding(Rule.DECEPTIVE_NAME, Severity.BLOCKING, None, {"how": "look-alikes"})
    small = Finding(Rule.SMALL_COUNT, Severity.WARNING)
    inspection = Inspection(FileKind.CSV, (deceptive, small), Preview(), None, (), "1", "0" * 64, 1)
    standing = Standing("these-ines", 1, Policy())
    found = receiving._found(
        Classification(OutputClass.BORN_SAFE), inspection, standing, lambda *_: Searched((), done=True)
    )
    assert found == (deceptive,)
