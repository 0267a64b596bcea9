"""All that every site says is said in English too."""

from __future__ import annotations

import re

from hub_config.web.site import TEMPLATES
from tests import words


def test_everything_is_said_in_english() -> None:
    assert words.unsaid(words.WEB, "p4dp-web") == []


def test_the_compiled_catalogue_is_current() -> None:
    assert words.is_compiled(words.WEB, "p4dp-web")


def test_templates_keep_to_the_content_security_policy() -> None:
    for template in TEMPLATES.glob("*.html"):
        text = template.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|<style|\son\w+=", text), template.name
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), template.name
