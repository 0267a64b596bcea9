"""Persons, their GPs and centres: who is accepted, under which number. Everything else of a load hangs on
these.

Leaves in the load's database `persons`, whom this load brings (without identifier), and `everybody`, whom
rows may be about: those and all landed before, by the keyed hash of their identifier. `born` is the
earliest possible birth, `death` its date or null; of persons landed before both are known to the month.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from hub_config.warehouse.loader.agreement import known_codes
from hub_config.warehouse.loader.expressions import Parsed, Reading
from hub_config.warehouse.loader.mapping import InventedPhysicians, NamedPhysicians
from hub_config.warehouse.loader.readers import SourceProblem
from hub_config.warehouse.loader.requirements import Holds, Needed, Requirement, asked_of, text_of
from hub_config.warehouse.loader.rules import MEANING, Rule
from hub_config.warehouse.loader.staging import JUDGED, PLACES, SOURCE, Staging, registered
from hub_config.warehouse.loader.succession import STANDING, made_of_landed, standing
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.schema import literal, quoted
from p4dp_sdk.catalogue.model import Column

EVERYBODY: Final = "everybody"

_READ: Final = """
    CREATE TABLE IF NOT EXISTS persons_read (file INTEGER, line BIGINT, ordinal BIGINT, digest BLOB,
        sex VARCHAR, age INTEGER, birth DATE, born DATE, death DATE, gp BLOB, invented INTEGER,
        centre VARCHAR, exported DATE)
"""
_TYPES: Final = {"age": "INTEGER", "birth": "DATE", "death": "DATE"}
_ID: Final = "id"
_ALIVE: Final = "death after birth"
_FIRST: Final = "first of the person"


def load_people(staging: Staging) -> None:
    """Read, judge and number the persons. Raises SourceProblem when nobody is there to hang rows on."""
    staging.run(_READ)
    staging.read("persons", [staging.mapping.patients.file], partial(_take_batch, staging))
    with staging.step("first rows of persons") as todo:
        if todo:
            _keep_first(staging)
    with staging.step("numbers") as todo, standing(staging):
        if todo:
            _number(staging)


def _take_batch(staging: Staging, name: str) -> None:
    """The good rows of a batch, without what the source calls anybody."""
    parsed = _parsed(staging, name)
    staging.judge(_judged(staging, name, parsed), tuple(_requirements(staging, parsed)))
    with (
        staging.digests("people", Kind.PATIENT, quoted(text_of(_ID)), JUDGED),
        staging.digests("gps", Kind.PHYSICIAN, "gp", JUDGED),
        registered(staging.connection, "drawn", _drawn(staging)),
    ):
        staging.run(
            f"INSERT INTO persons_read SELECT j.file, j.line, j.ordinal, p.digest, sex, age, birth, born, "  # noqa: S608
            f"death, g.digest, d.invented, centre, exported FROM {JUDGED} j JOIN people p ON p.text = "
            f"j.{quoted(text_of(_ID))} "
            f"LEFT JOIN gps g ON g.text = j.gp LEFT JOIN drawn d ON d.text = j.{quoted(text_of(_ID))}"
        )


def _judged(staging: Staging, name: str, parsed: dict[str, Parsed]) -> str:
    """Every row of the batch as typed columns, beside the text they were read from."""
    read = staging.reading(name)
    reference = f"DATE {literal(staging.mapping.source.reference_date.isoformat())}"
    columns = [
        PLACES,
        f"{read.cell(staging.mapping.patients.id)} AS {quoted(text_of(_ID))}",
    ]
    columns += [part for key, value in parsed.items() for part in staged_columns(key, value, _TYPES.get(key))]
    columns.append(f"{_exported(staging, read)} AS exported")
    typed = f"SELECT {', '.join(columns)} FROM {SOURCE} s"  # noqa: S608
    aged = (
        f"SELECT * REPLACE (coalesce(age, date_sub('year', birth, {reference})) AS age), "  # noqa: S608
        f"coalesce(birth, CAST({reference} - to_years(age + 1) AS DATE)) AS born FROM ({typed})"
    )
    return f"SELECT *, death >= born AS {quoted(_ALIVE)} FROM ({aged})"  # noqa: S608


def _exported(staging: Staging, read: Reading) -> str:
    """The day of the export a person's row is in, where its own file says it."""
    export = staging.mapping.export
    if export is None or export.file != staging.mapping.patients.file:
        return "CAST(NULL AS DATE)"
    return f"CAST({read.value('exported', export.exported_on, None, None).sql} AS DATE)"


