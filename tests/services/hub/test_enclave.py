"""The whole enclave, started as people start it: log in, open a workspace, be removed, stop all of it.

One small enclave serves the tests of this file; the last ones stop it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from hub_config.identity import provider
from hub_config.identity.accounts import read_accounts
from hub_config.origins import SERVICES
from hub_config.settings import Settings
from hub_config.up import ports
from hub_config.up.processes import descendants
from hub_config.up.programs import answers
from tests.services.hub.whole import (
    CHECKOUT,
    FLAGS,
    SITE_MODULES,
    Enclave,
    all_stopped,
    boxes,
    hub_answers,
    kernel_token,
    open_workspace,
    start,
    stop_workspace,
    text_of,
    wait,
)

pytestmark = pytest.mark.enclave


@pytest.fixture(scope="module")
def enclave(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    place = tmp_path_factory.mktemp("enclave")
    running = start(place / "home", free_ports(), place / "output")
    yield running
    if running.process.poll() is None:
        running.process.terminate()
        running.process.wait(200)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    context = browser.new_context()
    context.set_default_timeout(90_000)
    yield context.new_page()
    context.close()


def test_passwords_are_printed_the_first_time(enclave):
    text = enclave.output.read_text()
    for user in ("ines", "rachid", "diane"):
        assert read_accounts(provider.accounts_file(enclave.settings))[user].password in text
    assert enclave.settings.hub_url in text and "demo-code" in text


def test_status_says_what_runs(enclave):
    answer = enclave.command("status")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    parts = ("hub", "gateway", "airlock", "register", "proxy", "identity provider", "these-ines", "preset A")
    for part in parts:
        assert part in answer.stdout


def test_a_person_logs_in_and_sees_their_projects(enclave, page):
    enclave.log_in(page, "ines")
    assert page.locator("[data-project]").evaluate_all("all => all.map(one => one.dataset.project)") == [
        "these-ines",
        "bac-a-sable",
    ]
    assert page.locator("html").get_attribute("lang") == "fr"
    assert "données synthétiques" in page.inner_text("body")
    page.click("text=English")
    assert page.locator("html").get_attribute("lang") == "en"
    assert "synthetic data only" in page.inner_text("body")


def test_cookies_do_not_mix(enclave, page):
    enclave.log_in(page, "ines")
    hosts = {(cookie["name"], cookie["domain"]) for cookie in page.context.cookies()}
    of_hub = {name for name, domain in hosts if domain.lstrip(".") == "p4dp.localhost"}
    of_identity = {name for name, domain in hosts if domain == "identity.localhost"}
    assert "jupyterhub-hub-login" in of_hub and "canaille" in of_identity
    assert not of_hub & of_identity
    assert ("jupyterhub-hub-login", "p4dp.localhost") in hosts, "the hub's cookie is the hub's alone"


@pytest.mark.parametrize("site", SERVICES)
def test_a_site_opens_on_its_own_origin_without_a_question_and_ends_with_the_log_in(enclave, page, site):
    address = f"{enclave.settings.service_url(site)}/"
    enclave.log_in(page, "ines")
    page.click(f"[data-office={site}] a")
    assert page.url.startswith(address) and page.inner_text(".who") == "Inès Martin"
    named = {cookie["name"]: cookie for cookie in page.context.cookies(address)}
    assert named[f"p4dp-{site}"]["httpOnly"] and named[f"p4dp-{site}"]["sameSite"] == "Lax"
    assert "jupyterhub-hub-login" not in named and not [name for name in named if "_xsrf" in name]
    page.goto(enclave.url("/hub/logout"))
    page.goto(address)
    assert page.url.startswith(enclave.settings.issuer), "the hub's end is the site's"


def test_who_leaves_a_site_leaves_the_hub(enclave, page):
    enclave.log_in(page, "dora")
    page.goto(enclave.settings.service_url("register"))
    page.click("text=Se déconnecter")
    page.wait_for_url(f"{enclave.settings.issuer}/**")
    page.goto(enclave.url("/hub/home"))
    assert page.url.startswith(enclave.settings.issuer)


@pytest.mark.parametrize(
    "path", ["/hub/spawn/ines/modeles-rachid", "/hub/spawn/ines", "/hub/spawn/rachid/modeles-rachid"]
)
def test_a_workspace_of_others_is_refused_with_the_reason(enclave, page, path):
    enclave.log_in(page, "ines")
    answer = page.goto(enclave.url(f"/hub/spawn/{path}"))
    assert answer.status in (403, 404)
    assert page.locator("main").inner_text().strip()
    assert "Traceback" not in page.content()


def test_people_make_no_tokens(enclave, page):
    """Through the API, with the person's own cookie: tokens, other servers, other people."""
    enclave.log_in(page, "ines")
    ask = """async ([path, method]) => {
        const xsrf = document.cookie.match(/_xsrf=([^;]+)/)[1];
        const headers = {"X-XSRFToken": xsrf, "Content-Type": "application/json"};
        const answer = await fetch(path, {method, headers, body: method === "GET" ? undefined : "{}"});
        return answer.status;
    }"""
    for path, method, statuses in (
        ("/hub/api/user", "GET", (200,)),  # the power of the others: the cookie does count
        ("/hub/api/users/ines/tokens", "POST", (403, 404)),
        ("/hub/api/users/ines/tokens", "GET", (403, 404)),
        ("/hub/api/users", "GET", (403,)),
        ("/hub/api/users/rachid", "GET", (403, 404)),
        ("/hub/api/users/ines/servers/modeles-rachid", "POST", (403,)),
        ("/hub/api/users/ines/server", "POST", (400, 403)),
        ("/hub/api/users/rachid/servers/modeles-rachid", "POST", (403, 404)),
        ("/hub/api/proxy", "GET", (403,)),
        ("/hub/api/shutdown", "POST", (403,)),
    ):
        assert page.evaluate(ask, [path, method]) in statuses, (path, method)


