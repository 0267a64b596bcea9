"""Whether a file may come in, and what of it: by its kind, its bytes and its name. Pure; reads nothing else.

What comes in is text of a closed kind, without what could name a patient and without bytes in disguise. A
notebook comes in without its outputs, attachments and metadata. A finding is a code, never a value of the
file. The checks stop slips and known shapes, not somebody who means to smuggle a list past them: a table, and
a code list whose codes are not all known ones, is therefore looked at by a person before it comes in, and
everything that comes in is on record under its hash.

The file is hostile: every pattern here reads it in one pass, since a pattern that goes back over it would
stop the whole service.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

from hub_config.governance.releases.coded import is_coded
from hub_config.governance.rights.facts import EntryKind
from p4dp_sdk.catalogue.code_lists import BadCodeList, Codebooks, parse_document
from p4dp_sdk.catalogue.code_lists.patterns import checked
from p4dp_sdk.catalogue.load import load_catalogue

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_ROWS: Final = 50_000
MOST_COLUMNS: Final = 100
LONGEST_CELL: Final = 10_000  # of a table, in characters
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}\.(py|R|r|ipynb|csv|toml)")
_SUFFIXES: Final[Mapping[EntryKind, tuple[str, ...]]] = {
    EntryKind.SCRIPT: ("py", "R", "r"),
    EntryKind.NOTEBOOK: ("ipynb",),
    EntryKind.TABLE: ("csv",),
    EntryKind.CODE_LIST: ("toml", "csv"),
}
# The number of the French social security: sex, year, month, department, commune, order, with or without key.
_NIR: Final = re.compile(
    r"(?<!\d)[1278][ .-]?\d{2}[ .-]?(?:0[1-9]|1[0-2]|[2-9]\d)[ .-]?(?:\d{2}|2[AB])[ .-]?\d{3}[ .-]?\d{3}"
    r"(?:[ .-]?\d{2})?(?!\d)"
)
_MAIL: Final = re.compile(r"[\w.+-]@[\w-]{1,63}\.\w")
_PHONE: Final = re.compile(r"(?<!\d)0[1-9](?:[ .-]?\d{2}){4}(?!\d)")
_LONG_NUMBER: Final = re.compile(
    r"(?<![\d.])(?!34009\d{8}(?!\d))\d{8,}(?![\d.])"
)  # but a CIP-13: a medicine's
_LONG_NUMBERS_OF_CODE: Final = 20  # a script may name a few; a list of them is a list of identifiers
_BLANKS: Final = frozenset(
    "\u115f\u1160\u2028\u2029\u2800\u3164\uffa0"
)  # take room, or a line, and show nothing
_UNKNOWN_CODES: Final = 20  # a list may name a few codes that are not loaded here
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .*-]{0,15}")
_NAMING_WORDS: Final = frozenset(
    {
        *("nom", "noms", "prenom", "prenoms", "name", "firstname", "lastname", "surname", "patronyme"),
        *("naissance", "birth", "birthdate", "dob", "ddn", "nir", "ins", "ipp", "securite", "secu", "ssn"),
        *("email", "mail", "courriel", "telephone", "tel", "phone", "portable", "adresse", "address", "rue"),
        *("commune", "codepostal", "patient", "patients", "rpps", "adeli", "finess"),
    }
)
_PAIRED: Final = (("code", "postal"), ("date", "naissance"), ("num", "secu"), ("patient", "id"))


class Finding(StrEnum):
    """Why a file does not come in; the page has the words and the remedy."""

    NAME = "name"
    SIZE = "size"
    EMPTY = "empty"
    NOT_TEXT = "not-text"
    HIDDEN_SIGNS = "hidden-signs"
    BLOB = "blob"
    NIR = "nir"
    CONTACT = "contact"
    NAMING_COLUMN = "naming-column"
    LONG_NUMBERS = "long-numbers"
    NOT_A_TABLE = "not-a-table"
    TOO_LARGE_TABLE = "too-large-table"
    NOT_A_NOTEBOOK = "not-a-notebook"
    NOT_A_CODE_LIST = "not-a-code-list"


@dataclass(frozen=True)
class Checked:
    """What comes in if `findings` is empty: `content`, which for a notebook is less than was sent. `look`:
    only once somebody else has seen it."""

    content: bytes
    findings: tuple[Finding, ...]
    look: bool = True

    @property
    def fits(self) -> bool:
        return not self.findings


def check(kind: EntryKind, name: str, content: bytes) -> Checked:
    """The file as it may come in, with everything that speaks against it."""
    if not _NAME.fullmatch(name) or name.rpartition(".")[2] not in _SUFFIXES[kind]:
        return Checked(b"", (Finding.NAME,))
    if not content or len(content) > MOST_BYTES:
        return Checked(b"", (Finding.SIZE if content else Finding.EMPTY,))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Checked(b"", (Finding.NOT_TEXT,))
    cleaned, found = _BY_KIND[kind](name, text)
    findings = tuple(dict.fromkeys([*found, *_of_any_text(text if cleaned is None else cleaned, kind)]))
    if findings or cleaned is None:
        return Checked(b"", findings)
    return Checked(cleaned.encode(), (), _needs_look(kind, name, cleaned))


def _needs_look(kind: EntryKind, name: str, text: str) -> bool:
    """What may be joined with patients: a table, whatever it is called, and a list of codes that are mostly
    nobody's."""
    if kind is EntryKind.CODE_LIST and name.endswith(".toml"):
        return _unknown_codes(text) > _UNKNOWN_CODES
    return kind in (EntryKind.TABLE, EntryKind.CODE_LIST)


