"""Persons, their GPs and centres: who is accepted, under which number. Everything else of a load hangs on
these.

Leaves the temporary table `persons` (id, patient_no, physician_no, centre_id, born, death) for the facts to
join. `born` is the earliest possible birth, `death` its date or null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from hub_config.warehouse.loader.agreement import known_codes
from hub_config.warehouse.loader.expressions import Check, Parsed, first_broken
from hub_config.warehouse.loader.mapping import InventedPhysicians, NamedPhysicians, People
from hub_config.warehouse.loader.rules import Doubt, Rule
from hub_config.warehouse.loader.source import LINE, SourceProblem
from hub_config.warehouse.loader.staging import SOURCE, Staging, registered
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.schema import literal, quoted
from p4dp_sdk.catalogue.model import Column

PERSONS: Final = "persons"

_AGE_BAND: Final = (
    "CASE WHEN age >= 90 THEN '90+' "
    "WHEN age IS NOT NULL THEN printf('%02d-%02d', age // 10 * 10, age // 10 * 10 + 9) END"
)


def load_people(staging: Staging, pseudonyms: Pseudonyms) -> None:
    """Fill patients, physicians and centres. Raises SourceProblem when not one person is acceptable."""
    file = staging.mapping.patients.file
    with staging.file(file):
        staging.run(f"CREATE TEMP TABLE people_read AS {_judged(staging)}")
    staging.set_aside(file, "people_read")
    _number(staging, pseudonyms)
    staging.run("DROP TABLE people_read")
    _fill_centres(staging)
    _fill_physicians(staging)
    _fill_patients(staging)


def _judged(staging: Staging) -> str:
    """Every row of the persons' file as typed columns, with the first rule it breaks."""
    people = staging.mapping.patients
    read = staging.reading(people.file)
    identifier = f"({read.cell(people.id)})"
    parsed = _parsed(staging, people)
    order = f"row_number() OVER (PARTITION BY {identifier} ORDER BY s.{quoted(LINE)})"
    columns = [f"s.{quoted(LINE)} AS line", f"{identifier} AS id", f"{order} AS occurrence"]
    columns += [f"{value.sql} AS {name}" for name, value in parsed.items()]
    checks = [Check(f"{identifier} IS NULL", Rule.MISSING, people.id)]
    checks += [check for value in parsed.values() for check in value.checks]
    typed = f"SELECT {', '.join(columns)}, {first_broken(checks)} AS broken FROM {SOURCE} s"  # noqa: S608
    with_birth = _with_birth(staging, typed)
    return f"SELECT * EXCLUDE (broken, occurrence), {_problem(people)} AS problem FROM ({with_birth})"  # noqa: S608


def _parsed(staging: Staging, people: People) -> dict[str, Parsed]:
    """One SQL value for each of sex, age, birth, death, gp and centre; absent ones are null."""
    read, births = staging.reading(people.file), staging.reading_births(people.file)
    null = {name: Parsed("NULL") for name in ("sex", "age", "birth", "death", "gp", "centre")}
    given = {
        name: (births if name == "birth" else read).value(
            value, _known(staging, name), _column(staging, name).bounds
        )
        for name, value in people.values.items()
    }
    physicians = staging.mapping.physicians
    if isinstance(physicians, NamedPhysicians):
        given["gp"] = Parsed(read.cell(physicians.column))
        given["centre"] = read.value(physicians.centre, _known(staging, "centre_id"), None)
    types = {"age": "INTEGER", "birth": "DATE", "death": "DATE"}
    return {
        name: Parsed(f"CAST({value.sql} AS {types.get(name, 'VARCHAR')})", value.checks)
        for name, value in (null | given).items()
    }


def _column(staging: Staging, name: str) -> Column:
    return staging.catalogue.tables["patients"].column(
        {"birth": "birth_month", "death": "death_month"}.get(name, name)
    )


def _known(staging: Staging, name: str) -> frozenset[str] | None:
    return known_codes(_column(staging, name), staging.mapping, staging.catalogue)


def _with_birth(staging: Staging, typed: str) -> str:
    """Add `born`, the earliest possible birth, and complete the age where a birth was given."""
    reference = f"DATE {literal(staging.mapping.source.reference_date.isoformat())}"
    return (
        f"SELECT * REPLACE (coalesce(age, date_sub('year', birth, {reference})) AS age), "  # noqa: S608
        f"coalesce(birth, CAST({reference} - to_years(age + 1) AS DATE)) AS born FROM ({typed})"
    )


