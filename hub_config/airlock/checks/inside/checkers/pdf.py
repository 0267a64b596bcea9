"""PDF: its pages as pictures, the text of each, and all that a PDF can carry or do beside it.

Every object of the file is looked at, also those that no page leads to. What is encrypted, or too large
to walk through, is put aside.
"""

from __future__ import annotations

import io
import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hub_config.airlock.checks.inside.checkers import portable
from hub_config.airlock.checks.inside.checkers.drawn_pages import MOST_DRAWN, Box, page_title, sheets
from hub_config.airlock.checks.inside.checkers.gathering import Gathering
from hub_config.airlock.checks.inside.checkers.points import Point, judge_points
from hub_config.airlock.checks.inside.found import CannotRead, Found, Order, Reason
from hub_config.airlock.checks.inside.preview import Block, ImageBlock, TextBlock
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity

MOST_OBJECTS: Final = 50_000
MOST_PAGES: Final = 200
_MOST_DEPTH: Final = 40
_ACTIONS: Final = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/Rendition", "/Movie",
     "/Sound", "/Trans", "/GoTo3DView", "/RichMediaExecute", "/Named", "/SetOCGState"}
)  # fmt: skip
_OUTWARD: Final = frozenset({"/URI", "/GoToR", "/GoToE", "/Thread"})
_MEDIA: Final = frozenset({"/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"})
_TOOLS: Final = re.compile(
    r"^(matplotlib|pypdf|reportlab|cairo|libreoffice|skia/pdf|pdftex|latex|weasyprint|chromium)", re.I
)
_INVISIBLE: Final = re.compile(rb"(?<![\d.])[37]\s+Tr\b")
_PIECE: Final = 4_000_000
_STAMP: Final = re.compile(rb"1 0 0 1 (-?[\d.]{1,20}) (-?[\d.]{1,20}) cm\s+/(\w{1,40}) Do\b")


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    gathering = Gathering(order)
    _judge_bytes(gathering, content)
    reader = _opened(content)
    objects = dict(_objects(reader))
    for each in objects.values():
        _judge_object(gathering, each)
    portable.judge_layout(gathering, content, objects)
    portable.judge_orphans(gathering, reader, objects)
    portable.judge_strings(gathering, reader, objects.values())
    portable.judge_fonts(gathering, objects.values())
    _judge_metadata(gathering, reader)
    _draw_pages(gathering, content, reader)
    _read_pages(gathering, reader)
    found = gathering.found()
    unseen = Found(tuple(_unseen(found, len(reader.pages))))
    return replace(found, blocks=tuple(_beside(found.blocks))) + unseen


def _opened(content: bytes) -> Any:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise CannotRead(Reason.ENCRYPTED)
        if len(reader.pages) > MOST_PAGES:
            raise CannotRead(Reason.TOO_MUCH)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError):
        raise CannotRead(Reason.DAMAGED) from None
    return reader


def _judge_bytes(gathering: Gathering, content: bytes) -> None:
    if not content.startswith(b"%PDF-"):
        raise CannotRead(Reason.POLYGLOT)
    end = content.rfind(b"%%EOF")
    if end < 0:
        raise CannotRead(Reason.DAMAGED)
    if content[end + 5 :].strip(b"\r\n\x00 "):
        gathering.add(Rule.TRAILING_BYTES, Severity.BLOCKING)
        gathering.search(content[end + 5 :].decode("latin-1"))
    if content.count(b"%%EOF") > 1 and b"/Linearized" not in content[:1_024]:
        gathering.block(Rule.HIDDEN_CONTENT, "earlier versions of the document")


# --- objects -----------------------------------------------------------------------------------------------


