"""Every text of the desk's pages is in the English catalogue, and says its blanks alike."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator

from hub_config.desk.composition import GUEST

BLANK = re.compile(r"%\(\w+\)s")


def texts() -> Iterator[str]:
    folder = GUEST.templates.parent
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "N_":
                yield ast.literal_eval(node.args[0])
    for path in sorted(folder.rglob("*.html")):
        yield from re.findall(r'_\("((?:[^"\\]|\\.)*)"', path.read_text())


def test_every_text_is_translated() -> None:
    directory, domain = GUEST.catalogues
    english = gettext.translation(domain, directory, languages=["en"])
    said = set(texts())
    assert len(said) > 200
    for text in said:
        translated = english.gettext(text)
        alike = text in {
            "Rectification",
            "Actions",
            "Questions",
            "Code",
            "Source",
            "Tables",
            "Intact",
            "art. %(n)s",
            "tables",
        } | {"protection"}
        assert alike or translated != text, text
        assert sorted(BLANK.findall(translated)) == sorted(BLANK.findall(text))
