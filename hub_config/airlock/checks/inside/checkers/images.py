"""Images: what stands beside their pixels, and the pixels encoded anew for the preview.

No check reads what an image shows: every image is a `PICTURE` finding, for a person to look at. Hidden
text or data in the pixels themselves (steganography) is not found; the preview is made of the pixels
alone, and so is the image that leaves in place of one that stands alone (`Found.anew`): on white, as PNG.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hub_config.airlock.checks.inside.checkers.beside import (
    LARGEST_PROFILE,
    MOST_PIXELS,
    Size,
    is_profile,
    refuse_absurd,
    tell_profile,
    tell_text,
)
from hub_config.airlock.checks.inside.checkers.gathering import NOWHERE, Gathering
from hub_config.airlock.checks.inside.checkers.jpegs import gather_jpeg
from hub_config.airlock.checks.inside.found import CannotRead, Found, Order, Reason
from hub_config.airlock.checks.inside.preview import IMAGE_BYTES, ImageBlock, cell_text
from hub_config.governance.releases.findings import Place, Rule, Severity

_SHOWN_PIXELS: Final = 1_600
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_PIXELS: Final = frozenset({b"IHDR", b"IDAT", b"IEND"})
_LENGTHS: Final[Mapping[bytes, Mapping[int, int]]] = {
    b"gAMA": dict.fromkeys((0, 2, 3, 4, 6), 4),
    b"cHRM": dict.fromkeys((0, 2, 3, 4, 6), 32),
    b"sRGB": dict.fromkeys((0, 2, 3, 4, 6), 1),
    b"cICP": dict.fromkeys((0, 2, 3, 4, 6), 4),
    b"pHYs": dict.fromkeys((0, 2, 3, 4, 6), 9),
    b"tIME": dict.fromkeys((0, 2, 3, 4, 6), 7),
    b"sBIT": {0: 1, 2: 3, 3: 3, 4: 2, 6: 4},
    b"bKGD": {0: 2, 2: 6, 3: 1, 4: 2, 6: 6},
    b"tRNS": {0: 2, 2: 6},
}
"""Bytes of a chunk, by the image's way to colour (0 grey, 2 colour, 3 palette; 4 and 6 with opacity)."""
_MOST_COLOURS: Final = 256
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_FRAMES: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
_PRETENDED: Final = b"Software\x00Matplotlib version"
_TOOLS: Final = re.compile(
    rb"Software\x00Matplotlib version ?\d{1,2}(\.\d{1,3}){1,2}((\.post|rc|a|b)\d{1,2})?, https?://matplotlib\.org/"
)
_PASSES: Final = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
_HARDLY_SHOWS: Final = 16  # of 255: the opacity of a pixel
_USUAL_DENSITIES: Final = frozenset({72, 96, 100, 120, 150, 200, 300, 400, 600, 1_200})
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def check(content: bytes, order: Order) -> Found:
    gathering = Gathering(order)
    shown = picture(gathering, content, order.name)
    return replace(gathering.found(), anew=_as_png(shown))


def picture(gathering: Gathering, content: bytes, alt: str, place: Place = NOWHERE) -> Any:
    """Gather an image that stands alone or in a document: what it shows, on white. Raises CannotRead:
    damaged, too large, no image we take."""
    if content.startswith(_PNG):
        _png(gathering, content, place)
    elif content.startswith(_JPEG):
        gather_jpeg(gathering, content, place)
    else:
        raise CannotRead(Reason.UNKNOWN_KIND)
    gathering.add(Rule.PICTURE, Severity.WARNING, place)
    shown = _on_white(gathering, content, place)
    gathering.show(_block(shown, alt))
    return shown


# --- PNG ---------------------------------------------------------------------------------------------------


def _png(gathering: Gathering, content: bytes, place: Place) -> None:
    chunks = list(_chunks(content))
    header = _header(chunks)
    seen: Counter[bytes] = Counter()
    for kind, body, _ in chunks:
        seen[kind] += 1
        if kind in _TEXTS or kind in (b"eXIf", b"tIME"):
            _tell_text(gathering, kind, body, place)
        if kind in _FRAMES:
            gathering.block(Rule.HIDDEN_CONTENT, "further images", place)
        elif kind not in _PIXELS | _TEXTS and (seen[kind] > 1 or not _is_usual(kind, body, header[9])):
            gathering.search(body.decode("latin-1"))
            gathering.block(Rule.HIDDEN_CONTENT, "unknown parts of an image", place)
        elif kind == b"iCCP":
            tell_profile(gathering, _unpacked_profile(body), place)
        elif kind in (b"PLTE", b"tRNS"):
            gathering.search(body.decode("latin-1"))
    if rest := content[chunks[-1][2] :]:
        gathering.add(Rule.TRAILING_BYTES, Severity.BLOCKING, place)
        gathering.search(rest.decode("latin-1"))
    if _holds_more(header, b"".join(body for kind, body, _ in chunks if kind == b"IDAT")):
        gathering.block(Rule.HIDDEN_CONTENT, "bytes after an image's pixels", place)


