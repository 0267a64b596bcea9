"""A PDF is read as its pages look: drawn in the checks' box, shown as pictures of ours beside its words, by
whoever reviews it and by its requester before it is sent. What leaves is the PDF.
"""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Route

from hub_config.airlock.checks import Inspection, inspect_bytes
from hub_config.airlock.checks.inside.checkers.drawn_pages import MOST_DRAWN
from hub_config.governance.releases.facts import FileKind
from tests.corpus.hostile_pages import pdf
from tests.journeys.browser import chromium
from tests.services.airlock_pages.little_airlock import File, LittleAirlock

CLOUD = b"0 0 1 rg " + b" ".join(
    b"%d %d 6 6 re f" % (60 + 37 * n % 400, 100 + 61 * n % 500) for n in range(30)
)
CONTENT = pdf(b"BT /F1 12 Tf 50 700 Td (Les patients de 2019) Tj ET " + CLOUD, pages=2)


@pytest.fixture(scope="module")
def checked() -> Inspection:
    """What the box says of two pages with points on them."""
    return inspect_bytes(CONTENT, "figure.pdf")


def figure(checked: Inspection) -> File:
    assert checked.quarantined is None
    shown, found = checked.preview.blocks, checked.findings
    return File("figure.pdf", CONTENT, kind=FileKind.PDF, blocks=shown, findings=found)


def blue(png: bytes) -> int:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    return sum(count for count, colour in picture.getcolors(2**24) or () if colour == (0, 0, 255))


def images(html: str) -> list[str]:
    return re.findall(r'<img src="([^"]+/images/[0-9]+)"', html)


def test_reviewer_and_requester_see_each_page_beside_its_words(
    airlock: LittleAirlock, checked: Inspection
) -> None:
    drafted = airlock.draft(figure(checked))
    html = airlock.visit("ines").get(f"/demandes/{drafted}").text
    assert images(html) == [f"/demandes/{drafted}/fichiers/1/images/{block}" for block in (0, 2)]
    request = airlock.sent(figure(checked))
    diane = airlock.visit("diane")
    html = diane.get(f"/relecture/{request}").text
    first, second = images(html)
    assert html.index(first) < html.index("Les patients de 2019") < html.index(second)
    assert "Un dessin que cette page ne montre pas" not in html
    for path in (first, second):
        answer = diane.get(path)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert blue(answer.content) > 1_000, "the points are seen"


def test_a_browser_shows_the_points_and_runs_nothing(airlock: LittleAirlock, checked: Inspection) -> None:
    request = airlock.sent(figure(checked))
    diane = airlock.visit("diane")
    (path, _) = images(diane.get(f"/relecture/{request}").text)
    answer, asked = diane.get(path), list[str]()

    def answered(route: Route) -> None:
        asked.append(route.request.url)
        if route.request.url.endswith("/page"):
            route.fulfill(content_type="text/html", body='<img src="/dessin">')
        else:
            route.fulfill(headers=dict(answer.headers), body=answer.content)

    with chromium() as page:
        page.route("**/*", answered)
        page.goto("http://sas.test/page")
        page.wait_for_function("document.images[0].complete")
        assert page.evaluate("document.images[0].naturalWidth") == 1190
        assert blue(page.locator("img").screenshot()) > 1_000
    assert asked == ["http://sas.test/page", "http://sas.test/dessin"]


def test_what_leaves_is_the_pdf_that_was_drawn(airlock: LittleAirlock, checked: Inspection) -> None:
    request = airlock.released(figure(checked))
    (file,) = airlock.facts(request).files
    assert checked.sha256 == file.sha256 and not checked.anew
    assert airlock.desk.shelf.read(file.sha256) == CONTENT


def test_pages_too_many_to_be_drawn_are_said_and_keep_the_file(airlock: LittleAirlock) -> None:
    long = pdf(b"BT /F1 12 Tf 50 700 Td (Une page) Tj ET", pages=MOST_DRAWN + 1)
    told = inspect_bytes(long, "long.pdf")
    file = File("long.pdf", long, kind=FileKind.PDF, blocks=told.preview.blocks, findings=told.findings)
    html = airlock.visit("ines").get(f"/demandes/{airlock.draft(file)}").text
    assert len(images(html)) == MOST_DRAWN
    assert f"{MOST_DRAWN} sur {MOST_DRAWN + 1} (pages)" in html
    assert "Un dessin que cette page ne montre pas" in html and f"page {MOST_DRAWN + 1}" in html


def test_pictures_go_with_the_file(airlock: LittleAirlock, checked: Inspection) -> None:
    airlock.draft(figure(checked))
    shelf = airlock.desk.shelf
    kept = shelf.path(checked.sha256).parent
    assert len(list(kept.iterdir())) == 2, "the file, and its preview with the pictures"
    shelf.discard(checked.sha256)
    assert list(kept.iterdir()) == []
