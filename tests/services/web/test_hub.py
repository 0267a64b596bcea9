"""The sites' log-in at a real hub: what it gives to whom, and to nobody else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hub_config.governance.roles import Person, Role
from hub_config.settings import Settings
from hub_config.web.hub import HubClient, HubSilent

CHECKOUT = Path(__file__).parents[3]
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REFRESHED = 1.1  # the hub's own pace; the sites' is every request
PEOPLE = "ines:interne\ndiane:medecin-dim,cse\nzoe:parking"


@dataclass
class Hub:
    settings: Settings
    tester: str
    secret: str
    clients: list[HubClient] = field(default_factory=list)
    browsers: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}/hub"

    def people(self, text: str = PEOPLE) -> None:
        (self.settings.home / "people").write_text(text)

    def client(self, service: str, secret: str = "") -> HubClient:
        redirect = f"{self.settings.service_url(service)}/oauth_callback"
        client = HubClient(f"{self.url}/api", service, secret or self.secret + service, redirect)
        self.clients.append(client)
        return client

    def browser(self, name: str) -> httpx.Client:
        """Somebody's, logged in at the hub."""
        browser = httpx.Client(base_url=self.url, timeout=60)
        self.browsers.append(browser)
        page = browser.get("/login")
        form = {"username": name, "password": "", "_xsrf": browser.cookies.get("_xsrf", path="/hub/")}
        assert page.status_code == 200
        assert browser.post("/login", data=form).status_code == 302
        return browser

    def authorise(self, browser: httpx.Client, service: str, **changes: str) -> httpx.Response:
        query = {
            "client_id": f"service-{service}",
            "redirect_uri": f"{self.settings.service_url(service)}/oauth_callback",
            "response_type": "code",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        parameters = {name: value for name, value in {**query, **changes}.items() if value}
        return browser.get("/api/oauth2/authorize", params=parameters)

    def code(self, browser: httpx.Client, service: str) -> str:
        """Without a question to the person."""
        answer = self.authorise(browser, service)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        assert back.netloc == urlsplit(self.settings.service_url(service)).netloc
        return parse_qs(back.query)["code"][0]

    async def token(self, name: str, service: str) -> str:
        token = await self.client(service).exchange(self.code(self.browser(name), service), VERIFIER)
        assert token
        return token


@pytest.fixture
async def hub(running: Hub) -> AsyncIterator[Hub]:
    yield running
    for client in running.clients:
        await client.close()
    for browser in running.browsers:
        browser.close()
    running.clients, running.browsers = [], []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    home = tmp_path_factory.mktemp("hub")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    hub = Hub(Settings(home=home, port=port), secrets.token_hex(16), secrets.token_hex(16))
    hub.people()
    environment = {
        **os.environ,
        "P4DP_HOME": str(home),
        "P4DP_PORT": str(port),
        "TESTER_TOKEN": hub.tester,
        "SITE_TOKEN": hub.secret,
        "PYTHONPATH": str(CHECKOUT),
    }
    command = [sys.executable, "-m", "jupyterhub", "-f", str(Path(__file__).with_name("hub_for_sites.py"))]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 200
        while not answers(hub.url):
            assert process.poll() is None and time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.1)
        yield hub
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=60).is_success
    except httpx.TransportError:
        return False


async def test_a_person_is_known_by_name_full_name_and_roles(hub: Hub) -> None:
    token = await hub.token("diane", "airlock")
    person = await hub.client("airlock").person_of(token)
    assert person == Person("diane", "Diane Martin", frozenset({Role.MEDECIN_DIM, Role.CSE}))


async def test_a_token_of_one_service_is_nothing_to_the_other(hub: Hub) -> None:
    token = await hub.token("ines", "airlock")
    assert await hub.client("airlock").person_of(token) is not None
    assert await hub.client("register").person_of(token) is None


async def test_a_code_of_one_service_is_nothing_to_the_other(hub: Hub) -> None:
    code = hub.code(hub.browser("ines"), "airlock")
    assert await hub.client("register").exchange(code, VERIFIER) is None


