"""From a practice's export to a notebook, in one running enclave, and an objection on the way.

The operator loads what MédiTrame exported, and puts two projects on it. Inès counts, reads a table in which
small cells are withheld, and how good the data are. Rachid, whose project sees rows, has 1 patient fewer in
the very next cell after a patient objects, in the kernel that was running; Inès's numbers do not move, so
they tell nobody that somebody objected.

Its name puts it behind the stories that take the newest snapshot.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Page

from hub_config.warehouse.samples import meditrame
from hub_config.warehouse.samples.population import LAST, people

from .browser import SECONDS, chromium, log_in, open_notebook, open_workspace, photograph
from .conftest import ROOT, Enclave
from .test_airlock import run

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(900)]
PERSONS = list(people(320))
OBJECTS = next(each for each in PERSONS if not each.stranger and len(each.visits) > 3)
COUNTED, SEEN = "comptage-charge", "lignes-chargees"

OPEN = "import p4dp_sdk as p4dp\nws = p4dp.connect()\np, d = ws.tables.patients, ws.tables.diagnoses"
COUNT = "print('compté', int(p.agg(n=p.patient_id.nunique()).execute()['n'].iloc[0]))"
ROWS = "print('lignes', len(p.select('patient_id', 'sex').execute()), d.count().execute())"
TABLE = """t = d.group_by("cisp2").agg(patients=d.patient_id.nunique()).execute()
shown = t["patients"].dropna()
print("moindre", int(shown[shown > 0].min()), "masqués", int(t["patients"].isna().sum()))
t.dropna().head(20)"""
QUALITY = 'ws.quality.rules("biometrics")'
COMPLETE = 'ws.quality.completeness("biometrics", by="centre_id", columns=["value"])'


@pytest.fixture
def snapshot(enclave: Enclave, tmp_path: Path) -> str:
    """The number of what was loaded. Where workspaces can't have uids of their own, the load is refused and
    the mapping has to say that this vendor's people are invented."""
    directory, mapping = tmp_path / "export", "meditrame"
    meditrame.write_xml(directory, PERSONS, exported_on=LAST)
    if os.geteuid() != 0:
        assert "synthetic or public data only" in refused(enclave, mapping, directory)
        shipped = (files("hub_config.warehouse.mappings") / "meditrame.toml").read_text("utf-8")
        public = tmp_path / "meditrame.toml"
        public.write_text(shipped.replace("[source]\n", "[source]\npublic = true\n", 1), encoding="utf-8")
        mapping = str(public)
    said = enclave.command("warehouse", "load", "--mapping", mapping, str(directory))
    return re.findall(r"[Ss]napshot (\d+)", said)[0]


def refused(enclave: Enclave, mapping: str, directory: Path) -> str:
    script = ROOT / ".venv/enclave/bin/p4dp-enclave"
    command = [str(script), "warehouse", "load", "--mapping", mapping, str(directory)]
    answer = subprocess.run(
        command, env=enclave.environ, cwd=ROOT, capture_output=True, text=True, timeout=400
    )
    assert answer.returncode == 2
    return " ".join((answer.stdout + answer.stderr).split())


def found_project(enclave: Enclave, slug: str, snapshot: str, access: str, member: str) -> None:
    said = ("--title", slug, "--purpose", "Lire ce qui fut chargé", "--legal-basis", "MR-004")
    grant = ("--snapshot", snapshot, "--access", access, "--table", "all", "--member", member)
    enclave.command("project", "create", slug, *said, *grant)
    enclave.command("project", "approve", slug)


@pytest.fixture
def notebooks(enclave: Enclave, snapshot: str) -> Iterator[dict[str, Page]]:
    """Of Inès and of Rachid, each in a browser of their own."""
    found_project(enclave, COUNTED, snapshot, "aggregate", "ines:interne")
    found_project(enclave, SEEN, snapshot, "microdata", "rachid:chercheur")
    with chromium() as first:
        another = first.context.browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900})
        another.set_default_timeout(60 * SECONDS)
        pages = {"ines": first, "rachid": another.new_page()}
        for user, project in (("ines", COUNTED), ("rachid", SEEN)):
            page = pages[user]
            page.goto(enclave.address)
            log_in(page, user, enclave.passwords[user], enclave.code(user))
            open_workspace(page, project)
            open_notebook(page, "prise-en-main.ipynb")
            run(page, OPEN)
        yield pages


def number(shown: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", shown)]


def test_loaded_data_are_counted_and_an_objection_takes_effect(
    enclave: Enclave, notebooks: dict[str, Page], tmp_path: Path
) -> None:
    ines, rachid = notebooks["ines"], notebooks["rachid"]
    (counted,) = number(run(ines, COUNT))
    patients, diagnoses = number(run(rachid, ROWS))
    assert patients == len(PERSONS)
    assert abs(counted - patients) <= 5  # blurred by five at most
    found = re.search(r"moindre (\d+) masqués (\d+)", shown := run(ines, TABLE))
    assert found is not None, shown
    least, withheld = map(int, found.groups())
    assert least >= 11 - 5 and withheld  # eleven, blurred
    photograph(ines, "loaded-table", tmp_path)
    assert "Taille" in run(ines, QUALITY) or "Unité" in run(ines, QUALITY)
    assert "Valeur harmonisée" in run(ines, COMPLETE)

    enclave.command("objection", "add", "--patient", f"MT-{OBJECTS.number}", "--source", "meditrame")

    after, fewer = number(run(rachid, f"{ROWS}  # après"))
    assert after == patients - 1
    assert fewer == diagnoses - sum(len(visit.diagnoses) for visit in OBJECTS.visits)
    assert number(run(ines, f"{COUNT}  # après")) == [counted]
    assert "Intact" in enclave.command("audit", "verify")