def _header(chunks: Sequence[tuple[bytes, bytes, int]]) -> bytes:
    """The image's own header. Raises CannotRead where it isn't the first chunk, or not the only one."""
    kinds = [kind for kind, _, _ in chunks]
    header = chunks[0][1]
    if kinds[0] != b"IHDR" or kinds.count(b"IHDR") > 1 or len(header) != 13 or chunks[-1][1]:
        raise CannotRead(Reason.DAMAGED)
    refuse_absurd(Size(*struct.unpack(">II", header[:8])))
    return header


def _is_usual(kind: bytes, body: bytes, colour: int) -> bool:
    """Whether a chunk is one that encoders write, for such an image, and has its exact length."""
    match kind:
        case b"PLTE":
            return colour == 3 and len(body) % 3 == 0 and 0 < len(body) <= 3 * _MOST_COLOURS
        case b"tRNS" if colour == 3:
            return 0 < len(body) <= _MOST_COLOURS
        case b"iCCP":
            return is_profile(_unpacked_profile(body))
        case b"eXIf":
            return True
        case _:
            return len(body) == _LENGTHS.get(kind, {}).get(colour)


def _unpacked_profile(body: bytes) -> bytes:
    """Nothing where it is none, or where something follows it."""
    name, _, packed = body.partition(b"\x00")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], LARGEST_PROFILE + 1)
    except zlib.error:
        return b""
    whole = len(name) < 80 and packed[:1] == b"\x00" and unpacking.eof and not unpacking.unused_data
    return profile if whole else b""


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, body and where the next one begins. Raises CannotRead where the last one isn't the end."""
    at = len(_PNG)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        following = at + 12 + length
        if following > len(content):
            break
        kind = content[at + 4 : at + 8]
        if zlib.crc32(content[at + 4 : following - 4]) != int.from_bytes(content[following - 4 : following]):
            break
        yield kind, content[at + 8 : following - 4], following
        if kind == b"IEND":
            return
        at = following
    raise CannotRead(Reason.DAMAGED)


def _tell_text(gathering: Gathering, kind: bytes, body: bytes, place: Place) -> None:
    if kind == b"tEXt" and _TOOLS.fullmatch(body):
        return
    if body.startswith(_PRETENDED):
        gathering.block(Rule.HIDDEN_CONTENT, "texts beside an image", place)
    tell_text(gathering, body, place, _inflated(body) if kind in _TEXTS else b"")


def _inflated(body: bytes) -> bytes:
    """The text of a compressed chunk; nothing where it is none."""
    for at in (body.find(b"\x00") + 2, body.find(b"\x00\x01\x00") + 3):
        try:
            return zlib.decompressobj().decompress(body[at:].lstrip(b"\x00"), 1_000_000)
        except zlib.error:
            continue
    return b""


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


# --- pixels ------------------------------------------------------------------------------------------------


def _on_white(gathering: Gathering, content: bytes, place: Place) -> Any:
    """The first image as it shows on a page. Raises CannotRead."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
                opened.load()
                density = opened.info.get("dpi", (0, 0))
                pixels = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise CannotRead(Reason.DAMAGED) from None
    if _hides_colours(pixels):
        gathering.block(Rule.HIDDEN_CONTENT, "colours under transparent pixels", place)
    flat = Image.new("RGB", pixels.size, "white")
    flat.paste(pixels, mask=pixels.getchannel("A"))
    flat.info["dpi"] = density
    return flat


def _hides_colours(pixels: Any) -> bool:
    """Whether pixels that hardly show differ among themselves: a picture that shows once they do."""
    from PIL import Image

    opacities = pixels.getchannel("A").histogram()
    faint, edges = sum(opacities[1 : _HARDLY_SHOWS + 1]), sum(opacities[_HARDLY_SHOWS + 1 : 255])
    least = _HARDLY_SHOWS if faint > 4 * edges else 0  # lines fade out at their edges
    if not any(opacities[: least + 1]):
        return False
    clear = pixels.getchannel("A").point(lambda value: 0 if value > least else 255)
    opened = Image.merge("RGB", [pixels.getchannel(channel) for channel in "RGB"])
    counts = [channel.histogram(clear) for channel in opened.split()]
    return any(sum(1 for count in histogram if count) > 2 for histogram in counts)


def _as_png(shown: Any) -> bytes:
    """Pixels, and dots an inch where they are a usual number."""
    dots = {round(each) for each in shown.info["dpi"]}
    encoded = io.BytesIO()
    if len(dots) == 1 and dots <= _USUAL_DENSITIES:
        shown.save(encoded, "PNG", dpi=(*dots, *dots))
    else:
        shown.save(encoded, "PNG")
    return encoded.getvalue()


def _block(shown: Any, alt: str) -> ImageBlock:
    """No larger than a screen."""
    width, height = shown.size
    side = _SHOWN_PIXELS
    while True:
        small = shown.copy()
        small.thumbnail((side, side))
        encoded = io.BytesIO()
        small.save(encoded, "PNG")
        if encoded.tell() <= IMAGE_BYTES:
            return ImageBlock(encoded.getvalue(), cell_text(alt), width, height)
        side //= 2
