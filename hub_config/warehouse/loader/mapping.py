"""The declarative mapping of one vendor's files to the catalogue: TOML in, frozen values out. Unknown keys
are errors.

Shape only. Whether its tables, columns and codes exist is `agreement`'s question, which needs the catalogue.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub_config.warehouse.problems import WarehouseProblem


class MappingProblem(WarehouseProblem):
    """The mapping can't be used: one line a fault, each with the key it is at."""

    def __init__(self, origin: str, faults: Mapping[str, str]) -> None:
        lines = [f"  {key}: {why}" for key, why in faults.items()]
        super().__init__(f"Mapping {origin} can't be used. Correct it and load again:\n" + "\n".join(lines))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class As(StrEnum):
    """How a cell's text is read."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"  # by `format`
    DAY = "day"  # a whole number of days after `source.day_zero`


Bounds = tuple[float, float]
Condition = Annotated[dict[str, tuple[str, ...]], Field(min_length=1)]


class Value(_Strict):
    """Where a catalogue column's value comes from: a source column, read `as` something and perhaps recoded,
    or a constant.

    `when` gives the value only where the named columns hold one of the listed texts. An empty cell is a
    fault unless `optional`.
    """

    column: str | None = None
    constant: str | date | int | float | None = None
    kind: As = Field(default=As.TEXT, alias="as")
    format: str = "%Y-%m-%d"
    codes: Annotated[dict[str, str], Field(min_length=1)] | None = None
    when: Condition | None = None
    bounds: Bounds | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either `column` or `constant`")
        if self.codes is not None and (self.column is None or self.kind is not As.TEXT):
            raise ValueError("`codes` recode a text `column`")
        return self

    @property
    def columns(self) -> Iterator[str]:
        """Every source column it reads."""
        yield from [self.column] if self.column is not None else []
        yield from self.when or ()


class Source(_Strict):
    """`name` scopes identifiers: mappings of the same name mean the same people. `dates` are the first and
    last possible dates of an event; `reference_date` is the date of every age."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    label: str
    public: bool = False
    reference_date: date
    day_zero: date | None = None
    dates: tuple[date, date]


class SourceFile(_Strict):
    path: str
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Literal["utf-8", "latin-1", "cp1252"] = "utf-8"
    decimal: Literal[".", ","] = "."
    missing: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _inside(self) -> Self:
        path = PurePosixPath(self.path)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("`path` is relative to the loaded directory and stays in it")
        return self


class Centre(_Strict):
    id: str
    region: str
    label: str


class InventedPhysicians(_Strict):
    """For sources without GPs: each person gets one of `invented` GPs by keyed hash, each GP one of the
    centres in turn."""

    invented: int = Field(ge=1, le=10_000)


class NamedPhysicians(_Strict):
    """The person's GP, by the source's identifier, and its centre. An empty GP or centre counts as none."""

    column: str
    centre: Value


class People(_Strict):
    """The one file with one row a person. Either `age` (completed years at the reference date) or `birth`."""

    file: str
    id: str
    sex: Value
    age: Value | None = None
    birth: Value | None = None
    death: Value | None = None

    @model_validator(mode="after")
    def _one_age(self) -> Self:
        if (self.age is None) == (self.birth is None):
            raise ValueError("give either `age` or `birth`")
        return self

    @property
    def values(self) -> dict[str, Value]:
        given = {"sex": self.sex, "age": self.age, "birth": self.birth, "death": self.death}
        return {name: value for name, value in given.items() if value is not None}


class Quantity(_Strict):
    """One thing measured: its unit here, the source's unit and the factor between them, and plausible bounds
    here."""

    unit: str
    unit_raw: str | None = None
    factor: float = Field(default=1.0, gt=0)
    plausible: Bounds


class Measurement(_Strict):
    """A number kept beside its raw text, with a quality code. `of` is the target column that names the
    quantity.

    `differ` lists pairs of quantities of which the same value on the same day is suspect.
    """

    column: str
    of: str
    quantities: Annotated[dict[str, Quantity], Field(min_length=1)]
    differ: tuple[tuple[str, str], ...] = ()


class Rows(_Strict):
    """Rows of a file that become rows of a table: those that match `where` and have something in
    `present`."""

    table: str
    file: str
    person: str
    where: Condition | None = None
    present: str | None = None
    columns: dict[str, Value]
    measurement: Measurement | None = None

    @property
    def asked(self) -> Iterator[tuple[str, str]]:
        """(key, source column) of everything it reads."""
        yield "person", self.person
        yield from (("where", name) for name in self.where or ())
        yield from [("present", self.present)] if self.present else []
        yield from (
            (f"columns.{name}", column) for name, value in self.columns.items() for column in value.columns
        )
        yield from [("measurement.column", self.measurement.column)] if self.measurement else []


class VendorMapping(_Strict):
    source: Source
    files: Annotated[dict[str, SourceFile], Field(min_length=1)]
    centres: tuple[Centre, ...]
    physicians: InventedPhysicians | NamedPhysicians
    patients: People
    rows: tuple[Rows, ...] = ()

    def source_columns(self, file: str) -> dict[str, str]:
        """Every column of `file` the mapping reads, with the first key that asks. No other is ever read."""
        asked = list(self._asked_of_people()) if self.patients.file == file else []
        for index, rows in enumerate(self.rows):
            if rows.file == file:
                asked += [(f"rows.{index}.{key}", column) for key, column in rows.asked]
        return {column: key for key, column in reversed(asked)}

    def _asked_of_people(self) -> Iterator[tuple[str, str]]:
        yield "patients.id", self.patients.id
        for name, value in self.patients.values.items():
            yield from ((f"patients.{name}", column) for column in value.columns)
        if isinstance(self.physicians, NamedPhysicians):
            yield "physicians.column", self.physicians.column
            yield from (("physicians.centre", column) for column in self.physicians.centre.columns)


def read_mapping(path: Path) -> VendorMapping:
    """The mapping in `path`. Raises MappingProblem with the line or the key of every fault."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
        return VendorMapping.model_validate(fields)
    except OSError as error:
        raise MappingProblem(path.name, {"file": f"can't be read: {error.strerror}"}) from None
    except UnicodeDecodeError:
        raise MappingProblem(path.name, {"file": "is not UTF-8 text"}) from None
    except tomllib.TOMLDecodeError as error:
        raise MappingProblem(path.name, {"file": f"is not valid TOML: {error}"}) from None
    except ValidationError as error:
        raise MappingProblem(path.name, dict(_faults(error))) from None


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    absent = {item["loc"] for item in error.errors() if item["type"] == "missing"}
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        yield key, _unknown_key(item["loc"], absent) if item["type"] == "extra_forbidden" else item["msg"]


def _unknown_key(where: tuple[int | str, ...], absent: set[tuple[int | str, ...]]) -> str:
    """Guess first among the keys that are missing beside it, then among all keys."""
    beside = {str(other[-1]) for other in absent if other[:-1] == where[:-1]}
    models = (VendorMapping, Source, SourceFile, Centre, People, Rows, Value, Measurement, Quantity)
    known = {field.alias or key for model in models for key, field in model.model_fields.items()}
    name = str(where[-1])
    near = difflib.get_close_matches(name, beside, n=1) or difflib.get_close_matches(name, known, n=1)
    return "there is no such key here" + (f"; did you mean `{near[0]}`?" if near else "")
