"""`warehouse sample`: an export to load, and beside it the mapping that loads it.

That mapping is the shipped one under a source of its own, declared public: who is invented is never taken
for a patient of the real vendor's export, and the load is allowed wherever a public data set is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.samples import cabineo, meditrame, omop
from hub_config.warehouse.samples.population import Person, people

WRITERS: Final[Mapping[str, Callable[[Path, Iterable[Person]], None]]] = {
    "cabineo": cabineo.write,
    "meditrame": meditrame.write_xml,
    "meditrame-json": meditrame.write_json,
    "omop-cdm-v5.4": omop.write,
}
_SOURCE: Final = re.compile(r'^\[source\]\nname = "([a-z0-9_-]+)"\nlabel = "', re.MULTILINE)
_HEAD: Final = "# Made by `p4dp-enclave warehouse sample`: everybody in these files is invented.\n#\n"


class SampleProblem(WarehouseProblem):
    """No sample is written there: nothing was."""


@dataclass(frozen=True)
class Sample:
    mapping: Path
    files: tuple[Path, ...]


def write_sample(vendor: str, directory: Path, patients: int) -> Sample:
    """An export of `vendor` (a key of WRITERS) in `directory`, which is made, or is empty. Equal numbers of
    patients give equal files, and a larger export holds the smaller one. Raises SampleProblem."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise SampleProblem(
            f"{directory} holds something already, which might be an export of patients. Give a directory "
            "that is empty or isn't there yet."
        )
    WRITERS[vendor](directory, people(patients))
    written = tuple(sorted(directory.iterdir()))
    mapping = directory / f"{vendor}.toml"
    mapping.write_text(_mapping(vendor), encoding="utf-8")
    return Sample(mapping, written)


def _mapping(vendor: str) -> str:
    shipped = (files("hub_config.warehouse") / "mappings" / f"{vendor}.toml").read_text(encoding="utf-8")
    own, changed = _SOURCE.subn(r'[source]\nname = "sample-\1"\npublic = true\nlabel = "Sample of ', shipped)
    if changed != 1:
        raise SampleProblem(f"The shipped mapping {vendor} does not begin its [source] as expected.")
    return _HEAD + own
