"""What a source gives apart from its persons and events: deaths, and what its exports say of themselves.

Leaves `everybody` with the deaths, `exports_read` (physician_no or null for all, exported_on, software), and
the days that each file says of itself.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import pyarrow as pa

from hub_config.warehouse.loader.expressions import Parsed
from hub_config.warehouse.loader.mapping import Deaths, Export
from hub_config.warehouse.loader.people import EVERYBODY, staged_columns
from hub_config.warehouse.loader.requirements import Holds, Needed, text_of
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.staging import JUDGED, PLACES, SOURCE, Staging, registered
from hub_config.warehouse.loader.succession import DAYS, STANDING, standing
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.schema import quoted

_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS deaths_read (file INTEGER, ordinal BIGINT, patient_no BIGINT, day DATE);
    CREATE TABLE IF NOT EXISTS exports_read (physician_no INTEGER, exported_on DATE, software VARCHAR);
"""
_PERSON, _KNOWN, _BORN, _DAY, _GP = "person", "person known", "after birth", "day", "gp"


def load_apart(staging: Staging) -> None:
    """Deaths, where the mapping names their file. Persons are read before, exports with the events after."""
    staging.run(_TABLES)
    if death := staging.mapping.death:
        staging.read("deaths", [death.file], partial(_take_deaths, staging, death))
        with staging.step("deaths") as todo, standing(staging):
            if todo:
                _note_deaths(staging)


def _take_deaths(staging: Staging, death: Deaths, name: str) -> None:
    read = staging.reading(name)
    day = read.value(_DAY, death.date, None, None)
    person = read.cell(death.person)
    with staging.digests("people", Kind.PATIENT, quoted(death.person), SOURCE):
        rows = (
            f"SELECT {PLACES}, {person} AS {quoted(text_of(_PERSON))}, e.patient_no, "  # noqa: S608
            f"e.patient_no IS NOT NULL AS {quoted(_KNOWN)}, {', '.join(staged_columns(_DAY, day, 'DATE'))}, "
            f"({day.sql}) >= e.born AS {quoted(_BORN)} FROM {SOURCE} s "
            f"LEFT JOIN people ON people.text = {person} LEFT JOIN {EVERYBODY} e ON e.digest = people.digest"
        )
        requirements = (
            Needed(_PERSON, death.person, Rule.MISSING),
            Holds(_KNOWN, death.person, Rule.NO_PERSON),
            *day.requirements,
            Holds(_BORN, death.date.column or "", Rule.BEFORE_BIRTH),
        )
        staging.judge(rows, requirements)
    staging.run(f"INSERT INTO deaths_read SELECT file, ordinal, patient_no, {_DAY} FROM {JUDGED}")  # noqa: S608


def _note_deaths(staging: Staging) -> None:
    """Of several deaths of one person the newest, of equally new ones the last one read."""
    staging.run(
        f"UPDATE {EVERYBODY} SET death = d.day FROM "  # noqa: S608
        "(SELECT patient_no, "
        "arg_max(day, (coalesce(made, TIMESTAMP '-infinity'), since, file, ordinal)) AS day "
        f"FROM deaths_read JOIN {STANDING} USING (file) GROUP BY patient_no) d "
        f"WHERE d.patient_no = {EVERYBODY}.patient_no AND d.day IS NOT NULL"
    )


def take_exports(staging: Staging, export: Export, name: str) -> None:
    """What the rows of a batch say of the exports they are in."""
    read = staging.reading(name)
    on = read.value("exported_on", export.exported_on, None, None)
    software = read.value("software", export.software, None, None) if export.software else Parsed("NULL")
    gp = read.cell(export.physician) if export.physician else "NULL"
    rows = (
        f"SELECT {PLACES}, {', '.join(staged_columns('exported_on', on, 'DATE'))}, "  # noqa: S608
        f"{', '.join(staged_columns('software', software, None))}, CAST({gp} AS VARCHAR) AS {_GP}, "
        f"CAST({gp} AS VARCHAR) AS {quoted(text_of(_GP))} FROM {SOURCE} s"
    )
    named = (Needed(_GP, export.physician, Rule.MISSING),) if export.physician else ()
    staging.judge(rows, (*named, *on.requirements, *software.requirements))
    staging.run(
        f"INSERT INTO {DAYS} SELECT DISTINCT file, exported_on FROM {JUDGED} EXCEPT SELECT * FROM {DAYS}"  # noqa: S608
    )
    with registered(staging.connection, "gps", physician_numbers(staging, _GP)):
        staging.run(
            f"INSERT INTO exports_read SELECT DISTINCT gps.gp_no, exported_on, {software_kept(export)} "  # noqa: S608
            f"FROM {JUDGED} j LEFT JOIN gps ON gps.text = j.{_GP} "
            "EXCEPT SELECT * FROM exports_read",
            {"secret": staging.secret("software")} if "$secret" in software_kept(export) else (),
        )


def software_kept(export: Export) -> str:
    """By the mapping's own codes; without them a name made of the keyed hash, for whatever stands in the
    cell, and the same for the same. In letters: eight digits would look like somebody's number."""
    if export.software is None or export.software.codes or export.software.constant is not None:
        return "software"
    hashed = "translate(substr(sha256(concat($secret, software)), 1, 8), '0123456789', 'ghijklmnop')"
    return f"CASE WHEN software IS NOT NULL THEN concat('software-', {hashed}) END"


def physician_numbers(staging: Staging, column: str) -> pa.Table:
    """`text` and `gp_no` of each GP whom the staged rows name in a column; who was never seen gets a
    number."""
    found = staging.run(f"SELECT DISTINCT {column} FROM {JUDGED} WHERE {column} IS NOT NULL").fetchall()  # noqa: S608
    known = sorted(row[0] for row in found)
    numbers = staging.pseudonyms.numbers(Kind.PHYSICIAN, staging.source, known)
    return pa.table({"text": pa.array(known, pa.string()), "gp_no": pa.array(numbers, pa.int32())})
