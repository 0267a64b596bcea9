"""PDF and Word files that carry more than they show, or act."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Rule
from tests.corpus.cases import Case, aside, unsafe
from tests.corpus.planted import MOTIFS, ONE, zipped
from tests.corpus.tables import as_docx, as_xlsx, text_pdf

# --- PDF ---------------------------------------------------------------------------------------------------


def pdf() -> Iterator[Case]:
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

    writer.add_annotation(0, FreeText(text=f"dossier {ONE}", rect=(10, 10, 90, 40)))


def _form(writer: Any) -> None:
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    writer.root_object[NameObject("/AcroForm")] = DictionaryObject({NameObject("/Fields"): ArrayObject()})


def _layers(writer: Any) -> None:
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    layers = DictionaryObject({NameObject("/OCGs"): ArrayObject()})
    writer.root_object[NameObject("/OCProperties")] = layers


def _invisible() -> bytes:
    """A page whose text is written with rendering mode 3."""
    stream = f"BT /F1 12 Tf 3 Tr 10 50 Td ({ONE}) Tj ET".encode()
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


def word() -> Iterator[Case]:
    body = "</w:p>"
    run = "<w:r>{}<w:t>" + str(ONE) + "</w:t></w:r></w:p>"
    changed = {
        "cache": (run.format("<w:rPr><w:vanish/></w:rPr>"), Rule.HIDDEN_CONTENT),
        "blanc": (run.format('<w:rPr><w:color w:val="FFFFFF"/></w:rPr>'), Rule.HIDDEN_CONTENT),
        "minuscule": (run.format('<w:rPr><w:sz w:val="1"/></w:rPr>'), Rule.HIDDEN_CONTENT),
        "supprime": (
            f'<w:del w:id="1" w:author="A"><w:r><w:delText>{ONE}</w:delText></w:r></w:del></w:p>',
            Rule.TRACKED_CHANGES,
        ),
        "champ": ("<w:r><w:instrText>DDEAUTO c:\\x</w:instrText></w:r></w:p>", Rule.ACTIVE_CONTENT),
    }
    for name, (text, rule) in changed.items():
        yield unsafe(f"{name}.docx", partial(_edited, body, text), f"Word: {name}", rule)
    parts = {
        "styles": ("word/styles2.xml", f"<x a='{ONE}'/>".encode(), Rule.PSEUDONYM),
        "commentaires": ("word/comments.xml", _comments(), Rule.COMMENT),
        "macro": ("word/vbaProject.bin", b"\xd0\xcf", Rule.MACRO),
        "classeur": ("word/embeddings/a.xlsx", as_xlsx(MOTIFS), Rule.EMBEDDED_OBJECT),
        "donnees": ("customXml/item9.xml", b"<x>3</x>", Rule.HIDDEN_CONTENT),
        "inconnu": ("word/rows.csv", b"1,2", Rule.HIDDEN_CONTENT),
        "externe": ("word/_rels/header9.xml.rels", _outside(), Rule.EXTERNAL_LINK),
        "auteur": ("docProps/custom.xml", f"<p><v>{ONE}</v></p>".encode(), Rule.PSEUDONYM),
    }
    for name, (part, content, rule) in parts.items():
        yield unsafe(f"{name}.docx", partial(with_part, part, content), f"Word: {name}", rule)
    yield unsafe("suite.docx", lambda: as_docx(MOTIFS) + b"1,2", "bytes after the end", Rule.TRAILING_BYTES)
    xxe = b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>'
    yield aside("xxe.docx", partial(with_part, "word/footnotes.xml", xxe), "an external entity", Reason.BOMB)
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
    members = _members(as_docx(MOTIFS))
    text = members["word/document.xml"].decode()
    return zipped({**members, "word/document.xml": text.replace(old, new, 1).encode()})


def with_part(name: str, content: bytes) -> bytes:
    return zipped({**_members(as_docx(MOTIFS)), name: content})


def _twice() -> bytes:
    import warnings

    out = io.BytesIO(as_docx(MOTIFS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("word/document.xml", "<x/>")
    return out.getvalue()
