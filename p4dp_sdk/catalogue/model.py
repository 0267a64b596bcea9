"""What the warehouse holds, as values: tables, columns, roles, bounds, code systems.

Pure data (floor 0): no I/O beyond reading this package's own files, no clock, no randomness. The gateway's
rules rest on `Role` and `Unit`: a column's role says what may be done with it, whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What one row of a table is about, and so whom disclosure control protects in it."""

    PERSON = "person"  # rows about a patient: carries the hidden patient and GP numbers
    PHYSICIAN = "physician"  # rows about a GP: the GP is the protected unit
    PUBLIC = "public"  # reference data, nobody in it
    ENCLAVE = "enclave"  # never visible in a workspace


class Role(StrEnum):
    """What a column may be used for. Unknown roles are errors."""

    PATIENT = "patient"  # opaque patient id: join, per-patient key, distinct count; compared with no literal
    PHYSICIAN = "physician"  # never leaves the enclave, not even encrypted
    INTERN = "intern"  # whose entry it is: tells what is one's own, and never leaves the enclave
    EVENT = "event"  # opaque id of one event of one patient (consultation): join and per-event key
    CODE = "code"  # value of a closed code system: may key a released table
    DATE = "date"  # calendar date
    NUMERIC = "numeric"  # harmonised value with catalogue bounds
    RAW = "raw"  # value as exported: kept for audit, readable with the microdata grant only

    @property
    def hidden(self) -> bool:
        """Whether no workspace ever sees it, whatever its grant."""
        return self in (Role.PHYSICIAN, Role.INTERN)


@dataclass(frozen=True)
class Code:
    code: str
    label_fr: str
    label_en: str
    parent: str | None = None


@dataclass(frozen=True)
class CodeSystem:
    """A closed list of codes. `site` systems (centres, regions) are filled from the snapshot's own tables;
    `parents` names the system its codes' parents belong to (CISP-2 chapters are not CISP-2 codes)."""

    name: str
    label_fr: str
    label_en: str
    codes: tuple[Code, ...] = ()
    site: bool = False
    parents: str | None = None


@dataclass(frozen=True)
class Column:
    """One column. `unit` is UCUM; `bounds` are inclusive plausibility bounds of a NUMERIC column. `evident`:
    whoever knows the person knows it, so that it can't be found out (sex, age)."""

    name: str
    dtype: str  # an Ibis type name: int32, float64, string, date, boolean
    role: Role
    label_fr: str
    label_en: str
    codes: str | None = None
    unit: str | None = None
    bounds: tuple[float, float] | None = None
    physical: str | None = (
        None  # column name in the snapshot, where it differs (patient_id is patient_no there)
    )
    evident: bool = False

    @property
    def stored_as(self) -> str:
        return self.physical or self.name


@dataclass(frozen=True)
class Table:
    name: str
    unit: Unit
    label_fr: str
    label_en: str
    description_fr: str
    description_en: str
    columns: tuple[Column, ...]
    date: str | None = None  # the column that dates an event; a grant's dates apply to it
    snds: bool = False  # behind the SNDS grant: invisible without it
    key: str | None = None  # a column that no two rows share; joins on it can't multiply rows

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError if there is none."""
        return next(c for c in self.columns if c.name == name) if self.has(name) else self._missing(name)

    def has(self, name: str) -> bool:
        return any(c.name == name for c in self.columns)

    def _missing(self, name: str) -> Column:
        raise KeyError(f"table {self.name!r} has no column {name!r}; it has {[c.name for c in self.columns]}")


@dataclass(frozen=True)
class Catalogue:
    tables: Mapping[str, Table]
    code_systems: Mapping[str, CodeSystem]