def _objects(reader: Any) -> Iterator[tuple[tuple[int, int], Any]]:
    """Every object of the tables of references, whether a page leads to it or not."""
    from pypdf.generic import IndirectObject

    numbers = {(number, generation) for generation, table in reader.xref.items() for number in table}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    if len(numbers) > MOST_OBJECTS:
        raise CannotRead(Reason.TOO_MUCH)
    for number, generation in sorted(numbers):
        try:
            yield (number, generation), reader.get_object(IndirectObject(number, generation, reader))
        except Exception:  # noqa: S112  a free or broken entry: what leads to it is told where it is met
            continue


def _judge_object(gathering: Gathering, told: Any) -> None:
    """A dictionary and all that stands within it; other objects are met on their own."""
    waiting, seen = [(told, 0)], 0
    while waiting:
        each, depth = waiting.pop()
        seen += 1
        if seen > MOST_OBJECTS or depth > _MOST_DEPTH:
            raise CannotRead(Reason.TOO_MUCH)
        if isinstance(each, dict):
            _judge_dictionary(gathering, each)
            waiting.extend((value, depth + 1) for value in each.values())
        elif isinstance(each, list):
            waiting.extend((value, depth + 1) for value in each)


def _judge_dictionary(gathering: Gathering, told: Any) -> None:
    action, kind, subtype = (_name(told, key) for key in ("/S", "/Type", "/Subtype"))
    acts = action in _ACTIONS or "/JS" in told or "/OpenAction" in told or "/AA" in told
    if acts and not _only_goes_somewhere(told):
        gathering.block(Rule.ACTIVE_CONTENT, "program")
    if "/AcroForm" in told or "/XFA" in told or subtype == "/Widget":
        gathering.block(Rule.ACTIVE_CONTENT, "form")
    if action in _OUTWARD:
        gathering.search(str(told.get("/URI", "")))
        gathering.warn(Rule.EXTERNAL_LINK, "address")
    if kind == "/EmbeddedFile" or "/EmbeddedFiles" in told or "/EF" in told or subtype == "/FileAttachment":
        gathering.block(Rule.EMBEDDED_OBJECT, "other file")
    if subtype in _MEDIA:
        gathering.block(Rule.EMBEDDED_OBJECT, "film or sound")
    if "/OCProperties" in told or kind == "/OCG":
        gathering.block(Rule.HIDDEN_CONTENT, "layers")
    if "/PieceInfo" in told or "/Collection" in told:
        gathering.block(Rule.HIDDEN_CONTENT, "data of a program")
    if subtype == "/Image":
        gathering.add(Rule.PICTURE, Severity.WARNING)
    if kind == "/Annot" or "/Rect" in told:
        _judge_annotation(gathering, told, subtype)


def _only_goes_somewhere(told: Any) -> bool:
    """An /OpenAction that is a place in the document, as LaTeX writes it, does nothing else."""
    return "/OpenAction" in told and "/AA" not in told and isinstance(_plain(told.get("/OpenAction")), list)


def _judge_annotation(gathering: Gathering, told: Any, subtype: str) -> None:
    if subtype in ("/Link", "/Widget"):
        return
    said = " ".join(str(_plain(told.get(key)) or "") for key in ("/Contents", "/T", "/RC"))
    gathering.search(said)
    gathering.add(Rule.COMMENT, Severity.BLOCKING)
    gathering.lines("(comment)", said.splitlines())


def _name(told: Any, key: str) -> str:
    value = _plain(told.get(key))
    return str(value) if value is not None else ""


def _plain(value: Any) -> Any:
    try:
        return value.get_object() if value is not None else None
    except Exception:  # a broken reference
        return None


# --- metadata, pages ---------------------------------------------------------------------------------------


def _judge_metadata(gathering: Gathering, reader: Any) -> None:
    told = {str(key): str(value) for key, value in dict(reader.metadata or {}).items()}
    for key, value in told.items():
        gathering.search(value)
        if key in ("/CreationDate", "/ModDate", "/Trapped") or not value.strip() or _TOOLS.match(value):
            continue
        what = {"/Author": "author", "/Title": "title", "/Keywords": "keywords"}.get(key, "other properties")
        gathering.warn(Rule.DOCUMENT_METADATA, what)
    if (packet := _plain(reader.root_object.get("/Metadata"))) is not None:
        try:
            gathering.search(packet.get_data()[:_PIECE].decode("utf-8", "replace"))
        except Exception:
            raise CannotRead(Reason.DAMAGED) from None
        gathering.warn(Rule.DOCUMENT_METADATA, "other properties")


