"""Runs of reports by the real spawner, in the real sandbox, from the operator's command; the gateway is a
stand-in. The templates are hostile where it matters: each first shows that it could, were it not for the box.
"""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hub_config.governance import actions
from hub_config.governance.report_runs.approved import approved_hashes
from hub_config.governance.store import open_store
from hub_config.up import house
from tests.services.spawner.conftest import SmallHub, processes_with, until
from tests.services.spawner.runs import (
    PROJECT,
    SERVICE,
    command,
    events,
    homes,
    kernels_with_tokens,
    on_record,
    run,
    status_of,
    template,
    token_of_run,
)

pytestmark = pytest.mark.enclave


@pytest.fixture(scope="module")
def hub(small_hub: SmallHub) -> Iterator[SmallHub]:
    """With the lock that says that an enclave runs here."""
    with house.held(small_hub.settings):
        yield small_hub


# --- what it is for ----------------------------------------------------------------------------------------


def test_a_report(hub: SmallHub, tmp_path: Path) -> None:
    template(
        hub,
        "rapport",
        "from IPython.display import HTML\nprint('année', année, sexe)",
        "HTML('<b>gras</b><script>alert(1)</script><img src=http://ailleurs/x>')",
    )
    folder = tmp_path / "sortie"
    code, said = run(hub, "rapport", "-p", "année=2021", "--output", str(folder))
    assert code == 0, said + hub.log[-3000:]
    assert "[2/3] Étape 1" in said and "Rapport prêt" in said and str(folder) in said
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json",
        "rapport.html",
        "rapport.ipynb",
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.iterdir()))
    page = (folder / "rapport.html").read_text()
    assert "année 2021 tous" in page and "<b>gras</b>" in page and "<title>Essai</title>" in page
    assert "print(" not in page and "alert" not in page and "ailleurs" not in page
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["parameters"] == {"année": 2021, "sexe": "tous"}
    assert manifest["outcome"] == "done" and manifest["project"] == PROJECT
    assert not homes(hub)
    start, end = events(hub, "report.start")[-1], events(hub, "report.end")[-1]
    assert start.details["sha256"] == manifest["template"]["sha256"]
    assert json.loads(start.details["parameters"]) == manifest["parameters"]
    assert (end.decision, end.details["outcome"]) == ("allowed", "done")
    assert start.who == end.who and start.who.startswith("operator:")
    assert run(hub, "rapport", "--output", str(folder))[0] == 2, "what is there is not written over"


