"""Word documents (.docx): their paragraphs and tables, and what Word keeps beside what it shows.

The parts of the archive are read under limits, as XML without entities; none is rendered. A part that no
rule knows is told as hidden content. Other office documents (.doc, .odt, .pptx…) are refused unread.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from hub_config.airlock.checks.inside.checkers import refused
from hub_config.airlock.checks.inside.checkers.gathering import NOWHERE, Gathering
from hub_config.airlock.checks.inside.checkers.images import picture
from hub_config.airlock.checks.inside.checkers.worded import Unseen
from hub_config.airlock.checks.inside.found import CannotRead, Found, Order, Reason
from hub_config.airlock.checks.inside.zipped import outside_entries
from hub_config.governance.releases.findings import Place, Rule, Severity

MOST_PARTS: Final = 500
MOST_ELEMENTS: Final = 400_000
_MAIN: Final = "word/document.xml"
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_READ: Final = re.compile(
    r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments\w*|glossary/document)\.xml"
)
_KNOWN: Final = re.compile(
    r"(\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|customXml/(_rels/)?item(Props)?\d*\.xml(\.rels)?|"
    r"word/(_rels/[\w.]+\.rels|(document|styles|settings|webSettings|fontTable|numbering|stylesWithEffects|people|"
    r"footnotes|endnotes|header\d*|footer\d*|comments\w*)\.xml|theme/(theme\d*\.xml|_rels/[\w.]+\.rels)))"
)
_CHANGES: Final = frozenset(
    {"ins", "del", "moveFrom", "moveTo", "delText", "rPrChange", "pPrChange", "tblPrChange", "cellIns",
     "cellDel", "numberingChange", "sectPrChange", "tcPrChange", "trPrChange"}
)  # fmt: skip
_FIELDS: Final = re.compile(
    r"\b(DDE(AUTO)?|INCLUDE(TEXT|PICTURE)|LINK|MACROBUTTON|DATABASE|IMPORT|RD)\b", re.I
)
_MACROS: Final = re.compile(r"vba|macro|activeX|\.bin$", re.I)
_TINY: Final = 4  # half points


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    parts = _parts(content, order)
    if parts is None:
        return refused.check(content, order)
    gathering = Gathering(order)
    outside = outside_entries(content)
    if outside or not content.startswith(b"PK\x03\x04"):
        gathering.search(outside.decode("latin-1"))
        gathering.add(Rule.TRAILING_BYTES, Severity.BLOCKING)
    unseen = Unseen(frozenset(parts))
    for name, part in parts.items():
        _judge_part(gathering, name, part)
        if name.endswith((".xml", ".rels")) and not name.startswith(("docProps/", "customXml/")):
            for element in _bounded(_xml(part)):
                unseen.element(element)
    gathering.search(*unseen.told())
    if unseen.too_much or unseen.for_programs:
        gathering.block(Rule.HIDDEN_CONTENT, "data of a program")
    for name in sorted(parts, key=lambda name: name != _MAIN):
        if _READ.fullmatch(name):
            _read_part(gathering, name, _xml(parts[name]))
    return gathering.found()


# --- the archive -------------------------------------------------------------------------------------------


def _parts(content: bytes, order: Order) -> Mapping[str, bytes] | None:
    """The parts by name, unpacked within bounds; None where it is no Word document. Raises CannotRead."""
    if not content.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if _MAIN not in {member.filename for member in members}:
                return None
            return _unpacked(archive, members, order.sizes.unpacked_bytes)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError):
        raise CannotRead(Reason.DAMAGED) from None
    except Exception as error:
        if isinstance(error, CannotRead):
            raise
        raise CannotRead(Reason.DAMAGED) from None  # zlib.error and its like


def _unpacked(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], most: int) -> dict[str, bytes]:
    if len(members) > MOST_PARTS:
        raise CannotRead(Reason.BOMB)
    parts: dict[str, bytes] = {}
    for member in members:
        if member.flag_bits & 0x1:
            raise CannotRead(Reason.ENCRYPTED)
        if member.filename in parts:
            raise CannotRead(Reason.POLYGLOT)
        with archive.open(member) as packed:
            parts[member.filename] = packed.read(most + 1)
        most -= len(parts[member.filename])
        if most < 0:
            raise CannotRead(Reason.BOMB)
    return parts


def _xml(content: bytes) -> Any:
    """Raises CannotRead."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(content, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise CannotRead(Reason.BOMB) from None
    except (ParseError, ValueError, LookupError):
        raise CannotRead(Reason.DAMAGED) from None


