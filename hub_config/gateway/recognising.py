"""Recognises a project's pseudonyms among numbers that somebody found in a file.

An index is made of the pseudonyms of everybody in a snapshot, objectors included, and of everybody numbered
below them: who was left out of the snapshot may stand in a file of before. Consultations are not numbered
densely: theirs are of every snapshot of the numbering that is kept; what only a purged one held is not
recognised. An index is made by the same function and key that named them; a number is looked up in it. It
lives in this process's memory only: it is never written, logged or sent, and an answer says which of the
asked numbers were recognised, by their place.

A number counts when it stands within `NEARBY` of a pseudonym: spreadsheets keep 15 digits, double precision
16. Pseudonyms are 63 bits wide, so of 100,000 unrelated numbers asked about 5 million patients, one in some
hundred such files holds a number recognised by chance.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hub_config.gateway.engine import Engines, Session
from hub_config.gateway.engines.port import stored
from hub_config.gateway.pseudonyms import FUNCTION, ProjectKey, install
from hub_config.gateway.stopping import Stop
from hub_config.warehouse.snapshot import Snapshot, list_snapshots, open_snapshot

Numbers = NDArray[np.int64]

NEARBY: Final = 10_000
MOST_INDEXED: Final = 20_000_000  # numbers of one kind; beyond, an index would take too long and too much
_MOST_BYTES: Final = 512 * 1024**2  # of all indexes together
_SECONDS: Final = 120.0
_LARGEST: Final = 2**63 - 1


class Whose(StrEnum):
    PATIENT = "patient"
    PHYSICIAN = "physician"
    CONSULTATION = "consultation"


@dataclass(frozen=True)
class Home:
    """Where everyone of a kind stands: each once, in `table`, under the physical name `stored_as`. `kind` is
    what a pseudonym is made of beside key and number: the column a notebook sees it in."""

    whose: Whose
    kind: str
    table: str
    stored_as: str


HOMES: Final = (
    Home(Whose.PATIENT, "patient_id", "patients", "patient_no"),
    Home(Whose.PHYSICIAN, "physician_id", "physicians", "physician_no"),
    Home(Whose.CONSULTATION, "consultation_id", "consultations", "consultation_id"),
)


@dataclass(frozen=True)
class Recognised:
    """Which of the asked numbers, by index from 0, are whose pseudonyms; and who could not be searched."""

    found: Mapping[int, Whose]
    unsearched: tuple[Whose, ...]


@dataclass(frozen=True)
class Recogniser:
    """Searches snapshots for pseudonyms. Threads may ask at once."""

    engines: Engines
    warehouse_dir: Path
    master_key: bytes = field(repr=False)
    kept: Shelf = field(default_factory=lambda: Shelf(), repr=False)

    def recognise(self, project: str, snapshot: int, candidates: Sequence[int]) -> Recognised:
        """Which of `candidates` name somebody to `project`. Raises SnapshotProblem and Refusal where the
        snapshot can't be read: then nothing was searched."""
        opened = open_snapshot(self.warehouse_dir, snapshot)
        others = self._others(opened)
        known = [home for home in HOMES if _is_indexed(home, [opened, *_searched_for(home, others)])]
        if not candidates:
            return Recognised({}, ())
        found: dict[int, Whose] = {}
        for home in known:
            index = self._index(project, opened, home, _searched_for(home, others))
            for place in np.flatnonzero(_stands_in(index, candidates)):
                found.setdefault(int(place), home.whose)
        return Recognised(found, tuple(home.whose for home in HOMES if home not in known))

    def _others(self, snapshot: Snapshot) -> list[Snapshot]:
        """The other kept ones in which a number means the same."""
        kept = list_snapshots(self.warehouse_dir)
        same = [each for each in kept if each.manifest.numbering == snapshot.manifest.numbering]
        return [each for each in same if each.number != snapshot.number]

    def _index(self, project: str, snapshot: Snapshot, home: Home, others: Sequence[Snapshot]) -> Numbers:
        key = (project, (snapshot.number, *(each.number for each in others)), home)
        kept = self.kept.get(key)
        if kept is None:
            kept = self._made(ProjectKey.derive(self.master_key, project), snapshot, home, others)
            self.kept.put(key, kept)
        return kept

    def _made(self, key: ProjectKey, snapshot: Snapshot, home: Home, others: Sequence[Snapshot]) -> Numbers:
        engine = self.engines.engine(snapshot.number, snapshot.database)
        with engine.session(Stop(_SECONDS)) as session:
            install(session, key)
            return _pseudonyms(session, home, others)


Key = tuple[str, tuple[int, ...], Home]  # project, the snapshots searched, of whom


class Shelf:
    """The indexes made, up to a size; what was asked for longest ago goes first."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Numbers] = OrderedDict()

    def get(self, key: Key) -> Numbers | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Key, index: Numbers) -> None:
        with self._lock:
            self._kept[key] = index
            while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > self._most:
                self._kept.popitem(last=False)


def _searched_for(home: Home, others: Sequence[Snapshot]) -> Sequence[Snapshot]:
    return others if home.whose is Whose.CONSULTATION else ()


def _is_indexed(home: Home, snapshots: Sequence[Snapshot]) -> bool:
    return all(each.manifest.rows.get(home.table, MOST_INDEXED) < MOST_INDEXED for each in snapshots)


def _pseudonyms(session: Session, home: Home, others: Sequence[Snapshot]) -> Numbers:
    """Of everyone in the snapshot and `others`, in order."""
    numbers = _numbers(session, home.table, home.stored_as)
    for each in others:
        numbers = np.union1d(numbers, _filed(each, home))
    if home.whose is not Whose.CONSULTATION:
        numbers = _with_who_is_missing(numbers, _numbers(session, "objections", home.stored_as))
    session.register("everyone", pa.table({home.stored_as: numbers}))
    named = f"{FUNCTION}('{home.kind}', CAST({home.stored_as} AS BIGINT))"
    found = session.fetch(f"SELECT {named} AS name FROM everyone")  # noqa: S608
    index: Numbers = found.column("name").to_numpy().astype(np.int64)
    index.sort()
    return index


def _numbers(session: Session, table: str, column: str) -> Numbers:
    stands = stored(table, {column: "int64"})
    found = session.ask(stands.filter(stands[column].notnull())).column(column)
    numbers: Numbers = found.to_numpy().astype(np.int64)
    return numbers


def _filed(snapshot: Snapshot, home: Home) -> Numbers:
    """Out of the snapshot's own file: an engine elsewhere may not have it any more."""
    path = snapshot.directory / "tables" / f"{home.table}.parquet"
    found = pq.read_table(path, columns=[home.stored_as]).column(home.stored_as).drop_null()
    numbers: Numbers = found.to_numpy().astype(np.int64)
    return numbers


def _with_who_is_missing(numbers: Numbers, objected: Numbers) -> Numbers:
    """Numbers are dense, so whoever has none of a snapshot's rows was left out of it, or is of another
    population."""
    known = np.concatenate([numbers, objected])
    dense = np.arange(min(int(known.max(initial=-1)) + 1, MOST_INDEXED), dtype=np.int64)
    return np.union1d(known, dense)


def _stands_in(index: Numbers, candidates: Sequence[int]) -> NDArray[np.bool_]:
    """Which candidates have a number of the sorted `index` nearby."""
    low = np.array([_clipped(number - NEARBY) for number in candidates], np.int64)
    high = np.array([_clipped(number + NEARBY) for number in candidates], np.int64)
    return np.searchsorted(index, low, "left") < np.searchsorted(index, high, "right")


def _clipped(number: int) -> int:
    return max(0, min(number, _LARGEST))
