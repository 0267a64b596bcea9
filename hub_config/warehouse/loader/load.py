"""Lands one vendor's files, and freezes a snapshot of what is landed: each of the two whole or not at all.
A bad row is set aside; it never stops a load, unless most of its file is bad.

A load works in `landing/<source>/loads/<n>/`, batch by batch, and changes what is landed in one transaction
at its end. Killed at any moment and begun again on the same files it goes on behind the last batch. The
same bytes again, under any name, change nothing. Source identifiers never reach landing, snapshot, message
or listing.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import duckdb

from hub_config.codelists.in_force import site_catalogue
from hub_config.warehouse.derived import Observing
from hub_config.warehouse.landing.apply import Change, apply
from hub_config.warehouse.landing.freeze import Landed, freeze, landed_of, meant, newest, only_population
from hub_config.warehouse.landing.leaving_out import leave_out
from hub_config.warehouse.landing.store import Landing, LandingProblem, attached, connected
from hub_config.warehouse.linkage.store import Linkage, leave_out_linked
from hub_config.warehouse.loader.agreement import require_agreement
from hub_config.warehouse.loader.apart import load_apart
from hub_config.warehouse.loader.facts import load_facts
from hub_config.warehouse.loader.journal import Journal, entry_of, marked, tallied, write_listing
from hub_config.warehouse.loader.mapping import VendorMapping
from hub_config.warehouse.loader.people import load_people
from hub_config.warehouse.loader.plan import Input, Plan, codes_of, find_inputs, meaning_of
from hub_config.warehouse.loader.report import (
    LISTING,
    LoadReport,
    Outcome,
    complete_report,
    note_snapshot,
    write_report,
)
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.staging import Report, Staging
from hub_config.warehouse.loader.tally import Tally, require_mostly_good
from hub_config.warehouse.problems import WarehouseProblem, is_disk_full
from hub_config.warehouse.pseudonyms import Pseudonyms
from hub_config.warehouse.purging import Objector
from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Catalogue

QUALITY: Final = "quality.json"  # of the snapshot
STAGE: Final = "stage.duckdb"
SPILL: Final = "tmp"
_PLAN: Final = "plan"


class LoadRefused(WarehouseProblem):
    """These data may not be loaded in this enclave; the message says what would change that."""


class DiskFull(WarehouseProblem):
    """No room: what was read so far is kept, and the next attempt goes on there. Where the disk filled after
    the landing, that goes straight to the snapshot."""


class History(StrEnum):
    """What becomes of rows landed before under another meaning of the mapping."""

    REFUSE = "refuse"  # ask, where they can't be told from those of this load
    KEEP = "keep"
    AFRESH = "afresh"  # forget all that was landed of the source, in the same transaction


@dataclass(frozen=True)
class Places:
    """Where a load reads and writes."""

    files: Path
    warehouse: Path
    keys: Path
    codes: Path | None = None  # the site's own tables of codes, whose codes rows may hold
    landing: Path | None = None  # by default beside the warehouse

    @property
    def landed(self) -> Path:
        return self.landing or self.warehouse.parent / "landing"


@dataclass(frozen=True)
class LandedFiles:
    """What a load did to what is landed. `load` is its number; without anything new there is none."""

    population: str
    load: int | None
    files: tuple[Tally, ...]
    changes: Mapping[str, Change]
    work: Path | None = None  # where its report and listing are

    @property
    def rejected(self) -> Mapping[Rule, int]:
        """How many source rows each rule set aside, in all the files."""
        rules = {rule for file in self.files for rule in file.rejected}
        return {rule: sum(file.rejected.get(rule, 0) for file in self.files) for rule in sorted(rules)}

    @property
    def changed(self) -> bool:
        return any(change.any for change in self.changes.values())


@dataclass(frozen=True)
class Frozen:
    snapshot: Snapshot
    fresh: bool  # whether it was made now


@dataclass(frozen=True)
class Loaded:
    snapshot: Snapshot
    landed: LandedFiles
    fresh: bool  # whether the snapshot was made now

    @property
    def rejected(self) -> Mapping[Rule, int]:
        return self.landed.rejected


def _silent(step: str, share: float | None = None, rows: int | None = None) -> None:
    """Nobody is told."""


def load(
    origin: str,
    mapping: VendorMapping,
    places: Places,
    *,
    own_uids: bool,
    history: History = History.REFUSE,
    objectors: Collection[Objector] = (),
    observing: Observing | None = None,
    report: Report = _silent,
) -> Loaded:
    """Lands the files of `places.files`, and freezes a snapshot unless there is one of just what is landed.
    Neither keeps anything of `objectors`. `origin` names the mapping in messages.

    Raises what `land` and `freeze` raise.
    """
    landed = land(origin, mapping, places, own_uids=own_uids, history=history, report=report)
    frozen = freeze_landed(places, landed.population, objectors=objectors, observing=observing, report=report)
    snapshot = frozen.snapshot
    if landed.work:
        note_snapshot(landed.work, snapshot.number, snapshot.directory / QUALITY)
    return Loaded(snapshot, landed, frozen.fresh)


def freeze_landed(
    places: Places,
    population: str | None = None,
    *,
    objectors: Collection[Objector] = (),
    observing: Observing | None = None,
    report: Report = _silent,
    force: bool = False,
) -> Frozen:
    """A snapshot of all that is landed of `population`, by default of the only one: a new one unless the last
    is of just that, or by `force`. Raises what `freeze` raises, LandingProblem where the population must be
    said."""
    sources = landed_of(places.landed, population or only_population(places.landed))
    objectors = meant(sources, objectors)
    _leave_out(sources, objectors, places)
    there = None if force else newest(places.warehouse, sources, objectors)
    if there:
        return Frozen(there, fresh=False)
    made = freeze(sources, places.warehouse, objectors=objectors, observing=observing, report=report)
    return Frozen(made, fresh=True)


def _leave_out(sources: list[Landed], objectors: Collection[Objector], places: Places) -> None:
    """What was linked goes first: what was landed tells whose patients are whose."""
    linkage = Linkage(places.landed, sources[0].population)
    leave_out_linked(linkage, objectors, _catalogue(places))
    leave_out((each.landing for each in sources), objectors, _catalogue(places))


def _catalogue(places: Places) -> Catalogue:
    return site_catalogue(places.codes) if places.codes else load_catalogue()


def land(
    origin: str,
    mapping: VendorMapping,
    places: Places,
    *,
    own_uids: bool,
    history: History = History.REFUSE,
    report: Report = _silent,
) -> LandedFiles:
    """The files of `places.files` landed, or found to be landed already.

    Raises LoadRefused unless workspaces have their own uids or the data are public, or when the mapping's
    meaning changed; Busy, MappingProblem, MostlyBad, PseudonymProblem, SourceProblem: then what is landed is
    untouched, and so are the snapshots. DiskFull: then it is landed whole or not at all.
    """
    require_permission(mapping, own_uids=own_uids)
    catalogue = _catalogue(places)
    require_agreement(origin, mapping, catalogue)
    pseudonyms = Pseudonyms.open(places.keys)
    landing = Landing.of(places.landed, mapping.source.name)
    report("hashes")
    inputs = find_inputs(places.files, mapping)
    with landing.held(f"loading {places.files}"), _disk_full_explained(landing.loads):
        return _Load(origin, mapping, places, catalogue, pseudonyms, landing, history, report).run(inputs)


def require_permission(mapping: VendorMapping, *, own_uids: bool) -> None:
    if not (own_uids or mapping.source.public):
        raise LoadRefused(
            "Workspaces here share one uid, so this enclave takes synthetic or public data only. Run "
            "the enclave and this command as root (each workspace then gets its own uid), or declare "
            "`public = true` in the mapping's [source] if this is a public data set."
        )


@dataclass(frozen=True)
class _Load:
    origin: str
    mapping: VendorMapping
    places: Places
    catalogue: Catalogue
    pseudonyms: Pseudonyms
    landing: Landing
    history: History
    report: Report

    def run(self, inputs: tuple[Input, ...]) -> LandedFiles:
        started = time.monotonic()
        plan, before = self._plan(inputs)
        if not plan.fresh:
            self.landing.note_population(self.mapping.source.in_population)
            return LandedFiles(self.mapping.source.in_population, None, before, {})
        work = _workplace(self.landing, plan)
        tallies = self._stage(plan, before, work)
        told = LoadReport(
            self.landing.source,
            plan.load,
            self.origin,
            Outcome.STOPPED,
            time.monotonic() - started,
            tallies,
            {},
        )
        write_report(work, told)  # until it is landed
        require_mostly_good(tallies, self.mapping.limits, str(work / LISTING))
        self.report("landing", 1.0)
        changes = self._apply(plan, tallies, work)
        self.landing.note_population(self.mapping.source.in_population)
        self.report("landed", 1.0)
        seconds = time.monotonic() - started
        write_report(work, replace(told, outcome=Outcome.LANDED, seconds=seconds, changes=changes))
        _clear(work)
        return LandedFiles(self.mapping.source.in_population, plan.load, tallies, changes, work)

    def _plan(self, inputs: tuple[Input, ...]) -> tuple[Plan, tuple[Tally, ...]]:
        """What is to read, and what the journal says of the files that are not."""
        afresh = self.history is History.AFRESH
        with self.landing.changing(self.catalogue) as connection:
            _require_same_key(connection, self.pseudonyms, self.landing.source)
            journal = Journal(connection)
            meaning, codes = meaning_of(self.mapping), codes_of(self.catalogue)
            self._require_same_meaning(journal, meaning)
            known = {} if afresh else journal.known(meaning, codes, self.mapping.source)
            after, before, first = journal.last, journal.tallies(inputs), journal.first_loads()
            restated = journal.restated(self.mapping)
            self._complete_report(connection, journal)
        _remove_leftovers(self.landing, after)
        inputs = marked(inputs, known, first, self.mapping)
        version, source = self.pseudonyms.version, self.mapping.source
        calendar = f"{source.reference_date} {source.dates}"
        plan = Plan(self.places.files, inputs, meaning, codes, after, afresh, restated, version, calendar)
        return plan, before

    def _complete_report(self, connection: duckdb.DuckDBPyConnection, journal: Journal) -> None:
        """Of the last load, where a kill came between its landing and its report."""
        work = self.landing.loads / f"{journal.last:06d}"
        if (work / _PLAN).exists():
            complete_report(work, journal.changes(journal.last))

    def _require_same_meaning(self, journal: Journal, meaning: str) -> None:
        """Rows without key that mean something else now would be there twice."""
        unkeyed = [rows.table for rows in self.mapping.rows if not rows.key]
        if self.history is History.REFUSE and unkeyed and journal.meanings - {meaning}:
            raise LoadRefused(
                f"Mapping {self.origin} changed since source {self.landing.source} was loaded last. "
                f"Rows without "
                f"`key` ({', '.join(dict.fromkeys(unkeyed))}) that it reads otherwise now would be there "
                "twice. Load the whole export with --afresh, which forgets what was landed of this "
                "source; or "
                "with --keep, if the change gives no landed row another value."
            )

    def _stage(self, plan: Plan, before: tuple[Tally, ...], work: Path) -> tuple[Tally, ...]:
        with (
            closing(connected(work / STAGE, work / SPILL)) as connection,
            attached(connection, self.landing.database, "landed"),
        ):
            staging = Staging(connection, self.mapping, self.catalogue, self.pseudonyms, plan, self.report)
            staging.prepare()
            load_people(staging)
            load_apart(staging)
            load_facts(staging)
            tallies = tallied(connection, plan.inputs, before)
            write_listing(connection, plan.inputs, work / LISTING)
        return tallies

    def _apply(self, plan: Plan, tallies: tuple[Tally, ...], work: Path) -> Mapping[str, Change]:
        with self.landing.changing(self.catalogue) as connection:
            entry = entry_of(self.mapping, plan, tallies)
            return apply(connection, work / STAGE, self.catalogue, self.landing.source, entry)


def _require_same_key(connection: duckdb.DuckDBPyConnection, pseudonyms: Pseudonyms, source: str) -> None:
    """What is landed bears the numbers of one key and its registers."""
    check = pseudonyms.check(source)
    row = connection.execute("SELECT key_check FROM identity").fetchone()
    if row is None:
        connection.execute("INSERT INTO identity VALUES (?, ?)", [source, check])
    elif row[0] != check:
        raise LandingProblem(
            f"What is landed of source {source} was numbered with other registers. Restore keys/ from a "
            "backup; or, to start anew, remove the source's landing and load everything again."
        )


def _workplace(landing: Landing, plan: Plan) -> Path:
    """The directory of this load: with what is done already where the same load was begun before."""
    work = landing.loads / f"{plan.load:06d}"
    begun = work / _PLAN
    if not begun.exists() or begun.read_text(encoding="ascii") != plan.identity:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        begun.write_text(plan.identity, encoding="ascii")
    shutil.rmtree(work / SPILL, ignore_errors=True)
    return work


def _clear(work: Path) -> None:
    """Only the report and the listing stay."""
    for path in (work / STAGE, work / f"{STAGE}.wal", work / _PLAN):
        path.unlink(missing_ok=True)
    shutil.rmtree(work / SPILL, ignore_errors=True)


def _remove_leftovers(landing: Landing, last: int) -> None:
    """What a kill between landing and clearing left."""
    for path in landing.loads.iterdir():
        if path.name.isdecimal() and int(path.name) <= last:
            _clear(path)


@contextmanager
def _disk_full_explained(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.Error) as error:
        if not is_disk_full(error):
            raise
        raise DiskFull(
            "The disk is full: the load is landed whole or not at all, snapshots are untouched. Free some "
            f"space where {place} lies, and load again: it goes on where it stopped."
        ) from None