async def test_a_code_is_good_once_and_with_its_verifier_only(hub: Hub) -> None:
    browser, airlock = hub.browser("ines"), hub.client("airlock")
    assert await airlock.exchange(hub.code(browser, "airlock"), "w" * 64) is None
    assert (
        await hub.client("airlock", "not the secret").exchange(hub.code(browser, "airlock"), VERIFIER) is None
    )
    code = hub.code(browser, "airlock")
    assert await airlock.exchange(code, VERIFIER)
    assert await airlock.exchange(code, VERIFIER) is None


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example/oauth_callback"},
        {"redirect_uri": "http://registre.p4dp.localhost/oauth_callback"},
        {"code_challenge": ""},
    ],
    ids=str,
)
def test_a_log_in_leads_back_to_the_service_alone_and_with_pkce(hub: Hub, change: dict[str, str]) -> None:
    answer = hub.authorise(hub.browser("ines"), "airlock", **change)
    assert "code=" not in answer.headers.get("location", "")
    assert "evil" not in answer.headers.get("location", "")


async def test_the_token_may_say_who_and_no_more(hub: Hub) -> None:
    token = await hub.token("ines", "airlock")
    headers = {"Authorization": f"token {token}"}
    model = httpx.get(f"{hub.url}/api/user", headers=headers, timeout=60).json()
    assert set(model["scopes"]) == {
        "access:services!service=airlock",
        "read:users:groups!user=ines",
        "read:users:name!user=ines",
    }
    for path in ("users", "users/diane", "users/ines/tokens", "services", "proxy"):
        assert httpx.get(f"{hub.url}/api/{path}", headers=headers, timeout=60).status_code in (403, 404), path


async def test_a_cookie_or_another_token_of_the_person_tells_a_service_nothing(hub: Hub) -> None:
    assert hub.browser("ines").get("/p4dp/visitor/airlock", timeout=60).status_code == 403
    assert httpx.get(f"{hub.url}/p4dp/visitor/airlock", timeout=60).status_code == 403
    own = {"Authorization": f"token {hub.secret}airlock"}
    assert httpx.get(f"{hub.url}/p4dp/visitor/airlock", headers=own, timeout=60).status_code == 403
    for scopes in (["custom:p4dp:query!user=ines"], ["access:services!service=airlock"]):
        made = httpx.post(
            f"{hub.url}/api/users/ines/tokens",
            headers={"Authorization": f"token {hub.tester}"},
            json={"scopes": scopes},
            timeout=60,
        )
        assert made.status_code == 201, made.text
        assert await hub.client("airlock").person_of(made.json()["token"]) is None


async def test_who_leaves_the_hub_is_out_of_the_services(hub: Hub) -> None:
    browser, airlock = hub.browser("ines"), hub.client("airlock")
    token = await airlock.exchange(hub.code(browser, "airlock"), VERIFIER)
    assert token and await airlock.person_of(token)
    browser.get("/logout")
    assert await airlock.person_of(token) is None


async def test_who_is_put_out_is_out_and_a_role_taken_back_is_gone(hub: Hub) -> None:
    token, airlock = await hub.token("diane", "airlock"), hub.client("airlock")
    try:
        hub.people("diane:cse")
        await asyncio.sleep(REFRESHED)
        person = await airlock.person_of(token)
        assert person and person.roles == {Role.CSE}
        hub.people("ines:interne")
        await asyncio.sleep(REFRESHED)
        assert await airlock.person_of(token) is None
    finally:
        hub.people()


async def test_who_has_no_role_here_is_nobody(hub: Hub) -> None:
    assert await hub.client("airlock").person_of(await hub.token("zoe", "airlock")) is None


@pytest.mark.parametrize("token", ["", "x", "é", "a b", "x" * 5000, "x\r\nX: y"])
async def test_nonsense_is_nobody(hub: Hub, token: str) -> None:
    assert await hub.client("airlock").person_of(token) is None


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"groups": ["dpo"]}', '{"groups": ["dpo"], "name": 1}'])
async def test_an_answer_that_is_no_answer_lets_nobody_in(answer: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=answer))
    client = HubClient("http://hub/api", "airlock", "s", "r", httpx.AsyncClient(transport=transport))
    with suppress(HubSilent):
        assert await client.person_of("token") is None
    with pytest.raises(HubSilent):
        await client.exchange("code", "verifier")


@pytest.mark.parametrize("status", [302, 404, 429, 500, 502, 503])
async def test_a_hub_in_trouble_lets_nobody_in_and_puts_nobody_out(status: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json={"groups": ["dpo"]}))
    client = HubClient("http://hub/api", "airlock", "s", "r", httpx.AsyncClient(transport=transport))
    with pytest.raises(HubSilent):
        await client.person_of("token")
