"""A site's tables of codes as they are published, read as what the catalogue takes: code, labels, parent.

| Format | Is |
|---|---|
| csv | columns `code`, `label_fr` (or `label`, `libelle`), optionally `label_en` and `parent` |
| claml | the CIM-10 of the ATIH, in ClaML (XML) |
| atc | as csv, of which the substances (seven characters) are taken |
| bdpm | `CIS_bdpm.txt` (system cis) or `CIS_CIP_bdpm.txt` (system cip), tabulated |
| loinc | `Loinc.csv`, or a linguistic variant of it |

All of a file or nothing of it: the first line that can't be taken is named. Labels with characters that
can't be seen or that turn the writing are refused.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from hub_config.codelists.claml import read_claml
from hub_config.codelists.problems import CodeListProblem
from p4dp_sdk.catalogue.model import Code
from p4dp_sdk.catalogue.overlay import SYSTEMS, Overlay

MAX_BYTES = 200 * 1024**2
MAX_CODES = 500_000
MAX_LABEL = 500

_CODE = {
    "cisp2": re.compile(r"[A-Z][0-9]{2}"),
    "atc": re.compile(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}"),
    "cim10": re.compile(r"[A-Z][0-9]{2}[0-9A-Z.+-]{0,6}"),
    "cis": re.compile(r"[0-9]{8}"),
    "cip": re.compile(r"[0-9]{7}|[0-9]{13}"),
    "loinc": re.compile(r"[0-9A-Z]{1,8}-[0-9]"),
}
_ATC_GROUP = re.compile(r"[A-Z]([0-9]{2}([A-Z][A-Z]?)?)?")
_ANY_CODE = re.compile(r"[\w.+-]{1,32}")
_NAMES = {
    "code": ("code", "atc code", "atc_code", "code atc", "code_atc", "loinc_num"),
    "label_fr": ("label_fr", "libelle", "libellé", "label", "nom", "atc level name",
                 "linguisticvariantdisplayname", "long_common_name"),
    "label_en": ("label_en", "name_en", "long_common_name"),
    "parent": ("parent", "code parent"),
}  # fmt: skip

Row = tuple[int, str, str, str, str]  # line, code, French label, English label, parent


class Format(StrEnum):
    CSV = "csv"
    CLAML = "claml"
    ATC = "atc"
    BDPM = "bdpm"
    LOINC = "loinc"


def read_table(system: str, path: Path, form: Format, encoding: str) -> Overlay:
    """The table of `system` in `path`. Raises CodeListProblem."""
    if system not in SYSTEMS:
        raise CodeListProblem(f"{system!r} can't be loaded. There are: {', '.join(SYSTEMS)}.")
    if path.stat().st_size > MAX_BYTES:
        raise CodeListProblem(f"{path.name} is larger than a table of codes can be ({MAX_BYTES} bytes).")
    match form:
        case Format.CLAML:
            _only(form, system, "cim10")
            rows = read_claml(path)
        case Format.BDPM:
            _only(form, system, "cis", "cip")
            rows = _bdpm(_text(path, encoding), system)
        case Format.ATC:
            _only(form, system, "atc")
            rows = _csv(_text(path, encoding))
        case Format.LOINC:
            _only(form, system, "loinc")
            rows = _csv(_text(path, encoding))
        case Format.CSV:
            rows = _csv(_text(path, encoding))
        case _:
            assert_never(form)
    return Overlay(system, tuple(_codes(system, rows, path.name)))


def _only(form: Format, system: str, *systems: str) -> None:
    if system not in systems:
        raise CodeListProblem(f"The format {form.value} is of {' or '.join(systems)}, not of {system}.")


def _codes(system: str, rows: Iterable[Row], file: str) -> Iterator[Code]:
    seen: set[str] = set()
    for line, code, label_fr, label_en, parent in rows:
        if system == "atc" and _ATC_GROUP.fullmatch(code):
            continue
        if not _CODE[system].fullmatch(code):
            raise CodeListProblem(f"{file}, line {line}: this is no code of {system} as it is written there.")
        if parent and not _ANY_CODE.fullmatch(parent):
            raise CodeListProblem(f"{file}, line {line}: the parent is no code.")
        if code in seen:
            raise CodeListProblem(f"{file}, line {line}: {code} stands in it twice.")
        if len(seen) == MAX_CODES:
            raise CodeListProblem(f"{file} has more than {MAX_CODES} codes: this is no table of {system}.")
        seen.add(code)
        french = _label(label_fr, file, line)
        yield Code(code, french, _label(label_en or french, file, line), parent or _group(system, code))
    if not seen:
        raise CodeListProblem(f"{file} holds no code of {system}.")


def _group(system: str, code: str) -> str | None:
    """What the catalogue puts above codes of CISP-2 and ATC: the chapter, the second level."""
    return {"cisp2": code[:1], "atc": code[:3]}.get(system)


def _label(text: str, file: str, line: int) -> str:
    label = " ".join(text.split())
    if not label:
        raise CodeListProblem(f"{file}, line {line}: a code without a label.")
    if any(unicodedata.category(letter)[0] == "C" for letter in label):
        raise CodeListProblem(
            f"{file}, line {line}: the label holds a character that can't be seen or that turns the writing."
        )
    return label if len(label) <= MAX_LABEL else label[: MAX_LABEL - 1] + "…"


def _text(path: Path, encoding: str) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise CodeListProblem(f"{encoding!r} is no encoding. Usual ones are utf-8 and cp1252.") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CodeListProblem(
            f"{path.name}, line {line}: this is no text in {encoding}. Say the encoding: --encoding cp1252."
        ) from None


def _csv(text: str) -> Iterator[Row]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        at = _columns(next(reader, []))
        for fields in reader:
            if any(fields):
                yield (reader.line_num, *(_field(fields, at.get(name)) for name in _NAMES))  # type: ignore[misc]
    except csv.Error as error:
        raise CodeListProblem(f"line {reader.line_num}: this is no CSV ({error}).") from None


def _columns(header: list[str]) -> Mapping[str, int]:
    names = [name.strip().lower() for name in header]
    at = {
        wanted: names.index(found)
        for wanted, known in _NAMES.items()
        if (found := next((name for name in known if name in names), None)) is not None
    }
    for needed in ("code", "label_fr"):
        if needed not in at:
            raise CodeListProblem(
                f"The first line names no column {needed!r}. It needs one of: {', '.join(_NAMES[needed])}."
            )
    return at


def _field(fields: list[str], at: int | None) -> str:
    return fields[at].strip() if at is not None and at < len(fields) else ""


def _bdpm(text: str, system: str) -> Iterator[Row]:
    """CIS_bdpm.txt: CIS, name, …; CIS_CIP_bdpm.txt: CIS, CIP7, label of the pack, three more, CIP13."""
    for number, line in enumerate(text.splitlines(), 1):
        fields = [field.strip() for field in line.split("\t")]
        if fields == [""]:
            continue
        if len(fields) < (7 if system == "cip" else 2):
            raise CodeListProblem(f"line {number}: a line of this file has more fields, between tabulators.")
        if system == "cis":
            yield number, fields[0], fields[1], "", ""
        else:
            yield number, fields[6], fields[2], "", fields[0]
