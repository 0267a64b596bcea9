"""Synthesise a warehouse: blocks of invented people, generated as arrays, appended to a new snapshot.

The same plan and seed give the same rows, whatever the machine and its threads: every step has its own random
stream, and all are drawn in one thread, while another one writes. A block holds at most 65,536 patients, and
no more than two are in memory, whatever the scale; nothing loops over patients. A killed run leaves no
snapshot: `build_snapshot` sees to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa

from hub_config.warehouse.purging import Objector
from hub_config.warehouse.snapshot import Building, Snapshot, build_snapshot
from hub_config.warehouse.synthesis.arrays import Columns, Days, day, stream, to_arrow
from hub_config.warehouse.synthesis.coding import (
    code_diagnoses,
    code_procedures,
    code_reasons,
    coded_rows,
    plain_rows,
)
from hub_config.warehouse.synthesis.contacts import consult
from hub_config.warehouse.synthesis.histories import recall
from hub_config.warehouse.synthesis.knowledge import Knowledge, load_knowledge
from hub_config.warehouse.synthesis.laboratory import analyse
from hub_config.warehouse.synthesis.measuring import measure
from hub_config.warehouse.synthesis.people import populate
from hub_config.warehouse.synthesis.practices import Practices, found_practices
from hub_config.warehouse.synthesis.presets import (
    Block,
    Kind,
    Plan,
    Preset,
    PresetUnavailable,
    blocks_of,
    plan_of,
)
from hub_config.warehouse.synthesis.registers import (
    list_centres,
    list_exports,
    list_objections,
    list_patients,
    list_physicians,
)
from hub_config.warehouse.synthesis.sampling import Sampler, Seasons
from hub_config.warehouse.synthesis.scene import Scene
from hub_config.warehouse.synthesis.training import log_training
from hub_config.warehouse.synthesis.treating import prescribe, treat
from hub_config.warehouse.synthesis.vaccinating import vaccinate

Report = Callable[[str, float], None]
_Made = tuple[Block, str, pa.Table]

_GENERATING: Final = 0.75  # of the whole work; the rest settles the snapshot
_BLOCK_TABLES: Final = 11


def synthesise(
    warehouse_dir: Path,
    *,
    preset: Preset,
    scale: float = 1.0,
    seed: int = 0,
    objectors: Callable[[str], Iterable[Objector]] = lambda _source: (),
    report: Report = lambda _label, _fraction: None,
) -> Snapshot:
    """A new snapshot of `preset` times `scale`, without the `objectors` of its source. `report` hears what is
    being made and the share of work done.

    Raises PresetUnavailable (preset, scale or seed) before anything is written; SnapshotProblem when the
    disk is full.
    """
    plan = plan_of(preset, scale)
    if seed < 0:
        raise PresetUnavailable(f"Seed {seed} can't be used: choose 0 or more.")
    without = objectors(plan.source)
    with build_snapshot(
        warehouse_dir, source=plan.source, synthetic=True, public=False, objectors=without
    ) as building:
        _fill(building, plan, seed, report)
        steps = count(1)
        each = (1 - _GENERATING) / len(building.catalogue.tables)
        return building.finish(
            reference_date=plan.last_date,
            first_date=plan.first_date,
            last_date=plan.last_date,
            report=lambda table: report(f"settling {table}", _GENERATING + each * next(steps)),
        )


def _fill(building: Building, plan: Plan, seed: int, report: Report) -> None:
    knowledge = load_knowledge()
    practices = found_practices(plan.physicians, plan.first_date, plan.last_date, seed)
    append(building.connection, "centres", list_centres(practices, knowledge.centres))
    append(building.connection, "physicians", list_physicians(practices))
    append(building.connection, "exports", list_exports(practices, plan.source))
    last_day = day(plan.last_date)
    append(building.connection, "objections", list_objections(seed, plan.patients, practices, last_day))
    made = (
        (block, table, to_arrow(columns))
        for block in blocks_of(plan)
        for table, columns in _tables(plan, block, seed, knowledge, practices)
    )
    with _one_thread(building.connection):
        for done, (block, table, rows) in enumerate(_ahead(made, _BLOCK_TABLES), 1):
            _append(building.connection, table, rows)
            report(
                f"{table}, patients {block.first:,}–{block.last:,}",
                _GENERATING * done / (plan.blocks * _BLOCK_TABLES),
            )


def _ahead(items: Iterator[_Made], most: int) -> Iterator[_Made]:
    """The same items in their order, made by a thread of their own up to `most` before they are asked for."""
    with ThreadPoolExecutor(1) as maker:
        try:
            waiting = deque(maker.submit(next, items, None) for _ in range(most))
            while (item := waiting.popleft().result()) is not None:
                waiting.append(maker.submit(next, items, None))
                yield item
        finally:
            maker.shutdown(cancel_futures=True)


@contextmanager
def _one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """DuckDB on one core, while the other makes what it writes: sharing one table, its threads spend as much
    again on waiting for each other."""
    before = connection.execute("SELECT current_setting('threads')").fetchone()
    connection.execute("SET threads = 1")
    yield
    connection.execute(f"SET threads = {before[0] if before else 1}")


def _tables(
    plan: Plan, block: Block, seed: int, knowledge: Knowledge, practices: Practices
) -> Iterator[tuple[str, Columns]]:
    """The tables of a block, in an order that lets go of each before the next is made."""
    scene = _scene(plan, block, seed, knowledge, practices)
    yield "patients", list_patients(scene)
    yield "consultations", _consultations(scene)
    diagnoses = code_diagnoses(scene)
    yield "diagnoses", coded_rows(scene, diagnoses, "diagnoses")
    yield "reasons", coded_rows(scene, code_reasons(scene), "reasons")
    yield "procedures", plain_rows(scene, code_procedures(scene))
    yield "vaccinations", vaccinate(scene)
    yield "training_log", log_training(scene, diagnoses)
    yield "history", recall(scene)
    yield "biometrics", measure(scene)
    treatments = treat(scene)
    yield "prescriptions", prescribe(scene, treatments, diagnoses)
    yield "lab_results", analyse(scene, treatments)


def _scene(plan: Plan, block: Block, seed: int, knowledge: Knowledge, practices: Practices) -> Scene:
    total = plan.rows[Kind.CONSULTATIONS]
    people = populate(block, practices, knowledge.diseases, seed, day(plan.last_date))
    contacts = consult(block, block.part(total), people, practices, seed)
    seasons = Seasons(knowledge.profiles, plan.first_date, plan.last_date, seed)
    rng = stream(seed, "sampling", block.number)
    return Scene(
        plan=plan,
        block=block,
        seed=seed,
        first_day=day(plan.first_date),
        last_day=day(plan.last_date),
        first_consultation=total * block.first // plan.patients,
        knowledge=knowledge,
        practices=practices,
        people=people,
        contacts=contacts,
        sampler=Sampler(contacts, people, seasons, knowledge.profiles.ages, rng),
    )


def _consultations(scene: Scene) -> Columns:
    contacts = scene.contacts
    return {
        "consultation_id": scene.first_consultation + np.arange(len(contacts)),
        **scene.whose(contacts.person, contacts.physician),
        "date": Days(contacts.days),
        "type": contacts.type,
    }


def append(connection: duckdb.DuckDBPyConnection, table: str, columns: Columns) -> None:
    """Add rows to a table of the snapshot, in their order, by the columns' names."""
    _append(connection, table, to_arrow(columns))


def _append(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.register("appended", rows)
    connection.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM appended')  # noqa: S608
    connection.unregister("appended")
