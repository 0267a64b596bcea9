"""What a page of results may be marked with: the elements, attributes and styles of pandas, gt, knitr and the
like, told from names and values that could hold anything.

What no tool writes is not shown on any page; it is kept short in all (`Unseen`).
"""

from __future__ import annotations

import re
from typing import Final

from hub_config.airlock.checks.inside.checkers import drawn

ELEMENTS: Final = frozenset(
    {"html", "head", "body", "title", "meta", "style", "link", "base", "p", "div", "span", "br", "hr", "wbr",
     "h1", "h2", "h3", "h4", "h5", "h6", "pre", "code", "samp", "kbd", "var", "tt", "section", "article",
     "main", "header", "footer", "nav", "aside", "address", "blockquote", "q", "cite", "ul", "ol", "li", "dl",
     "dt", "dd", "table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th", "a", "b",
     "i", "u", "s", "em", "strong", "small", "big", "sub", "sup", "mark", "del", "ins", "abbr", "dfn", "time",
     "center", "font", "strike", "figure", "figcaption", "img", "details", "summary", "nobr", "label"}
)  # fmt: skip
_ATTRIBUTES: Final = frozenset(
    {"style", "border", "colspan", "rowspan", "scope", "align", "valign", "width", "height", "lang",
     "charset", "rel", "type", "alt", "dir", "title", "role", "http-equiv", "halign", "span", "cellpadding",
     "cellspacing", "abbr", "start", "content", "value", "xmlns", "hidden", "color", "bgcolor", "face",
     "size", "open", "scoped", "nowrap", "frame", "rules", "xml:lang", "viewport"}
)  # fmt: skip
_SHOWN_ELSEWHERE: Final = frozenset({"alt", "title", "abbr", "content", "value", "style"})
_TOOL_NAME: Final = re.compile(
    r"#?(?:[A-Za-z][A-Za-z_-]{0,40}|T_[0-9a-f]{5}(?:_\w{3,12}\d{1,4}(?:_\w{3,5}\d{1,4})?)?|(?:row|col|level|h)"
    r"_?\d{1,4}|stub_\d{1,2}_\d{1,4}|(?:grp_row_|cellid_|t|mo)?\d{1,4}|[A-Za-z-]{1,30}-\d{1,3}|index_name)"
)
_PROPERTY: Final = re.compile(
    r"(?:-webkit-|-moz-|-ms-|-o-)?(?:background|border|box|caption|clear|color|column|content|counter|cursor|"
    r"direction|display|empty|flex|float|font|gap|grid|height|justify|left|letter|line|list|margin|max|min|"
    r"opacity|order|outline|overflow|overflow-[xy]|padding|page|page-break|position|quotes|right|scroll|tab|"
    r"table|text|top|transform|transition|unicode|user|vertical|visibility|white|width|word|z|align|all|"
    r"appearance|break|orphans|widows|size)(?:-[a-z]{1,14}){0,4}"
)
_VALUE: Final = re.compile(
    r"(?:[a-z-]{1,24}|[-+]?[\d.]{1,6}(?:px|pt|em|rem|ex|%|in|cm|mm|vh|vw|s)?|#[0-9a-fA-F]{3,8}|"
    r"rgba?\([\d.,%\s]{1,30}\)|[\s,/])+"
)
_MOST_UNSEEN: Final = 400


class Unseen:
    """What stands in a page's marks and styles and no reader sees, and whether it could hold data."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    @property
    def too_much(self) -> bool:
        return sum(map(len, self._told)) > _MOST_UNSEEN

    def attribute(self, name: str, value: str) -> None:
        if name in ("class", "id", "headers", "name", "for"):
            self._told |= {each for each in value.split() if not _TOOL_NAME.fullmatch(each)}
        elif name not in _ATTRIBUTES:
            self._told |= {name, value}
        elif name not in _SHOWN_ELSEWHERE and not _VALUE.fullmatch(value.lower()):
            self._told.add(value)

    def style(self, declarations: str) -> None:
        for declaration in re.split(r"[;{}]", declarations):
            name, colon, value = declaration.partition(":")
            bare = value.replace("!important", "").strip()
            if not colon or not _PROPERTY.fullmatch(name.strip().lower()):
                self._told |= {each for each in re.split(r"[\s,.#*>:()+~]+", declaration) if not _known(each)}
            elif not (_VALUE.fullmatch(bare.lower()) or (name.strip().startswith("font") and _font(bare))):
                self._told.add(bare)

    def remark(self, text: str) -> None:
        """A comment of a style sheet."""
        self._told.add(text.strip())


def _known(name: str) -> bool:
    return not name or name in ELEMENTS or bool(_TOOL_NAME.fullmatch(name))


def _font(value: str) -> bool:
    return len(value) < 300 and drawn.is_font(value)
