"""SVG: its texts and what else is in it. Nothing here draws: of the figure its words are shown, and the
finding says so.

Parsed with entities refused. What a drawing may be made of is in `drawn`; anything else blocks. matplotlib's
own remarks and metadata are let pass where they say no more than matplotlib says.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from hub_config.airlock.checks.inside.checkers.drawn import (
    ATTRIBUTES,
    ELEMENTS,
    GEOMETRY,
    METADATA,
    Unseen,
)
from hub_config.airlock.checks.inside.checkers.gathering import NOWHERE, Gathering
from hub_config.airlock.checks.inside.checkers.images import picture
from hub_config.airlock.checks.inside.checkers.points import Point, judge_points
from hub_config.airlock.checks.inside.found import CannotRead, Found, Order, Reason
from hub_config.governance.releases.findings import Place, Rule, Severity

MOST_ELEMENTS: Final = 200_000
VERTICES: Final = 400
_PROGRAMS: Final = frozenset({"script", "handler", "listener"})
_FOREIGN: Final = frozenset({"foreignobject", "iframe", "object", "embed", "audio", "video", "html", "body"})
_MOVING: Final = frozenset({"animate", "animatetransform", "animatemotion", "set", "discard"})
_TEXTS: Final = frozenset({"text", "tspan", "textpath"})
_ADDRESSES: Final = frozenset({"href", "src", "base"})
_MARKS: Final = frozenset({"use", "circle", "ellipse", "rect", "path"})
_KEPT: Final = frozenset({"defs", "symbol", "clippath", "pattern", "marker", "mask"})
_SVG: Final = "{http://www.w3.org/2000/svg}"
_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_OUTSIDE: Final = re.compile(r"url\s*\(\s*['\"]?\s*(?!#|['\"]?\s*#)|@import", re.I)
_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|(?<![-\w])opacity\s*:\s*0*\.?0*\s*(;|$)|"
    r"font(-size)?\s*:\s*0*[0-2]?(\.\d+)?\s*(px|pt|em|%)?\s*(;|$|\s')|fill-opacity\s*:\s*0*\.?0*\s*(;|$)|"
    r"fill\s*:\s*(none|white|transparent|#fff(fff)?)\b",
    re.I,
)
_DATA_IMAGE: Final = re.compile(r"data:image/(png|jpe?g);base64,", re.I)
_NUMBER: Final = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
_OF_TOOLS: Final = re.compile(
    r"Matplotlib v\d+(\.\w{1,8}){1,4}, https://matplotlib\.org/|image/svg\+xml|\d{4}-\d\d-\d\dT[\d:.]{8,15}"
)
_LONG_REMARK: Final = 120
_LONG_METADATA: Final = 200
_GONE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)", re.I)
_STARTS: Final = re.compile(r"[Mm]\s*([-+]?[\d.]+(?:e-?\d+)?)[\s,]*([-+]?[\d.]+(?:e-?\d+)?)", re.I)
_MOVED: Final = re.compile(r"translate\(\s*([-+]?[\d.]+)[\s,]*([-+]?[\d.]+)?")
_LONG_NUMBER: Final = re.compile(r"[\d.]{12,60}")


def check(content: bytes, order: Order) -> Found:
    gathering = Gathering(order)
    drawing(gathering, content, NOWHERE, Rule.PICTURE)
    return gathering.found()


def drawing(gathering: Gathering, content: bytes, place: Place, seen: Rule = Rule.UNSEEN_DRAWING) -> None:
    """`seen`: whether the page shows it, as of a file of its own, or its texts only. Raises CannotRead: no
    XML, entities, too many elements."""
    texts: list[str] = []
    marks = defaultdict[str, list[Point]](list)
    vertices, elements, beside, unseen = 0, 0, 0, gathering.strokes
    parsed = list(_elements(content))
    kept = {id(part) for each in parsed if _local(each.tag) in _KEPT for part in each.iter()}
    for element in parsed:
        elements += 1
        if elements > MOST_ELEMENTS:
            raise CannotRead(Reason.TOO_MUCH)
        name = _local(element.tag)
        if name in ("!--", "?"):
            _remark(gathering, element.text or "", texts, place)
            continue
        _judge(gathering, name, element, place, unseen)
        beside += _judge_text(gathering, name, element, texts, place)
        if name in _MARKS and id(element) not in kept:
            marks[_shape(name, element)].extend(_points(name, element))
        vertices = max(vertices, _vertices(element))
    if beside > _LONG_METADATA:
        gathering.block(Rule.HIDDEN_CONTENT, "texts of a drawing", place)
    if unseen.too_much:
        gathering.block(Rule.HIDDEN_CONTENT, "data within a mark", place)
    judge_points(gathering, marks, place)
    if vertices > VERTICES:
        gathering.add(Rule.POINTS, Severity.WARNING, place, count=vertices)
    gathering.add(seen, Severity.WARNING, place)
    gathering.lines("SVG", texts, place)


def _elements(content: bytes) -> Iterator[Any]:
    """Elements, remarks and instructions, in order. Raises CannotRead."""
    from xml.etree.ElementTree import Comment, ProcessingInstruction, TreeBuilder

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(
        target=TreeBuilder(insert_comments=True, insert_pis=True), forbid_entities=True, forbid_external=True
    )
    try:
        parser.feed(content)
        root = parser.close()
    except DefusedXmlException:
        raise CannotRead(Reason.BOMB) from None
    except (ParseError, ValueError, LookupError):
        raise CannotRead(Reason.DAMAGED) from None
    for element in root.iter():
        if element.tag is Comment:
            element.tag = "!--"
        elif element.tag is ProcessingInstruction:
            element.tag = "?"
        yield element


def _judge(gathering: Gathering, name: str, element: Any, place: Place, unseen: Unseen) -> None:
    block = gathering.block
    if name in _PROGRAMS:
        block(Rule.ACTIVE_CONTENT, "program", place)
    elif name in _FOREIGN:
        block(Rule.EMBEDDED_OBJECT, "page within the drawing", place)
    elif name in _MOVING:
        block(Rule.ACTIVE_CONTENT, "animation", place)
    elif name == "style" and _OUTSIDE.search(element.text or ""):
        block(Rule.EXTERNAL_LINK, "address in a style", place)
    elif name in ("font", "font-face", "glyph"):
        block(Rule.EMBEDDED_OBJECT, "font", place)
    elif name not in ELEMENTS and name not in METADATA:
        gathering.search(name)
        block(Rule.HIDDEN_CONTENT, "unknown part", place)
    if name == "style":
        _judge_sheet(gathering, element.text or "", place, unseen)
    if name in ("g", "svg", "a", "switch", "use") and _GONE.search(_styles(element)):
        block(Rule.HIDDEN_CONTENT, "style that hides", place)
    for attribute, value in element.attrib.items():
        _judge_attribute(gathering, _local(attribute), value, place, unseen)


def _judge_sheet(gathering: Gathering, css: str, place: Place, unseen: Unseen) -> None:
    if "/*" in css or "--" in css:
        gathering.block(Rule.HIDDEN_CONTENT, "remarks of a drawing", place)
    elif _GONE.search(css):
        gathering.block(Rule.HIDDEN_CONTENT, "style that hides", place)
    unseen.sheet(css)


def _judge_attribute(gathering: Gathering, name: str, value: str, place: Place, unseen: Unseen) -> None:
    bare = re.sub(r"[\x00-\x20]+", "", value) if name in _ADDRESSES else value
    if name.startswith("on"):
        gathering.block(Rule.ACTIVE_CONTENT, "program", place)
    elif name in _ADDRESSES and _DATA_IMAGE.match(bare):
        _embedded(gathering, bare, place)
        return
    elif name in _ADDRESSES and bare.lower().startswith(("javascript:", "vbscript:")):
        gathering.block(Rule.ACTIVE_CONTENT, "program", place)
    elif name in _ADDRESSES and bare.lower().startswith("data:"):
        gathering.block(Rule.EMBEDDED_OBJECT, "other file", place)
    elif (name in _ADDRESSES and bare and not bare.startswith("#")) or _OUTSIDE.search(value):
        gathering.block(Rule.EXTERNAL_LINK, "address", place)
    elif name not in ATTRIBUTES:
        gathering.search(name)
        gathering.block(Rule.HIDDEN_CONTENT, "data within a mark", place)
    else:
        unseen.attribute(name, value)
    if name in GEOMETRY:
        for number in _LONG_NUMBER.findall(value):
            gathering.search(number, number.replace(".", ""))
    else:
        gathering.search(value)


def _embedded(gathering: Gathering, address: str, place: Place) -> None:
    try:
        content = base64.b64decode(address.partition(",")[2], validate=True)
    except binascii.Error:
        raise CannotRead(Reason.DAMAGED) from None
    picture(gathering, content, "image", place)


def _judge_text(gathering: Gathering, name: str, element: Any, texts: list[str], place: Place) -> int:
    """How many characters of it are beside the drawing."""
    said = [part.strip() for part in (element.text, element.tail) if part and part.strip()]
    gathering.search(*said)
    if not said:
        return 0
    if name in _TEXTS:
        texts.extend(said)
        if _hides(element):
            gathering.block(Rule.HIDDEN_CONTENT, "hidden text", place)
    elif name in ("title", "desc") and element.tag.startswith(_SVG):
        texts.extend(said)
        gathering.warn(Rule.HIDDEN_CONTENT, "text within a mark", place)
    elif name not in ("style", "script") and not all(map(_OF_TOOLS.fullmatch, said)):
        texts.extend(said)
        gathering.warn(Rule.DOCUMENT_METADATA, "texts of a drawing", place)
        return sum(map(len, said))
    return 0


def _shape(name: str, element: Any) -> str:
    """Marks of one look are of one kind."""
    look = element.get("style") or f"{element.get('fill')} {element.get('stroke')}"
    return element.get(_HREF) or element.get("href") or f"{name} {element.get('class')} {look}"


def _points(name: str, element: Any) -> list[Point]:
    """Where a mark stands; a path, where each of its strokes begins or where the whole is moved to. None of a
    letter, drawn as a shape and put in its place otherwise."""
    if name == "path" or element.get("transform"):
        if moved := _MOVED.match((element.get("transform") or "").strip()):
            return [(_length(moved[1]), _length(moved[2]))] if name != "use" else []
        if name == "path":
            return [(_length(across), _length(up)) for across, up in _STARTS.findall(element.get("d") or "")]
    across, up = (element.get(name) or element.get(f"c{name}") for name in "xy")
    return [] if across is None and up is None else [(_length(across), _length(up))]


def _length(written: str | None) -> float:
    """Without its unit."""
    match = _NUMBER.match((written or "").strip())
    return float(match[0]) if match else 0.0


def _hides(element: Any) -> bool:
    return bool(_HIDING.search(_styles(element)))


def _styles(element: Any) -> str:
    return ";".join([element.get("style", ""), *(f"{_local(k)}:{v}" for k, v in element.attrib.items())])


def _remark(gathering: Gathering, text: str, texts: list[str], place: Place) -> None:
    """matplotlib writes each text it draws as shapes into a remark: these are what the figure says."""
    gathering.search(text)
    if len(text) > _LONG_REMARK:
        gathering.block(Rule.HIDDEN_CONTENT, "remarks of a drawing", place)
    if text.strip():
        texts.append(text.strip())


def _vertices(element: Any) -> int:
    told = element.get("d") or element.get("points") or ""
    if len(told) < VERTICES or _local(element.tag) in ("symbol", "glyph"):
        return 0
    return len(_NUMBER.findall(told)) // 2


def _local(name: object) -> str:
    return name.rpartition("}")[2].lower() if isinstance(name, str) else ""
