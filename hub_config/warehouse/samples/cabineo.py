"""Cabinéo, an invented vendor: flat files with `;`, cp1252, French headers and dates, decimal comma.

Holds names, streets and telephones in columns of their own and in free text, as real exports do.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

from hub_config.warehouse.samples.population import FIRST_NAME, LAST, NAME, NOTE, PHONE, STREET, Person, Visit

HEADERS: Final = {
    "cabinets.csv": ("Cabinet", "Médecin", "Logiciel", "Version", "Date d'export"),
    "patients.csv": (
        *("N° dossier", "Nom", "Prénom", "Sexe", "Né(e) le", "Décédé(e) le", "Téléphone", "Adresse"),
        *("Médecin", "Centre"),
    ),
    "consultations.csv.gz": ("N° séance", "N° dossier", "Médecin", "Date", "Lieu", "Observation"),
    "motifs.csv.gz": ("N° ligne", "N° séance", "N° dossier", "Médecin", "Date", "Code CISP", "Libellé"),
    "diagnostics.csv.gz": (
        *("N° ligne", "N° séance", "N° dossier", "Médecin", "Date", "Code CISP", "Origine", "Libellé"),
    ),
    "constantes.csv.gz": (
        *("N° ligne", "N° dossier", "Médecin", "Date", "Nature", "Valeur", "Unité", "Commentaire"),
    ),
    "biologie.csv.gz": (
        "N° ligne",
        "N° dossier",
        "Médecin",
        "Date",
        "Analyse",
        "Résultat",
        "Unité",
        "Conclusion",
    ),
    "ordonnances.csv.gz": (
        *(
            "N° ligne",
            "N° séance",
            "N° dossier",
            "Médecin",
            "Date",
            "Code ATC",
            "Durée (j)",
            "Boîtage",
            "Posologie",
        ),
    ),
    "vaccins.csv": ("N° ligne", "N° dossier", "Date", "Vaccin", "Lot"),
    "antecedents.csv": ("N° ligne", "N° dossier", "Date", "Rubrique", "Valeur", "Texte"),
}
PLACES: Final = {"office": "CABINET", "home": "VISITE", "remote": "TELECONSULTATION", "phone": "TELEPHONE"}
MEASURES: Final = {"weight": "Poids", "height": "Taille", "bmi": "IMC", "sbp": "TA max", "dbp": "TA min"}
ANALYTES: Final = {
    "hba1c": "HbA1c",
    "creatinine": "Créatinine",
    "glucose": "Glycémie à jeun",
    "hdl": "HDL-cholestérol",
    "inr": "INR",
    "crp": "CRP",
}
_RUBRICS: Final = {"tobacco": "TABAC", "medical": "ATCD MEDICAL", "surgical": "ATCD CHIRURGICAL"}

Row = Sequence[object]


def write(directory: Path, persons: Iterable[Person], *, exported_on: date = LAST) -> None:
    """Every file of one export. Persons who moved to the other vendor's practice are here too."""
    directory.mkdir(parents=True, exist_ok=True)
    practices = set()
    with _writers(directory) as files:
        for person in persons:
            practices.add((person.practice, person.physician))
            for name, row in _rows(person):
                files[name].writerow(row)
        for practice, physician in sorted(practices):
            files["cabinets.csv"].writerow(_practice(practice, physician, exported_on))


@contextmanager
def _writers(directory: Path) -> Iterator[dict[str, Any]]:
    with ExitStack() as stack:
        files = {name: stack.enter_context(_opened(directory / name)) for name in HEADERS}
        writers = {
            name: csv.writer(file, delimiter=";", lineterminator="\r\n") for name, file in files.items()
        }
        for name, header in HEADERS.items():
            writers[name].writerow(header)
        yield writers


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    if path.suffix != ".gz":
        with path.open("w", encoding="cp1252", newline="") as file:
            yield file
        return
    with (
        path.open("wb") as packed,
        gzip.GzipFile("", "wb", 6, packed, mtime=0) as raw,
        io.TextIOWrapper(raw, encoding="cp1252", newline="") as file,
    ):
        yield file


def _practice(practice: int, physician: str, exported_on: date) -> Row:
    version = "9.1" if practice == 2 else "7.4"
    return practice, physician, "Cabinéo", version, french(exported_on)


def _rows(person: Person) -> Iterator[tuple[str, Row]]:
    record, gp = f"D{person.number:07d}", person.physician
    yield (
        "patients.csv",
        (
            *(record, NAME, FIRST_NAME, "H" if person.sex == "M" else "F", french(person.birth)),
            *(french(person.death) if person.death else "", PHONE, STREET, gp, person.centre),
        ),
    )
    for visit in person.visits:
        yield from _of_visit(record, gp, visit)
    for index, fact in enumerate(person.vaccines):
        yield "vaccins.csv", (f"{record}V{index}", record, fact.on, fact.text, "L123")
    for index, fact in enumerate(person.history):
        yield "antecedents.csv", (f"{record}A{index}", record, fact.on, _RUBRICS[fact.kind], fact.text, NOTE)


def _of_visit(record: str, gp: str, visit: Visit) -> Iterator[tuple[str, Row]]:
    number, on = f"S{visit.number:09d}", french(visit.on)
    yield "consultations.csv.gz", (number, record, gp, on, PLACES[visit.place], f"{NOTE}\n« suite »")
    for index, code in enumerate(visit.reasons):
        yield "motifs.csv.gz", (f"{number}R{index}", number, record, gp, on, code, NOTE)
    for index, (code, source) in enumerate(visit.diagnoses):
        yield "diagnostics.csv.gz", (f"{number}D{index}", number, record, gp, on, code, source, NOTE)
    for index, fact in enumerate(visit.facts):
        kind, _, what = fact.kind.partition(":")
        key, day = f"{number}F{index}", fact.on or on
        match kind:
            case "biometric":
                row: Row = (key, record, gp, day, MEASURES[what], fact.text, fact.unit, NOTE)
                yield "constantes.csv.gz", row
            case "result":
                yield "biologie.csv.gz", (key, record, gp, day, ANALYTES[what], fact.text, fact.unit, NOTE)
            case "drug":
                row = (key, number, record, gp, day, what, fact.text, fact.unit, NOTE)
                yield "ordonnances.csv.gz", row


def french(day: date) -> str:
    return f"{day:%d/%m/%Y}"
