"""A snapshot of what is landed: all sources of one population, in one numbering of persons.

What can only be judged when all rows are in is judged here: ages at the snapshot's date, and measurements
of two quantities that are copies of each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb

from hub_config.warehouse.budget import FREEZING
from hub_config.warehouse.derived import Observing
from hub_config.warehouse.landing.layout import NUMBER, fact_tables
from hub_config.warehouse.landing.leaving_out import leaves_out, note_left_out
from hub_config.warehouse.landing.memory import give_back
from hub_config.warehouse.landing.store import Busy, Landing, LandingProblem, landings
from hub_config.warehouse.linkage.store import Linkage, fill_linked, fingerprint
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.purging import Objector
from hub_config.warehouse.schema import clustering, literal, quoted
from hub_config.warehouse.snapshot import Building, Snapshot, build_snapshot, list_snapshots
from p4dp_sdk.catalogue.model import Table

REJECTED: Final = "rejected.csv"
STATE: Final = "landing.json"  # the last load of each source that is in the snapshot
LINKED: Final = "linked.txt"  # the fingerprint of the linkage that is in it
_AGE_BAND: Final = (
    "CASE WHEN age >= 90 THEN '90+' "
    "WHEN age IS NOT NULL THEN printf('%02d-%02d', age // 10 * 10, age // 10 * 10 + 9) END"
)


_LAST: Final = (
    "SELECT max(load) FILTER (changed), arg_max(population, load), arg_max(public, load), "
    "arg_max(invented, load), arg_max(reference_date, load), arg_max(first_date, load), "
    "arg_max(last_date, load) FROM loads"
)


@dataclass(frozen=True)
class Landed:
    """The last load of a source."""

    landing: Landing
    load: int
    population: str
    public: bool
    invented: bool
    reference_date: date
    first_date: date
    last_date: date

    @property
    def source(self) -> str:
        return self.landing.source


def landed_of(root: Path, population: str) -> list[Landed]:
    """The sources of a population, by name. Raises LandingProblem when there is none."""
    ours = [landing for landing in landings(root) if landing.population == population]
    found = [each for landing in ours if (each := last_load(landing))]
    if not found:
        known = ", ".join(_populations(root)) or "none"
        raise LandingProblem(f"Nothing of population {population} was loaded (loaded: {known}).")
    return found


def _populations(root: Path) -> list[str]:
    return sorted({landing.population for landing in landings(root) if landing.population})


def only_population(root: Path) -> str:
    """Raises LandingProblem where nothing, or more than one population, is landed."""
    known = _populations(root)
    if len(known) != 1:
        raise LandingProblem(
            f"Say which population: --population {' or '.join(known)}."
            if known
            else "Nothing was loaded yet. Load something: p4dp-enclave warehouse load."
        )
    return known[0]


def last_load(landing: Landing) -> Landed | None:
    with landing.reading() as connection:
        return last_of(landing, connection)


def last_of(landing: Landing, connection: duckdb.DuckDBPyConnection) -> Landed | None:
    row = connection.execute(_LAST).fetchone()
    return Landed(landing, row[0] or 0, *row[1:]) if row and row[1] is not None else None


def meant(sources: Iterable[Landed], objectors: Collection[Objector]) -> tuple[Objector, ...]:
    """Those of the registered objectors who can be in `sources`: a GP's number is another's where the GPs are
    invented."""
    real = not any(each.invented for each in sources)
    return tuple(each for each in objectors if real or each.kind is not Kind.PHYSICIAN)


def newest(
    warehouse: Path, sources: Sequence[Landed], objectors: Collection[Objector] = ()
) -> Snapshot | None:
    """The last snapshot, if it was frozen of just this, with what is linked now, without just these. Raises
    Busy."""
    state = _state(sources)
    ours = [each for each in list_snapshots(warehouse) if _frozen(each).keys() & state.keys()]
    same = ours and _frozen(ours[-1]) == state and leaves_out(ours[-1], objectors)
    return ours[-1] if same and _linked(ours[-1]) == _linked_now(sources) else None


def freeze(
    sources: list[Landed],
    warehouse: Path,
    *,
    objectors: Collection[Objector] = (),
    observing: Observing | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Snapshot:
    """A new snapshot of `sources`, which are of one population, without `objectors`. Raises LandingProblem
    when they don't fit together, Busy while one of them is loading."""
    _require_one_numbering(sources)
    with build_snapshot(
        warehouse,
        source=_phrase(sources),
        synthetic=False,
        public=all(each.public for each in sources),
        population=sources[0].population,
        sources=[f"mapping {each.source}" for each in sources],
        objectors=objectors,
        observing=observing,
        invented=any(each.invented for each in sources),
        exported=True,
        budget=FREEZING,
    ) as building:
        note_left_out(building)
        reference, known_until = max(each.reference_date for each in sources), []
        for each in sources:
            report(each.source)
            with each.landing.attached(building.connection, "landed"):
                _require_still_last(building, each)
                _Freezing(building, each, reference, several=len(sources) > 1).run()
                known_until.append(_known_until(building, each))
        linked = fill_linked(building, sources[0].landing.directory.parent)
        (building.directory / LINKED).write_text(linked, encoding="ascii")
        _write_rejected(building)
        (building.directory / STATE).write_text(json.dumps(_state(sources)), encoding="utf-8")
        first = min(each.first_date for each in sources)
        return building.finish(reference, first, max(known_until), report=report)


