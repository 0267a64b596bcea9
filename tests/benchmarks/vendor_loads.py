"""One whole load of a vendor's export, for `test_loading`: `main(KIND, FILES, MEGABYTES)` prints its figures.
The same invented people come again and again under other numbers."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import hub_config.warehouse.mappings as shipped
from hub_config.warehouse.loader.load import Places, land
from hub_config.warehouse.loader.mapping import VendorMapping, read_mapping
from hub_config.warehouse.loader.validation import Validation  # Pandera's import is no part of the rate
from tests.vendors import cabineo
from tests.vendors.meditrame import head_and_tail, record_of, xml_of
from tests.vendors.world import LAST, people, person

_COPIED: Final = 100  # people


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
    cabineo.write(directory, people(size // 13_000))


def _mapping(kind: str) -> VendorMapping:
    path = Path(str(shipped.__path__[0])) / ("meditrame.toml" if kind == "xml" else "cabineo.toml")
    mapping = read_mapping(path)
    if kind != "xml":
        return mapping
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
        started, cpu = time.perf_counter(), time.process_time()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        places = Places(home / "files", home / "warehouse", home / "keys")
        landed = land(kind, _mapping(kind), places, own_uids=True)
        cpu, seconds = time.process_time() - cpu, time.perf_counter() - started
    total = sum(file.rows for file in landed.files)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = {"rows": total, "per_second": total / seconds, "per_cpu_second": total / cpu}
    told = {**figures, "mb_before": before / 1024, "mb_peak": peak / 1024, "by": Validation.__name__}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