@pytest.mark.parametrize("path", ["/hub/token", "/hub/admin", "/hub/no-such-page"])
def test_pages_without_use_are_closed(enclave, page, path):
    enclave.log_in(page, "admin")
    assert page.goto(enclave.url(path)).status == 404
    assert "Page introuvable" in page.inner_text("main")
    assert page.inner_text(".who") == "Alice Garnier"


def test_the_plain_address_leads_to_the_right_one(enclave, page):
    page.goto(f"http://localhost:{enclave.settings.port}/")
    assert page.url.startswith("http://identity.localhost:")
    assert "p4dp.localhost" in page.context.cookies(enclave.settings.hub_url)[0]["domain"]


def test_a_workspace_starts_on_its_own_origin_and_stops(enclave, page):
    enclave.log_in(page, "ines")
    title = page.inner_text("#titre-these-ines")
    page.click("[data-project=these-ines] a.button")
    assert f"« {title} »" in page.inner_text("#demarrage")
    assert page.inner_text(".who") == "Inès Martin"
    open_workspace(enclave, page, "these-ines")
    own = f"http://these-ines--ines.p4dp.localhost:{enclave.settings.port}"
    assert page.url.startswith(f"{own}/user/ines/these-ines/lab")
    shared = f"http://ines.p4dp.localhost:{enclave.settings.port}"
    page.goto(f"{shared}/user/ines/these-ines/lab")  # an address of before leads there too
    assert page.url.startswith(f"{own}/user/ines/these-ines/lab")
    stop_workspace(enclave, page, "these-ines")


# Attack: from the page of one project, read another of the same person, with the browser's own cookies.
READ = """async (address) => {
    try { return (await fetch(address, {mode: "no-cors"})).status } catch (refused) { return 0 }
}"""


def test_a_project_cannot_reach_another_of_the_same_person(enclave, page):
    enclave.log_in(page, "ines")
    open_workspace(enclave, page, "these-ines")
    target = f"{origin(page)}/user/ines/these-ines/api/contents/"
    assert page.evaluate(READ, target) == 200, "undefended, on one origin: the attack is a good one"
    open_workspace(enclave, page, "bac-a-sable")
    assert "these-ines" not in origin(page)
    for address in (target, f"{origin(page)}/user/ines/these-ines/api/contents/"):
        assert page.evaluate(READ, address) in (0, 404), address
    names = {cookie["name"] for cookie in page.context.cookies(f"{origin(page)}/user/ines/these-ines/")}
    assert not [name for name in names if "these-ines" in name]
    for project in ("these-ines", "bac-a-sable"):
        stop_workspace(enclave, page, project)