def _require_still_last(building: Building, landed: Landed) -> None:
    """What the manifest will say (public, of whom, until when) is of the load whose rows go in."""
    row = building.connection.execute(_LAST.replace("FROM loads", "FROM landed.loads")).fetchone()
    if row is None or Landed(landed.landing, row[0] or 0, *row[1:]) != landed:
        again = "Freeze again: p4dp-enclave warehouse snapshot."
        raise Busy(f"Source {landed.source} was loaded just now. {again}")


def _known_until(building: Building, landed: Landed) -> date:
    """An export tells nothing of the days after it, however far the mapping's dates reach."""
    row = building.connection.execute("SELECT max(exported_on) FROM landed.exports").fetchone()
    return max(landed.first_date, min(landed.last_date, row[0])) if row and row[0] else landed.last_date


def _phrase(sources: list[Landed]) -> str:
    (first, *others) = sources
    alone = not others and first.population == first.source
    return f"mapping {first.source}" if alone else f"population {first.population}"


def _require_one_numbering(sources: list[Landed]) -> None:
    invented = [each.source for each in sources if each.invented]
    if invented and len(sources) > 1:
        raise LandingProblem(
            f"Source {invented[0]} has invented GPs, whose numbers mean others in other sources: give it a "
            "`population` of its own in its mapping's [source]."
        )


def _state(sources: Iterable[Landed]) -> Mapping[str, int]:
    return {each.source: each.load for each in sources}


def _frozen(snapshot: Snapshot) -> Mapping[str, int]:
    path = snapshot.directory / STATE
    state: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return state


def _linked(snapshot: Snapshot) -> str | None:
    """None of a snapshot that doesn't say: it was frozen by older rules, and is due again."""
    path = snapshot.directory / LINKED
    return path.read_text(encoding="ascii") if path.exists() else None


def _linked_now(sources: Sequence[Landed]) -> str:
    return fingerprint(Linkage(sources[0].landing.directory.parent, sources[0].population))


def _write_rejected(building: Building) -> None:
    """File, line, record, rule and column of each row set aside; never the value, never the person."""
    path = literal(str(building.directory / REJECTED))
    building.connection.execute(
        f'COPY (SELECT DISTINCT file, line, record, rule, "column" FROM {_ASIDE} ORDER BY ALL) '  # noqa: S608
        f"TO {path} (FORMAT csv, HEADER)"
    )
    building.connection.execute(f"DROP TABLE {_ASIDE}")


_ASIDE: Final = '"rows set aside"'


