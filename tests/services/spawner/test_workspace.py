"""One workspace of a real hub, from start to end: what it holds, what its tokens may do, and that nothing
is left of it.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from tests.services.spawner.conftest import SmallHub, descendants, gone, launchers, processes_with, until

pytestmark = pytest.mark.enclave

INES = ("ines", "these-ines")

ASK_GATEWAY = """
import httpx, json, os
transport = httpx.HTTPTransport(uds=os.environ["P4DP_GATEWAY_SOCKET"])
print(httpx.Client(transport=transport, base_url="http://gateway").get("/v1/whoami").text)
"""


@pytest.fixture(scope="module")
def workspace(small_hub: SmallHub) -> SmallHub:
    started = small_hub.start_server(*INES)
    assert started.status_code in (201, 202), small_hub.log[-3000:]
    assert small_hub.server(*INES)["ready"], small_hub.log[-3000:]
    return small_hub


def said(workspace: SmallHub, code: str) -> Any:
    return json.loads(workspace.run(*INES, f"import json, os\n{code}"))


@pytest.fixture(scope="module")
def variables(workspace: SmallHub) -> dict[str, str]:
    return said(workspace, "print(json.dumps(dict(os.environ)))")


def test_the_home_is_the_projects_and_has_the_template(workspace: SmallHub) -> None:
    assert said(workspace, "print(json.dumps([os.getcwd(), os.path.exists('prise-en-main.ipynb')]))") == [
        "/home/ines",
        True,
    ]
    home = workspace.settings.homes_dir / "these-ines" / "ines"
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "prise-en-main.ipynb").exists()


def test_the_gateway_answers_on_its_own_socket_and_knows_whose_it_is(workspace: SmallHub) -> None:
    answer = json.loads(workspace.run(*INES, ASK_GATEWAY))
    assert (answer["user"], answer["server"], answer["project"]) == ("ines", "these-ines", "these-ines")


def test_the_command_of_the_tutorial_answers_in_a_cell(workspace: SmallHub) -> None:
    said = workspace.run(*INES, "!p4dp whoami")
    assert "ines" in said and "these-ines" in said and "Sujet" in said, said


def test_nothing_of_the_hub_is_in_the_environment(variables: dict[str, str]) -> None:
    assert "JUPYTERHUB_CRYPT_KEY" not in variables
    assert not [name for name in variables if name.startswith("SMALL_HUB")]
    assert variables["P4DP_LANG"] == "fr"


def test_limits_hold_and_cant_be_raised(workspace: SmallHub) -> None:
    code = """
import resource
limit = resource.getrlimit(resource.RLIMIT_NPROC)
try: resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999)); raised = True
except (ValueError, OSError): raised = False
print(json.dumps([limit, raised]))
"""
    processes = workspace.settings.workspace.processes
    assert said(workspace, code) == [[processes, processes], False]


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
def test_the_exits_are_closed(workspace: SmallHub, method: str, path: str) -> None:
    workspace.run(*INES, "open('cohort.csv', 'w').write('a,b')")
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


@pytest.mark.parametrize("how", ["the launcher", "the hub"])
def test_a_kill_leaves_no_orphan(workspace: SmallHub, how: str) -> None:
    if not workspace.server(*INES).get("ready"):
        assert workspace.start_server(*INES).is_success, workspace.log[-5000:]
    (launcher,) = launchers(workspace)
    everyone = [launcher, *descendants(launcher)]
    assert len(everyone) >= 4
    victim = launcher if how == "the launcher" else workspace.hub.pid
    os.kill(victim, signal.SIGKILL)
    if how == "the hub":
        workspace.hub.wait()
    until(lambda: gone(everyone), 10)
    if how == "the launcher":
        until(lambda: not workspace.server(*INES), 20)


def test_a_hub_that_starts_again_clears_what_was_left(workspace: SmallHub) -> None:
    workspace.stop_hub_and_its_proxy()
    workspace.start_hub()
    until(lambda: not list(workspace.settings.bindings_dir.glob("*.json")), 20)
    assert workspace.server(*INES) == {}
    tokens = workspace.ask("GET", "/hub/api/users/ines/tokens").json()["api_tokens"]
    assert not [token for token in tokens if "gateway" in token["note"]]
    assert workspace.start_server(*INES).status_code in (201, 202)
    assert workspace.server(*INES)["ready"]


# what comes in and goes out by the browser


def test_nothing_is_uploaded_but_what_is_edited_here_is_saved(workspace: SmallHub) -> None:
    base = "/user/ines/these-ines/api/contents"
    source = {"type": "file", "format": "text", "content": "x = 1\n"}
    uploaded = {"type": "file", "format": "base64", "content": "eCA9IDEK"}
    notebook = {
        "type": "notebook",
        "content": {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []},
    }
    for name, model in (("a.py", source), ("b.csv", uploaded), ("c.ipynb", notebook)):
        answer = workspace.ask("PUT", f"{base}/{name}", json=model)
        assert (answer.status_code, "sas d'entrée" in answer.json()["message"]) == (403, True)
    made = workspace.ask("POST", base, json={"type": "file", "ext": ".py"})
    path = made.json()["path"]
    assert made.status_code == 201
    assert workspace.ask("PUT", f"{base}/{path}", json=source).status_code == 200
    assert workspace.ask("PUT", f"{base}/{path}", json=uploaded).status_code == 403, "nor over it"
    copied = workspace.ask("POST", base, json={"copy_from": "prise-en-main.ipynb"})
    assert copied.status_code == 201


def test_a_notebook_keeps_no_huge_output(workspace: SmallHub) -> None:
    base = "/user/ines/these-ines/api/contents"
    path = workspace.ask("POST", base, json={"type": "notebook"}).json()["path"]
    outputs = [{"output_type": "stream", "name": "stdout", "text": "v" * 2_000_000}]
    cell = {
        "cell_type": "code",
        "id": "a",
        "source": "",
        "metadata": {},
        "execution_count": 1,
        "outputs": outputs,
    }
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    saved = workspace.ask("PUT", f"{base}/{path}", json={"type": "notebook", "content": content})
    assert saved.status_code == 200
    kept = workspace.ask("GET", f"{base}/{path}").json()["content"]["cells"][0]["outputs"][0]["text"]
    assert "non enregistrée" in "".join(kept) and len("".join(kept)) < 500


def test_what_came_in_is_there_to_read_only(workspace: SmallHub) -> None:
    folder = workspace.settings.home / "entrees" / "these-ines"
    (folder / "analyse.py").write_text("x = 1\n")
    (folder / "analyse.py").chmod(0o644)
    base = "/user/ines/these-ines/api/contents"
    assert workspace.ask("GET", f"{base}/entrees/analyse.py").json()["content"] == "x = 1\n"
    source = {"type": "file", "format": "text", "content": "x = 2\n"}
    assert workspace.ask("PUT", f"{base}/entrees/analyse.py", json=source).status_code >= 400
    assert (folder / "analyse.py").read_text() == "x = 1\n"
