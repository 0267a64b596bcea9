"""A project's own notebook, which a physician has read, runs by the operators' command in the real sandbox;
what it declared is taken along, and is of the class reproduced. The gateway is a stand-in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from hub_config.governance.audit import read_records
from hub_config.governance.bindings import read_bindings
from hub_config.governance.facts import AccessLevel
from hub_config.governance.notebooks import actions
from hub_config.governance.notebooks.actions import Wanted
from hub_config.governance.notebooks.facts import NotebookStep, Registration
from hub_config.governance.report_runs.facts import Outcome, RunFacts
from hub_config.governance.report_runs.models import ReportRun
from hub_config.governance.report_runs.reading import approvals, find_run
from hub_config.governance.store import open_store
from hub_config.up import house
from tests.services.spawner.conftest import SmallHub, until
from tests.services.spawner.runs import command

pytestmark = pytest.mark.enclave

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARAMETERS = 'code: str = "K86"  # Diagnostic'
WRITES = """
import os
from pathlib import Path
seen = [name for top in ("/home", "/opt", "/run") for _, _, names in os.walk(top) for name in names]
found = [name for name in seen if "planted" in name]
print("code", code, "trouvé", found)
out = Path("sorties")
(out / "table.csv").write_text(f"code,patients\\n{code!r},120\\n")
(out / "secret.csv").write_text("1,K86\\n")
(out / "lien.json").symlink_to("/etc/passwd")
Path("ailleurs").write_text("{}")
os.link("ailleurs", out / "dur.json")
"""
ROWS = """
import os
import sys
import time
from pathlib import Path
print("patient 17")
os.system("echo patient 17; echo patient 17 >&2")
for stream in (sys.__stdout__, sys.__stderr__):
    print("patient 17", file=stream, flush=True)
Path("sorties/coefficients.json").write_text('{"age": 0.03}')
time.sleep(3)
"""
CODE_AS_A_VALUE = "__import__('os').system('touch sorties/table.csv')"


@pytest.fixture(scope="module")
def hub(small_hub: SmallHub) -> Iterator[SmallHub]:
    with house.held(small_hub.settings):
        yield small_hub


def approved(hub: SmallHub, wanted: Wanted, *cells: str) -> Registration:
    tagged = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": PARAMETERS, "outputs": []}
    others = [{"cell_type": "code", "metadata": {}, "source": each, "outputs": []} for each in cells]
    written = {"cells": [tagged, *others], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    store = open_store(hub.settings)
    try:
        with store.change() as session:
            audit = store.recorder("ines")
            content = json.dumps(written).encode()
            made = actions.ask(session, wanted, content, "ines", at=NOON, audit=audit)
            step, audit = NotebookStep.APPROVE, store.recorder("diane")
            return actions.take(session, made.id, step, "diane", at=NOON, audit=audit)
    finally:
        store.close()


def run(hub: SmallHub, project: str, name: str, *arguments: str) -> tuple[int, str]:
    process = command(hub, "run", "--notebook", name, "--project", project, *arguments)
    said = process.communicate(timeout=100)
    return process.returncode, "".join(said)


def last(hub: SmallHub, project: str) -> tuple[RunFacts, bool]:
    """The last run that was kept, and whether it vouches for its files now."""
    store = open_store(hub.settings)
    try:
        with store.session() as session:
            newest = (
                select(ReportRun.id).where(ReportRun.project == project).order_by(ReportRun.ended_at.desc())
            )
            found = find_run(session, session.scalars(newest).first() or "")
            assert found is not None
            return found, found.ended_well and found.still_approved(approvals(session, project))
    finally:
        store.close()


def kept(hub: SmallHub, run: RunFacts) -> dict[str, str]:
    folder = hub.directory / "state" / "reports" / run.project / run.folder
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_registered_notebook_leaves_its_page_and_what_it_declared(hub: SmallHub) -> None:
    """With a member's files beside it on this machine, and a parameter that is code."""
    home = hub.directory / "state" / "homes" / "these-ines" / "ines"
    home.mkdir(parents=True, exist_ok=True)
    (home / "planted.csv").write_text("1,K86")
    outputs = "table.csv : effectifs par code\nlien.json : ce qu'un lien montre\ndur.json : un autre fichier"
    wanted = Wanted("these-ines", "these-hta", "Décrire les patients de ma thèse.", outputs)
    made = approved(hub, wanted, WRITES)
    code, said = run(hub, "these-ines", "these-hta", "-p", f"code={CODE_AS_A_VALUE}")
    assert code == 1 and "incomplet" in said, said + hub.log[-3000:]
    assert "lien.json, dur.json" in said and "1 fichier(s)" in said and "secret" not in said
    found, vouches = last(hub, "these-ines")
    assert (found.outcome, vouches) == (Outcome.INCOMPLETE, False), "a declared file lacks"
    assert (found.registration, found.sha256) == (made.id, made.sha256)
    assert (found.access, found.undeclared) == (AccessLevel.AGGREGATE, 1)
    files = kept(hub, found)
    assert set(files) == {"table.csv", "these-hta.html", "these-hta.ipynb", "manifest.json"}
    assert {each.name for each in found.files} == set(files) - {"manifest.json"}
    assert CODE_AS_A_VALUE in files["table.csv"].replace("\\\\", ""), "a text stays a text"
    assert "trouvé []" in files["these-hta.ipynb"], "no member's home is there"
    told = json.loads(files["manifest.json"])
    assert told["registration"] == made.id and told["undeclared"] == ["secret.csv"]
    events = read_records(hub.settings.audit_dir, hub.settings.keys_dir)
    noted = [each for each in events if each.details.get("registration") == made.id]
    assert [each.what for each in noted] == ["report.start", "report.keep"]
    assert not [each for each in noted if "secret" in str(each.details)], "a name may be a value"


