"""What a PDF keeps beside its pages: bytes between its objects, objects that nothing leads to, strings and
names that no page shows, and fonts whose text reads otherwise than it is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hub_config.airlock.checks.inside.checkers.gathering import Gathering
from hub_config.airlock.checks.inside.found import CannotRead, Reason
from hub_config.governance.releases.findings import Rule

_MOST_REMARKS: Final = 120  # the mark of a binary file, and the name of a program
_MOST_STRINGS: Final = 300  # characters of all that no page shows and no tool writes
_STREAM: Final = re.compile(rb">>\s*stream\r?\n(.*?)endstream", re.S)
_STRING: Final = re.compile(rb"\((?:[^()\\]++|\\.|\((?:[^()\\]++|\\.)*+\))*+\)", re.S)
_REMARK: Final = re.compile(rb"%[^\r\n]*")
_OWN: Final = re.compile(rb"%PDF-\d\.\d|%%EOF")
_BETWEEN: Final = re.compile(rb"endobj(.*?)(?=\d{1,10}\s+\d{1,5}\s+obj\b|xref|trailer|startxref|\Z)", re.S)
_HEADER: Final = re.compile(rb"\b(\d{1,10})\s+(\d{1,5})\s+obj\b")
_INLINE: Final = re.compile(rb"\bBI\b.*?\bEI\b", re.S)
_PLAIN_NAME: Final = re.compile(r"/?[A-Za-z_.][\w.+*,:-]{0,60}|/?[A-Za-z]?\d{0,5}|/")
_PLAIN_STRING: Final = re.compile(
    r"D:\d{8,14}[Z+-]?[\d'Z]{0,8}|[A-Za-z*_-]{1,30}[.\d:-]{0,12}|[a-z]{2}-[A-Z]{2}|\d{1,4}(?::\d{1,5})?|Adobe|Identity|"
    r"This is pdfTeX, Version [\w.-]{1,40} \(TeX Live [\w/]{1,20}\) kpathsea version [\w./]{1,20}|"
)
_CATALOG: Final = frozenset(
    {"/Type", "/Version", "/Extensions", "/Pages", "/PageLabels", "/Names", "/Dests", "/ViewerPreferences",
     "/PageLayout", "/PageMode", "/Outlines", "/Threads", "/OpenAction", "/AA", "/URI", "/AcroForm",
     "/Metadata", "/StructTreeRoot", "/MarkInfo", "/Lang", "/OutputIntents", "/OCProperties", "/Perms",
     "/Legal", "/Requirements", "/Collection", "/PieceInfo", "/NeedsRendering", "/SpiderInfo", "/DSS"}
)  # fmt: skip
_SHOWN_ELSEWHERE: Final = frozenset({"/Title", "/Contents", "/URI", "/ActualText", "/Alt", "/E", "/RC", "/T"})
_BINARY: Final = frozenset({"/ID", "/ColorSpace"})
_SAID: Final = frozenset({"/Title", "/ActualText", "/Alt", "/E", "/Names", "/Limits", "/D", ""})
_RANGE: Final = re.compile(
    rb"<([0-9A-Fa-f]{1,4})>\s*<([0-9A-Fa-f]{1,4})>\s*(?:<([0-9A-Fa-f]{4})>|\[([^\]]*)\])"
)
_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


# --- bytes -------------------------------------------------------------------------------------------------


def judge_layout(gathering: Gathering, content: bytes, objects: Mapping[tuple[int, int], Any]) -> None:
    """The file as bytes: every one must belong to an object that its tables name."""
    streams = _STREAM.findall(content)
    bare = _STRING.sub(b"()", _STREAM.sub(b">> ", content))
    remarks = [each for each in _REMARK.findall(bare) if not _OWN.fullmatch(each.strip())]
    rest = [part for part in _BETWEEN.findall(_REMARK.sub(b"", bare)) if part.strip(b"\x00\t\n\x0c\r ")]
    gathering.search(*(part.decode("latin-1") for part in (*remarks, *rest)))
    if sum(map(len, remarks)) > _MOST_REMARKS:
        gathering.block(Rule.HIDDEN_CONTENT, "remarks within a part")
    held = [each for each in objects.values() if hasattr(each, "_data")]
    most = sum(len(each._data) for each in held) + 4 * len(streams)
    unlisted = {(int(a), int(b)) for a, b in _HEADER.findall(bare)} - set(objects)
    if rest or unlisted or sum(map(len, streams)) > most + _xref_bytes(streams, held):
        gathering.block(Rule.HIDDEN_CONTENT, "bytes between the objects")


def _xref_bytes(streams: list[bytes], held: list[Any]) -> int:
    """A table of references in a stream may not name itself."""
    return max(map(len, streams), default=0) if len(streams) == len(held) + 1 else 0


# --- objects -----------------------------------------------------------------------------------------------


def judge_orphans(gathering: Gathering, reader: Any, objects: Mapping[tuple[int, int], Any]) -> None:
    """Objects that nothing leads to; without stream and string they hold nothing (matplotlib leaves one)."""
    reached = _reached(reader)
    for key, told in objects.items():
        if key in reached or not _holds(told):
            continue
        gathering.block(Rule.HIDDEN_CONTENT, "an object that no page leads to")


def _reached(reader: Any) -> set[tuple[int, int]]:
    from pypdf.generic import IndirectObject

    reached: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.trailer]
    while waiting:
        each = waiting.pop()
        if isinstance(each, IndirectObject):
            key = (each.idnum, each.generation)
            if key in reached:
                continue
            reached.add(key)
            try:
                each = each.get_object()
            except Exception:  # noqa: S112  a broken reference leads nowhere
                continue
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return reached


def _holds(told: Any) -> bool:
    if isinstance(told, dict) and str(told.get("/Type", "")) in ("/XRef", "/ObjStm"):
        return False
    if hasattr(told, "_data"):
        return True
    texts = [each for _, each in strings(told)]
    return bool(texts) or (isinstance(told, (list, dict)) and len(told) > 20)


def strings(told: Any) -> Iterator[tuple[str, str]]:
    """Every string of an object, not of those it refers to, by its key."""
    waiting: list[tuple[str, Any]] = [("", told)]
    while waiting:
        key, each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend((str(name), value) for name, value in each.items())
        elif isinstance(each, list):
            waiting.extend((key, value) for value in each)
        elif isinstance(each, bytes):
            yield key, each.decode("latin-1")
        elif isinstance(each, str) and not each.startswith("/"):
            yield key, str(each)


def names(told: Any) -> Iterator[str]:
    waiting = [told]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield from map(str, each)
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, str) and each.startswith("/"):
            yield str(each)


def judge_strings(gathering: Gathering, reader: Any, objects: Iterable[Any]) -> None:
    """Outlines, their places and alternative texts are shown; what no page shows is kept short."""
    info = dict(reader.metadata or {}).values()
    beside: set[str] = set()
    said: dict[str, None] = {}
    for each in objects:
        for key, text in strings(each):
            gathering.search(text)
            if key in _SAID and text.strip() and text not in info and not _PLAIN_STRING.fullmatch(text):
                said[text.strip()] = None
            elif key not in _SHOWN_ELSEWHERE | _BINARY and text not in info:
                beside |= set() if _PLAIN_STRING.fullmatch(text) else {text}
        beside |= {name for name in names(each) if not _PLAIN_NAME.fullmatch(name)}
    gathering.search(*beside)
    if set(reader.root_object) - _CATALOG:
        gathering.block(Rule.HIDDEN_CONTENT, "unknown part")
    if sum(map(len, beside)) > _MOST_STRINGS:
        gathering.block(Rule.HIDDEN_CONTENT, "data of a program")
    if said:
        gathering.warn(Rule.HIDDEN_CONTENT, "text within a mark")
        gathering.lines("(alt)", list(said))


def judge_drawing(gathering: Gathering, drawn: bytes, place: Any) -> None:
    """What stands in a page's own program and isn't drawn: remarks, and texts beside marks."""
    bare = _STRING.sub(b"()", _INLINE.sub(b"", drawn))
    remarks = _REMARK.findall(bare)
    gathering.search(*(each.decode("latin-1") for each in remarks))
    beside = re.findall(rb"/(?:ActualText|Alt|E)\s*(\((?:[^()\\]++|\\.)*+\)|<[0-9A-Fa-f\s]*>)", drawn)
    gathering.search(*(_text(each) for each in beside))
    if sum(map(len, remarks)) > _MOST_REMARKS:
        gathering.block(Rule.HIDDEN_CONTENT, "remarks within a part", place)
    if sum(map(len, map(_text, beside))) > _MOST_STRINGS:
        gathering.block(Rule.HIDDEN_CONTENT, "text that isn't shown", place)


def _text(written: bytes) -> str:
    if written.startswith(b"("):
        return written[1:-1].decode("latin-1")
    digits = re.sub(rb"\s", b"", written[1:-1]).decode()
    content = bytes.fromhex(digits + "0" * (len(digits) % 2))
    return (
        content.decode("utf-16", "replace") if content.startswith(b"\xfe\xff") else content.decode("latin-1")
    )


# --- fonts -------------------------------------------------------------------------------------------------


def judge_fonts(gathering: Gathering, objects: Iterable[Any]) -> None:
    """Fonts that draw a digit and read as something else, or the other way round, as far as their own tables
    tell."""
    for each in objects:
        if any(str(font.get("/Type", "")) == "/Font" and _lies(font) for font in _dictionaries(each)):
            gathering.block(Rule.HIDDEN_CONTENT, "text that reads otherwise than it is drawn")


def _dictionaries(told: Any) -> Iterator[Any]:
    waiting = [told]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def _lies(font: Any) -> bool:
    told = font.get("/ToUnicode")
    drawn = _drawn(font)
    if told is None or not drawn:
        return False
    try:
        read = _read(told.get_object().get_data())
    except Exception:
        raise CannotRead(Reason.DAMAGED) from None
    return any(code in read and not _same(read[code], name) for code, name in drawn.items())


def _same(read: str, name: str) -> bool:
    digit = str(_DIGITS.index(name)) if name in _DIGITS else ""
    return read == digit if digit else not read.isdecimal() or len(read) != 1 or not name.isalpha()


def _drawn(font: Any) -> Mapping[int, str]:
    """Which glyph a code draws: by the font's differences, or of a font that every reader has."""
    encoding = font.get("/Encoding")
    encoding = encoding.get_object() if encoding is not None else None
    found: dict[int, str] = {}
    if isinstance(encoding, dict):
        code = 0
        for each in encoding.get("/Differences", ()):
            if isinstance(each, int):
                code = int(each)
            else:
                found[code] = str(each)[1:]
                code += 1
    elif "/FontDescriptor" not in font and str(font.get("/Subtype")) in ("/Type1", "/TrueType"):
        found = {ord("0") + digit: name for digit, name in enumerate(_DIGITS)}
    return found


def _read(table: bytes) -> Mapping[int, str]:
    found: dict[int, str] = {}
    for part in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.S):
        for code, text in re.findall(rb"<([0-9A-Fa-f]{1,4})>\s*<([0-9A-Fa-f]{4,8})>", part):
            found[int(code, 16)] = _text(b"<feff" + text + b">")
    for part in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.S):
        for first, last, start, each in _RANGE.findall(part):
            codes = range(int(first, 16), min(int(last, 16), int(first, 16) + 255) + 1)
            texts = [_text(b"<feff" + text + b">") for text in re.findall(rb"<([0-9A-Fa-f]{4,8})>", each)]
            told = texts or [chr(int(start or b"0", 16) + step) for step in range(len(codes))]
            found |= dict(zip(codes, told, strict=False))
    return found
