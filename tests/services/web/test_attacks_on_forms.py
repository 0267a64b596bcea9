"""Forms, hosts and bodies under attack. Each attack works once its defence is taken out, where it can be."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.requests import Request

from hub_config.governance.roles import Role
from hub_config.web import gate
from hub_config.web.answers import download, see_other
from hub_config.web.forms import SMALL, UPLOAD
from hub_config.web.headers import HEADERS
from hub_config.web.pace import Rates
from tests.pages import Visit, stranger, visiting

from .conftest import SECRET

MARGIN = 128 * 1024
ORIGIN = "http://sas.p4dp.localhost:8000"


@pytest.fixture
def ines(app: FastAPI) -> Visit:
    return visiting(app, "ines", Role.INTERNE)


def test_a_form_without_the_sessions_token_is_refused(app: FastAPI, ines: Visit) -> None:
    other = visiting(app, "mallory", Role.INTERNE)
    for token in ("", "x", other.csrf, ines.csrf + "x", ines.csrf.swapcase(), "é"):
        answer = ines.post("/notes", {"note": "forged"}, token=token)
        assert answer.status_code == 403 and "Rouvrez la page" in answer.text
    assert app.state.notes == []
    assert ines.post("/notes", {"note": "mine"}).status_code == 303
    assert app.state.notes == ["mine"]


def test_power_of_a_form_without_a_token(app: FastAPI, ines: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "is_of_session", lambda *_: True)
    ines.post("/notes", {"note": "forged"}, token="")
    assert app.state.notes == ["forged"]


def test_a_script_sends_the_token_as_a_header(app: FastAPI, ines: Visit) -> None:
    url = f"{ORIGIN}/notes"
    assert ines.request("POST", url, json={"note": "x"}).status_code == 403
    assert (
        ines.request("POST", url, json={"note": "x"}, headers={"X-CSRF-Token": ines.csrf}).status_code == 303
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://these-ines--ines.p4dp.localhost:8000"},
        {"Origin": "http://registre.p4dp.localhost:8000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_form_of_another_origin_is_refused_even_with_the_token(
    app: FastAPI, ines: Visit, headers: dict[str, str]
) -> None:
    """A workspace, where hostile code may run, is a neighbour: same site, another origin."""
    assert ines.post("/notes", {"note": "forged"}, headers=headers).status_code == 403
    assert app.state.notes == []


def test_power_of_a_form_of_another_origin(
    app: FastAPI, ines: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_is_from", lambda *_: True)
    ines.post("/notes", {"note": "forged"}, headers={"Origin": "https://evil.example"})
    assert app.state.notes == ["forged"]


def test_our_own_pages_are_understood(app: FastAPI, ines: Visit) -> None:
    own = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    assert ines.post("/notes", {"note": "mine"}, headers=own).status_code == 303


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_but_reading_passes_without_a_token(ines: Visit, method: str) -> None:
    assert ines.request(method, f"{ORIGIN}/").status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "p4dp.localhost:8000", "sas.p4dp.localhost", "sas.p4dp.localhost:8000.evil", ""]
)
def test_another_host_is_not_answered(ines: Visit, host: str) -> None:
    answer = ines.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert not host or host not in answer.text.replace("http://p4dp.localhost:8000/hub/home", "")


def test_two_hosts_are_not_answered(ines: Visit) -> None:
    headers = [("Host", "sas.p4dp.localhost:8000"), ("Host", "evil.example")]
    assert ines.get("/", headers=headers).status_code == 421


def test_no_header_of_a_proxy_changes_where_a_log_in_leads(app: FastAPI) -> None:
    forwarded = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    assert "evil" not in str(stranger(app).get("/", headers=forwarded).headers)


def test_a_form_is_bounded(app: FastAPI, ines: Visit) -> None:
    assert ines.post("/notes", {"note": "a" * (SMALL - 1024)}).status_code == 303
    answer = ines.post("/notes", {"note": "a" * (SMALL + MARGIN)})
    assert answer.status_code == 413 and "0,25" in answer.text
    assert len(app.state.notes) == 1


def test_an_upload_is_bounded_too_and_only_where_uploads_go(app: FastAPI, ines: Visit) -> None:
    def sent(path: str, size: int) -> int:
        return ines.post(path, files={"file": ("a.csv", b"a" * size)}).status_code

    assert sent("/requests/d-1/files", UPLOAD) == 303
    assert app.state.notes == [str(UPLOAD)]
    assert sent("/requests/d-1/files", UPLOAD + MARGIN) == 413
    assert sent("/notes", UPLOAD) == 413
    assert sent("/requests/d-1/files/more", SMALL + MARGIN) == 413


def test_a_body_that_does_not_say_its_size_is_counted(ines: Visit) -> None:
    chunks = (b"a" * 65536 for _ in range(8))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ines.request("POST", f"{ORIGIN}/notes", content=chunks, headers=headers).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "99999999999999999999", "0x10", "²"])
def test_a_strange_length_is_refused(ines: Visit, length: str) -> None:
    headers = [(b"Content-Length", length.encode())]
    assert ines.request("POST", f"{ORIGIN}/notes", content=b"a", headers=headers).status_code == 413


def test_a_strangers_body_is_not_read(app: FastAPI) -> None:
    """Else anybody fills the memory without an account."""
    visit = stranger(app)
    answer = visit.post("/requests/d-1/files", files={"file": ("a.csv", b"a" * (UPLOAD + MARGIN))})
    assert answer.status_code == 403 and "a pris fin" in answer.text and "/held/" not in answer.text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", b"--y\r\n\r\n"),
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=x; charset=utf-7", b"--x\r\nContent-Disposition: form-data\r\n\r\n"),
        ("application/x-www-form-urlencoded", b"%ff%00=%zz&" * 500),
        ("application/x-www-form-urlencoded", b"a=1&" * 5000),
        ("text/plain", b"csrf_token=x"),
    ],
)
def test_a_broken_form_is_refused_in_words(ines: Visit, kind: str, body: bytes) -> None:
    answer = ines.request("POST", f"{ORIGIN}/notes", content=body, headers={"Content-Type": kind})
    assert answer.status_code in (400, 403) and "<h1>" in answer.text


def test_what_a_person_writes_is_text_and_never_markup(ines: Visit) -> None:
    html = ines.follow(ines.post("/notes", {"note": "<script>alert(1)</script>"})).text
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html


def test_a_person_who_asks_too_fast_waits(build: Any) -> None:
    app = build(rates=Rates(person=3, forms=2))
    ines, diane = visiting(app, "ines", Role.INTERNE), visiting(app, "diane", Role.MEDECIN_DIM)
    assert [ines.get("/").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert "Attendez une minute" in ines.get("/").text
    assert diane.get("/").status_code == 200
    assert [diane.post("/notes", {"note": "x"}).status_code for _ in range(2)] == [303, 303]
    assert diane.post("/notes", {"note": "x"}).status_code == 429


def test_an_address_that_floods_waits(build: Any) -> None:
    app = build(rates=Rates(address=4, logins=2))
    answers = [stranger(app).get("/login").status_code for _ in range(6)]
    assert answers == [303, 303, 429, 429, 429, 429]
    assert stranger(app).get("/public").status_code == 429


def test_a_failure_shows_a_number_and_nothing_else(ines: Visit, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = ines.get("/failing")
    assert answer.status_code == 500
    assert SECRET not in answer.text and "Traceback" not in answer.text and "RuntimeError" not in answer.text
    (line,) = [record.getMessage() for record in caplog.records if record.name == "hub_config.web.gate"]
    number = line.split()[1].rstrip(":")
    assert number in answer.text
    assert "RuntimeError at conftest.py:" in line
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/numbers/abc", 404), ("/refused", 409), ("/docs", 404), ("/openapi.json", 404)],
)
def test_refusals_are_pages_in_words(ines: Visit, path: str, status: int) -> None:
    answer = ines.get(path)
    assert answer.status_code == status and "<h1>" in answer.text


def test_who_asks_for_json_gets_a_problem(ines: Visit) -> None:
    answer = ines.get("/refused", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"title": "Ce n'est plus possible", "status": 409, "detail": "Trop tard."}


@pytest.mark.parametrize("path", ["/", "/public", "/nothing", "/failing", "/refused", "/login", "/health"])
def test_every_answer_tells_the_browser_to_keep_to_our_origin(ines: Visit, path: str) -> None:
    answer = ines.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "data:" not in policy


def test_style_may_be_kept_and_holds_nothing(app: FastAPI) -> None:
    answer = stranger(app).get("/static/web/style.css")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-cache"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/static/web/../site.py", "/static/web/%2e%2e/site.py", "/static/web/..%2fsite.py"]
)
def test_no_file_beside_the_style_is_given(app: FastAPI, path: str) -> None:
    answer = stranger(app).get(path)
    assert answer.status_code == 404 and "create_site" not in answer.text


def test_a_file_to_keep_does_not_run_here() -> None:
    answer = download('x".html\r\nSet-Cookie: a=b', b"<script>", "text/html")
    assert "sandbox" in answer.headers["content-security-policy"]
    disposition = answer.headers["content-disposition"]
    assert disposition == "attachment; filename*=UTF-8''x%22.html%0D%0ASet-Cookie%3A%20a%3Db"


def test_a_way_on_holds_no_header() -> None:
    answer = see_other(Request({"type": "http"}), "/x\r\nSet-Cookie: a=b")
    assert answer.headers["location"] == "/" and "set-cookie" not in answer.headers


def test_a_websocket_is_not_answered(app: FastAPI) -> None:
    async def attempt() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await app({"type": "websocket", "path": "/", "headers": [], "query_string": b""}, receive, send)
        return sent

    assert not [message for message in asyncio.run(attempt()) if message["type"] == "websocket.accept"]