def test_what_was_kept_is_on_record_by_its_bytes(hub: SmallHub) -> None:
    template(hub, "inscrit", "print('année', année)")
    code, said = run(hub, "inscrit", "-p", "année=2021")
    kept = on_record(hub)
    folder = hub.directory / "state" / "reports" / PROJECT / kept.folder
    assert code == 0 and kept.ended_well and kept.requests == () and f"/rapports/{kept.id}" in said
    assert kept.sha256 == approved_hashes(hub.directory / "templates")["inscrit"]
    assert (kept.parameters, kept.snapshot) == ('{"année":2021,"sexe":"tous"}', 1)
    assert {(each.name, each.sha256) for each in kept.files} == {
        (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.iterdir()
        if path.name != "manifest.json"
    }
    (event,) = (each for each in events(hub, "report.keep") if each.details["run"] == kept.id)
    assert event.who == kept.asked_by and event.details["parameters"] == kept.parameters


LOOKS = """
import os, sys
found = []
for top in ('/home', '/opt', '/run', os.environ['IPYTHONDIR'], os.getcwd()):
    for folder, _, files in os.walk(top):
        found += [file for file in files if file.startswith('planted')]
print('trouvé', found, 'chargé', 'planted' in globals() or 'planted' in sys.modules, len(sys.path))
"""


def test_nothing_that_a_member_left_is_in_a_run(hub: SmallHub) -> None:
    """Startup files of IPython, modules beside the notebook, a site of one's own, files that came in:
    in the member's home, in the service's, and in the project's folder of entries."""
    state, planted = hub.directory / "state", "planted = True\nimport builtins\nbuiltins.planted = True\n"
    for home in (state / "homes" / PROJECT / "ines", state / "homes" / PROJECT / SERVICE / "avant"):
        for place in (".ipython/profile_default/startup", "work", ".local/lib/python3.11/site-packages"):
            (home / place).mkdir(parents=True, exist_ok=True)
            (home / place / "planted.py").write_text(planted)
            (home / place / "sitecustomize.py").write_text(planted)
    (state / "entrees" / PROJECT).mkdir(parents=True, exist_ok=True)
    (state / "entrees" / PROJECT / "planted.py").write_text(planted)
    template(hub, "regarde", LOOKS)
    assert run(hub, "regarde")[0] == 0
    kept = on_record(hub)
    notebook = (state / "reports" / PROJECT / kept.folder / "regarde.ipynb").read_text()
    assert "trouvé [] chargé False" in notebook


def test_a_cell_that_fails(hub: SmallHub) -> None:
    template(hub, "echec", "print('avant')", "raise ValueError('pas de centre\\x1b[2J')", "print('après')")
    code, said = run(hub, "echec", language="fr_FR.UTF-8")
    assert code == 1
    assert "« Étape 2 »" in said and "pas de centre" in said and "\x1b" not in said
    (folder,) = (hub.directory / "state" / "reports" / PROJECT).glob("*-echec-*")
    kept = (folder / "echec.ipynb").read_text()
    assert "avant" in kept and folder.stat().st_mode & 0o777 == 0o700
    assert events(hub, "report.end")[-1].decision == "failed"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-p", "anée=2021"), "Vouliez-vous dire année"),
        (("-p", "année=vingt"), "un nombre entier"),
        (("-p", "sexe=H"), "tous, F, M"),
        (("--project", "these-inez"), "these-ines"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_runs(hub: SmallHub, arguments, words) -> None:
    template(hub, "refus", "print(1)")
    before = len(events(hub, "report.start"))
    code, said = run(hub, "refus", *arguments)
    assert code == 2 and words in said, said
    assert len(events(hub, "report.start")) == before


def test_only_approved_templates_run(hub: SmallHub, tmp_path: Path) -> None:
    template(hub, "approuve", "print(1)")
    (tmp_path / "mien.ipynb").write_text("{}")
    for name in (str(tmp_path / "mien.ipynb"), "../templates/approuve", "aprouve", "/etc/passwd"):
        code, said = run(hub, name)
        assert code == 2 and "n'est pas un modèle approuvé" in said and "approuve" in said, said


# --- its end, whatever happens -----------------------------------------------------------------------------


ENDLESS = "import time; print('commencé')", "time.sleep(600)"


def begun(hub: SmallHub) -> tuple[subprocess.Popen[str], str]:
    template(hub, "sans-fin", *ENDLESS)
    process = command(hub, "run", "sans-fin", "--project", PROJECT)
    token = token_of_run(hub)
    assert status_of(hub, token) == 200, "the power of what follows: the token counts"
    assert not processes_with(token), "and is on no command line"
    return process, token


def nothing_left(hub: SmallHub, token: str) -> bool:
    return status_of(hub, token) == 403 and not kernels_with_tokens(hub) and not homes(hub)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_command_that_ends_takes_the_run_along(hub: SmallHub, how: signal.Signals) -> None:
    process, token = begun(hub)
    ends = len(events(hub, "report.end"))
    process.send_signal(how)
    _, said = process.communicate(timeout=100)
    if how is signal.SIGINT:
        assert process.returncode == 130 and "tout est arrêté" in said
        assert nothing_left(hub, token), "it waits for the end"
    until(lambda: nothing_left(hub, token))
    until(lambda: len(events(hub, "report.end")) > ends)
    assert events(hub, "report.end")[-1].details["outcome"] == "given-up"


def test_a_run_over_its_time_is_stopped_and_what_it_did_is_kept(hub: SmallHub, tmp_path: Path) -> None:
    template(hub, "trop-long", *ENDLESS)
    folder = tmp_path / "long"
    code, said = run(hub, "trop-long", "--seconds", "20", "--output", str(folder))
    assert code == 4 and "20 s" in said
    assert "commencé" in (folder / "trop-long.ipynb").read_text()
    assert json.loads((folder / "manifest.json").read_text())["outcome"] == "timed-out"
    assert not kernels_with_tokens(hub) and not homes(hub)


def test_a_project_that_is_suspended_has_no_run_any_more(hub: SmallHub) -> None:
    process, token = begun(hub)
    govern(hub, actions.suspend)
    try:
        _, said = process.communicate(timeout=100)
        assert process.returncode == 5 and "n'est plus ouvert" in said
        assert nothing_left(hub, token)
        assert events(hub, "report.end")[-1].details["outcome"] == "closed"
        code, said = run(hub, "sans-fin")
        assert code == 2 and "n'est pas ouvert" in said
        assert "is not open" in run(hub, "sans-fin", language="en_GB.UTF-8")[1]
    finally:
        govern(hub, actions.approve)


def govern(hub: SmallHub, action: Callable[..., object]) -> None:
    store = open_store(hub.settings)
    with store.change() as session:
        action(session, PROJECT, audit=store.recorder("test"))
    store.close()


def test_one_run_of_a_project_at_a_time(hub: SmallHub) -> None:
    process, token = begun(hub)
    code, said = run(hub, "sans-fin")
    assert code == 2 and "un à la fois" in said
    assert status_of(hub, token) == 200, "the other goes on"
    process.kill()
    process.communicate()
    until(lambda: nothing_left(hub, token))


# --- attacks -----------------------------------------------------------------------------------------------


LOOK = """
import os, json
from pathlib import Path
token = os.environ["P4DP_TOKEN"]
seen = {"environ": [], "cmdline": []}
for folder in Path("/proc").glob("[0-9]*"):
    for name in seen:
        try:
            if token.encode() in (folder / name).read_bytes():
                seen[name].append(int(folder.name) == os.getpid())
        except OSError:
            pass
print("vu", json.dumps(seen))
print("jeton", token)
print("envers", token[::-1])
print("hub", os.path.exists("/run/p4dp/hub"), "gateway", os.listdir("/run/p4dp/gateway"))
"""


def test_the_token_is_the_kernels_and_stays_in_it(hub: SmallHub, tmp_path: Path) -> None:
    """Attack: find the token elsewhere in the box, or carry it out in the notebook, and use it afterwards."""
    template(hub, "jeton", LOOK)
    folder = tmp_path / "jeton"
    code, said = run(hub, "jeton", "--output", str(folder))
    assert code == 0, said
    kept = [(folder / name).read_text() for name in ("jeton.ipynb", "jeton.html", "manifest.json")]
    page = kept[1]
    assert "vu {&quot;environ&quot;: [true], &quot;cmdline&quot;: []}" in page, "its own environment alone"
    token = page.partition("envers ")[2].split()[0][::-1]
    assert len(token) >= 32, "what means to can spell it, so it must be worth nothing:"
    assert status_of(hub, token) == 403
    assert not [text for text in [*kept, said, hub.log] if token in text]
    assert "hub False gateway ['gateway.sock']" in page.replace("&#x27;", "'")


PLANT = """
import os, signal
from pathlib import Path
target, planted = {target!r}, Path.home() / "report.ipynb"
planted.unlink()
planted.symlink_to(target)
runner = [int(f.name) for f in Path("/proc").glob("[0-9]*") if b"run_report" in (f / "cmdline").read_bytes()]
for process in runner:
    os.kill(process, signal.SIGKILL)
"""


def test_a_link_in_place_of_the_notebook_is_not_followed(hub: SmallHub, tmp_path: Path) -> None:
    """Attack: have the operators' command, which may read everything, copy out a key. (What it would do
    without its defence: tests/attacks/test_report_leavings.py.)"""
    key = hub.directory / "state" / "keys" / "reports"
    template(hub, "lien", PLANT.format(target=str(key)))
    folder = tmp_path / "lien"
    code, said = run(hub, "lien", "--output", str(folder))
    assert code == 1 and "n'est pas un fichier ordinaire" in said, said
    assert key.read_text().strip() not in said and not folder.exists()
    assert key.exists() and not homes(hub)


def test_nobody_starts_a_services_server_by_the_hubs_own_doors(hub: SmallHub) -> None:
    """Attack: an administrator's token, and options that look like a run."""
    hub.ask("POST", f"/hub/api/users/{SERVICE}")
    started = hub.ask("POST", f"/hub/api/users/{SERVICE}/servers/{PROJECT}", json={"run": {"template": "x"}})
    assert started.status_code == 403
    assert hub.start_server("ines", PROJECT).status_code in (201, 202), "the power of it: people's start"
    hub.ask("DELETE", f"/hub/api/users/ines/servers/{PROJECT}")


def test_the_operators_token_runs_reports_and_nothing_else(hub: SmallHub) -> None:
    token = (hub.directory / "state" / "keys" / "reports").read_text().strip()
    for method, path in (
        ("GET", "/hub/api/users"),
        ("POST", "/hub/api/users/eve"),
        ("POST", f"/hub/api/users/ines/servers/{PROJECT}"),
        ("POST", "/hub/api/users/ines/tokens"),
    ):
        assert hub.ask(method, path, token=token).status_code in (403, 404), path
    assert hub.ask("POST", "/hub/p4dp/reports/runs", token=token, json={}).status_code == 400, "it counts"
    assert hub.ask("POST", "/hub/p4dp/reports/runs", json={}).status_code == 403, "no other does"
    assert httpx.post(f"{hub.url}/hub/p4dp/reports/runs", json={}, timeout=60).status_code == 403


SERVE = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-m", "http.server", "8888", "--bind", "127.0.0.1"])
time.sleep(600)
"""


def test_nothing_of_a_run_reaches_a_browser(hub: SmallHub) -> None:
    """Attack: serve a page where a workspace's server would be."""
    template(hub, "page", SERVE)
    process = command(hub, "run", "page", "--project", PROJECT)
    token = token_of_run(hub)
    until(lambda: processes_with("8888"))
    until(lambda: hub.server(SERVICE, PROJECT).get("ready"))
    address = f"{hub.url}/user/{SERVICE}/{PROJECT}/"
    answer = httpx.get(address, headers={"Authorization": f"token {hub.token}"}, timeout=60)
    assert (answer.status_code, answer.content) == (404, b"")
    process.kill()
    process.communicate()
    until(lambda: nothing_left(hub, token))


def test_a_hub_that_is_killed_takes_the_run_along_and_revokes_its_token(hub: SmallHub) -> None:
    """The last test: this hub starts anew."""
    process, token = begun(hub)
    assert hub.hub is not None
    hub.hub.kill()
    _, said = process.communicate(timeout=100)
    assert process.returncode == 2 and "Le hub s'est arrêté" in said
    until(lambda: not kernels_with_tokens(hub))
    hub.stop_hub_and_its_proxy()
    hub.start_hub()
    until(lambda: status_of(hub, token) == 403)
    template(hub, "apres", "print(1)")
    assert run(hub, "apres")[0] == 0, "and runs again"
    assert not homes(hub), "what the other left is gone"
