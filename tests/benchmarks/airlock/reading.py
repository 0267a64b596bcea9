"""What a page asks its reader to read, counted from its HTML: words of ours, the requester's words, cells of
previews, and findings. What is folded away, or in the frame around every page, is not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from html.parser import HTMLParser
from typing import Final

_VOID: Final = frozenset({"input", "br", "img", "meta", "link", "hr", "col", "source", "wbr"})
_UNREAD: Final = frozenset({"script", "style", "dialog", "datalist", "textarea", "select", "kbd"})
_CELLS: Final = frozenset({"preview", "compare", "lines"})
_SAID: Final = frozenset({"quote", "gone"})


class Whose(StrEnum):
    OURS = "ours"
    REQUESTERS = "requester's"
    CELLS = "cells"
    FINDINGS = "findings"


@dataclass
class Page:
    """`texts`: each piece of text and whose it is. `stops`: where the keys j and k halt."""

    texts: list[tuple[Whose, str]] = field(default_factory=list)
    findings: int = 0
    pictures: int = 0
    stops: int = 0
    files: int = 0

    def words(self) -> Mapping[Whose, int]:
        counted: Counter[Whose] = Counter()
        for whose, text in self.texts:
            counted[whose] += len(text.split())
        return counted

    def unfamiliar(self, known: set[str]) -> Mapping[Whose, int]:
        """Words but for those texts of ours, and of findings, that this reader has read before; they are
        known from now on."""
        counted: Counter[Whose] = Counter()
        for whose, text in self.texts:
            standing = whose in (Whose.OURS, Whose.FINDINGS)
            if not (standing and text in known):
                counted[whose] += len(text.split())
            if standing:
                known.add(text)
        return counted


def read(html: str, *, only: str = "") -> Page:
    """The page. `only`: the part of this id, and no more."""
    reader = _Reader(only)
    reader.feed(html)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    def __init__(self, only: str) -> None:
        super().__init__()
        self.page, self._only = Page(), only
        self._open: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.page.pictures += tag == "img" and self._is_read()
        if tag not in _VOID:
            self._open.append((tag, told))
            self._note(tag, told)

    def handle_endtag(self, tag: str) -> None:
        if any(each == tag for each, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if any(letter.isalnum() for letter in text) and self._is_read():
            self.page.texts.append((self._whose(), text))

    def _note(self, tag: str, told: dict[str, str | None]) -> None:
        if not self._is_read():
            return
        self.page.stops += "data-stop" in told
        self.page.files += "data-votes" in told and told["data-votes"] != "request"
        self.page.findings += tag == "li" and "finding" in (told.get("class") or "").split()

    def _is_read(self) -> bool:
        tags = [tag for tag, _ in self._open]
        if "main" not in tags or any(tag in _UNREAD for tag in tags):
            return False
        if self._only and not any(told.get("id") == self._only for _, told in self._open):
            return False
        return not self._is_folded()

    def _is_folded(self) -> bool:
        """Within `details` that are closed, but for their summary."""
        inner = [tag for tag, _ in self._open]
        for at, (tag, told) in enumerate(self._open):
            if tag == "details" and "open" not in told and "summary" not in inner[at:]:
                return True
        return False

    def _whose(self) -> Whose:
        classes = {name for _, told in self._open for name in (told.get("class") or "").split()}
        tags = [tag for tag, _ in self._open]
        if classes & _CELLS:
            return Whose.CELLS
        if classes & _SAID or "bdi" in tags or any(tag == "h1" and "dir" in told for tag, told in self._open):
            return Whose.REQUESTERS
        return Whose.FINDINGS if "finding" in classes else Whose.OURS
