"""Finds the signed document that a file carries: alone, in Arrow or Parquet metadata, in a workbook's hidden
sheet. Reads no table of the file's: only the document counts, and everything is made from it.

No parser of these formats is run on what people send: the document is found by how it begins. Bounded in
bytes read and unpacked, whatever the file.
"""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from typing import Final

from p4dp_sdk.figures.proof import Proof
from p4dp_sdk.wire.publication import NotGenuine

MOST_BYTES: Final = 4 * 1024**2  # of a document: 2,000 cells take far less
_BEGINNING: Final = b'{"signature":{"algorithm":'
_KEYS: Final = (frozenset({"signature", "statement"}), frozenset({"spec", "document"}))
_ZIP: Final = b"PK\x03\x04"
_SHEETS: Final = re.compile(r"xl/(sharedStrings|worksheets/sheet\d{1,3})\.xml")
_TEXT: Final = re.compile(r"<t[^>]{0,100}>([^<]*)</t>")
_COLUMNAR: Final = (b"PAR1", b"ARROW1")


def proof_in(content: bytes) -> Proof | None:
    """What `content` carries; None where it carries no document. Raises NotGenuine for one that is broken."""
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _alone(content)
    if content.startswith(_COLUMNAR):
        return _beginning_in(content)
    if content.startswith(_ZIP):
        return _in_workbook(content)
    return None


def _alone(content: bytes) -> Proof | None:
    if len(content) > MOST_BYTES:
        return None
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or frozenset(found) not in _KEYS:
        return None
    return Proof.from_content(found)


def _beginning_in(content: bytes) -> Proof | None:
    """The first document written as it is signed: ASCII, in the one order of keys."""
    start = content.find(_BEGINNING)
    if start < 0:
        return None
    text = content[start : start + MOST_BYTES].decode("latin-1")
    try:
        found, _end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        raise NotGenuine("the file carries a broken document") from None
    return Proof.from_content(found)


def _in_workbook(content: bytes) -> Proof | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            names = [name for name in book.namelist() if _SHEETS.fullmatch(name)][:64]
            parts = [_part(book, name) for name in names]
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError):
        return None
    for part in parts:
        pieces = [html.unescape(piece) for piece in _TEXT.findall(part)]
        joined = "".join(pieces[_first(pieces) :]) if _first(pieces) >= 0 else ""
        if joined:
            return _beginning_in(joined.encode())
    return None


def _part(book: zipfile.ZipFile, name: str) -> str:
    with book.open(name) as part:
        return part.read(MOST_BYTES).decode("utf-8", errors="replace")


def _first(pieces: list[str]) -> int:
    beginning = _BEGINNING.decode()
    return next((at for at, piece in enumerate(pieces) if piece.startswith(beginning)), -1)
