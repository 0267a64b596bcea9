"""A PDF's pages as pictures, on white: what the preview shows beside their words, and what stands on a page
without showing there.

All of the sheet is drawn, also what a crop box cuts off; annotations and fields as they are printed. A page
that isn't drawn whole is not drawn: too large, too heavy, or with an image that can't be decoded. A reader
that counts other pages than the one of the words does puts the file aside.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pypdfium2  # type: ignore[import-untyped]
from pypdfium2 import raw

from hub_config.airlock.checks.inside.checkers.beside import Size
from hub_config.airlock.checks.inside.found import CannotRead, Reason
from hub_config.airlock.checks.inside.preview import IMAGE_BYTES, ImageBlock

MOST_DRAWN: Final = 30
MOST_BYTES: Final = 12_000_000  # of a file's pictures together
MOST_DOTS: Final = 20_000_000  # of a page
_SCALES: Final = (2.0, 1.5)  # dots of a point: letters of 8 points are 16 or 12 dots high
_LEAST_SIDE: Final = 800.0  # dots: a page smaller than a stamp is enlarged
_LARGEST_SCALE: Final = 20.0
_MOST_OBJECTS: Final = 100_000  # of a file
_MOST_DEPTH: Final = 12  # of drawings within drawings
_CONTRAST: Final = 16  # of 255: what differs less from what surrounds it shows nothing

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Sheet:
    """A page. `picture`: None where it isn't drawn. `unseen`: a text stands on it that its picture doesn't
    show. `beyond`: something lies wholly outside it."""

    picture: ImageBlock | None = None
    unseen: bool = False
    beyond: bool = False


def page_title(number: int) -> str:
    """What its picture and its words are called."""
    return f"page {number}"


class _NotDrawn(Exception):
    """This page has no picture that could be believed."""


def sheets(content: bytes, boxes: Sequence[Box]) -> Iterator[Sheet]:
    """Of each page whose media box is given, in order. Raises CannotRead."""
    try:
        document = pypdfium2.PdfDocument(content)
        if len(document) != len(boxes):
            raise CannotRead(Reason.DAMAGED)
        if document.get_formtype():
            document.init_forms()
    except pypdfium2.PdfiumError:
        raise CannotRead(Reason.DAMAGED) from None
    budget = _Budget()
    for number, box in enumerate(boxes):
        yield _sheet(document, number, box, budget)


@dataclass
class _Budget:
    bytes: int = MOST_BYTES
    objects: int = _MOST_OBJECTS


def _sheet(document: Any, number: int, box: Box, budget: _Budget) -> Sheet:
    if number >= MOST_DRAWN:
        return Sheet()
    try:
        page = document[number]
        page.set_mediabox(*box)
        page.set_cropbox(*box)
        objects = _objects(page, budget)
        _refuse_undecoded(objects)
        bitmap, picture = _drawn(page, page_title(number + 1))
        budget.bytes -= len(picture.png)
        if budget.bytes < 0:
            raise _NotDrawn
        own = [each for each in objects if each.level == 0]
        return Sheet(picture, _hides(page, bitmap, own), any(_beyond(each, box) for each in own))
    except (_NotDrawn, pypdfium2.PdfiumError, ValueError, OverflowError):
        return Sheet()


# --- the picture -------------------------------------------------------------------------------------------


def _drawn(page: Any, alt: str) -> tuple[Any, ImageBlock]:
    """At the first scale at which it is light enough. Raises _NotDrawn."""
    width, height = page.get_size()
    if not (math.isfinite(width) and math.isfinite(height) and min(width, height) > 0):
        raise _NotDrawn
    enlarged = min(_LEAST_SIDE / max(width, height), _LARGEST_SCALE)
    for scale in dict.fromkeys(max(each, enlarged) for each in _SCALES):
        if math.ceil(width * scale) * math.ceil(height * scale) > MOST_DOTS:
            continue
        bitmap = page.render(
            scale=scale, fill_color=(255, 255, 255, 255), draw_annots=True, optimize_mode="print"
        )
        png = _encoded(bitmap)
        if len(png) <= IMAGE_BYTES:
            return bitmap, ImageBlock(png, alt, bitmap.width, bitmap.height)
    raise _NotDrawn


def _encoded(bitmap: Any) -> bytes:
    """Few colours are told by a palette, without loss."""
    picture = bitmap.to_pil().convert("RGB")
    colours = picture.getcolors(256)
    if colours is not None and all(red == green == blue for _, (red, green, blue) in colours):
        picture = picture.convert("L")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


# --- what stands on it -------------------------------------------------------------------------------------


def _objects(page: Any, budget: _Budget) -> list[Any]:
    """Raises _NotDrawn where there are too many, or they are nested deeper than anybody looks."""
    found = []
    for each in page.get_objects(max_depth=_MOST_DEPTH):
        budget.objects -= 1
        if budget.objects < 0 or each.level >= _MOST_DEPTH - 1:
            raise _NotDrawn
        found.append(each)
    return found


def _refuse_undecoded(objects: Sequence[Any]) -> None:
    """An image that can't be decoded leaves its place white. Raises _NotDrawn, PdfiumError."""
    for each in objects:
        if each.type == raw.FPDF_PAGEOBJ_IMAGE:
            if Size(*each.get_px_size()).absurd:
                raise _NotDrawn
            each.get_bitmap().close()


def _beyond(each: Any, box: Box) -> bool:
    left, bottom, right, top = each.get_bounds()
    return bool(right < box[0] or left > box[2] or top < box[1] or bottom > box[3])


def _hides(page: Any, bitmap: Any, objects: Sequence[Any]) -> bool:
    """Whether a text of the page leaves no trace in its picture where it stands: white on white, under
    something, as fine as dust."""
    picture, places = bitmap.to_pil().convert("RGB"), bitmap.get_posconv(page)
    words = page.get_textpage()
    for each in objects:
        if each.type == raw.FPDF_PAGEOBJ_TEXT:
            each.textpage = words
            if each.extract().strip() and _is_blank(picture, places, each.get_bounds()):
                return True
    return False


def _is_blank(picture: Any, places: Any, bounds: Box) -> bool:
    ends = [places.to_bitmap(bounds[0], bounds[1]), places.to_bitmap(bounds[2], bounds[3])]
    (left, right), (top, bottom) = sorted(x for x, _ in ends), sorted(y for _, y in ends)
    area = (max(0, left - 1), max(0, top - 1), min(picture.width, right + 1), min(picture.height, bottom + 1))
    if area[0] >= area[2] or area[1] >= area[3]:
        return False  # outside: told as such
    return all(high - low < _CONTRAST for low, high in picture.crop(area).getextrema())
