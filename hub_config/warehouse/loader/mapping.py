"""The declarative mapping of one vendor's files to the catalogue: TOML in, frozen values out. Unknown keys
are errors.

Shape only. Whether its tables, columns and codes exist is `agreement`'s question, which needs the catalogue.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub_config.warehouse.loader.mapping_problem import MappingProblem


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Format(StrEnum):
    """How a file is written. All but CSV nest: `record` says which of their elements is a row."""

    CSV = "csv"
    XML = "xml"
    JSON = "json"
    NDJSON = "ndjson"  # one JSON value a line


class As(StrEnum):
    """How a cell's text is read."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"  # by `format`
    DAY = "day"  # a whole number of days after `source.day_zero`


def _ascending(bounds: tuple[Any, Any]) -> tuple[Any, Any]:
    if bounds[0] > bounds[1]:
        raise ValueError("the first of the two is the lower one")
    return bounds


Bounds = Annotated[tuple[float, float], AfterValidator(_ascending)]
Condition = Annotated[dict[str, tuple[str, ...]], Field(min_length=1)]


class Value(_Strict):
    """Where a catalogue column's value comes from: a source column, read `as` something and perhaps recoded,
    or a constant, or how precise the date in another column of the block is.

    `when` gives the value only where the named columns hold one of the listed texts. An empty cell is a
    fault unless `optional`. `other_formats` are tried after `format`; one without a day or month gives the
    first of them. `precision_of` names a date that the same block fills and gives a code of `date_precision`:
    what the format that fitted says, and `year` for a full date on 1 January, which practice software writes
    when only the year is known. The column of an event's identifier (`consultation_id`) is read as text.
    """

    column: str | None = None
    constant: str | date | int | float | None = None
    kind: As = Field(default=As.TEXT, alias="as")
    format: str = "%Y-%m-%d"
    other_formats: tuple[str, ...] = ()
    precision_of: str | None = None
    codes: Annotated[dict[str, str], Field(min_length=1)] | None = None
    when: Condition | None = None
    bounds: Bounds | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        origins = (self.column, self.constant, self.precision_of)
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("give either `column` or `constant`, or `precision_of` for a date's precision")
        if self.other_formats and self.kind is not As.DATE:
            raise ValueError("`other_formats` are those of a date")
        if self.kind is As.DATE and not all("%" in each for each in (self.format, *self.other_formats)):
            raise ValueError('a `format` has %d, %m and %Y: "%d/%m/%Y" reads 31/12/2023')
        if self.codes is not None and (self.column is None or self.kind is not As.TEXT):
            raise ValueError("`codes` recode a text `column`")
        return self

    @property
    def columns(self) -> Iterator[str]:
        """Every source column it reads."""
        yield from [self.column] if self.column is not None else []
        yield from self.when or ()


class Tolerance(_Strict):
    """How much of a file may be set aside before the load stops with nothing landed: a share of its rows,
    asked from `least` of them on. A file without one good row stops it too, unless the share is 1."""

    max_rejected: float = Field(default=0.2, ge=0, le=1)
    least: int = Field(default=20, ge=1)