def staged_columns(name: str, value: Parsed, dtype: str | None) -> list[str]:
    """A value as it is staged: itself, the text it was read from, and where it was asked for."""
    columns = [f"CAST({value.sql} AS {dtype or 'VARCHAR'}) AS {quoted(name)}"]
    if value.text is not None:
        columns.append(f"{value.text} AS {quoted(text_of(name))}")
    if value.asked is not None:
        columns.append(f"{value.asked} AS {quoted(asked_of(name))}")
    return columns


def _parsed(staging: Staging, file: str) -> dict[str, Parsed]:
    """One SQL value for each of sex, age, birth, death, gp and centre; absent ones are null."""
    read, births = staging.reading(file), staging.reading_births(file)
    parsed = {name: Parsed("NULL") for name in ("sex", "age", "birth", "death", "gp", "centre")}
    for name, value in staging.mapping.patients.values.items():
        reading = births if name == "birth" else read
        parsed[name] = reading.value(name, value, _known(staging, name), _column(staging, name).bounds)
    physicians = staging.mapping.physicians
    if isinstance(physicians, NamedPhysicians):
        parsed["gp"] = Parsed(read.cell(physicians.column))
        parsed["centre"] = read.value("centre", physicians.centre, _known(staging, "centre_id"), None)
    return parsed


def _requirements(staging: Staging, parsed: dict[str, Parsed]) -> list[Requirement]:
    people = staging.mapping.patients
    death = next(people.death.columns, "") if people.death else ""
    values = [requirement for value in parsed.values() for requirement in value.requirements]
    return [Needed(_ID, people.id, Rule.MISSING), *values, Holds(_ALIVE, death, Rule.BEFORE_BIRTH)]


def _column(staging: Staging, name: str) -> Column:
    return staging.catalogue.tables["patients"].column(
        {"birth": "birth_month", "death": "death_month"}.get(name, name)
    )


def _known(staging: Staging, name: str) -> frozenset[str] | None:
    return known_codes(_column(staging, name), staging.mapping, staging.catalogue)


def _drawn(staging: Staging) -> Any:
    """For a source without GPs, the one each person gets by keyed hash."""
    match staging.mapping.physicians:
        case InventedPhysicians(invented=count):
            with staging.digests("hashed", Kind.INVENTED, quoted(text_of(_ID)), JUDGED):
                drawn = staging.run("SELECT text, digest FROM hashed").to_arrow_table().combine_chunks()
            return pa.table({"text": drawn["text"], "invented": heads(drawn["digest"]) % np.uint64(count)})
        case NamedPhysicians():
            return pa.table({"text": pa.array([], pa.string()), "invented": pa.array([], pa.int32())})


def heads(digests: Any) -> np.ndarray[Any, Any]:
    """The first 64 bits of each digest."""
    content = b"".join(digest[:8] for digest in digests.to_pylist())
    return np.frombuffer(content, dtype=">u8").astype(np.uint64)


def _keep_first(staging: Staging) -> None:
    """Of several rows of one person in a file only the first counts."""
    first = f"row_number() OVER (PARTITION BY file, digest ORDER BY ordinal) = 1 AS {quoted(_FIRST)}"
    rows = f"SELECT rowid AS kept, file, line, ordinal, {first} FROM persons_read"  # noqa: S608
    staging.judge(rows, (Holds(_FIRST, staging.mapping.patients.id, Rule.DUPLICATE_ID),))
    staging.run(f"DELETE FROM persons_read WHERE rowid NOT IN (SELECT kept FROM {JUDGED})")  # noqa: S608


def _number(staging: Staging) -> None:
    """Numbers in the order of the hash, whoever stands where in the file; of several files the newest one's
    row, of equally new ones that of the last by name. A row that is older than the landed one is passed
    over."""
    _require_somebody(staging)
    _enrol(staging, Kind.PATIENT, "digest", "patient_numbers")
    _enrol(staging, Kind.PHYSICIAN, "gp", "physician_numbers")
    staging.run(
        "CREATE TABLE persons AS SELECT r.digest, n.number AS patient_no, "  # noqa: S608
        f"CAST(coalesce(r.invented, g.number) AS INTEGER) AS physician_no, {_centre(staging)} AS centre_id, "
        f"sex, age, birth, born, death FROM ({_NEWEST}) r "
        "JOIN patient_numbers n ON n.digest = r.digest LEFT JOIN physician_numbers g ON g.digest = r.gp "
        f"{'' if staging.plan.afresh else _not_older(staging)}"
    )
    staging.run("DROP TABLE persons_read")
    staging.run(
        f"CREATE TABLE {EVERYBODY} AS SELECT digest, patient_no, physician_no, centre_id, born, death "  # noqa: S608
        f"FROM persons UNION ALL {_LANDED}"
    )
    staging.run(
        "CREATE TABLE practices AS SELECT physician_no, mode(centre_id) AS centre_id "  # noqa: S608
        f"FROM {EVERYBODY} WHERE physician_no IS NOT NULL GROUP BY physician_no"
    )
    for register in ("patient_numbers", "physician_numbers"):
        staging.run(f"DROP TABLE {register}")  # of everybody whom any source ever brought


