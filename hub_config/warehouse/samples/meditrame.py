"""MédiTrame, an invented vendor: one nested file a practice, XML every night or JSON from a service.

Dates are ISO here, decimals have commas, persons have local numbers of this vendor. What is nested stands
where the vendor's designers thought of it: the date of birth comes after the visits.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final
from xml.sax.saxutils import escape, quoteattr

from hub_config.warehouse.samples.population import (
    FIRST_NAME,
    LAST,
    NAME,
    NOTE,
    PHONE,
    STREET,
    Fact,
    Person,
    Visit,
)

PLACES: Final = {"office": "C", "home": "V", "remote": "T", "phone": "A"}
MEASURES: Final = {"weight": "POIDS", "height": "TAILLE", "bmi": "IMC", "sbp": "PAS", "dbp": "PAD"}
LOINC: Final = {
    "hba1c": "4548-4",
    "creatinine": "14682-9",
    "glucose": "14771-0",
    "hdl": "14646-4",
    "inr": "6301-6",
    "crp": "1988-5",
}
_TYPES: Final = {"tobacco": "tabac", "medical": "medical", "surgical": "chirurgical"}
_LISTS: Final = {
    "visites": "visite",
    "motifs": "motif",
    "diagnostics": "diagnostic",
    "mesures": "mesure",
    "examens": "examen",
    "prescriptions": "prescription",
    "vaccins": "vaccin",
    "antecedents": "antecedent",
}
_ELEMENTS: Final = ("nom", "prenom", "telephone", "adresse", "naissance", "deces", "note")
_TEXT: Final = "valeur"

Record = dict[str, Any]


def write_xml(directory: Path, persons: Iterable[Person], *, exported_on: date = LAST) -> None:
    """`meditrame-<practice>.xml.gz`, as many as there are practices."""
    _write(directory, persons, exported_on, "xml", lambda record: xml_of("patient", record, 2).encode())


def write_json(directory: Path, persons: Iterable[Person], *, exported_on: date = LAST) -> None:
    """`meditrame-<practice>.json.gz`: the whole export is one line."""
    _write(
        directory,
        persons,
        exported_on,
        "json",
        lambda record: json.dumps(record, ensure_ascii=False).encode(),
    )


def _write(
    directory: Path, persons: Iterable[Person], exported_on: date, kind: str, text: Callable[[Record], bytes]
) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    files: dict[int, tuple[BinaryIO, bool]] = {}
    with ExitStack() as stack:
        for person in persons:
            if person.practice not in files:
                path = directory / f"meditrame-{person.practice:02d}.{kind}.gz"
                files[person.practice] = stack.enter_context(_export(path, person, exported_on)), False
            file, begun = files[person.practice]
            file.write(b"," * (begun and kind == "json") + text(record_of(person)))
            files[person.practice] = file, True


@contextmanager
def _export(path: Path, person: Person, exported_on: date) -> Iterator[BinaryIO]:
    head, tail = head_and_tail(path.name, person, exported_on)
    with path.open("wb") as packed, gzip.GzipFile("", "wb", 6, packed, mtime=0) as raw:
        raw.write(head)
        yield raw  # type: ignore[misc]
        raw.write(tail)


def head_and_tail(name: str, person: Person, exported_on: date) -> tuple[bytes, bytes]:
    """What stands before and after the patients of a practice."""
    version = "2021.2" if person.practice == 2 else "2019.4"
    said = {
        "logiciel": "MédiTrame",
        "version": version,
        "date": f"{exported_on}",
        "centre": person.centre_of_practice,
    }
    if ".xml" in name:
        given = "".join(f" {key}={quoteattr(text)}" for key, text in said.items())
        head = f'<?xml version="1.0" encoding="UTF-8"?>\n<export{given}>\n <patients>\n'
        return head.encode(), b" </patients>\n</export>\n"
    given = ", ".join(
        f"{json.dumps(key)}: {json.dumps(text, ensure_ascii=False)}" for key, text in said.items()
    )
    return f'{{"export": {{{given}, "patients": ['.encode(), b"]}}"


def record_of(person: Person) -> Record:
    """A patient as nested lists and texts. In XML keys of `_ELEMENTS` are elements, others attributes."""
    return {
        "ipp": f"MT-{person.number}",
        "sexe": "1" if person.sex == "M" else "2",
        "medecin": person.physician,
        "nom": NAME,
        "prenom": FIRST_NAME,
        "telephone": PHONE,
        "adresse": STREET,
        "visites": [_visit(person, visit) for visit in person.visits],
        "vaccins": [
            {"id": f"{person.number}V{index}", "date": _iso(fact.on), "nom": fact.text}
            for index, fact in enumerate(person.vaccines)
        ],
        "antecedents": [
            {
                "id": f"{person.number}A{index}",
                "date": _iso(fact.on),
                "type": _TYPES[fact.kind],
                "code": fact.text,
            }
            for index, fact in enumerate(person.history)
        ],
        "naissance": f"{person.birth}",
        **({"deces": f"{person.death}"} if person.death else {}),
    }


def _visit(person: Person, visit: Visit) -> Record:
    return {
        "id": f"V{visit.number}",
        "date": f"{visit.on}",
        "lieu": PLACES[visit.place],
        "medecin": person.physician,
        "note": NOTE,
        "motifs": [{"code": code, "libelle": NOTE} for code in visit.reasons],
        "diagnostics": [
            {"code": code, "origine": "A" if source == "auto" else "M"} for code, source in visit.diagnoses
        ],
        "mesures": list(_numbered(visit, "biometric", lambda what, _: {"type": MEASURES[what]})),
        "examens": list(_numbered(visit, "result", lambda what, day: {"loinc": LOINC[what], "date": day})),
        "prescriptions": [
            {
                "atc": fact.kind.partition(":")[2],
                "jours": fact.text,
                "boite": "G" if fact.unit == "trimestre" else "N",
                "posologie": NOTE,
            }
            for fact in visit.of("drug")
        ],
    }


def _numbered(visit: Visit, prefix: str, named: Callable[[str, str], Record]) -> Iterator[Record]:
    for index, fact in enumerate(visit.facts):
        kind, _, what = fact.kind.partition(":")
        if kind == prefix:
            yield {
                "id": f"V{visit.number}F{index}",
                **named(what, _day(fact, visit)),
                "unite": fact.unit,
                _TEXT: fact.text,
            }


def _day(fact: Fact, visit: Visit) -> str:
    return _iso(fact.on) if fact.on else f"{visit.on}"


def _iso(french: str) -> str:
    """31/02/2019 stays as wrong as it is."""
    return "-".join(reversed(french.split("/")))


def xml_of(tag: str, record: Record, depth: int) -> str:
    indent = " " * depth
    attributes, inside = "", ""
    for key, value in record.items():
        if isinstance(value, list):
            inside += _list(key, value, depth + 1)
        elif key == _TEXT:
            return f"{indent}<{tag}{attributes}>{escape(value)}</{tag}>\n"
        elif key in _ELEMENTS:
            inside += f"{indent} <{key}>{escape(value)}</{key}>\n"
        else:
            attributes += f" {key}={quoteattr(value)}"
    return (
        f"{indent}<{tag}{attributes}>\n{inside}{indent}</{tag}>\n"
        if inside
        else f"{indent}<{tag}{attributes}/>\n"
    )


def _list(key: str, records: list[Record], depth: int) -> str:
    indent = " " * depth
    inside = "".join(xml_of(_LISTS[key], record, depth + 1) for record in records)
    return f"{indent}<{key}>\n{inside}{indent}</{key}>\n"
