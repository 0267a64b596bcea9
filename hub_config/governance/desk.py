"""What the commands must look up in the warehouse: which snapshot, whether it is synthetic, its centres and
numbers.

The one module of governance that reads a snapshot; no service imports it, only the commands do.
"""

from __future__ import annotations

from typing import Final

import duckdb

from hub_config.governance.objections.facts import Subject
from hub_config.governance.persons.facts import Standing
from hub_config.governance.problems import BadPerson, BadProject, did_you_mean
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from hub_config.warehouse.local_ids import Found, Missing, find, sources
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.rolling import newest_of
from hub_config.warehouse.snapshot import Snapshot, list_snapshots, open_snapshot


def terms(
    settings: Settings, number: int | None, *, wants_centres: bool, rolling: str | None = None
) -> Terms:
    """What a new project on snapshot `number`, or on the newest, must keep to; or one that follows the
    population `rolling` (empty: the newest's). Raises SnapshotProblem or BadProject."""
    snapshot = newest_of(settings.warehouse_dir, rolling) if rolling else _snapshot(settings, number)
    follows = None if rolling is None else snapshot.manifest.followed
    labels = _centres(snapshot) if wants_centres else None
    centres = None if labels is None else frozenset(labels)
    manifest = snapshot.manifest
    found = SnapshotTerms(
        manifest.number, manifest.synthetic, centres, labels or {}, follows, manifest.merged
    )
    return Terms(found, settings.policy)


_KINDS: Final = {Subject.PATIENT: Kind.PATIENT, Subject.PHYSICIAN: Kind.PHYSICIAN}
_UNFOUND: Final = {
    Missing.NO_SOURCE: "No snapshot is made of that source.",
    Missing.BAD_ID: "The identifier is not written as that source's are: read it again, check digit too.",
    Missing.UNKNOWN: "Nobody has that identifier in that source: read it again, and ask the practice for the "
    "one in its exports.",
    Missing.INVENTED: "The physicians of that source are invented: none has an identifier.",
}


def objector(settings: Settings, subject: Subject, identifier: str, source: str) -> Found:
    """Whom the practice's software calls so in `source`. Raises BadProject, which repeats no identifier: a
    slip would leave the person who objected visible."""
    found = find(settings.warehouse_dir, settings.keys_dir, source, _KINDS[subject], identifier)
    if isinstance(found, Missing):
        raise BadProject(f"{_UNFOUND[found]} Nothing was recorded.")
    return found


def the_source(settings: Settings, said: str | None) -> str:
    """The source that was said, by its name or its mapping's, if snapshots are made of it; unsaid, the only
    one there is. Raises BadProject."""
    known = sources(settings.warehouse_dir)
    names = ", ".join(repr(name) for name in known) or "none"
    if said is None and len(known) == 1:
        return known[0]
    if said is None:
        raise BadProject(f"Say which source the identifier is of: --source, one of {names}.")
    of_mapping = f"mapping {said}"
    if said not in known and of_mapping in known:
        return of_mapping
    if said not in known:
        raise BadProject(f"No snapshot is made of {said!r} (there are: {names}).{did_you_mean(said, known)}")
    return said


_NUMBERED: Final = {
    Standing.INTERN: ("training_log", "intern_no"),
    Standing.PHYSICIAN: ("physicians", "physician_no"),
    Standing.TRAINER: ("training_log", "physician_no"),
}


def require_person(settings: Settings, source: str | None, standing: Standing, number: int) -> str:
    """The source, by default the newest snapshot's, if a snapshot made of it has such a number. Raises
    BadPerson: a slip would show somebody else's rows."""
    wanted = source or newest_source(settings)
    snapshots = list_snapshots(settings.warehouse_dir)
    known = {snapshot.manifest.source for snapshot in snapshots}
    if wanted not in known:
        names = ", ".join(repr(name) for name in sorted(known)) or "none"
        raise BadPerson(
            f"No snapshot is made of {wanted!r} (there are: {names}).{did_you_mean(wanted, known)} "
            "A number means something within one source only."
        )
    table, column = _NUMBERED[standing]
    of_it = (snapshot for snapshot in snapshots if snapshot.manifest.source == wanted)
    if not any(_has(each, table, column) and _holds(each, table, column, number) for each in of_it):
        raise BadPerson(
            f"No snapshot of {wanted!r} has {standing.value} {number}. Check the number with "
            "who sent it; snapshots made before interns were numbered have none."
        )
    return wanted


def newest_source(settings: Settings) -> str:
    """What the newest snapshot is made of. Raises BadProject where there is none."""
    return _snapshot(settings, None).manifest.source


def _has(snapshot: Snapshot, table: str, column: str) -> bool:
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        query = "SELECT count(*) FROM duckdb_columns() WHERE table_name = ? AND column_name = ?"
        row = connection.execute(query, [table, column]).fetchone()
    return row is not None and row[0] > 0


def _holds(snapshot: Snapshot, table: str, column: str, number: int) -> bool:
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        query = f"SELECT count(*) FROM {table} WHERE {column} = ?"  # noqa: S608  (names of our own)
        row = connection.execute(query, [number]).fetchone()
    return row is not None and row[0] > 0


def _snapshot(settings: Settings, number: int | None) -> Snapshot:
    if number is not None:
        return open_snapshot(settings.warehouse_dir, number)
    known = list_snapshots(settings.warehouse_dir)
    if not known:
        raise BadProject(
            "There is no snapshot to pin the project to. Make one: `p4dp-enclave warehouse synthesise`."
        )
    return known[-1]


def _centres(snapshot: Snapshot) -> dict[str, str]:
    """Each centre on record and how people call it: its city and region, as far as the snapshot says them.
    Of those that it merged it says no more than the code."""
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        rows = connection.execute("SELECT centre_id, label, region_label FROM centres").fetchall()
    said = {code: [word for word in words if word and word != code] for code, *words in rows}
    merged = snapshot.manifest.merged
    found = {code: ", ".join(words) or code for code, words in said.items() if code not in merged}
    return found | {member: member for members in merged.values() for member in members}
