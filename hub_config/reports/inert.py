"""A page out of what the box made of a notebook: rewritten tag by tag, so that nothing of it runs, loads,
links or leads anywhere. Pure.

The box's HTML is hostile. What is on the lists below is written anew, all else is dropped or is text; a
policy at the top of the page forbids the rest once more, to a browser that reads it otherwise than we did.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from html.parser import HTMLParser
from typing import Final

from hub_config.governance.report_runs.texts import Language

POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEPT: Final = _words(
    "h1 h2 h3 h4 h5 h6 p div span ul ol li dl dt dd table caption thead tbody tfoot tr th td pre code "
    "blockquote em strong b i u s sub sup small mark figure figcaption"
)
_EMPTY: Final = frozenset({"br", "hr", "img"})
_DROPPED_WHOLE: Final = _words(
    "script style iframe object embed template noscript noembed noframes svg math title head textarea select "
    "button form audio video canvas applet frameset marquee xmp plaintext"
)
_CLASS: Final = re.compile(r"[\w -]{1,200}")
_NUMBER: Final = re.compile(r"[0-9]{1,4}")
_PICTURE: Final = re.compile(r"data:image/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_NO_DESCRIPTION: Final = frozenset({"", "No description has been provided for this image"})  # nbconvert's
_STYLES: Final = frozenset({"text-align", "vertical-align", "font-weight", "font-style", "white-space"})
_WORD: Final = re.compile(r"[a-z0-9-]{1,20}")

_CSS: Final = """
:root{color-scheme:light}
body{font:16px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;color:#1b1b1b;background:#fff;
 max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem}h2{font-size:1.3rem;margin-top:2rem;border-bottom:1px solid #ccc}
table{border-collapse:collapse;margin:.5rem 0;font-size:.92rem}
th,td{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
th{background:#f3f3f3}
img{max-width:100%;height:auto}
.legende{display:block;color:#444}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.88rem;background:#f7f7f7;padding:.5rem}
.fiche{font-size:.85rem;color:#444;background:#f3f6f9;padding:.6rem 1rem;border-left:4px solid #2a6f97}
.fiche dt{font-weight:600;float:left;clear:left;width:11rem}.fiche dd{margin:0 0 .1rem 11.5rem}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}table,img{break-inside:avoid}}
"""


def page(title: str, facts: Sequence[tuple[str, str]], fragment: str, language: Language) -> str:
    """A whole page: what the run was, as the enclave knows it, then the fragment, inert."""
    card = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        f'<dl class="fiche">{card}</dl>\n<main>\n{inert(fragment)}\n</main>\n</body>\n</html>\n'
    )


def inert(fragment: str) -> str:
    """The fragment with what is on the lists, balanced, and nothing else."""
    rewriting = _Rewriting()
    rewriting.feed(fragment)
    rewriting.close()
    return rewriting.finished()


class _Rewriting(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []

    def finished(self) -> str:
        return "".join((*self._written, *(f"</{tag}>" for tag in reversed(self._open))))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED_WHOLE:
            self._dropping.append(tag)
        elif not self._dropping and tag == "img":
            self._written.append(_picture(dict(attrs)))
        elif not self._dropping and tag in _KEPT | _EMPTY:
            self._written.append(f"<{tag}{''.join(_attributes(tag, attrs))}>")
            if tag not in _EMPTY:
                self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _EMPTY:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._dropping:
            while self._dropping.pop() != tag:
                pass
        elif not self._dropping and tag in self._open:
            while (innermost := self._open.pop()) != tag:
                self._written.append(f"</{innermost}>")
            self._written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._written.append(escape(data))


def _picture(told: dict[str, str | None]) -> str:
    """A picture, and its description below it: a text that is not seen is one that nobody reviews."""
    source, described = told.get("src") or "", (told.get("alt") or "").strip()[:500]
    if not _PICTURE.fullmatch(source):
        return ""
    caption = "" if described in _NO_DESCRIPTION else f'<small class="legende">{escape(described)}</small>'
    return f'<img alt="" src="{escape(source)}">{caption}'


def _attributes(tag: str, given: Iterable[tuple[str, str | None]]) -> Iterable[str]:
    for name, value in given:
        kept = _attribute(tag, name, value or "")
        if kept:
            yield f' {name}="{escape(kept)}"'


def _attribute(tag: str, name: str, value: str) -> str:
    match tag, name:
        case _, "class":
            return value if _CLASS.fullmatch(value) else ""
        case (("td" | "th"), ("colspan" | "rowspan")):
            return value if _NUMBER.fullmatch(value) else ""
        case "th", "scope":
            return value if value in ("row", "col", "rowgroup", "colgroup") else ""
        case _, "style":
            return "; ".join(_declarations(value))
        case _:
            return ""


def _declarations(style: str) -> Iterable[str]:
    for each in style.split(";"):
        name, _, value = (part.strip().lower() for part in each.partition(":"))
        if name in _STYLES and _WORD.fullmatch(value):
            yield f"{name}: {value}"