# --- parts -------------------------------------------------------------------------------------------------


def _judge_part(gathering: Gathering, name: str, content: bytes) -> None:
    if name.endswith((".xml", ".rels")):
        gathering.search(content.decode("utf-8", "replace"))
        if b"<!--" in content or b"<?" in content[1:]:
            gathering.block(Rule.HIDDEN_CONTENT, "remarks within a part")
        if "styles" in name.lower() and _hides(_xml(content)):
            gathering.block(Rule.HIDDEN_CONTENT, "style that hides")
    if name.endswith(".rels"):
        _judge_relations(gathering, _xml(content))
    elif name == "[Content_Types].xml":
        if b"macroEnabled" in content or b"vbaProject" in content:
            gathering.add(Rule.MACRO, Severity.BLOCKING)
    elif name.startswith("docProps/") and name.endswith(".xml"):
        _judge_properties(gathering, name, _xml(content))
    elif name.startswith("customXml/"):
        _judge_custom(gathering, content)
    elif name.startswith(("word/media/", "docProps/thumbnail")):
        _judge_media(gathering, name, content)
    elif _MACROS.search(name):
        gathering.add(Rule.MACRO, Severity.BLOCKING)
    elif name.startswith(("word/embeddings/", "word/charts/", "word/diagrams/")):
        gathering.block(Rule.EMBEDDED_OBJECT, "chart" if "chart" in name else "other file")
    elif name.startswith("word/fonts/"):
        gathering.block(Rule.EMBEDDED_OBJECT, "font")
    elif not _KNOWN.fullmatch(name):
        gathering.block(Rule.HIDDEN_CONTENT, "unknown part")


def _judge_relations(gathering: Gathering, root: Any) -> None:
    for relation in root.iter():
        if relation.get("TargetMode") != "External":
            continue
        gathering.search(relation.get("Target", ""))
        if str(relation.get("Type", "")).endswith("/hyperlink"):
            gathering.warn(Rule.EXTERNAL_LINK, "address")
        else:
            gathering.block(Rule.EXTERNAL_LINK, "other file")


def _judge_properties(gathering: Gathering, name: str, root: Any) -> None:
    for element in root.iter():
        key, said = _local(element.tag), (element.text or "").strip()
        gathering.search(said)
        if not said or key in _HARMLESS or said in ("P4DP", "python-docx"):
            continue
        what = {"creator": "author", "lastModifiedBy": "author", "Company": "company", "Manager": "author",
                "keywords": "keywords"}.get(key, "other properties")  # fmt: skip
        gathering.warn(Rule.DOCUMENT_METADATA, what)


_HARMLESS: Final = frozenset(
    {"title", "created", "modified", "revision", "lastPrinted", "language", "Template", "TotalTime",
     "Pages", "Words", "Characters", "Application", "DocSecurity", "Lines", "Paragraphs", "ScaleCrop",
     "LinksUpToDate", "SharedDoc", "CharactersWithSpaces", "HyperlinksChanged", "AppVersion",
     "HeadingPairs", "TitlesOfParts", "vector", "variant", "lpstr", "i4", "version"}
)  # fmt: skip


def _judge_custom(gathering: Gathering, content: bytes) -> None:
    """Word keeps an empty list of sources there, and any other data in the same way."""
    for element in _xml(content).iter():
        if (element.text or "").strip() or _local(element.tag) not in (
            "Sources",
            "datastoreItem",
            "schemaRefs",
            "schemaRef",
        ):
            gathering.search(element.text or "")
            gathering.block(Rule.HIDDEN_CONTENT, "data of a program")


def _judge_media(gathering: Gathering, name: str, content: bytes) -> None:
    if hashlib.sha256(content).hexdigest() in _THUMBNAILS:
        return
    if name.startswith("docProps/"):
        gathering.block(Rule.EMBEDDED_OBJECT, "thumbnail")
        return
    try:
        picture(gathering, content, name.rpartition("/")[2])
    except CannotRead as stop:
        if stop.reason is not Reason.UNKNOWN_KIND:
            raise
        gathering.block(Rule.EMBEDDED_OBJECT, "other file")