def test_a_run_ends_with_its_notebooks_registration(hub: SmallHub) -> None:
    """Withdrawn while it runs, on aggregates: it is stopped at the next look, and nothing of it is kept."""
    wanted = Wanted("these-ines", "these-longue", "Décrire les patients de ma thèse.")
    made = approved(hub, wanted, "import time; time.sleep(600)")
    process = command(hub, "run", "--notebook", made.id, "--project", "these-ines")
    until(lambda: [each for each in read_bindings(hub.settings.bindings_dir) if each.registration == made.id])
    store = open_store(hub.settings)
    with store.change() as session:
        step, audit = NotebookStep.WITHDRAW, store.recorder("ines")
        actions.take(session, made.id, step, "ines", at=NOON, audit=audit)
    said = "".join(process.communicate(timeout=200))
    assert process.returncode == 5 and "these-longue" in said and "arrêtée" in said, said
    with store.session() as session:
        assert session.scalars(select(ReportRun).where(ReportRun.registration == made.id)).all() == []
    store.close()
    assert list(read_bindings(hub.settings.bindings_dir)) == [], "box, token and socket are gone"
    ends = [each for each in read_records(hub.settings.audit_dir, hub.settings.keys_dir)
            if each.what == "report.end"]  # fmt: skip
    assert ends[-1].details["outcome"] == Outcome.WITHDRAWN.value


def test_of_one_that_reads_rows_nothing_but_the_declared_is_kept(hub: SmallHub) -> None:
    purpose = "Ajuster le modèle de risque à dix ans."
    outputs = "coefficients.json : coefficients du modèle"
    made = approved(hub, Wanted("modeles-rachid", "modele", purpose, outputs, rows=True), ROWS)
    process = command(hub, "run", "--notebook", made.sha256, "--project", "modeles-rachid")
    bound = until(lambda: [each.registration for each in read_bindings(hub.settings.bindings_dir)])
    said = "".join(process.communicate(timeout=100))
    assert process.returncode == 0, said + hub.log[-3000:]
    assert bound == [made.id], "the gateway is told whose run it is"
    found, vouches = last(hub, "modeles-rachid")
    assert vouches and found.access is AccessLevel.MICRODATA
    assert set(kept(hub, found)) == {"coefficients.json", "manifest.json"}
    assert [each.name for each in found.files] == ["coefficients.json"]
    assert "patient 17" not in hub.log and "is not logged" in hub.log
    failing = approved(
        hub, Wanted("modeles-rachid", "echoue", purpose, outputs, rows=True), "raise ValueError('patient 17')"
    )
    code, said = run(hub, "modeles-rachid", failing.name)
    assert code == 1 and "patient 17" not in said, "nor does a failure say what it saw"
    folder = next((hub.directory / "state" / "reports" / "modeles-rachid").glob("*-echoue-*"))
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]


def test_what_does_not_stand_does_not_start(hub: SmallHub) -> None:
    code, said = run(hub, "these-ines", "modele")
    assert code == 2 and "n'a pas de notebook enregistré" in said and "these-hta" in said
    both = command(hub, "run", "prise-en-main", "--notebook", "x", "--project", "these-ines")
    both.communicate(timeout=200)
    assert both.returncode == 2