_NEWEST: Final = f"""
    SELECT * EXCLUDE (every) FROM (
        SELECT p.*, coalesce(made, exported) AS said, since,
            bool_and(coalesce(made, exported) IS NOT NULL) OVER (PARTITION BY digest) AS every
        FROM persons_read p JOIN {STANDING} USING (file)
    ) QUALIFY row_number() OVER
        (PARTITION BY digest ORDER BY CASE WHEN every THEN said END DESC, since DESC, file DESC) = 1
"""  # noqa: S608
_LANDED: Final = """
    SELECT n.digest, l.patient_no, l.physician_no, l.centre_id,
        coalesce(l.birth_month, CAST(l.age_on - to_years(l.age + 1) AS DATE)), last_day(l.death_month)
    FROM landed.patients l JOIN patient_numbers n ON n.number = l.patient_no
    WHERE l.patient_no NOT IN (SELECT patient_no FROM persons)
"""


def _not_older(staging: Staging) -> str:
    """Not what an earlier load brought than the landed row's, nor what was made before all that the landed
    row's load brought of the practice, or among it."""
    return f"""
        WHERE NOT EXISTS (
            SELECT 1 FROM landed.patients l
            LEFT JOIN ({made_of_landed([staging.mapping.patients.file])}) m ON m.load = l.last_load
            LEFT JOIN (
                SELECT load, physician_no, min(exported_on) AS day FROM landed.exports GROUP BY ALL
            ) x ON x.load = l.last_load AND x.physician_no = l.physician_no
            WHERE l.patient_no = n.number AND (
                l.last_load > r.since OR coalesce(r.said < m.last, false) OR coalesce(r.said < x.day, false)
            )
        )
    """  # noqa: S608


def _enrol(staging: Staging, kind: Kind, column: str, into: str) -> None:
    with (
        staging.pseudonyms.enrolling(kind) as register,
        registered(staging.connection, "numbered", register.numbered),
    ):
        fresh = staging.run(
            f"SELECT DISTINCT r.{column} AS digest FROM persons_read r "  # noqa: S608
            f"ANTI JOIN numbered n ON n.digest = r.{column} WHERE r.{column} IS NOT NULL ORDER BY 1"
        )
        register.append(batch.column(0) for batch in fresh.to_arrow_reader(1_000_000))
    with (
        staging.pseudonyms.enrolling(kind) as register,
        registered(staging.connection, "numbered", register.numbered),
    ):
        staging.run(f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT * FROM numbered")  # noqa: S608


def _require_somebody(staging: Staging) -> None:
    read = staging.run("SELECT count(*) FROM persons_read").fetchone()
    landed = staging.run("SELECT count(*) FROM landed.patients").fetchone()
    if read == (0,) and landed == (0,):
        file = staging.mapping.files[staging.mapping.patients.file].path
        raise SourceProblem(
            f"{file}: not one person could be accepted, so nothing was loaded.{_why_nobody(staging)} "
            "Check the mapping."
        )


def _why_nobody(staging: Staging) -> str:
    """The rule that set most rows aside, its column, and where the first of them stands."""
    found = staging.run(
        'SELECT rule, "column", count(*) AS rows, arg_min(file, (file, line)), arg_min(line, (file, line)) '
        'FROM rejected GROUP BY rule, "column" ORDER BY rows DESC LIMIT 1'
    ).fetchone()
    if found is None:
        return " It has no rows."
    rule, column, rows, file, line = found
    path = staging.plan.inputs[file].file.path
    where = f" in column {column!r}" if column else ""
    return f" {rows:,} rows break the rule {rule} ({MEANING[Rule(rule)]}){where}, first {path}, line {line}."


def _centre(staging: Staging) -> str:
    match staging.mapping.physicians:
        case InventedPhysicians():
            centres = staging.mapping.centres
            listed = ", ".join(literal(centre.id) for centre in centres)
            return f"[{listed}][r.invented % {len(centres)} + 1]"
        case NamedPhysicians():
            return "r.centre"
