"""What people read: every word in both languages, no inline script or style, nothing from elsewhere."""

from __future__ import annotations

import io
import re

import pytest
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from jinja2 import Environment, FileSystemLoader

from hub_config.hub.pages import STATIC, TEMPLATES, local_path
from hub_config.hub.texts import CATALOGUES, translate
from hub_config.identity.messages import DENIALS, NOT_PROVED, NOT_RECORDED, STORE_SILENT, UNREACHABLE

PO = CATALOGUES / "en" / "LC_MESSAGES" / "p4dp-hub.po"
METHODS = [("**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]


@pytest.fixture(scope="module")
def english() -> Catalog:
    with PO.open("rb") as file:
        return pofile.read_po(file)


def said() -> set[str]:
    found = extract_from_dir(
        str(TEMPLATES.parent), METHODS, {"**.html": {"encoding": "utf-8"}}, keywords={"_": None, "N_": None}
    )
    told = {*DENIALS.values(), NOT_PROVED, NOT_RECORDED, STORE_SILENT, UNREACHABLE}
    return {message for _, _, message, _, _ in found} | told


def test_every_french_text_has_its_english(english):
    assert said() == {message.id for message in english if message.id}
    assert not [message.id for message in english if message.id and not message.string]


def test_blanks_are_the_same_in_both(english):
    blank = re.compile(r"%\((\w+)\)s")
    for message in english:
        if message.id:
            assert set(blank.findall(message.id)) == set(blank.findall(message.string)), message.id


def test_the_compiled_catalogue_is_current(english):
    compiled = io.BytesIO()
    mofile.write_mo(compiled, english)
    assert PO.with_suffix(".mo").read_bytes() == compiled.getvalue()


def test_french_is_the_source_and_english_is_read():
    assert translate("Mes projets", "fr") == "Mes projets"
    assert translate("Mes projets", "en") == "My projects"
    assert translate("", "en") == ""
    assert translate("Un texte que personne n'a traduit", "en") == "Un texte que personne n'a traduit"


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_pages_keep_to_the_content_security_policy(template):
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"\sstyle=|<style|\son\w+=", text), "inline style or handler"
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), "from elsewhere"


@pytest.mark.parametrize("status", [404, 503, 500])
def test_an_error_page_needs_no_exception_and_always_says_something(status):
    """The hub draws one for its proxy, without any."""
    pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    pages.globals |= {"_": lambda text, **blanks: text % blanks, "base_url": "/hub/"}
    pages.globals |= {"page_language": lambda: "fr", "page_address": lambda: ""}
    html = pages.get_template("404.html").render(status_code=status, message="")
    assert re.search(r"</h1>\s*<p>[A-Z].{20,}</p>", html)


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(file):
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", file.read_text())


@pytest.mark.parametrize(
    ("wanted", "is_kept"),
    [
        ("/hub/home", True),
        ("/hub/spawn/ines/these-ines?x=1", True),
        ("/elsewhere", False),
        ("https://evil.example", False),
        ("//evil.example/hub/", False),
        ("/hub//evil.example", False),
        ("/hub/\\evil.example", False),
        ("/hub/\r\nSet-Cookie: x", False),
        ("", False),
    ],
)
def test_the_way_back_stays_here(wanted, is_kept):
    assert (local_path(wanted, "/hub/") == wanted) is is_kept
    assert local_path(wanted, "/hub/").startswith("/hub/")
