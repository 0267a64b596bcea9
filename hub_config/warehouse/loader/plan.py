"""What a load reads: its files with their hashes, when they were made, and which of them were landed before.

The same bytes under the same mapping are the same load: that is how a killed one is found again, and how a
file that comes twice changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePosixPath

from hub_config.warehouse.loader.mapping import SourceFile, VendorMapping
from hub_config.warehouse.loader.readers import SourceProblem, matching
from p4dp_sdk.catalogue.model import Catalogue

# What of a mapping does not change the meaning of a row that was taken.
_NOT_MEANING = {
    "source": {"label", "public", "reference_date", "dates", "population"},
    "limits": True,
    "files": {"__all__": {"made"}},  # added apart, where there is any
}
_STAGED = "2"  # of a load's own database: one that was begun with other tables can't be gone on with


@dataclass(frozen=True)
class Input:
    """One file: `name` is its key in the mapping, `index` its place in the load, `made` what its name says of
    when it was, `since` the load that first brought its bytes (None: this one)."""

    index: int
    name: str
    file: SourceFile
    sha256: str
    bytes: int
    changed_at: int
    known: bool = False
    made: datetime | None = None
    since: int | None = None

    def require_unchanged(self, directory: Path) -> None:
        """Raises SourceProblem when the file was written to while it was read."""
        stat = (directory / self.file.path).stat()
        if (stat.st_size, stat.st_mtime_ns) != (self.bytes, self.changed_at):
            raise SourceProblem(
                f"{self.file.path} changed while it was read: nothing of it was kept. Load it again when the "
                "export is complete."
            )


@dataclass(frozen=True)
class Plan:
    directory: Path
    inputs: tuple[Input, ...]
    meaning: str
    codes: str
    after: int  # the number of the last load before this one
    afresh: bool
    restated: bool = False  # the mapping says otherwise when, for whom or in which centres the same rows are
    numbering: str = ""  # which pseudonym key persons are found by
    calendar: str = ""  # the dates that are possible, and that of the ages

    @property
    def load(self) -> int:
        return self.after + 1

    @cached_property
    def identity(self) -> str:
        """The same for the same load begun again."""
        parts = [
            _STAGED,
            self.meaning,
            self.codes,
            self.numbering,
            self.calendar,
            *map(str, (self.after, self.afresh, self.restated)),
        ]
        parts += [f"{each.name}\0{each.sha256}\0{each.known}" for each in self.inputs]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def of(self, name: str) -> Iterable[Input]:
        """The files to read that the mapping calls `name`."""
        return (each for each in self.inputs if each.name == name and not each.known)

    @property
    def fresh(self) -> bool:
        """Whether there is anything to do."""
        return self.restated or any(not each.known for each in self.inputs)


def passes_of(mapping: VendorMapping) -> Mapping[str, tuple[str, ...]]:
    """In which passes files are read, each by its name in the mapping: what a pass finds, the next needs."""
    exports = [mapping.export.file] if mapping.export else []
    return {
        "persons": (mapping.patients.file,),
        "deaths": (mapping.death.file,) if mapping.death else (),
        "facts": tuple(dict.fromkeys([*exports, *(rows.file for rows in mapping.rows)])),
    }


def find_inputs(directory: Path, mapping: VendorMapping) -> tuple[Input, ...]:
    """Every file the mapping names, hashed. Raises SourceProblem for one that is not there."""
    found = [
        (name, one) for name in files_in_use(mapping) for one in matching(directory, mapping.files[name])
    ]
    hashes: dict[str, str] = {}  # several kinds of records may lie in one file
    return tuple(_input(index, name, one, directory, hashes) for index, (name, one) in enumerate(found))


def files_in_use(mapping: VendorMapping) -> Mapping[str, None]:
    """The files that something is read of, persons first."""
    return dict.fromkeys(name for names in passes_of(mapping).values() for name in names)


def meaning_of(mapping: VendorMapping) -> str:
    """What of the mapping decides what a row becomes, as a hash."""
    shape = mapping.model_dump_json(exclude=_NOT_MEANING)  # type: ignore[arg-type]
    made = sorted((name, file.made) for name, file in mapping.files.items() if file.made)
    return hashlib.sha256(f"{shape}{made or ''}".encode()).hexdigest()


def codes_of(catalogue: Catalogue) -> str:
    """The codes that are known, as a hash: with others, rows set aside may be taken."""
    codes = {name: [code.code for code in each.codes] for name, each in catalogue.code_systems.items()}
    return hashlib.sha256(repr(codes).encode()).hexdigest()


def _input(index: int, name: str, file: SourceFile, directory: Path, hashes: dict[str, str]) -> Input:
    path = directory / file.path
    if not path.is_file():
        raise SourceProblem(
            f"{path.name} is not in {path.parent}. Check the directory and the mapping's `path`."
        )
    stat = path.stat()
    if file.path not in hashes:
        with path.open("rb") as opened:
            hashes[file.path] = hashlib.file_digest(opened, "sha256").hexdigest()
    return Input(index, name, file, hashes[file.path], stat.st_size, stat.st_mtime_ns, made=_made(file))


def _made(file: SourceFile) -> datetime | None:
    """As the file's name says."""
    if file.made is None:
        return None
    try:
        return datetime.strptime(PurePosixPath(file.path).name, file.made).replace(tzinfo=None)
    except ValueError:
        raise SourceProblem(
            f'{file.path}: its name doesn\'t say when it was made, as `made = "{file.made}"` of the mapping '
            "wants. Name the file as the others, or correct `made`."
        ) from None
