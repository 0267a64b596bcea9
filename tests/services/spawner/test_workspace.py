"""One workspace of a real hub, from start to end: what it holds, what its tokens may do, and that nothing
is left of it.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from hub_config.governance.audit import read_records
from tests.services.spawner.conftest import SmallHub, descendants, gone, launchers, processes_with, until

pytestmark = pytest.mark.enclave

INES = ("ines", "these-ines")

LOOK_AROUND = """
import contextlib, httpx, json, os, resource, subprocess
from pathlib import Path
Path("cohort.csv").write_text("a,b")
transport = httpx.HTTPTransport(uds=os.environ["P4DP_GATEWAY_SOCKET"])
limit = resource.getrlimit(resource.RLIMIT_NPROC)
try: resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999)); raised = True
except (ValueError, OSError): raised = False
print(json.dumps({
    "home": os.getcwd(),
    "template": os.path.exists("prise-en-main.ipynb"),
    "variables": dict(os.environ),
    "gateway": httpx.Client(transport=transport, base_url="http://gateway").get("/v1/whoami").json(),
    "whoami": subprocess.run(["p4dp", "whoami"], capture_output=True, text=True).stdout,
    "limit": limit,
    "raised": raised,
}))
"""


@pytest.fixture(scope="module")
def workspace(small_hub: SmallHub) -> SmallHub:
    started = small_hub.start_server(*INES)
    assert started.status_code in (201, 202), small_hub.log[-3000:]
    assert small_hub.server(*INES)["ready"], small_hub.log[-3000:]
    return small_hub


@pytest.fixture(scope="module")
def inside(workspace: SmallHub) -> dict[str, Any]:
    """What a cell finds there: one kernel for all that is asked."""
    return json.loads(workspace.run(*INES, LOOK_AROUND))


@pytest.fixture(scope="module")
def variables(inside: dict[str, Any]) -> dict[str, str]:
    return inside["variables"]


def events(workspace: SmallHub, what: str) -> list[Any]:
    settings = workspace.settings
    return [each for each in read_records(settings.audit_dir, settings.keys_dir) if each.what == what]


def test_the_home_is_the_projects_and_has_the_template(workspace: SmallHub, inside: dict[str, Any]) -> None:
    assert (inside["home"], inside["template"]) == ("/home/ines", True)
    home = workspace.settings.homes_dir / "these-ines" / "ines"
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "prise-en-main.ipynb").exists()


def test_the_gateway_answers_on_its_own_socket_and_knows_whose_it_is(inside: dict[str, Any]) -> None:
    answer = inside["gateway"]
    assert (answer["user"], answer["server"], answer["project"]) == ("ines", "these-ines", "these-ines")


def test_the_command_of_the_tutorial_answers_in_a_cell(inside: dict[str, Any]) -> None:
    said = inside["whoami"]
    assert "ines" in said and "these-ines" in said and "Sujet" in said, said


def test_nothing_of_the_hub_is_in_the_environment(variables: dict[str, str]) -> None:
    assert "JUPYTERHUB_CRYPT_KEY" not in variables
    assert not [name for name in variables if name.startswith("SMALL_HUB")]
    assert variables["P4DP_LANG"] == "fr"


def test_limits_hold_and_cant_be_raised(workspace: SmallHub, inside: dict[str, Any]) -> None:
    processes = workspace.settings.workspace.processes
    assert (inside["limit"], inside["raised"]) == ([processes, processes], False)


def test_the_log_says_who_began_what_and_from_where(workspace: SmallHub) -> None:
    begun = events(workspace, "workspace.start")[0]
    assert (begun.who, begun.project, begun.decision) == (*INES, "allowed")
    assert begun.where == "address:127.0.0.1"


# what the tokens may do

FORBIDDEN = [
    ("GET", "/hub/api/users", None),
    ("GET", "/hub/api/users/rachid", None),
    ("GET", "/hub/api/groups", None),
    ("GET", "/hub/api/proxy", None),
    ("POST", "/hub/api/users/ines/servers/bac-a-sable", None),
    ("DELETE", "/hub/api/users/ines/servers/these-ines", None),
    ("POST", "/hub/api/users/ines/tokens", {"note": "mine"}),
    ("GET", "/hub/api/users/ines/tokens", None),
    ("POST", "/hub/api/users/somebody", None),
    ("POST", "/hub/api/shutdown", None),
]


@pytest.mark.parametrize("name", ["JUPYTERHUB_API_TOKEN", "P4DP_TOKEN"])
@pytest.mark.parametrize(("method", "path", "body"), FORBIDDEN, ids=lambda value: str(value))
def test_neither_token_rules_the_hub(
    workspace: SmallHub, variables: dict[str, str], name: str, method: str, path: str, body: object
) -> None:
    workspace.ask("POST", "/hub/api/users/rachid")
    answer = workspace.ask(method, path, token=variables[name], json=body)
    assert answer.status_code in (403, 404), answer.text
    assert workspace.ask("GET", "/hub/api/users").status_code == 200  # the question itself is a good one


def test_the_tokens_carry_these_scopes_and_no_other(workspace: SmallHub, variables: dict[str, str]) -> None:
    def scopes(name: str) -> set[str]:
        return set(workspace.ask("GET", "/hub/api/user", token=variables[name]).json()["scopes"])

    identity = {"read:users:name!user=ines", "read:users:groups!user=ines"}
    assert scopes("P4DP_TOKEN") - identity == {"custom:p4dp:query!server=ines/these-ines"}
    assert scopes("JUPYTERHUB_API_TOKEN") - identity == {
        "users:activity!user=ines",
        "read:users:activity!user=ines",
    }


def test_the_token_of_one_workspace_does_not_open_another(
    workspace: SmallHub, variables: dict[str, str]
) -> None:
    for name in ("JUPYTERHUB_API_TOKEN", "P4DP_TOKEN"):
        answer = workspace.ask("GET", "/user/ines/these-ines/api/contents", token=variables[name])
        assert answer.status_code == 403


# the server's exits


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/files/prise-en-main.ipynb"),
        ("GET", "/nbconvert/html/prise-en-main.ipynb?download=true"),
        ("GET", "/api/nbconvert"),
        ("GET", "/terminals/1"),
        ("POST", "/api/terminals"),
        ("GET", "/lab/api/extensions?query=x"),
        ("GET", "/api/contents/cohort.csv"),
        ("GET", "/custom/custom.css"),
    ],
)
def test_the_exits_are_closed(workspace: SmallHub, inside: dict[str, Any], method: str, path: str) -> None:
    answer = workspace.ask(method, f"/user/ines/these-ines{path}")
    assert answer.status_code in (403, 404, 405) or (path.startswith("/lab/api") and answer.json() == [])


def test_notebooks_open_and_files_are_listed(workspace: SmallHub) -> None:
    base = "/user/ines/these-ines/api/contents"
    assert workspace.ask("GET", f"{base}/prise-en-main.ipynb").json()["content"]["nbformat"] == 4
    names = [entry["name"] for entry in workspace.ask("GET", base).json()["content"]]
    assert "prise-en-main.ipynb" in names


def test_the_page_is_french_and_holds_to_its_own_origin(workspace: SmallHub) -> None:
    page = workspace.ask("GET", "/user/ines/these-ines/lab")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "script-src 'self' 'unsafe-eval' 'sha256-" in policy
    assert "terminal-extension" in page.text  # among the disabled
    settings = workspace.ask("GET", "/user/ines/these-ines/lab/api/settings").json()["settings"]
    locale = next(s for s in settings if s["id"] == "@jupyterlab/translation-extension:plugin")
    assert locale["schema"]["properties"]["locale"]["default"] == "fr_FR"


# refusals


@pytest.mark.parametrize(
    ("user", "project", "words"),
    [
        ("ines", "modeles-rachid", "n'en êtes pas membre"),
        ("ines", "no-such-project", "n'en êtes pas membre"),
        ("ines", "", "appartient toujours à un projet"),
    ],
    ids=["another's project", "no project", "no name"],
)
def test_no_workspace_without_a_project_of_ones_own(
    workspace: SmallHub, user: str, project: str, words: str
) -> None:
    answer = workspace.ask("POST", f"/hub/api/users/{user}/server{'s/' + project if project else ''}")
    assert answer.status_code in (400, 403)
    assert words in answer.json()["message"]
    assert processes_with(f"{user}:{project}") == []


def test_a_dead_gateway_opens_nothing_and_says_so(workspace: SmallHub) -> None:
    assert workspace.gateway is not None
    workspace.gateway.kill()
    workspace.gateway.wait()
    before = sorted(workspace.settings.bindings_dir.iterdir())
    answer = workspace.start_server("rachid", "modeles-rachid")
    assert answer.status_code == 503
    assert "passerelle" in answer.json()["message"]
    assert sorted(workspace.settings.bindings_dir.iterdir()) == before
    (workspace.runtime_dir / "gateway.sock").unlink()
    for socket in workspace.settings.sockets_dir.glob("*/gateway.sock"):
        socket.unlink()
    workspace.start_gateway()


# the end


def test_stopping_leaves_nothing(workspace: SmallHub) -> None:
    workspace.start_server("rachid", "modeles-rachid")
    assert workspace.server("rachid", "modeles-rachid")["ready"], workspace.log[-2000:]
    token = workspace.run("rachid", "modeles-rachid", "import os; print(os.environ['P4DP_TOKEN'])").strip()
    assert workspace.ask("GET", "/hub/api/user", token=token).status_code == 200
    bindings = len(list(workspace.settings.bindings_dir.glob("*.json")))
    stopped = workspace.ask("DELETE", "/hub/api/users/rachid/servers/modeles-rachid")
    assert stopped.status_code in (202, 204)
    until(lambda: len(launchers(workspace)) == 1)
    assert workspace.ask("GET", "/hub/api/user", token=token).status_code == 403
    assert len(list(workspace.settings.bindings_dir.glob("*.json"))) == bindings - 1
    assert len(list(workspace.settings.sockets_dir.iterdir())) == bindings - 1
    ended = until(lambda: events(workspace, "workspace.stop"))[-1]
    assert (ended.who, ended.where) == ("rachid", "address:127.0.0.1")
    assert ended.details["bytes"] > 0, "what went to the browser is counted"


def everyone_of(workspace: SmallHub) -> list[int]:
    """The processes of the one workspace that runs, its launcher first."""
    (launcher,) = launchers(workspace)
    everyone = [launcher, *descendants(launcher)]
    assert len(everyone) >= 4
    return everyone


def test_a_kill_of_the_hub_leaves_no_orphan(workspace: SmallHub) -> None:
    everyone = everyone_of(workspace)
    assert workspace.hub is not None
    workspace.hub.kill()
    workspace.hub.wait()
    until(lambda: gone(everyone))


def test_a_hub_that_starts_again_clears_what_was_left(workspace: SmallHub) -> None:
    workspace.stop_hub_and_its_proxy()
    workspace.start_hub()
    until(lambda: not list(workspace.settings.bindings_dir.glob("*.json")))
    assert workspace.server(*INES) == {}
    tokens = workspace.ask("GET", "/hub/api/users/ines/tokens").json()["api_tokens"]
    assert not [token for token in tokens if "gateway" in token["note"]]
    assert workspace.start_server(*INES).status_code in (201, 202)
    assert workspace.server(*INES)["ready"]


# what comes in and goes out by the browser


def test_the_server_takes_the_enclave_s_rules_of_what_is_saved(workspace: SmallHub) -> None:
    """Which these are: `tests/attacks/test_exits_saves.py`."""
    base = "/user/ines/these-ines/api/contents"
    source = {"type": "file", "format": "text", "content": "x = 1\n"}
    uploaded = workspace.ask("PUT", f"{base}/a.py", json=source)
    assert (uploaded.status_code, "sas d'entrée" in uploaded.json()["message"]) == (403, True)
    made = workspace.ask("POST", base, json={"type": "file", "ext": ".py"})
    assert workspace.ask("PUT", f"{base}/{made.json()['path']}", json=source).status_code == 200
    assert workspace.ask("POST", base, json={"copy_from": "prise-en-main.ipynb"}).status_code == 201


def test_what_came_in_is_there_to_read_only(workspace: SmallHub) -> None:
    folder = workspace.settings.home / "entrees" / "these-ines"
    (folder / "analyse.py").write_text("x = 1\n")
    (folder / "analyse.py").chmod(0o644)
    base = "/user/ines/these-ines/api/contents"
    assert workspace.ask("GET", f"{base}/entrees/analyse.py").json()["content"] == "x = 1\n"
    source = {"type": "file", "format": "text", "content": "x = 2\n"}
    assert workspace.ask("PUT", f"{base}/entrees/analyse.py", json=source).status_code >= 400
    assert (folder / "analyse.py").read_text() == "x = 1\n"


def test_a_kill_of_the_launcher_leaves_no_orphan(workspace: SmallHub) -> None:
    """Last: the workspace that all tests share is gone."""
    everyone = everyone_of(workspace)
    os.kill(everyone[0], signal.SIGKILL)
    until(lambda: gone(everyone))
    until(lambda: not workspace.server(*INES))