def _of_any_text(text: str, kind: EntryKind) -> Iterator[Finding]:
    if any(_is_hidden(sign) for sign in text):
        yield Finding.HIDDEN_SIGNS
    if is_coded(text):
        yield Finding.BLOB
    if _NIR.search(text):
        yield Finding.NIR
    if kind is EntryKind.TABLE and (_MAIL.search(text) or _PHONE.search(text)):
        yield Finding.CONTACT
    numbers = {match[0] for match in _LONG_NUMBER.finditer(text)}
    if len(numbers) > (0 if kind is EntryKind.TABLE else _LONG_NUMBERS_OF_CODE):
        yield Finding.LONG_NUMBERS


def _is_hidden(sign: str) -> bool:
    """A control, or a sign that turns the direction of writing, varies another or shows nothing: what is read
    is not what is run."""
    return (sign in _BLANKS or 0xFE00 <= ord(sign) <= 0xFE0E or 0xE0100 <= ord(sign) <= 0xE01EF) or (
        sign not in "\n\r\t" and unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cs", "Cn")
    )


Found = tuple[str | None, list[Finding]]


def _script(_name: str, text: str) -> Found:
    return text, []


def _table(_name: str, text: str) -> Found:
    rows = _rows(text)
    if rows is None:
        return None, [Finding.NOT_A_TABLE]
    header, *body = rows
    findings = [Finding.NAMING_COLUMN] if any(_names_somebody(title) for title in header) else []
    if len(body) > MOST_ROWS or len(header) > MOST_COLUMNS:
        findings.append(Finding.TOO_LARGE_TABLE)
    return text, findings


def _rows(text: str) -> list[list[str]] | None:
    """The lines of a table with a header of its own and as many cells a line; None for anything else."""
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = [row for row in reader if row]
    except csv.Error:
        return None
    if len(rows) < 2 or len({len(row) for row in rows}) != 1:
        return None
    if any(len(cell) > LONGEST_CELL for row in rows for cell in row):
        return None
    header = [title.strip() for title in rows[0]]
    return rows if all(header) and len(set(header)) == len(header) else None


def _names_somebody(title: str) -> bool:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", plain)
    words = re.findall(r"[a-z]+", split.lower())
    return bool(_NAMING_WORDS & {*words, "".join(words)}) or any(set(pair) <= set(words) for pair in _PAIRED)


def _notebook(_name: str, text: str) -> Found:
    """The cells' sources and nothing else of a notebook."""
    try:
        document = json.loads(text)
        cells = [_cell(cell, place) for place, cell in enumerate(document["cells"], 1)]
        if document["nbformat"] != 4 or not cells:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, [Finding.NOT_A_NOTEBOOK]
    kept = {
        "cells": cells,
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(kept, ensure_ascii=False, indent=1) + "\n", []


def _cell(cell: Mapping[str, Any], place: int) -> dict[str, Any]:
    kind, source = cell["cell_type"], cell["source"]
    text = "".join(source) if isinstance(source, list) else source
    if kind not in ("code", "markdown", "raw") or not isinstance(text, str):
        raise ValueError
    tags = cell.get("metadata", {}).get("tags", [])
    kept = {"tags": ["parameters"]} if isinstance(tags, list) and "parameters" in tags else {}
    made: dict[str, Any] = {"cell_type": kind, "id": f"cell-{place}", "metadata": kept, "source": text}
    return {**made, "execution_count": None, "outputs": []} if kind == "code" else made


@cache
def _books() -> Codebooks:
    """The systems of the catalogue. The place's own tables may know more codes; then a look says so."""
    return Codebooks(load_catalogue().code_systems)


def _code_list(name: str, text: str) -> Found:
    fits = _is_toml_list(text) if name.endswith(".toml") else _is_csv_list(text)
    return (text, []) if fits else (None, [Finding.NOT_A_CODE_LIST])


def _is_toml_list(text: str) -> bool:
    """As the SDK reads it: no field nobody knows, and every code written as its system writes them."""
    try:
        document = parse_document(text.encode())
        for patterns in (document.codes, document.exclude):
            checked(patterns, _books())
    except BadCodeList:
        return False
    return bool(document.codes)


def _unknown_codes(text: str) -> int:
    document = parse_document(text.encode())
    missing = [checked(patterns, _books())[1] for patterns in (document.codes, document.exclude)]
    return sum(len(codes) for systems in missing for codes in systems.values())


def _is_csv_list(text: str) -> bool:
    rows = _rows(text)
    if rows is None:
        return False
    titles = [title.strip().lower() for title in rows[0]]
    if "code" not in titles or len(titles) > 6 or any(_names_somebody(title) for title in titles):
        return False
    place = titles.index("code")
    return all(_CODE.fullmatch(row[place].strip()) for row in rows[1:])


_BY_KIND: Final[Mapping[EntryKind, Callable[[str, str], Found]]] = {
    EntryKind.SCRIPT: _script,
    EntryKind.TABLE: _table,
    EntryKind.NOTEBOOK: _notebook,
    EntryKind.CODE_LIST: _code_list,
}
