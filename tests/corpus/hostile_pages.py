"""PDF pages drawn so that somebody who looks at them sees less than leaves; and pages that leave rightly."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Rule
from tests.corpus.cases import Case, aside, safe, unsafe

A4: Final = (0, 0, 595, 842)
_WORDS: Final = b"BT /F1 12 Tf 50 700 Td (Les patients de 2019) Tj ET"
_CLOUD: Final = b" ".join(b"%d %d 3 3 re f" % (60 + 37 * n % 400, 100 + 61 * n % 500) for n in range(40))


def cases() -> Iterator[Case]:
    yield from _hidden()
    yield from _undrawn()
    yield from _honest()


def _hidden() -> Iterator[Case]:
    outside = _WORDS + b" q 1 0 0 1 0 -2000 cm " + _CLOUD + b" Q"
    bodies = {
        "hors-page": (outside, "a cloud of points below the sheet"),
        "blanc": (b"1 g BT /F1 12 Tf 50 700 Td (dossiers) Tj ET", "white on white"),
        "presque-blanc": (b".98 g BT /F1 12 Tf 50 700 Td (dossiers) Tj ET", "nearly white on white"),
        "dessous": (_WORDS + b" .2 .4 .6 rg 40 690 300 40 re f", "a text under a rectangle"),
        "poussiere": (_WORDS + b" BT /F1 .02 Tf 50 600 Td (dossiers) Tj ET", "letters as fine as dust"),
    }
    for name, (drawn, why) in bodies.items():
        yield unsafe(f"page-{name}.pdf", partial(pdf, drawn), why, Rule.HIDDEN_CONTENT, page=1)
    off = b"/OCProperties<</OCGs[10 0 R]/D<</OFF[10 0 R]>>>>"
    drawn = _WORDS + b" /OC /L BDC " + _CLOUD + b" EMC"
    hidden = partial(pdf, drawn, more=layer(), resources=b"/Properties<</L 10 0 R>>", catalog=off)
    yield unsafe("page-calque.pdf", hidden, "a cloud on a layer that is off", Rule.HIDDEN_CONTENT)


def _undrawn() -> Iterator[Case]:
    poster = partial(pdf, _WORDS, box=(0, 0, 14_400, 14_400))
    yield unsafe("affiche.pdf", poster, "a sheet of five metres", Rule.UNSEEN_DRAWING, page=1)
    many = partial(pdf, _WORDS, pages=31)
    yield unsafe("31-pages.pdf", many, "more pages than are drawn", Rule.UNSEEN_DRAWING, Rule.NOT_ALL_SHOWN)
    for count in (201, 10_000):
        yield aside(f"{count}-pages.pdf", partial(pdf, _WORDS, pages=count), "a book", Reason.TOO_MUCH)
    for form, data in {"JBIG2Decode": b"\x97JB2" * 9, "JPXDecode": b"\xff\x4f\xff\x51" * 9}.items():
        broken = partial(image, form.encode(), data)
        yield unsafe(f"{form}.pdf", broken, "an image that can't be decoded", Rule.UNSEEN_DRAWING, page=1)
    bomb = partial(image, b"FlateDecode", zlib.compress(bytes(10**6)), side=60_000)
    yield unsafe("image-bombe.pdf", bomb, "an image of 3.6 billion dots", Rule.UNSEEN_DRAWING, page=1)
    yield unsafe("gigogne.pdf", nested, "drawings within drawings", Rule.UNSEEN_DRAWING, page=1)


def _honest() -> Iterator[Case]:
    yield safe("carnet-3-pages.pdf", lambda: pdf(_WORDS, pages=3), "three pages")
    yield safe("rognee.pdf", lambda: pdf(_WORDS, page=b"/CropBox[40 680 300 730]"), "a page cut to its text")
    yield safe("couchee.pdf", lambda: pdf(_WORDS, page=b"/Rotate 90"), "a page on its side")
    dark = b".1 .2 .4 rg 40 680 300 50 re f 1 g " + _WORDS
    yield safe("chaleur.pdf", lambda: pdf(dark), "white letters on a dark cell")


# --- files -------------------------------------------------------------------------------------------------


def pdf(
    drawn: bytes,
    *,
    box: Sequence[int] = A4,
    page: bytes = b"",
    pages: int = 1,
    resources: bytes = b"",
    catalog: bytes = b"",
    more: Sequence[bytes] = (),
) -> bytes:
    """Every page draws the same. `more`: objects from number 10."""
    first = 10 + len(more)
    kids = b" ".join(b"%d 0 R" % number for number in range(first, first + pages))
    one = b"<</Type/Page/Parent 2 0 R/MediaBox[%d %d %d %d]%b/Contents 3 0 R/Resources 4 0 R>>"
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R%b>>" % catalog,
        2: b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, pages),
        3: stream(b"", drawn),
        4: b"<</Font<</F1 5 0 R>>%b>>" % resources,
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        **dict(enumerate(more, 10)),
        **dict.fromkeys(range(first, first + pages), one % (*box, page)),
    }
    return _written(objects)


def stream(about: bytes, data: bytes) -> bytes:
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (about, len(data), data)


def layer() -> Sequence[bytes]:
    return (b"<</Type/OCG/Name(L)>>",)


def image(form: bytes, data: bytes, *, side: int = 100) -> bytes:
    about = (
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/%b"
    )
    drawn = _WORDS + b" q 200 0 0 200 50 50 cm /I Do Q"
    return pdf(drawn, resources=b"/XObject<</I 10 0 R>>", more=(stream(about % (side, side, form), data),))


def nested(depth: int = 14, times: int = 1) -> bytes:
    """Each drawing draws the next, `times` over; the last draws a mark."""
    inner = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</I %d 0 R>>>>"
    forms = [stream(inner % (11 + number), b"/I Do " * times) for number in range(depth)]
    last = stream(b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]", b"60 60 9 9 re f")
    return pdf(_WORDS + b" /I Do", resources=b"/XObject<</I 10 0 R>>", more=(*forms, last))


def _written(objects: dict[int, bytes]) -> bytes:
    out, places = io.BytesIO(b"%PDF-1.5\n"), dict[int, int]()
    out.seek(0, io.SEEK_END)
    for number, each in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, each))
    start, size = out.tell(), max(objects) + 1
    out.write(b"xref\n0 %d\n" % size)
    for number in range(size):
        kept = number in places
        out.write(
            b"%010d %05d %b \n" % (places.get(number, 0), 0 if kept else 65_535, b"n" if kept else b"f")
        )
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, start))
    return out.getvalue()
