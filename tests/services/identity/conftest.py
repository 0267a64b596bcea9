"""The laptop's real identity provider, started for these tests, and a person who fills in its forms."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hub_config.identity import provider
from hub_config.identity.accounts import Secrets, read_accounts
from hub_config.identity.tokens import nonce_for
from hub_config.settings import Settings
from tests import one_time

CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Running:
    settings: Settings

    @property
    def host(self) -> str:
        return urlsplit(self.settings.issuer).netloc

    @property
    def accounts(self) -> dict[str, Secrets]:
        return dict(read_accounts(provider.accounts_file(self.settings)))

    def client(self) -> httpx.Client:
        base = f"http://127.0.0.1:{self.settings.identity_port}"
        return httpx.Client(base_url=base, headers={"Host": self.host}, timeout=60)

    def code(self, username: str) -> str:
        return one_time.code(self.accounts[username])

    def administer(self, *arguments: str) -> None:
        provider.run_canaille(CHECKOUT, provider.directory(self.settings), *arguments)


@dataclass
class Browser:
    """Follows redirects inside the provider by hand, since its name need not resolve here."""

    running: Running
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    page: httpx.Response | None = None

    def __post_init__(self) -> None:
        self.http = self.running.client()

    def authorize(self, **changes: str) -> httpx.Response:
        settings = self.running.settings
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "client_id": settings.identity.client_id,
            "redirect_uri": f"{settings.hub_url}/hub/oauth_callback",
            "scope": "openid profile groups",
            "state": "s",
            "nonce": nonce_for(self.verifier),
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        parameters = {name: value for name, value in {**query, **changes}.items() if value}
        return self.follow(self.http.get("/oauth/authorize", params=parameters))

    def follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.is_redirect:
            target = urlsplit(answer.headers["location"])
            if target.netloc not in ("", self.running.host):
                break
            answer = self.http.get(f"{target.path}?{target.query}" if target.query else target.path)
        self.page = answer
        return answer

    def submit(self, **values: str) -> httpx.Response:
        assert self.page is not None
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.page.text)
        assert token, self.page.text[:2000]
        path = self.page.request.url.raw_path.decode()
        return self.follow(self.http.post(path, data={"csrf_token": token.group(1), **values}))

    def log_in(self, username: str) -> str:
        """Returns the authorization code."""
        secret = self.running.accounts[username]
        self.authorize()
        self.submit(login=username)
        self.submit(password=secret.password)
        return code_of(self.submit(otp=self.running.code(username)))


def code_of(answer: httpx.Response) -> str:
    assert answer.is_redirect, answer.text[:2000]
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), port=_free_ports())
    provider.prepare(settings, CHECKOUT)
    with _served(Running(settings), provider.command(settings, CHECKOUT)):
        yield Running(settings)


@pytest.fixture(scope="module")
def undefended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Canaille as it comes, with our accounts: what the closed paths defend against."""
    settings = Settings(home=tmp_path_factory.mktemp("bare"), port=_free_ports())
    provider.prepare(settings, CHECKOUT)
    bare = [*provider.command(settings, CHECKOUT)[:-1], "canaille.hypercorn.app:create_app()"]
    with _served(Running(settings), bare):
        yield Running(settings)


@contextmanager
def _served(running: Running, command: list[str]) -> Iterator[None]:
    settings = running.settings
    with (settings.home / "identity.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=provider.environment(settings), stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait(running, process)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


@pytest.fixture
def make_browser() -> Iterator[Callable[[Running], Browser]]:
    with ExitStack() as stack:

        def make(running: Running) -> Browser:
            browser = Browser(running)
            stack.enter_context(browser.http)
            return browser

        yield make


@pytest.fixture
def browser(running: Running, make_browser: Callable[[Running], Browser]) -> Browser:
    return make_browser(running)


def _wait(running: Running, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        assert process.poll() is None, (running.settings.home / "identity.log").read_text()
        try:
            with running.client() as client:
                if client.get("/.well-known/openid-configuration").is_success:
                    return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the identity provider did not answer")


def _free_ports() -> int:
    """A port whose next is free too: the provider takes the second."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            number = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", number + 1))
            except OSError:
                continue
            if number <= 65000:
                return int(number)