def origin(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


def test_a_removed_person_is_out_and_their_workspace_stops(enclave, page):
    enclave.log_in(page, "rachid")
    register = enclave.settings.service_url("register")
    page.goto(register)
    assert page.inner_text(".who") == "Rachid Benali"
    open_workspace(enclave, page, "modeles-rachid")
    assert boxes(enclave)
    token = kernel_token(enclave)
    assert hub_answers(enclave, token) == 200, "the power of the rest: the token counts"
    provider.run_canaille(
        CHECKOUT, provider.directory(enclave.settings), "set", "user", "rachid", "--quiet",
        "--lock-date", "2020-01-01T00:00:00+00:00",
    )  # fmt: skip
    time.sleep(enclave.settings.identity.refresh_seconds)
    assert hub_answers(enclave, token) in (401, 403), "what the gateway asks of the hub is refused too"
    for address in (register, enclave.url("/hub/home")):
        page.goto(address)
        assert page.url.startswith(enclave.settings.issuer), address
    wait(lambda: not boxes(enclave), 90)


def test_a_report_runs_without_a_person(enclave, tmp_path):
    """A project with individual data: the template asks for rows at its end, and is refused them."""
    folder = tmp_path / "rapport"
    done = enclave.command(
        *("report", "run", "prise-en-main", "--project", "modeles-rachid", "-p", "code_diagnostic=K86"),
        *("--output", str(folder)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = (folder / "prise-en-main.html").read_text()
    assert "Prise en main" in page and "K86" in page and "<img" in page and "<script" not in page
    assert "Votre projet a droit aux lignes" not in page
    asked = enclave.command("audit", "export", "--format", "jsonl").stdout
    manifest = json.loads((folder / "manifest.json").read_text())
    assert len(manifest["requests"]) > 5 and all(number in asked for number in manifest["requests"])
    assert "svc-modeles-rachid" in asked and "report.start" in asked and "report.end" in asked
    assert not boxes(enclave)


def test_no_secret_is_in_a_log(enclave):
    logs = "".join(path.read_text(errors="replace") for path in (enclave.settings.home / "logs").iterdir())
    assert "User logged in: ines" in logs, "the power of this test: the logs are the logs"
    accounts = read_accounts(provider.accounts_file(enclave.settings)).values()
    keys = [text_of(path).strip() for path in enclave.settings.keys_dir.rglob("*") if path.is_file()]
    secrets = [*keys, *(item.password for item in accounts), *(item.otp_secret for item in accounts)]
    assert not [secret[:4] for secret in secrets if secret and secret in logs]
    assert not re.findall(r"eyJ[\w-]{20,}\.", logs), "no token"
    assert not re.findall(r"(?:code|token)=[A-Za-z0-9_-]{20,}", logs)


def test_everything_of_the_home_is_private(enclave):
    loose = [
        path
        for path in enclave.settings.home.iterdir()
        if path.name != "homes" and path.stat().st_mode & 0o077 and path.is_file()
    ]
    assert not loose
    assert enclave.settings.home.stat().st_mode & 0o077 == 0


def test_a_proxy_that_dies_comes_back(enclave):
    (proxy,) = [p for p in descendants(enclave.process.pid) if p.command[:1] and "traefik" in p.command[0]]
    os.kill(proxy.pid, signal.SIGKILL)
    is_up = answers(enclave.settings.port, enclave.settings.hub_url, "/hub/health")
    wait(lambda: proxy.pid not in {p.pid for p in descendants(enclave.process.pid) if p.state != "Z"}, 60)
    wait(is_up, 90)


def test_sites_that_die_come_back(enclave):
    processes = [p for p in descendants(enclave.process.pid) if {*SITE_MODULES} & {*p.command}]
    are_up = [
        answers(enclave.settings.port, enclave.settings.service_url(site), "/health") for site in SERVICES
    ]
    assert len(processes) == len(SERVICES) and all(is_up() for is_up in are_up)
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)
    killed = {process.pid for process in processes}
    wait(lambda: not killed & {p.pid for p in descendants(enclave.process.pid) if p.state != "Z"}, 60)
    wait(lambda: all(is_up() for is_up in are_up), 120)  # the hub looks every half minute


def test_ctrl_c_stops_all_of_it_and_the_data_stay(enclave, page):
    enclave.log_in(page, "ines")
    open_workspace(enclave, page, "these-ines")
    with all_stopped(enclave):
        os.kill(enclave.process.pid, signal.SIGINT)
        assert enclave.process.wait(200) == 0
    text = enclave.output.read_text()
    assert "Everything is stopped" in text and "killed process" not in text
    assert enclave.command("status").returncode == 3


def test_the_second_start_is_quick_keeps_the_data_and_survives_being_killed(enclave, tmp_path, page):
    again = start(enclave.settings.home, enclave.settings.port, tmp_path / "output")
    text = again.output.read_text()
    assert "patients" not in text, "nothing is synthesised again"
    passwords = [item.password for item in read_accounts(provider.accounts_file(enclave.settings)).values()]
    assert not [password for password in passwords if password in text]
    again.log_in(page, "ines")
    open_workspace(again, page, "these-ines")
    with all_stopped(again):
        again.process.kill()
        again.process.wait(60)


def free_ports() -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            base = int(probe.getsockname()[1])
        if base <= 65000 and ports.busy_message(Settings(home=Path("/nowhere"), port=base)) is None:
            return base
