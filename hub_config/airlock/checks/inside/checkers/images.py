"""Images: what stands beside their pixels, and the pixels encoded anew for the preview.

No check reads what an image shows: every image is a `PICTURE` finding, for a person to look at. Hidden
text or data in the pixels themselves (steganography) is not found; the preview is made of the pixels
alone.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from hub_config.airlock.checks.inside.checkers.gathering import NOWHERE, Gathering
from hub_config.airlock.checks.inside.found import CannotRead, Found, Order, Reason
from hub_config.airlock.checks.inside.preview import IMAGE_BYTES, ImageBlock, cell_text
from hub_config.governance.releases.findings import Place, Rule, Severity

MOST_PIXELS: Final = 40_000_000
_SHOWN_PIXELS: Final = 1_600
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_HARMLESS: Final = frozenset(
    {
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"gAMA",
        b"cHRM",
        b"sRGB",
        b"sBIT",
        b"bKGD",
        b"pHYs",
        b"cICP",
    }
)
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_FRAMES: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
_TOOLS: Final = (b"Software\x00Matplotlib version",)
_LARGEST_PROFILE: Final = 10_000
_PASSES: Final = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
_LONG_TEXT: Final = 2_000
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@dataclass(frozen=True)
class Size:
    width: int
    height: int

    @property
    def absurd(self) -> bool:
        return not 0 < self.width * self.height <= MOST_PIXELS


def check(content: bytes, order: Order) -> Found:
    gathering = Gathering(order)
    picture(gathering, content, order.name)
    return gathering.found()


def picture(gathering: Gathering, content: bytes, alt: str, place: Place = NOWHERE) -> None:
    """Gather an image that stands alone or in a document. Raises CannotRead: damaged, too large, no image we
    take."""
    if content.startswith(_PNG):
        _png(gathering, content, place)
    elif content.startswith(_JPEG):
        _jpeg(gathering, content, place)
    else:
        raise CannotRead(Reason.UNKNOWN_KIND)
    gathering.add(Rule.PICTURE, Severity.WARNING, place)
    gathering.show(_encoded_anew(gathering, content, alt, place))


# --- PNG ---------------------------------------------------------------------------------------------------


def _png(gathering: Gathering, content: bytes, place: Place) -> None:
    header, packed, end = b"", [], 0
    for kind, body, end in _chunks(content):  # noqa: B007
        match kind:
            case b"IHDR":
                header = body
                _refuse_absurd(Size(*struct.unpack(">II", body[:8])))
            case b"IDAT":
                packed.append(body)
            case _ if kind in _TEXTS or kind in (b"eXIf", b"tIME"):
                _tell_text(gathering, kind, body, place)
            case _ if kind in _FRAMES:
                gathering.block(Rule.HIDDEN_CONTENT, "further images", place)
            case b"iCCP" if len(body) <= _LARGEST_PROFILE:
                continue
            case _ if kind not in _HARMLESS:
                gathering.block(Rule.HIDDEN_CONTENT, "unknown parts of an image", place)
        if kind == b"IEND":
            break
    if content[end:]:
        gathering.add(Rule.TRAILING_BYTES, Severity.BLOCKING, place)
        gathering.search(content[end:].decode("latin-1"))
    if len(header) != 13:
        raise CannotRead(Reason.DAMAGED)
    if _holds_more(header, b"".join(packed)):
        gathering.block(Rule.HIDDEN_CONTENT, "bytes after an image's pixels", place)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, body and where the next one begins. Raises CannotRead where the last one isn't the end."""
    at = len(_PNG)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        following = at + 12 + length
        if following > len(content):
            break
        kind = content[at + 4 : at + 8]
        yield kind, content[at + 8 : following - 4], following
        if kind == b"IEND":
            return
        at = following
    raise CannotRead(Reason.DAMAGED)


def _tell_text(gathering: Gathering, kind: bytes, body: bytes, place: Place) -> None:
    if body.startswith(_TOOLS):
        return
    if kind != b"tIME":
        inflated = _inflated(body)
        gathering.search(body.decode("latin-1"), inflated)
        if len(body) + len(inflated) > _LONG_TEXT:
            gathering.block(Rule.HIDDEN_CONTENT, "texts beside an image", place)
    gathering.warn(Rule.DOCUMENT_METADATA, "texts beside an image", place)


def _inflated(body: bytes) -> str:
    """The text of a compressed chunk; nothing where it is none."""
    for at in (body.find(b"\x00") + 2, body.find(b"\x00\x01\x00") + 3):
        try:
            return zlib.decompressobj().decompress(body[at:].lstrip(b"\x00"), 1_000_000).decode("latin-1")
        except zlib.error:
            continue
    return ""