@dataclass(frozen=True)
class _Freezing:
    building: Building
    landed: Landed
    reference: date
    several: bool

    def run(self) -> None:
        self._centres()
        self._patients()
        self._physicians()
        for table in fact_tables(self.building.catalogue):
            give_back(self.building.connection, FREEZING)
            self._facts(table)
        give_back(self.building.connection, FREEZING)
        self._exports()
        self._rejected()

    def _run(self, query: str) -> Any:
        return self.building.connection.execute(query)

    def _centres(self) -> None:
        """Raises LandingProblem when two sources mean different centres by one code."""
        other = self._run(
            "SELECT l.centre_id FROM landed.centres l JOIN centres c USING (centre_id) "
            "WHERE (l.region, l.label) IS DISTINCT FROM (c.region, c.label) ORDER BY 1"
        ).fetchone()
        if other:
            raise LandingProblem(
                f"Centre {other[0]} of source {self.landed.source} has another region or label in "
                f"another source "
                "of this population. Make the mappings' [[centres]] agree and load again."
            )
        self._run(
            "INSERT INTO centres BY NAME SELECT * FROM landed.centres "
            "WHERE centre_id NOT IN (SELECT centre_id FROM centres)"
        )

    def _patients(self) -> None:
        on = f"DATE {literal(self.reference.isoformat())}"
        age = (
            f"CASE WHEN age_on = {on} THEN age WHEN birth_month IS NOT NULL THEN date_sub('year', "
            f"birth_month, {on}) "
            f"ELSE age + date_sub('year', age_on, {on}) END"
        )
        columns = [quoted(each.stored_as) for each in self.building.catalogue.tables["patients"].columns]
        self._run(
            f"INSERT INTO patients BY NAME SELECT {', '.join(columns)} FROM "  # noqa: S608
            f"(SELECT * REPLACE ({_AGE_BAND} AS age_band) FROM "
            f"(SELECT * REPLACE (CAST({age} AS INTEGER) AS age) FROM landed.patients)) ORDER BY patient_no"
        )

    def _physicians(self) -> None:
        """A GP's centre is that of most of the patients; without patients, the last one known."""
        self._run(
            "INSERT INTO physicians (physician_no, centre_id) "
            "SELECT physician_no, coalesce(p.centre_id, l.centre_id) FROM landed.physicians l LEFT JOIN "
            "(SELECT physician_no, mode(centre_id) AS centre_id FROM landed.patients GROUP BY 1) p "
            "USING (physician_no) WHERE physician_no NOT IN (SELECT physician_no FROM physicians) ORDER BY 1"
        )

    def _facts(self, table: Table) -> None:
        columns = ", ".join(quoted(column.stored_as) for column in table.columns)
        rows = self._with_copies(table, f"landed.{quoted(table.name)}")
        living = f" WHERE NOT ({outside})" if (outside := self._outside_life(table)) else ""
        self._run(
            f"INSERT INTO {quoted(table.name)} BY NAME SELECT {columns} FROM {rows} landed_rows{living} "  # noqa: S608
            f"ORDER BY {clustering(table)}"
        )

    def _outside_life(self, table: Table) -> str | None:
        """Rows landed before a later load brought the birth or death that they can't be. A load sets such
        rows aside; they stay landed, and are left out here, to the month that is known."""
        if not table.date:
            return None
        day = quoted(table.column(table.date).stored_as)
        lived = f"landed_rows.{day} < p.birth_month OR landed_rows.{day} > last_day(p.death_month)"
        return (
            "EXISTS (SELECT 1 FROM landed.patients p "  # noqa: S608
            f"WHERE p.patient_no = landed_rows.patient_no AND ({lived}))"
        )

    def _with_copies(self, table: Table, landed: str) -> str:
        """Two quantities that differ in a body, with one number for one person on one day, are doubted."""
        pairs = self._run(
            f'SELECT "of", one, other FROM landed.differ WHERE "table" = {literal(table.name)}'  # noqa: S608
        ).fetchall()
        for of, one, other in pairs:
            key, day = quoted(of), f"patient_no, date, {NUMBER}"
            both = (
                f"SELECT {day} FROM {landed} WHERE {key} IN ({literal(one)}, {literal(other)}) GROUP BY ALL "  # noqa: S608
                f"HAVING bool_or({key} = {literal(one)}) AND bool_or({key} = {literal(other)})"
            )
            doubt = (
                f"CASE WHEN {key} IN ({literal(one)}, {literal(other)}) AND dq_code <> 'out_of_range' "
                "AND copied.patient_no IS NOT NULL THEN 'copied_value' ELSE dq_code END"
            )
            landed = (
                f"(SELECT rows.* REPLACE ({doubt} AS dq_code) FROM {landed} rows "  # noqa: S608
                f"LEFT JOIN ({both}) copied ON copied.patient_no = rows.patient_no "
                f"AND copied.date = rows.date AND copied.{NUMBER} = rows.{NUMBER})"
            )
        return landed

    def _exports(self) -> None:
        columns = "source, physician_no, centre_id, exported_on, software, first_event, last_event"
        self._run(f"INSERT INTO exports BY NAME SELECT {columns}, rows AS row_count FROM landed.exports")  # noqa: S608

    def _rejected(self) -> None:
        """Of the files of the last load, whichever load read them."""
        prefix = f"{literal(self.landed.source + '/')} || " if self.several else ""
        self._run(
            f"CREATE TABLE IF NOT EXISTS {_ASIDE} "
            '(file VARCHAR, line BIGINT, record BIGINT, rule VARCHAR, "column" VARCHAR)'
        )
        self._run(
            f'INSERT INTO {_ASIDE} SELECT {prefix}f.path, r.line, r.record, r.rule, r."column" '  # noqa: S608
            "FROM landed.files f JOIN landed.rejected r ON r.sha256 = f.sha256 AND r.file = f.file "
            "WHERE f.load = (SELECT max(load) FROM landed.loads)"
        )


__all__ = ["REJECTED", "Landed", "duckdb", "freeze", "landed_of", "last_load", "meant", "newest"]