class Source(_Strict):
    """`name` scopes identifiers: mappings of the same name mean the same people. `dates` are the first and
    last possible dates of an event; `reference_date` is the date of every age. The sources of one
    `population` are frozen into one snapshot; by default a source is a population of its own."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    label: str
    public: bool = False
    reference_date: date
    day_zero: date | None = None
    dates: Annotated[tuple[date, date], AfterValidator(_ascending)]
    population: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_-]*$")

    @property
    def in_population(self) -> str:
        return self.population or self.name


class Limits(_Strict):
    """What a file may cost before it is refused as hostile or broken. `bytes` counts what gzip unpacks;
    `expansion`, unpacked over packed, is judged from 64 MB on; `text` is one value that is read, `token` one
    tag or one JSON text, read or not, in bytes as written; `depth` the nesting of elements or values."""

    bytes: int = Field(default=1 << 40, ge=1)
    expansion: float = Field(default=250.0, ge=1)
    text: int = Field(default=1 << 20, ge=1)
    token: int = Field(default=1 << 24, ge=1)
    depth: int = Field(default=64, ge=2, le=200)


class SourceFile(_Strict):
    """One file, or by a pattern (`results-*.csv.gz`) several of one make, in the order of their names. `made`
    says how a name tells when its file was made ("results-%Y%m%d.csv.gz"): a newer one's record counts.

    Of a nested format `record` is the path of the element that is a row ("export/patient/visit"; in JSON the
    keys on the way, lists passed through: "patients.visits"). Its columns are paths below it ("@id",
    "birth/date"; "birth.date"), or above it after one `../` a level ("../@id", "../id"). XML says its own
    encoding: `encoding` is only for files that lie about it.
    """

    path: str
    format: Format = Format.CSV
    record: str | None = None
    made: str | None = None
    delimiter: str = ","
    encoding: Literal["utf-8", "latin-1", "cp1252"] = "utf-8"
    decimal: Literal[".", ","] = "."
    missing: tuple[str, ...] = ()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _inside(self) -> Self:
        path = PurePosixPath(self.path)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("`path` is relative to the loaded directory and stays in it")
        if len(self.delimiter) != 1:
            raise ValueError('`delimiter` is one character: ",", ";", or "\\t" for a tab')
        return self

    @model_validator(mode="after")
    def _made_is_a_format(self) -> Self:
        if self.made is not None and not ("%" in self.made and "/" not in self.made):
            raise ValueError('`made` is the name of a file with its date in it: "results-%Y%m%d.csv"')
        return self

    @model_validator(mode="after")
    def _has_records(self) -> Self:
        if self.format is Format.CSV and self.record is not None:
            raise ValueError("a CSV file's records are its rows: leave `record` out, or set `format`")
        if self.format is Format.XML and not self.record:
            raise ValueError("XML needs `record`, the path of the element that is a row")
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


class Deaths(_Strict):
    """Deaths in a file of their own, one row a person at most: the source tells them apart."""

    file: str
    person: str
    date: Value


class Export(_Strict):
    """What each export says of itself, for the time a practice is under observation: a file (the persons', a
    header, a list of practices), its column with the physician (none: every physician of the load), the day
    of the export and the software. Column `#file` is the file's name: a date in it is read by `format`."""

    file: str
    physician: str | None = None
    exported_on: Value
    software: Value | None = None

    @property
    def values(self) -> dict[str, Value]:
        given = {"exported_on": self.exported_on, "software": self.software}
        return {name: value for name, value in given.items() if value is not None}


class Quantity(_Strict):
    """One thing measured: its unit here, the source's unit, and plausible bounds here. The factor between the
    units follows from them (UCUM, molar masses); give it for units that have no code only."""

    unit: str
    unit_raw: str | None = None
    factor: float | None = Field(default=None, gt=0)
    plausible: Bounds


class Measurement(_Strict):
    """A number kept beside its raw text, with a quality code. `of` is the target column that names the
    quantity.

    `differ` lists pairs of quantities of which the same value on the same day is suspect. Where each row
    says its unit, in the source column `unit`, `units` gives the UCUM code of each of the source's words; a
    quantity's `unit_raw` and `factor` then hold for rows without one.
    """

    column: str
    unit: str | None = None
    units: dict[str, str] = {}
    of: str
    quantities: Annotated[dict[str, Quantity], Field(min_length=1)]
    differ: tuple[tuple[str, str], ...] = ()


