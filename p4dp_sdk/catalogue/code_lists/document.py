"""A code list's file: TOML, one list in one version. Text in, value out; no file is opened here.

    id = "diabete_type_2"            # small letters, digits, underscores
    version = "1"                    # numbers with points
    label_fr = "Diabète de type 2"
    label_en = "Type 2 diabetes"     # optional
    source = "…"                     # guideline, paper, classification
    author = "…"
    reviewed_by = "…"                # optional, as are reviewed_on (a date), license, note_fr, note_en
    synonyms = ["DNID"]              # optional: other words to find it by

    [codes]
    atc = ["A10B*"]                  # codes of one system …

    [codes.cisp2]
    T90 = "Diabète de type 2"        # … or each with a comment

    [exclude]                        # optional
    atc = ["A10BJ*", "A10BK*"]

Errors name line and field. What is hostile is refused: a text of unusual size, letters that can't be seen or
that turn the writing, fields nobody knows.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

from p4dp_sdk.catalogue.code_lists.flaws import BadCodeList, Flaw, Place
from p4dp_sdk.catalogue.code_lists.patterns import Patterns
from p4dp_sdk.wire.messages import N_

MAX_BYTES = 256 * 1024
MAX_POINTS = 50  # of one line, texts aside: the parser takes the square of a key's points
MAX_CODES = 20_000
MAX_TEXT = 4_000

_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")
_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}")
_NEEDED = ("id", "version", "label_fr", "source", "author")
_TEXTS = (
    "id",
    "version",
    "label_fr",
    "label_en",
    "source",
    "author",
    "reviewed_by",
    "license",
    "note_fr",
    "note_en",
)
_FIELDS = (*_TEXTS, "reviewed_on", "synonyms", "codes", "exclude")
_LINE = re.compile(r"\s*\(at line (\d+), column (\d+)\)|\s*\(at end of document\)")
_TEXT = re.compile(r"""\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'""")

Comments = Mapping[str, Mapping[str, str]]  # system → pattern → comment


@dataclass(frozen=True)
class ListDocument:
    """What a file says, its form checked; its codes not yet (`patterns.checked`)."""

    id: str
    version: str
    label_fr: str
    codes: Patterns
    label_en: str = ""
    source: str = ""
    author: str = ""
    reviewed_by: str = ""
    reviewed_on: date | None = None
    license: str = ""
    note_fr: str = ""
    note_en: str = ""
    synonyms: tuple[str, ...] = ()
    exclude: Patterns = field(default_factory=dict)
    comments: Comments = field(default_factory=dict)


def parse_document(data: bytes, file: str = "") -> ListDocument:
    """The list in `data`. Raises BadCodeList, which names file, line and field."""
    try:
        return _document(_tables(_decoded(data)))
    except BadCodeList as bad:
        raise placed(bad, data, file) from None


def write_document(document: ListDocument) -> str:
    """The file of a list: what `parse_document` reads as the same."""
    lines = [f"{name} = {_quoted(getattr(document, name))}" for name in _TEXTS if getattr(document, name)]
    if document.reviewed_on:
        lines.append(f"reviewed_on = {document.reviewed_on.isoformat()}")
    if document.synonyms:
        lines.append(f"synonyms = [{', '.join(map(_quoted, document.synonyms))}]")
    for name, patterns in (("codes", document.codes), ("exclude", document.exclude)):
        for system, given in patterns.items():
            said = document.comments.get(system, {})
            lines += [
                "",
                f"[{name}.{system}]",
                *(f"{_quoted(p)} = {_quoted(said.get(p, ''))}" for p in given),
            ]
    return "\n".join(lines) + "\n"


def check_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise BadCodeList(Flaw.BAD_ID, place=Place(field="id"), name=text)
    return text


def check_version(text: str) -> str:
    if not _VERSION.fullmatch(text):
        raise BadCodeList(Flaw.BAD_VERSION, place=Place(field="version"), name=text)
    return text


def version_order(version: str) -> tuple[int, ...]:
    """1.9 comes before 1.10."""
    return tuple(int(number) for number in version.split("."))


def check_text(text: object, name: str) -> str:
    """A text that reads as it is. Raises BadCodeList."""
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        wanted = N_("a text between quotation marks")
        raise BadCodeList(Flaw.BAD_VALUE, place=Place(field=name), name=name, wanted=wanted)
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for letter in text):
        raise BadCodeList(Flaw.BAD_TEXT, place=Place(field=name))
    return text


def placed(bad: BadCodeList, data: bytes, file: str) -> BadCodeList:
    """`bad` with the file and, as far as a look at it tells, the line: of its field, or of the code meant."""
    lines = data.decode("utf-8-sig", "replace").splitlines()
    code = bad.params.get("code", "")
    return bad.at(
        Place(file, _line_of(lines, bad.place.field) or (_line_with(lines, code) if code else None))
    )


