"""Files made to hide something, to run at whoever opens them, or to bring the checks down."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import pickle
import tarfile
from collections.abc import Callable, Iterator
from functools import partial

from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Rule
from tests.corpus import hostile_pages
from tests.corpus.cases import Case, aside, unsafe
from tests.corpus.hostile_documents import pdf, with_part, word
from tests.corpus.hostile_pictures import drawings, images, pages, png
from tests.corpus.planted import MOTIFS, zipped
from tests.corpus.tables import as_csv, as_html, page_of


def cases() -> tuple[Case, ...]:
    parts = (_archives, pages, drawings, images, pdf, hostile_pages.cases, word, _bombs, _names)
    return tuple(case for part in parts for case in part())


def _archives() -> Iterator[Case]:
    inside = as_csv(MOTIFS)
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


def _tar(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("motifs.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


# --- bombs and names ---------------------------------------------------------------------------------------


def _bombs() -> Iterator[Case]:
    yield aside(
        "bombe.docx", partial(with_part, "word/media/a.png", bytes(140_000_000)), "a zip bomb", Reason.BOMB
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
    table = as_csv(MOTIFS)
    page = as_html(MOTIFS)
    yield unsafe("motifs.pdf.csv", partial(bytes, table), "two extensions", Rule.DECEPTIVE_NAME)
    yield unsafe("motifs\u202ecsv.txt", partial(bytes, table), "a turned name", Rule.DECEPTIVE_NAME)
    yield unsafe("mоtifs.csv", partial(bytes, table), "a Cyrillic о", Rule.DECEPTIVE_NAME)
    yield unsafe("../motifs.csv", partial(bytes, table), "a path", Rule.DECEPTIVE_NAME)
    yield unsafe("figure.png", partial(bytes, page), "a page called an image", Rule.NAME_DISAGREES)
    yield unsafe("motifs.csv.png", png, "an image with two extensions", Rule.DECEPTIVE_NAME)