def _draw_pages(gathering: Gathering, content: bytes, reader: Any) -> None:
    """Before anything else is shown: no long text takes a picture's place. Raises CannotRead."""
    try:
        boxes = [_sides(page.mediabox) for page in reader.pages]
    except Exception:
        raise CannotRead(Reason.DAMAGED) from None
    for number, sheet in enumerate(sheets(content, boxes), 1):
        if sheet.picture is not None:
            gathering.show(sheet.picture)
        if sheet.unseen:
            gathering.block(Rule.HIDDEN_CONTENT, "text that isn't shown", Place(page=number))
        if sheet.beyond:
            gathering.block(Rule.HIDDEN_CONTENT, "something outside the page", Place(page=number))


def _sides(box: Any) -> Box:
    left, right = sorted((float(box.left), float(box.right)))
    bottom, top = sorted((float(box.bottom), float(box.top)))
    return left, bottom, right, top


def _beside(blocks: Sequence[Block]) -> Iterator[Block]:
    """Each page's picture, then its words."""
    pictures = [each for each in blocks if isinstance(each, ImageBlock)]
    titles = [each.alt for each in pictures]
    for block in blocks:
        if isinstance(block, TextBlock) and block.title in titles:
            until = titles.index(block.title) + 1
            yield from pictures[:until]
            del pictures[:until], titles[:until]
        if not isinstance(block, ImageBlock):
            yield block
    yield from pictures


def _unseen(found: Found, pages: int) -> Iterator[Finding]:
    """What keeps a file in whose every page is not in its preview."""
    shown = {each.alt for each in found.blocks if isinstance(each, ImageBlock)}
    missing = [number for number in range(1, pages + 1) if page_title(number) not in shown]
    if pages > MOST_DRAWN:
        params: Mapping[str, str | int] = {"shown": len(shown), "total": pages, "unit": "pages"}
        yield Finding(Rule.NOT_ALL_SHOWN, Severity.BLOCKING, None, params)
    for number in missing:
        yield Finding(Rule.UNSEEN_DRAWING, Severity.BLOCKING, Place(page=number))


def _read_pages(gathering: Gathering, reader: Any) -> None:
    """The text of each page. Raises CannotRead where a page can't be read: nobody would know what it says."""
    for number, page in enumerate(reader.pages, 1):
        place = Place(page=number)
        try:
            contents = page.get_contents()
            drawn = b"" if contents is None else contents.get_data()
            text = page.extract_text() if len(drawn) <= _PIECE else None
        except (RecursionError, MemoryError):
            raise CannotRead(Reason.TOO_MUCH) from None
        except Exception:
            raise CannotRead(Reason.DAMAGED) from None
        if text is None:
            raise CannotRead(Reason.TOO_MUCH)
        if _INVISIBLE.search(drawn):
            gathering.block(Rule.HIDDEN_CONTENT, "hidden text", place)
        portable.judge_drawing(gathering, drawn, place)
        judge_points(gathering, _stamped(drawn), place)
        gathering.search(text)
        gathering.lines(page_title(number), text.splitlines(), place)


def _stamped(drawn: bytes) -> Mapping[str, Sequence[Point]]:
    """Where a shape is drawn again and again, each time moved on from the last, as matplotlib draws marks."""
    places = defaultdict[str, list[Point]](list)
    at = (0.0, 0.0)
    for across, up, shape in _STAMP.findall(drawn):
        try:
            at = (at[0] + float(across), at[1] + float(up))
        except ValueError:
            continue
        places[shape.decode()].append(at)
    return places
