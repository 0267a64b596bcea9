"""Every word of the airlock's pages in both languages; nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hub_config.airlock
from tests import words

HERE = Path(hub_config.airlock.__file__).parent


def test_everything_is_said_in_english() -> None:
    assert words.unsaid(HERE, "p4dp-airlock") == []


def test_the_compiled_catalogue_is_current() -> None:
    assert words.is_compiled(HERE, "p4dp-airlock")


@pytest.mark.parametrize("template", sorted((HERE / "templates").glob("*.html")), ids=lambda path: path.name)
def test_pages_keep_to_the_content_security_policy(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"\sstyle=|<style|\son\w+=", text), "inline style or handler"
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), "from elsewhere"
    assert "|safe" not in text.replace(" ", ""), "unescaped"


@pytest.mark.parametrize("file", sorted((HERE / "static").iterdir()), ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(file: Path) -> None:
    assert not re.search(r"url\(|@import|https?://|innerHTML|\beval\b", file.read_text())
