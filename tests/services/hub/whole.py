"""The whole enclave, started as its operator does and seen by a browser, its processes and its files."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Page

from hub_config.identity import provider
from hub_config.identity.accounts import read_accounts
from hub_config.keys import write_private
from hub_config.origins import SERVICES
from hub_config.settings import Settings
from hub_config.up import ports
from hub_config.up.processes import all_processes, descendants
from tests import one_time

CHECKOUT = Path(__file__).parents[3]
SITE_MODULES = [f"hub_config.{site}" for site in SERVICES]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Enclave:
    settings: Settings
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "P4DP_HOME": str(self.settings.home), "P4DP_PORT": str(self.settings.port)}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hub_config.cli", *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def url(self, path: str) -> str:
        return f"{self.settings.hub_url}{path}"

    def log_in(self, page: Page, user: str) -> None:
        secret = read_accounts(provider.accounts_file(self.settings))[user]
        page.goto(self.url("/"))
        for field, value in (("login", user), ("password", secret.password), ("otp", "")):
            answer = value or one_time.code(secret)
            page.fill(f"input[name={field}]", answer)
            page.click("button[type=submit]")
        page.wait_for_url("**/hub/home")


def start(home: Path, port: int, output: Path) -> Enclave:
    settings = Settings(home=home, port=port)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(home / "enclave.toml", "[projects]\ncharter = false\n[workspace]\nstart_seconds = 240\n")
    environment = {**os.environ, "P4DP_HOME": str(home), "P4DP_PORT": str(port)}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub_config.cli", "up", "--preset", "A", "--scale", "0.02"],
            cwd=CHECKOUT,
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    enclave = Enclave(settings, process, output)
    try:
        wait(lambda: process.poll() is not None or "is ready" in output.read_text(), 400)
        assert process.poll() is None, output.read_text()
    except BaseException:
        process.kill()
        raise
    return enclave


def open_workspace(enclave: Enclave, page: Page, project: str) -> None:
    page.goto(enclave.url("/hub/home"))
    page.click(f"[data-project={project}] a.button")
    page.wait_for_url(f"**/user/*/{project}/lab**", timeout=180_000)


def stop_workspace(enclave: Enclave, page: Page, project: str) -> None:
    page.goto(enclave.url("/hub/home"))
    page.click(f"[data-project={project}] button")
    page.wait_for_selector(f"[data-project={project}] a:has-text('Démarrer')")


def boxes(enclave: Enclave) -> list[int]:
    return [p.pid for p in descendants(enclave.process.pid) if "bwrap" in " ".join(p.command)]


def kernel_token(enclave: Enclave) -> str:
    """As the operating system tells it: the only process that has it is in the box."""
    for process in descendants(enclave.process.pid):
        try:
            variables = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        for variable in variables:
            if variable.startswith(b"P4DP_TOKEN="):
                return variable.partition(b"=")[2].decode()
    raise AssertionError("no process holds a gateway token")


def hub_answers(enclave: Enclave, token: str) -> int:
    url = f"http://127.0.0.1:{enclave.settings.hub_api_port}/hub/api/user"
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=60).status_code


@contextmanager
def all_stopped(enclave: Enclave) -> Iterator[None]:
    """Whatever runs before is gone after; nothing is adopted by anybody."""
    before = {process.pid: process.command for process in descendants(enclave.process.pid)}
    assert len(before) >= 5, before
    yield
    wait(lambda: not [p for p in all_processes() if before.get(p.pid) == p.command and p.state != "Z"], 90)
    assert ports.busy_message(enclave.settings) is None


def text_of(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


def wait(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.2)
