"""What comes into a workspace: checked, looked at where it may be joined, on record, and read-only."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI

from hub_config.desk.entries.checks import MOST_BYTES, Finding, check
from hub_config.governance import actions as governance
from hub_config.governance.audit import read_records
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.problems import StoreProblem
from hub_config.governance.register import charter
from hub_config.governance.rights import entries
from hub_config.governance.rights.facts import EntryKind, EntryState
from hub_config.governance.rights.models import IncomingFile
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from tests.pages import Visit, visiting

TABLE = "region,effectif\nNormandie,39\nPACA,31\n"
SCRIPT = "import p4dp_sdk as p4dp\nws = p4dp.connect()\n"
SECRET = "1 84 12 76 451 089 46"
LIST = (
    'id = "pieds"\nversion = "1"\nlabel_fr = "Pieds"\nsource = "s"\nauthor = "a"\n'
    '[codes]\ncisp2 = ["L17", "L98"]\n'
)


def notebook(source: str = SCRIPT, **cell: object) -> str:
    made = {
        "cell_type": "code",
        "source": source,
        "metadata": {"secret": SECRET},
        "outputs": [{"output_type": "stream", "name": "stdout", "text": SECRET}],
        "execution_count": 3,
        "attachments": {"a.png": {"image/png": "A" * 5000}},
        **cell,
    }
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"by": SECRET}, "cells": [made]})


GOOD = [
    (EntryKind.SCRIPT, "analyse.py", SCRIPT),
    (EntryKind.SCRIPT, "analyse.R", "x <- 1\n"),
    (EntryKind.TABLE, "regions.csv", TABLE),
    (EntryKind.TABLE, "points-virgules.csv", "mois;taux\n2020-01;3,5\n"),
    (EntryKind.NOTEBOOK, "etude.ipynb", notebook()),
    (EntryKind.CODE_LIST, "pieds.toml", LIST),
    (EntryKind.CODE_LIST, "pieds.csv", "code,libelle\nL17,pied\nA10BA*,metformine\n"),
]
BAD = [
    (EntryKind.SCRIPT, "analyse.sh", SCRIPT, Finding.NAME),
    (EntryKind.SCRIPT, "../analyse.py", SCRIPT, Finding.NAME),
    (EntryKind.SCRIPT, "analyse.py\u202e.csv", SCRIPT, Finding.NAME),
    (EntryKind.SCRIPT, "regions.csv", TABLE, Finding.NAME),
    (EntryKind.SCRIPT, "a.py", "", Finding.EMPTY),
    (EntryKind.SCRIPT, "a.py", "x" * (MOST_BYTES + 1), Finding.SIZE),
    (EntryKind.SCRIPT, "a.py", b"\x89PNG\r\n\xff\xfe", Finding.NOT_TEXT),
    (EntryKind.SCRIPT, "a.py", "x = 1\x00", Finding.HIDDEN_SIGNS),
    (EntryKind.SCRIPT, "a.py", "# \u202eabc", Finding.HIDDEN_SIGNS),
    (EntryKind.SCRIPT, "a.py", f"data = '{'QUJD' * 500}'", Finding.BLOB),
    (EntryKind.SCRIPT, "a.py", f"# {SECRET}", Finding.NIR),
    (EntryKind.SCRIPT, "a.py", f"x = [{', '.join(str(10**8 + n) for n in range(30))}]", Finding.LONG_NUMBERS),
    (EntryKind.TABLE, "t.csv", "Nom du patient,age\nx,3\n", Finding.NAMING_COLUMN),
    (EntryKind.TABLE, "t.csv", "dateNaissance,age\n1950,3\n", Finding.NAMING_COLUMN),
    (EntryKind.TABLE, "t.csv", "Prénom,age\nx,3\n", Finding.NAMING_COLUMN),
    (EntryKind.TABLE, "t.csv", "code postal,age\n76000,3\n", Finding.NAMING_COLUMN),
    (EntryKind.TABLE, "t.csv", "cle,age\n184127645,3\n", Finding.LONG_NUMBERS),
    (EntryKind.TABLE, "t.csv", "qui,age\nx@y.fr,3\n", Finding.CONTACT),
    (EntryKind.TABLE, "t.csv", "qui,age\n06 12 34 56 78,3\n", Finding.CONTACT),
    (EntryKind.TABLE, "t.csv", "a,a\n1,2\n", Finding.NOT_A_TABLE),
    (EntryKind.TABLE, "t.csv", "a,b\n1,2,3\n", Finding.NOT_A_TABLE),
    (EntryKind.TABLE, "t.csv", "a,b\n" + "1,2\n" * 50_001, Finding.TOO_LARGE_TABLE),
    (EntryKind.NOTEBOOK, "n.ipynb", "{}", Finding.NOT_A_NOTEBOOK),
    (EntryKind.NOTEBOOK, "n.ipynb", "[" * 100_000, Finding.NOT_A_NOTEBOOK),
    (EntryKind.NOTEBOOK, "n.ipynb", notebook(cell_type="widget"), Finding.NOT_A_NOTEBOOK),
    (EntryKind.NOTEBOOK, "n.ipynb", notebook(f"# {SECRET}"), Finding.NIR),
    (EntryKind.CODE_LIST, "l.toml", "id = 'x'", Finding.NOT_A_CODE_LIST),
    (EntryKind.SCRIPT, "a.py", ("QUJD" * 19 + "\n") * 20, Finding.BLOB),
    (EntryKind.SCRIPT, "a.py", "x = 'a\U000e0148\U000e0149'", Finding.HIDDEN_SIGNS),
    (EntryKind.SCRIPT, "a.py", "# a\u2028import os", Finding.HIDDEN_SIGNS),
    (EntryKind.TABLE, "t.csv", "a,b\n" + "a@" * 500_000 + ",2\n", Finding.NOT_A_TABLE),
    (EntryKind.TABLE, "t.csv", "a,b\n" + "a" * 1_000_000 + ",2\n", Finding.NOT_A_TABLE),  # no pattern lingers
    (EntryKind.NOTEBOOK, "n.ipynb", notebook("\ud800"), Finding.HIDDEN_SIGNS),
    (EntryKind.NOTEBOOK, "n.ipynb", notebook(metadata=[]), Finding.NOT_A_NOTEBOOK),
    (EntryKind.CODE_LIST, "l.toml", LIST + "[rows]\nx = ['a']\n", Finding.NOT_A_CODE_LIST),
    (EntryKind.CODE_LIST, "l.toml", LIST + f"atc = {'1' * 9000}", Finding.NOT_A_CODE_LIST),
    (EntryKind.CODE_LIST, "l.toml", f"codes.{'.'.join('a' * 20_000)} = 1\n", Finding.NOT_A_CODE_LIST),
    (EntryKind.CODE_LIST, "l.csv", "code,nom\nL17,x\n", Finding.NOT_A_CODE_LIST),
    (EntryKind.CODE_LIST, "l.csv", "code,b\nnot a code at all of anything,x\n", Finding.NOT_A_CODE_LIST),
]


@pytest.mark.parametrize(("kind", "name", "text"), GOOD)
def test_what_comes_in(kind: EntryKind, name: str, text: str) -> None:
    assert check(kind, name, text.encode()).findings == ()


@pytest.mark.parametrize(("kind", "name", "content", "finding"), BAD)
def test_what_does_not(kind: EntryKind, name: str, content: str | bytes, finding: Finding) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    assert finding in check(kind, name, data).findings


def test_a_notebook_comes_in_without_what_it_showed() -> None:
    content = check(EntryKind.NOTEBOOK, "n.ipynb", notebook().encode()).content
    assert SECRET.encode() not in content and b"AAAA" not in content
    (cell,) = json.loads(content)["cells"]
    assert (cell["source"], cell["outputs"], cell["execution_count"]) == (SCRIPT, [], None)


# --- the pages ---------------------------------------------------------------------------------------------


@pytest.fixture
def project(store: Store) -> str:
    charter = Charter(
        slug="these-ines",
        title="Thèse",
        purpose="p",
        snapshot=1,
        grant=Grant(access=AccessLevel.AGGREGATE, tables={"patients": None}, legal_basis="MR-004"),
        members={"ines": MemberRole.INTERNE, "remi": MemberRole.MEDECIN_REFERENT},
    )
    with store.change() as session:
        audit = store.recorder("admin")
        governance.create_project(session, charter, terms=Terms(SnapshotTerms(1, True)), audit=audit)
        governance.approve(session, "these-ines", audit=audit)
    return "these-ines"


def send(client: Visit, kind: EntryKind, name: str, text: str, project: str = "these-ines") -> int:
    answer = client.post(
        f"/entrees/{project}/fichiers",
        {"type": kind.value, "usage": "Comparer les régions."},
        files={"fichier": (name, text.encode())},
    )
    return answer.status_code


def ines(app: FastAPI) -> Visit:
    return visiting(app, "ines", Role.INTERNE)


def test_a_script_is_in_the_folder_once_checked(app: FastAPI, project: str, settings: Settings) -> None:
    assert send(ines(app), EntryKind.SCRIPT, "analyse.py", SCRIPT) == 303
    path = settings.home / "entrees" / project / "analyse.py"
    assert path.read_text() == SCRIPT and path.stat().st_mode & 0o777 == 0o644
    events = [(r.what, r.project) for r in read_records(settings.audit_dir, settings.keys_dir)][-2:]
    assert events == [("entry.submit", project), ("entry.accept", project)]


def waiting(client: Visit) -> str:
    return re.findall(r"(?<![\w-])E-[2-9a-z]{10}(?![\w-])", client.get("/entrees").text)[0]


@pytest.mark.parametrize(("who", "role"), [("diane", Role.MEDECIN_DIM), ("remi", Role.MEDECIN_REFERENT)])
def test_a_table_waits_for_the_look_of_somebody_else(
    app: FastAPI, project: str, settings: Settings, who: str, role: Role
) -> None:
    assert send(ines(app), EntryKind.TABLE, "regions.csv", TABLE) == 303
    path = settings.home / "entrees" / project / "regions.csv"
    assert not path.exists()
    looker = visiting(app, who, role)
    number = waiting(looker)
    assert "Normandie,39" in looker.get(f"/entrees/regards/{number}").text
    assert looker.post(f"/entrees/regards/{number}", {"avis": "accept"}).status_code == 303
    assert path.read_text() == TABLE
    assert looker.post(f"/entrees/regards/{number}", {"avis": "refuse", "motif": "x"}).status_code == 422


def test_nobody_looks_at_their_own_nor_a_stranger_at_any(app: FastAPI, project: str, store: Store) -> None:
    dim = visiting(app, "ines", Role.INTERNE, Role.MEDECIN_DIM)
    send(dim, EntryKind.TABLE, "regions.csv", TABLE)
    with store.session() as session:
        (entry,) = entries.waiting(session)
    for client in (dim, visiting(app, "rachid", Role.CHERCHEUR), visiting(app, "dora", Role.DPO)):
        assert "E-" not in client.get("/entrees").text.partition("<main")[2]
        assert client.get(f"/entrees/regards/{entry.id}").status_code == 403
        assert client.post(f"/entrees/regards/{entry.id}", {"avis": "accept"}).status_code == 403
    with pytest.raises(StoreProblem), store.change() as session:  # the database knows, whoever asks it
        row = session.get_one(IncomingFile, entry.id)
        row.state, row.looked_by, row.looked_at = EntryState.ACCEPTED.value, "ines", datetime.now(UTC)


def test_what_was_looked_at_is_what_comes_in(app: FastAPI, project: str, settings: Settings) -> None:
    """Bytes swapped on the shelf after the look was given are not delivered."""
    send(ines(app), EntryKind.TABLE, "regions.csv", TABLE)
    (kept,) = [path for path in (settings.home / "entries").rglob("*") if path.is_file()]
    kept.write_text("region,effectif\nswapped,1\n")
    diane = visiting(app, "diane", Role.MEDECIN_DIM)
    number = waiting(diane)
    assert diane.post(f"/entrees/regards/{number}", {"avis": "accept"}).status_code == 404
    assert not (settings.home / "entrees" / project / "regions.csv").exists()


def test_a_refused_table_needs_a_reason_and_stays_out(app: FastAPI, project: str, settings: Settings) -> None:
    send(ines(app), EntryKind.TABLE, "regions.csv", TABLE)
    diane = visiting(app, "diane", Role.MEDECIN_DIM)
    number = waiting(diane)
    assert diane.post(f"/entrees/regards/{number}", {"avis": "refuse"}).status_code == 422
    assert (
        diane.post(f"/entrees/regards/{number}", {"avis": "refuse", "motif": "Trop fin."}).status_code == 303
    )
    assert not (settings.home / "entrees" / project / "regions.csv").exists()
    assert "Trop fin." in ines(app).get(f"/entrees/{project}").text


def test_what_the_checks_turn_away_is_on_record_and_kept_nowhere(
    app: FastAPI, project: str, settings: Settings
) -> None:
    assert send(ines(app), EntryKind.SCRIPT, "a.py", f"# {SECRET}") == 422
    *_, last = read_records(settings.audit_dir, settings.keys_dir)
    assert (last.what, last.details["code"]) == ("entry.turn-away", "nir")
    for path in settings.home.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize("state", ["stranger", "suspended", "unknown"])
def test_nothing_comes_into_a_project_that_is_not_one_s_own_and_open(
    app: FastAPI, project: str, store: Store, state: str
) -> None:
    client = visiting(app, "rachid" if state == "stranger" else "ines", Role.CHERCHEUR)
    if state == "suspended":
        with store.change() as session:
            governance.suspend(session, project, audit=store.recorder("admin"))
    slug = "nothing-here" if state == "unknown" else project
    assert send(client, EntryKind.SCRIPT, "a.py", SCRIPT, slug) == 403
    assert client.get(f"/entrees/{slug}").status_code == 403


def test_who_has_not_accepted_the_charter_is_told_to(app: FastAPI, project: str, store: Store) -> None:
    with store.change() as session:
        charter.put_in_force(session, audit=store.recorder("admin"))
    assert "Acceptez d&#39;abord la charte" in ines(app).get("/entrees").text
    assert "Acceptez d&#39;abord la charte" in ines(app).get(f"/entrees/{project}").text
