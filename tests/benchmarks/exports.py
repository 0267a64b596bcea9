"""Exports of any size in seconds: one invented practice, again and again under other numbers. And how fast
one is read, in a process of its own, whose peak of memory is then the reader's."""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final

from hub_config.warehouse.loader.mapping import SourceFile
from hub_config.warehouse.loader.readers import open_rows
from hub_config.warehouse.samples.meditrame import head_and_tail, record_of, xml_of
from hub_config.warehouse.samples.population import person

_RECORD: Final = "export/patients/patient/visites/visite/mesures/mesure"
_ABOVE: Final = ("../../@date", "../../@id", "../../../../@ipp")
# What is read of each: the file as a mapping describes it, and the columns.
READ: Final = {
    "CSV": (
        {"path": "export.csv", "delimiter": ";", "encoding": "cp1252", "decimal": ","},
        ("N° dossier", "Date", "Nature", "Valeur", "Unité"),
    ),
    "XML": (
        {"path": "export.xml", "format": "xml", "record": _RECORD},
        ("@type", "@unite", ".", *_ABOVE),
    ),
    "JSON in one line": (
        {
            "path": "export.json",
            "format": "json",
            "record": _RECORD.replace("/patient/", "/")
            .replace("/visite/", "/")
            .removesuffix("/mesure")
            .replace("/", "."),
        },
        ("type", "unite", "valeur", "../date", "../id", "../../ipp"),
    ),
}


def write(path: Path, size: int) -> None:
    """An export of about `size` bytes."""
    write_one: Callable[[Path, Iterator[bytes]], None] = {".csv": _csv, ".xml": _xml, ".json": _json}[
        path.suffix
    ]
    write_one(path, _until(size, _copies({".csv": _rows, ".xml": _element, ".json": _object}[path.suffix]())))


def _copies(text: str, encoding: str = "utf-8") -> Iterator[bytes]:
    """The same people under other numbers: `MT-` and `V` begin a number in every vendor's files."""
    for copy in count(1):
        yield text.replace("MT-", f"MT-{copy}-").replace('"V', f'"V{copy}-').encode(encoding)


def _until(size: int, parts: Iterator[bytes]) -> Iterator[bytes]:
    written = 0
    while written < size:
        part = next(parts)
        written += len(part)
        yield part


def _element() -> str:
    return "".join(xml_of("patient", record_of(person(number)), 2) for number in range(20))


def _object() -> str:
    return ", ".join(json.dumps(record_of(person(number)), ensure_ascii=False) for number in range(20))


def _rows() -> str:
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";", lineterminator="\r\n")
    for number in range(20):
        for visit in person(number).visits:
            for fact in visit.of("biometric"):
                rows.writerow(
                    (f"MT-{number}", f"{visit.on:%d/%m/%Y}", fact.kind, fact.text, fact.unit, "œuvre; été")
                )
    return text.getvalue()


def _csv(path: Path, parts: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        file.write("N° dossier;Date;Nature;Valeur;Unité;Commentaire\r\n".encode("cp1252"))
        file.writelines(part.decode().encode("cp1252") for part in parts)


def _xml(path: Path, parts: Iterator[bytes]) -> None:
    _between(path, parts, b"")


def _json(path: Path, parts: Iterator[bytes]) -> None:
    _between(path, parts, b", ")


def _between(path: Path, parts: Iterator[bytes], separator: bytes) -> None:
    head, tail = head_and_tail(path.name, person(0), person(0).birth)
    with path.open("wb") as file:
        file.write(head)
        for number, part in enumerate(parts):
            file.write(separator * (number > 0) + part)
        file.write(tail)


def measured(directory: Path, name: str) -> tuple[int, float, int]:
    """(records, processor seconds, peak of memory in bytes) of reading the export once."""
    code = f"from pathlib import Path; import exports; exports.read(Path({str(directory)!r}), {name!r})"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", f"{_PREPARE.format(root=str(root))}\n{code}"],
        check=True,
        capture_output=True,
        text=True,
    )
    records, seconds, peak = done.stdout.split()
    return int(records), float(seconds), int(peak)


# `tests` is a name that other packages use too.
_PREPARE: Final = """
import sys, types
sys.path[:0] = [{root!r}, {root!r} + "/tests/benchmarks"]
tests = sys.modules["tests"] = types.ModuleType("tests")
tests.__path__ = [{root!r} + "/tests"]
"""


def read(directory: Path, name: str) -> None:
    said, columns = READ[name]
    began, records = time.process_time(), 0
    with open_rows(directory, SourceFile.model_validate(said), dict.fromkeys(columns, "")) as rows:
        for batch in rows.batches:
            records += batch.num_rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(records, time.process_time() - began, peak)
