"""HTML: its visible text and tables, and all that a page can do or hide beside them.

The page is read event by event, never rendered, never repaired: no markup of it is shown. What is told:
programs and whatever runs or loads something; addresses elsewhere; texts that a browser doesn't show;
images within.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from hub_config.airlock.checks.inside.checkers.gathering import NOWHERE, Gathering
from hub_config.airlock.checks.inside.checkers.images import picture
from hub_config.airlock.checks.inside.checkers.marked import ELEMENTS
from hub_config.airlock.checks.inside.found import CannotRead, Found, Order, Reason
from hub_config.governance.releases.findings import Place, Rule

MOST_TAGS: Final = 300_000
_MOST_DECLARATIONS: Final = 20_000  # each unfinished one has the parser search to the page's end
_MOST_SPAN: Final = 200

_PROGRAMS: Final = frozenset({"script", "applet", "object", "embed"})
_PAGES: Final = frozenset({"iframe", "frame", "frameset", "portal", "fencedframe"})
_FORMS: Final = frozenset({"form", "input", "button", "textarea", "select", "option"})
_PLAYED: Final = frozenset({"audio", "video", "source", "track"})
_NEVER_SHOWN: Final = frozenset({"template", "noscript", "title", "datalist", "noframes"})
_RAW: Final = frozenset({"script", "style"})
_ADDRESSES: Final = frozenset(
    {"href", "src", "srcset", "action", "formaction", "data", "poster", "background", "cite",
     "xlink:href", "longdesc", "manifest", "ping", "codebase", "archive", "classid", "usemap"}
)  # fmt: skip
_BLOCKS: Final = frozenset(
    {"p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "section", "article",
     "tr", "table", "caption", "blockquote", "hr", "dt", "dd", "summary", "details", "figcaption",
     "header", "footer"}
)  # fmt: skip
_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|opacity\s*:\s*0*\.?0*\s*(;|$|!)|font-size\s*:\s*0*\.?0*\s*"
    r"(px|pt|em|rem|%)?\s*(;|$|!)|text-indent\s*:\s*-\s*\d{3,}|(left|top|margin(-left|-top)?)\s*:\s*-\s*\d{3,}|"
    r"(?<![\w-])color\s*:\s*(transparent|white|#fff(fff)?(00)?\b)|clip-path|clip\s*:|(max-)?(height|width)\s*:\s*0+\s*(px|;|$)|"
    r"content-visibility\s*:\s*hidden|transform\s*:\s*scale\(\s*0|position\s*:\s*(absolute|fixed)",
    re.I,
)
_FETCHING: Final = re.compile(r"url\s*\(|@import|expression\s*\(|image-set\s*\(|behavior\s*:", re.I)
_HARMLESS_URL: Final = re.compile(r"url\s*\(\s*['\"]?#", re.I)
_GENERATED: Final = re.compile(r"content\s*:\s*['\"][^'\"]", re.I)
_DATA_IMAGE: Final = re.compile(r"data:image/(png|jpe?g);base64,", re.I)
_HARMLESS_META: Final = frozenset(
    {"", "viewport", "generator", "author", "description", "keywords", "color-scheme", "date"}
)
_REMARK: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)
_JUDGED: Final = (
    _PROGRAMS
    | _PAGES
    | _FORMS
    | _PLAYED
    | _NEVER_SHOWN
    | frozenset({"svg", "math", "canvas", "foreignobject"})
)
_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)


def check(content: bytes, order: Order) -> Found:
    gathering, text = Gathering(order), _decoded(content)
    gathering.search(text)
    page(gathering, text, NOWHERE)
    return gathering.found()


def page(gathering: Gathering, text: str, place: Place) -> None:
    """Gather a page, or a piece of one. Raises CannotRead: too many tags."""
    if text.count("<") > 2 * MOST_TAGS or max(text.count("<!"), text.count("<?")) > _MOST_DECLARATIONS:
        raise CannotRead(Reason.TOO_MUCH)
    if "<!--" in text and text.count("-->") < text.count("<!--"):
        gathering.block(Rule.HIDDEN_CONTENT, "comments of the page", place)
    reader = _Reader(gathering, place)
    reader.feed(text)
    reader.close()
    reader.tell()


def _decoded(content: bytes) -> str:
    for marks, encoding in (((b"\xff\xfe", b"\xfe\xff"), "utf-16"), ((b"",), "utf-8-sig")):
        if content.startswith(marks):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                raise CannotRead(Reason.ENCODING) from None
    raise CannotRead(Reason.ENCODING)


@dataclass
class _Cell:
    head: bool
    columns: int
    rows: int
    text: list[str] = field(default_factory=list)


@dataclass
class _Table:
    title: str = ""
    rows: list[list[str]] = field(default_factory=list)
    heads: int = 0
    row: list[str] = field(default_factory=list)
    row_is_head: bool = True
    hanging: dict[int, tuple[int, str]] = field(default_factory=dict)  # column: rows to come, text
    cell: _Cell | None = None


class _Reader(HTMLParser):
    """One pass over a page."""

    def __init__(self, gathering: Gathering, place: Place) -> None:
        super().__init__(convert_charrefs=True)
        self._gathering = gathering
        self._place = place
        self._tags = 0
        self._raw: str | None = None
        self._hidden: list[str] = []  # open elements, from the first that hides
        self._lines: list[list[str]] = [[]]
        self._unseen: list[str] = []
        self._tables: list[_Table] = []
        self._caption: list[str] | None = None
        self._pictures = 0
        self._attributes = gathering.marks

    # events

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tags += 1
        if self._tags > MOST_TAGS:
            raise CannotRead(Reason.TOO_MUCH)
        told = {name.lower(): value or "" for name, value in attrs}
        self._judge_tag(tag, told)
        if tag not in ELEMENTS | _JUDGED:
            self._gathering.search(tag)
            self._gathering.block(Rule.HIDDEN_CONTENT, "unknown part", self._at())
        for name, value in told.items():
            self._judge_attribute(tag, name, value)
        self._open(tag, told)

    def handle_endtag(self, tag: str) -> None:
        if self._raw == tag:
            self._raw = None
        if self._hidden and tag in self._hidden:
            while self._hidden and self._hidden.pop() != tag:
                pass
        self._close(tag)

    def handle_data(self, data: str) -> None:
        if self._raw is not None:
            self._gathering.search(data)
            if self._raw == "style":
                self._judge_style(data)
            return
        if self._hidden:
            self._unseen.append(data)
        elif self._caption is not None:
            self._caption.append(data)
        elif (cell := self._cell()) is not None:
            cell.text.append(data)
        else:
            self._lines[-1].append(data)

    def handle_comment(self, data: str) -> None:
        if data.strip():
            self._gathering.search(data)
            self._gathering.block(Rule.HIDDEN_CONTENT, "comments of the page", self._at())

    def unknown_decl(self, data: str) -> None:
        self.handle_comment(data)

    def handle_pi(self, data: str) -> None:
        self.handle_comment(data)

    def handle_decl(self, decl: str) -> None:
        if "[" in decl or "entity" in decl.lower():
            self._gathering.block(Rule.ACTIVE_CONTENT, "entities", self._at())

    # judgements

    def _judge_tag(self, tag: str, told: dict[str, str]) -> None:
        block = self._gathering.block
        if tag in _PROGRAMS:
            block(Rule.ACTIVE_CONTENT, "program", self._at())
        elif tag in _PAGES:
            block(Rule.ACTIVE_CONTENT, "page within the page", self._at())
        elif tag in _FORMS:
            block(Rule.ACTIVE_CONTENT, "form", self._at())
        elif tag == "base" or (tag == "link" and told.get("href")):
            block(Rule.EXTERNAL_LINK, "address", self._at())
        elif tag == "meta" and told.get("http-equiv", "").lower() == "refresh":
            block(Rule.ACTIVE_CONTENT, "page that sends elsewhere", self._at())
        elif tag == "meta" and told.get("name", "").lower() in ("author", "description", "keywords"):
            self._unseen.append(told.get("content", ""))
            self._gathering.warn(Rule.DOCUMENT_METADATA, told["name"].lower(), self._at())
        elif tag == "meta" and told.get("name", "").lower() not in _HARMLESS_META:
            self._gathering.block(Rule.HIDDEN_CONTENT, "other properties", self._at())
        elif tag in _PLAYED or tag in ("svg", "math", "canvas", "foreignobject"):
            block(Rule.EMBEDDED_OBJECT, "drawing" if tag != "canvas" else "program", self._at())
        elif tag == "input" and told.get("type", "").lower() == "hidden":
            block(Rule.HIDDEN_CONTENT, "field", self._at())

    def _judge_attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on"):
            self._gathering.block(Rule.ACTIVE_CONTENT, "program", self._at())
        elif name == "srcdoc":
            self._gathering.block(Rule.ACTIVE_CONTENT, "page within the page", self._at())
        elif name in _ADDRESSES:
            self._judge_address(tag, value)
            return
        elif name == "style":
            self._judge_style(value)
        elif name in ("title", "alt", "abbr", "content", "value") and value.strip() and tag != "meta":
            self._unseen_attribute(value)
        self._attributes.attribute(name, value)
        self._gathering.search(name, value)

    def _unseen_attribute(self, value: str) -> None:
        self._gathering.warn(Rule.HIDDEN_CONTENT, "text within a mark", self._at())
        self._unseen.append(value)

    def _judge_address(self, tag: str, value: str) -> None:
        bare = re.sub(r"[\x00-\x20]+", "", value)
        lowered = bare.lower()
        if not bare or bare.startswith("#"):
            return
        if _DATA_IMAGE.match(bare):
            self._embedded(bare)
        elif lowered.startswith(("javascript:", "vbscript:")):
            self._gathering.block(Rule.ACTIVE_CONTENT, "program", self._at())
        elif lowered.startswith(("data:", "blob:", "file:")):
            self._gathering.block(Rule.EMBEDDED_OBJECT, "other file", self._at())
        elif tag == "a" and lowered.startswith(("https://", "http://", "mailto:")) and len(bare) < 200:
            self._gathering.search(value)
            self._gathering.warn(Rule.EXTERNAL_LINK, "address", self._at())
        else:
            self._gathering.search(value)
            self._gathering.block(Rule.EXTERNAL_LINK, "address", self._at())

    def _judge_style(self, value: str) -> None:
        for remark in _REMARK.findall(value):
            self._attributes.remark(remark)
        bare = _HARMLESS_URL.sub("", _REMARK.sub("", value))
        self._attributes.style(bare)
        if _FETCHING.search(bare):
            self._gathering.block(Rule.EXTERNAL_LINK, "address in a style", self._at())
        if _GENERATED.search(bare):
            self._gathering.block(Rule.HIDDEN_CONTENT, "text within a style", self._at())
        if self._raw == "style" and _HIDING.search(bare):
            self._gathering.warn(Rule.HIDDEN_CONTENT, "style that hides", self._at())

    def _embedded(self, address: str) -> None:
        self._pictures += 1
        try:
            content = base64.b64decode(address.partition(",")[2], validate=True)
        except binascii.Error:
            raise CannotRead(Reason.DAMAGED) from None
        picture(self._gathering, content, f"image {self._pictures}", self._at())

    # what is shown, and in which table

    def _open(self, tag: str, told: dict[str, str]) -> None:
        if tag in _RAW:
            self._raw = tag
        style = f"{told.get('style', '')};color:{told.get('color', '')}"
        hides = tag in _NEVER_SHOWN or "hidden" in told or bool(_HIDING.search(style))
        if tag not in _VOID and (hides or self._hidden):
            self._hidden.append(tag)
        if tag in _BLOCKS:
            self._break()
        match tag:
            case "table":
                self._tables.append(_Table())
            case "caption" if self._tables:
                self._caption = []
            case "tr" if self._tables:
                self._end_row()
            case "td" | "th" if self._tables:
                self._end_cell()
                spans = (_span(told.get("colspan")), _span(told.get("rowspan")))
                self._tables[-1].cell = _Cell(tag == "th", *spans)

    def _close(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._break()
        match tag:
            case "caption" if self._tables and self._caption is not None:
                self._tables[-1].title, self._caption = _words(self._caption), None
            case "td" | "th" if self._tables:
                self._end_cell()
            case "tr" | "thead" | "tbody" if self._tables:
                self._end_row()
            case "table" if self._tables:
                self._end_row()
                self._end_table(self._tables.pop())

    def _cell(self) -> _Cell | None:
        """The cell that text stands in: of the innermost table, outside its cells no one's."""
        return self._tables[-1].cell if self._tables else None

    def _break(self) -> None:
        if (cell := self._cell()) is not None:
            cell.text.append(" ")
        else:
            self._lines.append([])

    def _end_cell(self) -> None:
        table = self._tables[-1]
        if (cell := table.cell) is None:
            return
        table.cell = None
        self._hang(table)
        text = _words(cell.text)
        for _ in range(cell.columns):
            if cell.rows > 1:
                table.hanging[len(table.row)] = (cell.rows - 1, text)
            table.row.append(text)
        table.row_is_head = table.row_is_head and cell.head

    def _hang(self, table: _Table) -> None:
        """Cells of earlier rows that reach into this one."""
        while (kept := table.hanging.get(len(table.row))) is not None:
            column, (rows, text) = len(table.row), kept
            if rows > 1:
                table.hanging[column] = (rows - 1, text)
            else:
                del table.hanging[column]
            table.row.append(text)

    def _end_row(self) -> None:
        self._end_cell()
        table = self._tables[-1]
        if table.row:
            self._hang(table)
            if table.row_is_head and table.heads == len(table.rows):
                table.heads += 1
            table.rows.append(table.row)
        table.row, table.row_is_head = [], True

    def _end_table(self, table: _Table) -> None:
        if table.rows:
            header, rows = _with_one_header(table)
            self._gathering.table(table.title or self._gathering.order.name, header, rows, self._place)

    def tell(self) -> None:
        while self._tables:
            self._end_row()
            self._end_table(self._tables.pop())
        if self._attributes.too_much:
            self._gathering.block(Rule.HIDDEN_CONTENT, "data within a mark", self._place)
        unseen = " ".join(" ".join(self._unseen).split())
        if unseen and self._hidden_matters(unseen):
            self._gathering.block(Rule.HIDDEN_CONTENT, "text that isn't shown", self._place)
        self._gathering.lines("", [_words(line) for line in self._lines], self._place)
        if unseen:
            self._gathering.lines("(not shown)", [unseen], self._place)

    def _hidden_matters(self, unseen: str) -> bool:
        """A title in the head is hidden text too, and no reason to stop a page; a number in it is."""
        return len(unseen) > 200 or any(sign.isdigit() for sign in unseen)

    def _at(self) -> Place:
        line, _ = self.getpos()
        return Place(
            page=self._place.page, cell=self._place.cell, line=line if self._place == NOWHERE else None
        )


def _span(told: str | None) -> int:
    return min(max(int(told), 1), _MOST_SPAN) if told and told.isascii() and told.isdigit() else 1


def _words(pieces: list[str]) -> str:
    return " ".join("".join(pieces).split())


def _with_one_header(table: _Table) -> tuple[list[str], list[list[str]]]:
    """Several rows of heads become one, each column's heads in a row."""
    heads = table.rows[: max(table.heads, 1)]
    width = max(map(len, table.rows))
    columns = ([row[place] for row in heads if place < len(row)] for place in range(width))
    header = [" ".join(dict.fromkeys(filter(None, column))) for column in columns]
    return header, table.rows[len(heads) :]
