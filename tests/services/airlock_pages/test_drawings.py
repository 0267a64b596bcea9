"""A drawing is shown as it will leave, and is inert: in an `img`, and when its address is opened by itself.

The attack is a drawing with a program and an address elsewhere, of which the checks are made to say nothing.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Route

from hub_config.governance.releases.facts import CheckState, FileKind
from hub_config.governance.releases.findings import Finding, Rule, Severity
from tests.journeys.browser import chromium
from tests.services.airlock_pages.little_airlock import File, LittleAirlock

HOSTILE = b"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
  width="90" height="60">
<rect width="90" height="60" fill="red" onload="document.title = 'run'"/>
<image xlink:href="http://elsewhere.test/seen.png" width="9" height="9"/>
<style>@import url(http://elsewhere.test/seen.css);</style>
<script>document.title = 'run'; fetch('http://elsewhere.test/seen')</script></svg>"""
HERE = "http://sas.test"


def drawing(*findings: Finding, **more: Any) -> File:
    return File("figure.svg", HOSTILE, kind=FileKind.SVG, blocks=(), findings=findings, **more)


def test_a_drawing_is_shown_and_runs_and_fetches_nothing(airlock: LittleAirlock) -> None:
    request = airlock.sent(drawing())
    diane = airlock.visit("diane")
    path = f"/relecture/{request}/fichiers/1/dessin"
    assert f'<img src="{path}"' in diane.get(f"/relecture/{request}").text
    answer = diane.get(path)
    assert answer.content == HOSTILE, "what is shown is what leaves"
    assert looked_at(answer.content, dict(answer.headers)) == (90, "", "", [])
    bare = {"content-type": answer.headers["content-type"]}
    assert looked_at(answer.content, bare, acts=True)[2:] != ("", []), "undefended, it runs"


def looked_at(
    content: bytes, headers: dict[str, str], *, acts: bool = False
) -> tuple[int, str, str, list[str]]:
    """The width in an `img`, what became of both pages' titles, and who else was asked."""
    asked: list[str] = []

    def answered(route: Route) -> None:
        match route.request.url:
            case "http://sas.test/page":
                route.fulfill(content_type="text/html", body='<img src="/dessin">')
            case "http://sas.test/dessin":
                route.fulfill(headers=headers, body=content)
            case other:
                asked.append(other)
                route.abort()

    with chromium() as page:
        page.route("**/*", answered)
        page.goto(f"{HERE}/page")
        page.wait_for_function("document.images[0].complete")
        width, framed = page.evaluate("document.images[0].naturalWidth"), page.title()
        page.goto(f"{HERE}/dessin")
        page.wait_for_timeout(300)
        if acts:
            page.wait_for_function("document.title == 'run'")
        return width, framed, page.title(), [each for each in asked if "elsewhere" in each]


@pytest.mark.parametrize("rule", [Rule.ACTIVE_CONTENT, Rule.EXTERNAL_LINK, Rule.EMBEDDED_OBJECT])
def test_a_drawing_that_acts_is_not_shown(airlock: LittleAirlock, rule: Rule) -> None:
    request = airlock.draft(drawing(Finding(rule, Severity.BLOCKING)))
    ines = airlock.visit("ines")
    assert "dessin" not in ines.get(f"/demandes/{request}").text
    assert ines.get(f"/demandes/{request}/fichiers/1/dessin").status_code == 404


def test_nothing_else_is_served_as_a_drawing(airlock: LittleAirlock) -> None:
    aside = drawing(state=CheckState.QUARANTINED, proof={"quarantine": "damaged"})
    request = airlock.draft(aside, File("page.html", b"<b>", kind=FileKind.HTML))
    ines = airlock.visit("ines")
    answers = [ines.get(f"/demandes/{request}/fichiers/{n}/dessin").status_code for n in (1, 2, 3)]
    assert answers == [404, 404, 404]
