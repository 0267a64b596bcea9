"""Loads one vendor's files as a new snapshot: all of it or nothing. A bad row is set aside; it never stops a
load.

Source identifiers never reach the snapshot, its free blocks, a message or the listing of rows set aside
(`rejected.csv` in the snapshot: file, line, rule, column; line 1 is the header and a row is one line).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub_config.codelists.in_force import site_catalogue
from hub_config.warehouse.loader.agreement import require_agreement
from hub_config.warehouse.loader.facts import load_facts
from hub_config.warehouse.loader.mapping import VendorMapping
from hub_config.warehouse.loader.people import load_people
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.staging import Staging
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.pseudonyms import Pseudonyms
from hub_config.warehouse.snapshot import Snapshot, build_snapshot
from p4dp_sdk.catalogue.load import load_catalogue

REJECTED: Final = "rejected.csv"


class LoadRefused(WarehouseProblem):
    """These data may not be loaded in this enclave; the message says what would change that."""


@dataclass(frozen=True)
class Loaded:
    snapshot: Snapshot
    rejected: Mapping[Rule, int]


@dataclass(frozen=True)
class Places:
    """Where a load reads and writes."""

    files: Path
    warehouse: Path
    keys: Path
    codes: Path | None = None  # the site's own tables of codes, whose codes rows may hold


def load(
    origin: str,
    mapping: VendorMapping,
    places: Places,
    *,
    own_uids: bool,
    report: Callable[[str], None] = lambda _: None,
) -> Loaded:
    """A new snapshot from the files of `places.files`. `origin` names the mapping in messages.

    Raises LoadRefused unless workspaces have their own uids or the data are public; MappingProblem,
    SourceProblem, PseudonymProblem, SnapshotProblem: then nothing was kept and the other snapshots are
    untouched.
    """
    require_permission(mapping, own_uids=own_uids)
    catalogue = site_catalogue(places.codes) if places.codes else load_catalogue()
    require_agreement(origin, mapping, catalogue)
    source = mapping.source
    pseudonyms = Pseudonyms.open(places.keys)
    with build_snapshot(
        places.warehouse, source=f"mapping {source.name}", synthetic=False, public=source.public
    ) as building:
        staging = Staging(building.connection, mapping, catalogue, places.files)
        _fill(staging, pseudonyms, report)
        staging.write_rejected(building.directory / REJECTED)
        rejected = staging.rejected()
        snapshot = building.finish(source.reference_date, *source.dates, report=report)
    return Loaded(snapshot, rejected)


def require_permission(mapping: VendorMapping, *, own_uids: bool) -> None:
    if not (own_uids or mapping.source.public):
        raise LoadRefused(
            "Workspaces here share one uid, so this enclave takes synthetic or public data only. Run "
            "the enclave and this command as root (each workspace then gets its own uid), or declare "
            "`public = true` in the mapping's [source] if this is a public data set."
        )


def _fill(staging: Staging, pseudonyms: Pseudonyms, report: Callable[[str], None]) -> None:
    staging.prepare()
    report("patients")
    load_people(staging, pseudonyms)
    for file in dict.fromkeys(rows.file for rows in staging.mapping.rows):
        report(staging.mapping.files[file].path)
        load_facts(staging, file)
