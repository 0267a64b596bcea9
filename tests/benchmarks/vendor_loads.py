"""One whole load of a vendor's export, and the snapshot it ends with, for `test_loading`: `main(KIND, FILES,
MEGABYTES)` prints its figures. The same invented people come again and again under other numbers."""

from __future__ import annotations

import gzip
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

import hub_config.warehouse.mappings as shipped
from hub_config.warehouse.loader.load import Places, freeze_landed, land
from hub_config.warehouse.loader.mapping import VendorMapping, read_mapping
from hub_config.warehouse.loader.validation import Validation  # Pandera's import is no part of the rate
from hub_config.warehouse.samples import cabineo
from hub_config.warehouse.samples.meditrame import head_and_tail, record_of, xml_of
from hub_config.warehouse.samples.population import LAST, people, person
from tests.benchmarks.resident import Peak, watched

_COPIED: Final = 100  # people
_NUMBER: Final = re.compile(
    rb"(^|;)([DS])(?=\d{7})", re.MULTILINE
)  # of a person or a visit, in Cabinéo's files


def write_xml(directory: Path, files: int, size: int) -> None:
    """`files` practices of about `size` bytes together."""
    directory.mkdir()
    text = "".join(xml_of("patient", record_of(each), 2) for each in people(_COPIED))
    for number in range(files):
        with (directory / f"meditrame-{number:02d}.xml").open("wb") as file:
            head, tail = head_and_tail(file.name, person(0), LAST)
            file.write(head)
            file.writelines(_copies(text, number, size // files))
            file.write(tail)


def _copies(text: str, practice: int, size: int) -> Iterator[bytes]:
    written = copy = 0
    while written < size:
        number = f"{practice}-{copy}-"
        part = text.replace(' ipp="', f' ipp="{number}').replace(' id="', f' id="{number}').encode()
        written, copy = written + len(part), copy + 1
        yield part


def write_cabineo(directory: Path, size: int) -> None:
    """Ten files of about `size` bytes together, unpacked."""
    directory.mkdir()
    texts = _texts_of_cabineo()
    copies = max(1, size // sum(map(len, texts.values())))
    for name, text in texts.items():
        head, rows = text.split(b"\r\n", 1)
        with (directory / name).open("wb") as file:
            file.write(head + b"\r\n")
            for copy in range(1 if name == "cabinets.csv" else copies):
                file.write(_NUMBER.sub(rb"\1\g<2>%d-" % copy, rows))


def _texts_of_cabineo() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as made:
        cabineo.write(Path(made), people(_COPIED))
        opened = {path: gzip.open if path.suffix == ".gz" else open for path in sorted(Path(made).iterdir())}
        texts = {}
        for path, opens in opened.items():
            with opens(path, "rb") as file:
                texts[path.name.removesuffix(".gz")] = file.read()
        return texts


def _mapping(kind: str) -> VendorMapping:
    path = Path(str(shipped.__path__[0])) / ("meditrame.toml" if kind == "xml" else "cabineo.toml")
    mapping = read_mapping(path)
    plain = {
        name: file.model_copy(update={"path": file.path.removesuffix(".gz")})
        for name, file in mapping.files.items()
    }
    return mapping.model_copy(update={"files": plain})


def main(kind: str, files: int, megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        home, size = Path(name), megabytes * 1_000_000
        if kind == "xml":
            write_xml(home / "files", files, size)
        else:
            write_cabineo(home / "files", size)
        places, before = Places(home / "files", home / "warehouse", home / "keys"), Peak()
        before.note()
        started, cpu = time.perf_counter(), time.process_time()
        with watched() as landing:
            landed = land(kind, _mapping(kind), places, own_uids=True)
        landed_at, cpu_landed = time.perf_counter() - started, time.process_time() - cpu
        with watched() as freezing:
            freeze_landed(places)
        cpu_frozen = time.process_time() - cpu - cpu_landed
    total = sum(file.rows for file in landed.files)
    speed = {"per_second": total / landed_at, "per_cpu_second": total / cpu_landed, "cpu_frozen": cpu_frozen}
    peaks = {"before": before, "landing": landing, "freezing": freezing}
    memory = {f"mb_{name}": asdict(peak) for name, peak in peaks.items()}
    print(json.dumps({"rows": total, **speed, **memory, "by": Validation.__name__}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