class Rows(_Strict):
    """Rows of a file that become rows of a table: those that match `where` and have something in
    `present`.

    `key` are the source columns that together name the record: a later export's record of the same key
    replaces the earlier one. `physician` is the column with the event's own GP; without it, the person's.
    """

    table: str
    file: str
    person: str
    key: tuple[str, ...] = ()
    physician: str | None = None
    where: Condition | None = None
    present: str | None = None
    columns: dict[str, Value]
    measurement: Measurement | None = None

    @property
    def asked(self) -> Iterator[tuple[str, str]]:
        """(key, source column) of everything it reads."""
        yield "person", self.person
        yield from (("key", name) for name in self.key)
        yield from [("physician", self.physician)] if self.physician else []
        yield from (("where", name) for name in self.where or ())
        yield from [("present", self.present)] if self.present else []
        yield from (
            (f"columns.{name}", column) for name, value in self.columns.items() for column in value.columns
        )
        if self.measurement:
            yield "measurement.column", self.measurement.column
            yield from [("measurement.unit", self.measurement.unit)] if self.measurement.unit else []


class VendorMapping(_Strict):
    source: Source
    files: Annotated[dict[str, SourceFile], Field(min_length=1)]
    centres: tuple[Centre, ...]
    physicians: InventedPhysicians | NamedPhysicians
    patients: People
    death: Deaths | None = None
    export: Export | None = None
    limits: Tolerance = Tolerance()
    rows: tuple[Rows, ...] = ()
    _text: str = ""

    def model_post_init(self, context: object) -> None:
        self._text = context if isinstance(context, str) else ""

    @property
    def text(self) -> str:
        """Its file, for messages; empty where it came otherwise."""
        return self._text

    @model_validator(mode="after")
    def _centres_once(self) -> Self:
        if len({centre.id for centre in self.centres}) < len(self.centres):
            raise ValueError("two of [[centres]] have one `id`")
        return self

    def source_columns(self, file: str) -> dict[str, str]:
        """Every column of `file` the mapping reads, with the first key that asks. No other is ever read."""
        asked = list(self._asked_of_people()) if self.patients.file == file else []
        asked += list(self._asked_apart(file))
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

    def _asked_apart(self, file: str) -> Iterator[tuple[str, str]]:
        if self.death and self.death.file == file:
            yield "death.person", self.death.person
            yield from (("death.date", column) for column in self.death.date.columns)
        if self.export and self.export.file == file:
            yield from [("export.physician", self.export.physician)] if self.export.physician else []
            for name, value in self.export.values.items():
                yield from ((f"export.{name}", column) for column in value.columns)


def read_mapping(path: Path) -> VendorMapping:
    """The mapping in `path`. Raises MappingProblem with the line or the key of every fault."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        return VendorMapping.model_validate(tomllib.loads(text), context=text)
    except OSError as error:
        raise MappingProblem(path.name, {"file": f"can't be read: {error.strerror}"}) from None
    except UnicodeDecodeError:
        raise MappingProblem(path.name, {"file": "is not UTF-8 text"}) from None
    except tomllib.TOMLDecodeError as error:
        raise MappingProblem(path.name, {"file": f"is not valid TOML: {error}"}) from None
    except ValidationError as error:
        raise MappingProblem(path.name, dict(_faults(error)), text) from None


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    absent = {item["loc"] for item in error.errors() if item["type"] == "missing"}
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"]) or "mapping"
        said = item["msg"].removeprefix("Value error, ")
        yield key, _unknown_key(item["loc"], absent) if item["type"] == "extra_forbidden" else said


def _unknown_key(where: tuple[int | str, ...], absent: set[tuple[int | str, ...]]) -> str:
    """Guess first among the keys that are missing beside it, then among all keys."""
    beside = {str(other[-1]) for other in absent if other[:-1] == where[:-1]}
    models = (
        *(VendorMapping, Source, Tolerance, SourceFile, Limits, Centre, People, Deaths, Export),
        *(Rows, Value, Measurement, Quantity),
    )
    known = {field.alias or key for model in models for key, field in model.model_fields.items()}
    name = str(where[-1])
    near = difflib.get_close_matches(name, beside, n=1) or difflib.get_close_matches(name, known, n=1)
    return "there is no such key here" + (f"; did you mean `{near[0]}`?" if near else "")