def _problem(people: People) -> str:
    death = next(people.death.columns, "") if people.death else ""
    late = [
        Check("occurrence > 1", Rule.DUPLICATE_ID, people.id),
        Check("death < born", Rule.BEFORE_BIRTH, death),
    ]
    return f"coalesce(broken, {first_broken(late)})"


def _number(staging: Staging, pseudonyms: Pseudonyms) -> None:
    """The only place where an identifier and a number stand side by side, in memory."""
    accepted = staging.run("SELECT id, gp FROM people_read WHERE problem IS NULL ORDER BY line").fetchall()
    if not accepted:
        file = staging.mapping.files[staging.mapping.patients.file].path
        raise SourceProblem(
            f"{file}: not one person could be accepted, so nothing was loaded. Check the mapping."
        )
    identifiers = [row[0] for row in accepted]
    numbers = {
        "id": pa.array(identifiers, type=pa.string()),
        "patient_no": pa.array(
            pseudonyms.numbers(Kind.PATIENT, staging.mapping.source.name, identifiers), type=pa.int64()
        ),
        "physician_no": pa.array(_physicians(staging, pseudonyms, accepted), type=pa.int32()),
    }
    with registered(staging.connection, "numbers", pa.table(numbers)):
        staging.run(
            f"CREATE TEMP TABLE {PERSONS} AS "  # noqa: S608
            "SELECT p.* EXCLUDE (line, gp, centre, problem), n.patient_no, n.physician_no, "
            f"{_centre(staging)} AS centre_id "
            "FROM people_read p JOIN numbers n ON p.id = n.id WHERE p.problem IS NULL"
        )


def _physicians(
    staging: Staging, pseudonyms: Pseudonyms, accepted: Sequence[tuple[str, str]]
) -> list[int | None]:
    name = staging.mapping.source.name
    match staging.mapping.physicians:
        case InventedPhysicians(invented=count):
            digests = pseudonyms.digests(Kind.INVENTED, name, [identifier for identifier, _ in accepted])
            return [int.from_bytes(digest[:8], "big") % count for digest in digests]
        case NamedPhysicians():
            known = sorted({gp for _, gp in accepted if gp is not None})
            numbers = dict(zip(known, pseudonyms.numbers(Kind.PHYSICIAN, name, known), strict=True))
            return [numbers.get(gp) for _, gp in accepted]


def _centre(staging: Staging) -> str:
    match staging.mapping.physicians:
        case InventedPhysicians():
            return (
                f"[{', '.join(literal(centre.id) for centre in staging.mapping.centres)}][{_turn(staging)}]"
            )
        case NamedPhysicians():
            return "p.centre"


def _turn(staging: Staging) -> str:
    return f"n.physician_no % {len(staging.mapping.centres)} + 1"


def _fill_centres(staging: Staging) -> None:
    rows = [(centre.id, centre.region, centre.label) for centre in staging.mapping.centres]
    if rows:
        staging.connection.executemany(
            "INSERT INTO centres (centre_id, region, label) VALUES (?, ?, ?)", rows
        )


def _fill_physicians(staging: Staging) -> None:
    match staging.mapping.physicians:
        case InventedPhysicians(invented=count):
            rows = f"SELECT n.physician_no, {_centre(staging)} FROM range({count}) n(physician_no)"  # noqa: S608
        case NamedPhysicians():
            rows = (
                f"SELECT physician_no, mode(centre_id) FROM {PERSONS} "  # noqa: S608
                "WHERE physician_no IS NOT NULL GROUP BY ALL ORDER BY ALL"
            )
    staging.run(f"INSERT INTO physicians (physician_no, centre_id) {rows}")


def _fill_patients(staging: Staging) -> None:
    staging.run(
        "INSERT INTO patients BY NAME "  # noqa: S608
        "SELECT patient_no, physician_no, centre_id, sex, age, "
        "CAST(date_trunc('month', birth) AS DATE) AS birth_month, "
        f"{_AGE_BAND} AS age_band, CAST(date_trunc('month', death) AS DATE) AS death_month, "
        f"{literal(Doubt.NONE)} AS dq_code FROM {PERSONS} ORDER BY patient_no"
    )