# --- texts -------------------------------------------------------------------------------------------------


def _read_part(gathering: Gathering, name: str, root: Any) -> None:
    elements = list(_bounded(root))
    place = NOWHERE if name == _MAIN else Place(what=name.rpartition("/")[2].partition(".")[0])
    _judge_elements(gathering, elements, place)
    comments = "comments" in name
    if comments and any(_text(each) for each in root):
        gathering.add(Rule.COMMENT, Severity.BLOCKING, place)
    inside = {id(part) for each in elements if _local(each.tag) == "tbl" for part in each.iter()}
    lines = [_text(each) for each in elements if _local(each.tag) == "p" and id(each) not in inside]
    for number, table in enumerate((each for each in elements if _local(each.tag) == "tbl"), 1):
        rows = [
            [_text(cell) for cell in row if _local(cell.tag) == "tc"]
            for row in table
            if _local(row.tag) == "tr"
        ]
        if rows:
            gathering.table(f"{gathering.order.name} ({number})", rows[0], rows[1:], place)
    gathering.lines("" if place == NOWHERE else place.what, lines, place)
    gathering.search(" ".join(each.text for each in elements if each.text))


def _bounded(root: Any) -> Iterator[Any]:
    for count, element in enumerate(root.iter()):
        if count > MOST_ELEMENTS:
            raise CannotRead(Reason.TOO_MUCH)
        yield element


def _judge_elements(gathering: Gathering, elements: list[Any], place: Place) -> None:
    for element in elements:
        match _local(element.tag):
            case name if name in _CHANGES:
                gathering.add(Rule.TRACKED_CHANGES, Severity.BLOCKING, place)
            case "vanish" | "webHidden" | "specVanish" if element.get(f"{_W}val", "1") not in ("0", "false"):
                gathering.block(Rule.HIDDEN_CONTENT, "hidden text", place)
            case "color" | "sz" if _too_faint(element):
                gathering.block(Rule.HIDDEN_CONTENT, "hidden text", place)
            case "altChunk" | "object" | "OLEObject" | "control":
                gathering.block(Rule.EMBEDDED_OBJECT, "other file", place)
            case "instrText" if _FIELDS.search(element.text or ""):
                gathering.block(Rule.ACTIVE_CONTENT, "field", place)
            case "fldSimple" if _FIELDS.search(element.get(f"{_W}instr", "")):
                gathering.block(Rule.ACTIVE_CONTENT, "field", place)
            case "docPr" if element.get("descr") or element.get("title"):
                said = [element.get("descr", ""), element.get("title", "")]
                gathering.search(*said)
                gathering.lines("(alt)", said, place)
                gathering.warn(Rule.HIDDEN_CONTENT, "text within a mark", place)


def _hides(styles: Any) -> bool:
    """A style of paragraphs or letters, and of nothing else: tables have heads in white on black."""
    return any(
        _local(each.tag) == "vanish" or _too_faint(each)
        for style in styles
        if style.get(f"{_W}type") in ("paragraph", "character") or _local(style.tag) == "docDefaults"
        for each in style.iter()
    )


def _too_faint(element: Any) -> bool:
    """A colour near white, by itself or as the theme's paper; or letters of under two points."""
    said = element.get(f"{_W}val", "").lower()
    if _local(element.tag) == "sz":
        return said.isdigit() and int(said) < _TINY
    if _local(element.tag) != "color":
        return False
    paper = element.get(f"{_W}themeColor") in ("background1", "background2", "light1", "light2")
    return paper or bool(re.fullmatch(r"[ef][0-9a-f][ef][0-9a-f][ef][0-9a-f]", said))


def _text(element: Any) -> str:
    pieces = [
        "\t" if _local(each.tag) == "tab" else each.text or ""
        for each in element.iter()
        if _local(each.tag) in ("t", "delText", "tab", "instrText")
    ]
    return "".join(pieces).strip()


def _local(name: object) -> str:
    return name.rpartition("}")[2] if isinstance(name, str) else ""


_THUMBNAILS: Final = frozenset({"96367138dc44ce09bf2c8f0f8e49348a1478d2c5c0af69bbc2bbc38b63cdcead"})
"""SHA-256 of the thumbnails that python-docx's own empty template carries: a picture of an empty page."""
