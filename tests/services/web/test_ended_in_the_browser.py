"""In a real browser: Inès writes for a long time, her session ends, she sends, logs in again, and finds her
text; on the same browser, Mallory does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub_config.governance.roles import Role
from hub_config.web.login import Visitor
from hub_config.web.pages import page as rendered
from tests.journeys.browser import chromium
from tests.pages import hub_of, known

TEXT = 'Étude « sucrée »\n<script>document.title = "volé"</script>\n</textarea><b>fin</b>'
FORM = """{% extends "layout.html" %}{% block main %}<form method="post" action="/notes">{{ csrf_field() }}
<label for="note">Note</label><textarea id="note" name="note"></textarea>
<input type="hidden" name="version" value="3"><button type="submit">Envoyer</button></form>{% endblock %}"""


@pytest.fixture
def running(build: Any) -> Iterator[AndItsHub]:
    """The site on a port of its own, for a browser to visit."""
    server = uvicorn.Server(uvicorn.Config(FastAPI(), host="127.0.0.1", port=0, log_config=None))
    socket = server.config.bind_socket()
    app: FastAPI = build(port=socket.getsockname()[1])
    (app.state.house.settings.home / "templates" / "form.html").write_text(FORM)

    @app.get("/write")
    async def write(request: Request, person: Visitor) -> Response:
        return rendered(request, "form.html", person)

    server.config.app = both = AndItsHub(app)
    serving = threading.Thread(target=server.run, args=([socket],))
    serving.start()
    yield both
    server.should_exit = True
    serving.join(20)
    socket.close()


class AndItsHub:
    """The site, and on the hub's host a hub that knows whoever comes as `username`."""

    def __init__(self, app: FastAPI) -> None:
        self.app, self.username = app, ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope) if scope["type"] == "http" else None
        if request is None or request.headers["host"].startswith("sas."):
            return await self.app(scope, receive, send)
        token = known(self.app, self.username, Role.INTERNE)
        where = hub_of(self.app).approve(str(request.url), token)
        return await RedirectResponse(where)(scope, receive, send)


def test_the_text_comes_back_to_its_writer_alone(running: AndItsHub, clock: Any) -> None:
    origin = running.app.state.house.origin
    with chromium() as page:
        running.username = "ines"
        page.goto(f"{origin}/write")
        page.fill("#note", TEXT)
        clock.now += 3601
        page.click("main button")
        assert "Votre session a pris fin" in page.inner_text("h1")
        assert "sucrée" not in page.content()
        again = page.get_by_role("link", name="Se reconnecter").get_attribute("href")

        running.username = "mallory"
        page.goto(f"{origin}{again}")
        assert "Mallory" in page.inner_text("header") and "sucrée" not in page.content()
        page.context.clear_cookies()

        running.username = "ines"
        page.goto(f"{origin}{again}")
        assert page.input_value("textarea") == TEXT
        assert "volé" not in page.title() and page.locator("main b").count() == 0
        page.get_by_role("button", name="Envoyer").click()
        assert "Noté" in page.inner_text(".told")
    assert [note.replace("\r\n", "\n") for note in running.app.state.notes] == [TEXT]