def _line_of(lines: list[str], name: str) -> int | None:
    """Where the field `name` (`label_fr`, `codes`, `codes.cisp2`) stands."""
    section, _, system = name.partition(".")
    if not section:
        return None
    if system:
        return _line_with(lines, f"{section}.{system}") or _line_with(lines, system)
    return _line_with(lines, section)


def _line_with(lines: list[str], word: str) -> int | None:
    wanted = re.compile(rf"(^|[\s\"'\[.,=]){re.escape(word)}($|[\s\"'\].,=])")
    return next((n for n, line in enumerate(lines, 1) if wanted.search(line.partition(" #")[0])), None)


def _decoded(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise BadCodeList(Flaw.TOO_BIG, limit="256 KB")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadCodeList(Flaw.NOT_UTF8, place=Place(line=data[: error.start].count(b"\n") + 1)) from None


def _tables(text: str) -> dict[str, Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_POINTS and _TEXT.sub("", line).count(".") > MAX_POINTS:
            raise BadCodeList(Flaw.NOT_TOML, place=Place(line=number), detail="too many points")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise BadCodeList(Flaw.NOT_TOML, detail="nested too deeply") from None
    except (tomllib.TOMLDecodeError, ValueError) as error:
        where = _LINE.search(str(error))
        at = int(where[1]) if where and where[1] else len(text.splitlines())
        detail = _LINE.sub("", str(error)) if isinstance(error, tomllib.TOMLDecodeError) else "a bad value"
        raise BadCodeList(Flaw.NOT_TOML, place=Place(line=at), detail=detail) from None


def _document(fields: dict[str, Any]) -> ListDocument:
    for name in fields:
        if name not in _FIELDS:
            near = get_close_matches(name, _FIELDS, n=1)
            place = Place(field=name)
            raise BadCodeList(
                Flaw.UNKNOWN_FIELD,
                place=place,
                near=near[0] if near else "",
                name=name,
                names=", ".join(_FIELDS),
            )
    for name in (*_NEEDED, "codes"):
        if name not in fields or fields[name] == "":
            raise BadCodeList(Flaw.MISSING_FIELD, place=Place(field=name), name=name)
    codes, comments = _patterns(fields, "codes")
    exclude, more = _patterns(fields, "exclude")
    texts = {name: check_text(fields[name], name) for name in _TEXTS if name in fields}
    check_id(texts["id"])
    check_version(texts["version"])
    return ListDocument(
        **texts,
        reviewed_on=check_day(fields.get("reviewed_on")),
        synonyms=tuple(
            check_text(text, "synonyms") for text in _sequence(fields.get("synonyms", []), "synonyms")
        ),
        codes=codes,
        exclude=exclude,
        comments={system: {**comments.get(system, {}), **more.get(system, {})} for system in comments | more},
    )


def _patterns(
    fields: dict[str, Any], name: str
) -> tuple[dict[str, tuple[str, ...]], dict[str, dict[str, str]]]:
    by_system = fields.get(name, {})
    if not isinstance(by_system, dict):
        if isinstance(by_system, list) and by_system:
            raise BadCodeList(
                Flaw.BARE_CODE,
                place=Place(field=name),
                code=str(by_system[0]),
                system="cisp2",
                systems="cisp2, atc, …",
            )
        raise BadCodeList(
            Flaw.BAD_VALUE,
            place=Place(field=name),
            name=name,
            wanted=N_("a table, with one entry a code system"),
        )
    patterns: dict[str, tuple[str, ...]] = {}
    comments: dict[str, dict[str, str]] = {}
    for system, given in by_system.items():
        where = f"{name}.{system}"
        if isinstance(given, dict):
            said = {check_text(code, where): check_text(text, where) for code, text in given.items()}
            comments[system] = {code: text for code, text in said.items() if text}
            patterns[system] = tuple(said)
        else:
            patterns[system] = tuple(check_text(code, where) for code in _sequence(given, where))
    if sum(map(len, patterns.values())) > MAX_CODES:
        raise BadCodeList(Flaw.TOO_BIG, place=Place(field=name), limit=f"{MAX_CODES}")
    return patterns, comments


def _sequence(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        wanted = N_("a list between square brackets")
        raise BadCodeList(Flaw.BAD_VALUE, place=Place(field=name), name=name, wanted=wanted)
    return value


def check_day(value: object) -> date | None:
    """A day, or none. Raises BadCodeList."""
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> date:
    wanted = N_("a day, such as 2026-03-31")
    raise BadCodeList(
        Flaw.BAD_VALUE, place=Place(field="reviewed_on"), name="reviewed_on", wanted=wanted
    ) from None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