def _pass_size(width: int, height: int, bits: int, each: tuple[int, int, int, int]) -> int:
    """Bytes of one pass of an image: its first column and row, and the steps between them."""
    column, row, across, down = each
    columns, rows = -(-(width - column) // across), -(-(height - row) // down)
    return rows * (1 + (columns * bits + 7) // 8) if columns > 0 and rows > 0 else 0


def _holds_more(header: bytes, packed: bytes) -> bool:
    """Whether the compressed stream holds more than the pixels, or something follows it."""
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    bits = depth * _CHANNELS.get(colour, 4)
    passes = _PASSES if header[12] else ((0, 0, 1, 1),)
    expected = sum(_pass_size(width, height, bits, each) for each in passes)
    unpacking = zlib.decompressobj()
    try:
        size, left = 0, packed
        while left and size <= expected and not unpacking.eof:
            size += len(unpacking.decompress(left, 1_000_000))
            left = unpacking.unconsumed_tail
    except zlib.error:
        raise CannotRead(Reason.DAMAGED) from None
    return size > expected or bool(unpacking.unused_data)


# --- JPEG --------------------------------------------------------------------------------------------------


def _jpeg(gathering: Gathering, content: bytes, place: Place) -> None:
    for marker, body in _segments(content):
        if marker in _FRAME_HEADERS and len(body) >= 5:
            height, width = struct.unpack(">HH", body[1:5])
            _refuse_absurd(Size(width, height))
        elif marker == 0xE0 and body.startswith(b"JFIF"):
            if len(body) > 14:
                gathering.block(Rule.EMBEDDED_OBJECT, "thumbnail", place)
        elif marker == 0xFE or 0xE0 <= marker <= 0xEF:
            _tell_segment(gathering, marker, body, place)
    end = content.rfind(b"\xff\xd9")
    first_end = _end_of_image(content)
    if end < 0:
        raise CannotRead(Reason.DAMAGED)
    if content[first_end:].strip(b"\x00"):
        gathering.add(Rule.TRAILING_BYTES, Severity.BLOCKING, place)
        gathering.search(content[first_end:].decode("latin-1"))


_FRAME_HEADERS: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each, up to the first scan. Raises CannotRead."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        if length < 2 or at + 2 + length > len(content):
            break
        yield marker, content[at + 4 : at + 2 + length]
        if marker == 0xDA:
            return
        at += 2 + length
    raise CannotRead(Reason.DAMAGED)


def _end_of_image(content: bytes) -> int:
    """Where the first image ends. In a scan, 0xFF before zero or a restart is no marker; other segments may
    hold any bytes and are passed over by their length."""
    at = 2
    while (at := content.find(b"\xff", at)) >= 0 and at + 4 <= len(content):
        marker = content[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker in (0x00, 0xFF) or 0xD0 <= marker <= 0xD7:
            at += 1 if marker == 0xFF else 2
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return len(content)


def _tell_segment(gathering: Gathering, marker: int, body: bytes, place: Place) -> None:
    if (marker == 0xEE and body.startswith(b"Adobe")) or (
        marker == 0xE2 and body.startswith(b"ICC_PROFILE") and len(body) <= _LARGEST_PROFILE
    ):
        return
    gathering.search(body.decode("latin-1"))
    if len(body) > _LONG_TEXT:
        gathering.block(Rule.HIDDEN_CONTENT, "texts beside an image", place)
    if b"\xff\xd8\xff" in body:
        gathering.block(Rule.EMBEDDED_OBJECT, "thumbnail", place)
    gathering.warn(Rule.DOCUMENT_METADATA, "texts beside an image", place)


# --- pixels ------------------------------------------------------------------------------------------------


def _refuse_absurd(size: Size) -> None:
    if size.absurd:
        raise CannotRead(Reason.BOMB)


def _encoded_anew(gathering: Gathering, content: bytes, alt: str, place: Place) -> ImageBlock:
    """The first image on white, no larger than a screen. Raises CannotRead."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
                opened.load()
                pixels = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise CannotRead(Reason.DAMAGED) from None
    if _hides_colours(pixels):
        gathering.block(Rule.HIDDEN_CONTENT, "colours under transparent pixels", place)
    return _block(pixels, alt)


def _hides_colours(pixels: Any) -> bool:
    """Whether fully transparent pixels differ among themselves: a picture that shows once they are not."""
    from PIL import Image, ImageChops

    if pixels.getextrema()[3][0] > 0:
        return False
    clear = ImageChops.invert(pixels.getchannel("A").point(lambda value: 255 if value else 0))
    opened = Image.merge("RGB", [pixels.getchannel(channel) for channel in "RGB"])
    counts = [channel.histogram(clear) for channel in opened.split()]
    return any(sum(1 for count in histogram if count) > 2 for histogram in counts)


def _block(pixels: Any, alt: str) -> ImageBlock:
    from PIL import Image

    width, height = pixels.size
    flat = Image.new("RGB", pixels.size, "white")
    flat.paste(pixels, mask=pixels.getchannel("A"))
    side = _SHOWN_PIXELS
    while True:
        flat.thumbnail((side, side))
        encoded = io.BytesIO()
        flat.save(encoded, "PNG")
        if encoded.tell() <= IMAGE_BYTES:
            return ImageBlock(encoded.getvalue(), cell_text(alt), width, height)
        side //= 2
