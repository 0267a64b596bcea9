"""Who is believed about where a browser is, and about TLS: the proxy in front, by what it says itself; never
the browser. The application runs behind the very layer that uvicorn puts around it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from hub_config.governance.audit.place import current_place
from hub_config.governance.roles import Role
from hub_config.web import serving
from hub_config.web.pace import Rates
from tests.pages import visiting

ON_A_SERVER = {"hostname": "p4dp.example.org"}
PROXY, BROWSER, LIE = "127.0.0.1", "203.0.113.7", "198.51.100.66"


@pytest.fixture
def build_seeing(build: Any) -> Any:
    """A site with a page that says where the enclave sees its visitor."""

    def built(**changes: Any) -> FastAPI:
        app: FastAPI = build(**changes)

        @app.get("/where")
        async def where(request: Request) -> dict[str, Any]:
            return {"address": request.client and request.client.host, "audit": current_place()}

        return app

    return built


def asked(
    app: FastAPI, path: str, forwarded: list[str], *, peer: str = PROXY, proto: str = "", trusted: Any = None
) -> httpx.Response:
    """As uvicorn, configured by `serve`, would hand it over."""
    configuration = serving._configuration(app, 1)
    assert configuration.proxy_headers
    wrapped = ProxyHeadersMiddleware(app, trusted or configuration.forwarded_allow_ips)  # type: ignore[arg-type]
    headers = [("X-Forwarded-For", each) for each in forwarded]
    headers += [("X-Forwarded-Proto", proto)] if proto else []

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(wrapped, client=(peer, 1))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=app.state.house.origin) as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def test_serving_puts_that_layer_around_it(build: Any) -> None:
    configuration = serving._configuration(build(), 1)
    configuration.load()
    assert isinstance(configuration.loaded_app, ProxyHeadersMiddleware)
    assert isinstance(configuration, uvicorn.Config) and configuration.forwarded_allow_ips == PROXY


@pytest.mark.parametrize(
    ("forwarded", "peer", "expected"),
    [
        ([f"{BROWSER}, {PROXY}"], PROXY, BROWSER),
        ([f"{LIE}, {BROWSER}, {PROXY}"], PROXY, BROWSER),
        ([LIE, f"{BROWSER}, {PROXY}"], PROXY, BROWSER),
        ([f"{PROXY}, {BROWSER}, {PROXY}"], PROXY, BROWSER),
        ([f"<script>, {BROWSER}, {PROXY}"], PROXY, BROWSER),
        ([f"2001:db8::7, {PROXY}"], PROXY, "2001:db8::7"),
        ([PROXY], PROXY, PROXY),
        ([], PROXY, PROXY),
        ([""], PROXY, PROXY),
        ([LIE], BROWSER, BROWSER),
    ],
)
def test_the_last_address_that_is_not_ours_is_the_browsers(
    build_seeing: Any, forwarded: list[str], peer: str, expected: str
) -> None:
    said = asked(build_seeing(**ON_A_SERVER), "/where", forwarded, peer=peer).json()
    assert said == {"address": expected, "audit": f"address:{expected}"}


def _statuses(build: Any, trusted: Any = None) -> list[int]:
    app = build(rates=Rates(address=2), **ON_A_SERVER)
    lies = [f"192.0.2.{number}, {BROWSER}, {PROXY}" for number in range(4)]
    return [asked(app, "/health", [lie], trusted=trusted).status_code for lie in lies]


def test_no_claim_of_a_browser_gets_round_the_limits(build: Any) -> None:
    assert _statuses(build) == [200, 200, 429, 429]


def test_power_of_a_claim(build: Any) -> None:
    """Where everybody is believed, the first address counts, which a browser writes itself."""
    assert _statuses(build, trusted="*") == [200, 200, 200, 200]


@pytest.mark.parametrize("proto", ["", "http", "https"])
@pytest.mark.parametrize(("changes", "guarded"), [({}, False), (ON_A_SERVER, True)])
def test_cookies_go_by_the_settings_and_by_no_header(
    build: Any, changes: dict[str, str], guarded: bool, proto: str
) -> None:
    answer = asked(build(**changes), "/", [f"{BROWSER}, {PROXY}"], proto=proto)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-p4dp-airlock-login=") is guarded
    assert ("Secure" in cookie) is guarded
    assert "HttpOnly" in cookie and "Path=/" in cookie and "Domain" not in cookie


@pytest.mark.parametrize("proto", ["http", "javascript", "https"])
def test_a_log_in_leads_back_over_tls_whatever_a_header_says(build: Any, proto: str) -> None:
    answer = asked(build(**ON_A_SERVER), "/", [], proto=proto)
    assert "redirect_uri=https%3A%2F%2Fsas.p4dp.example.org%2Foauth_callback" in answer.headers["location"]


def test_a_form_says_the_origin_that_the_settings_say(build: Any) -> None:
    """Behind TLS a page of the same name without it is another origin."""
    app = build(**ON_A_SERVER)
    ines = visiting(app, "ines", Role.INTERNE)
    plain, ours = ({"Origin": f"{scheme}://sas.p4dp.example.org"} for scheme in ("http", "https"))
    assert ines.post("/notes", {"note": "x"}, headers=plain).status_code == 403
    assert ines.post("/notes", {"note": "x"}, headers=ours).status_code == 303
