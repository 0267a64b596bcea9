"""Writes the whoami and catalogue documents from facts, catalogue and snapshot. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hub_config.gateway.authorise import calendar_of, held_by, visible_tables
from hub_config.gateway.documents import (
    CatalogueDocument,
    CodeDocument,
    CodeSystemDocument,
    ColumnDocument,
    LimitsDocument,
    PolicyDocument,
    SnapshotDocument,
    TableDocument,
    WhoamiDocument,
)
from hub_config.governance.bindings import Binding
from hub_config.governance.facts import Grant, ProjectFacts
from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.catalogue.model import Catalogue, CodeSystem, Column, Table
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.protocol import PROTOCOL_VERSION, Limits

SiteCodes = Mapping[str, tuple[tuple[str, str], ...]]


def whoami_document(
    binding: Binding, facts: ProjectFacts, snapshot: Snapshot, policy: Policy, limits: Limits, request_id: str
) -> WhoamiDocument:
    return WhoamiDocument(
        protocol=PROTOCOL_VERSION,
        user=binding.user,
        project=facts.slug,
        title=facts.title,
        purpose=facts.purpose,
        access=facts.grant.access,
        legal_basis=facts.grant.legal_basis,
        expires_on=facts.grant.expires_on,
        snds=facts.grant.snds,
        snapshot=snapshot_document(snapshot, facts.grant),
        policy=PolicyDocument(min_patients=policy.min_patients, min_physicians=policy.min_physicians),
        limits=LimitsDocument(
            request_bytes=limits.request_bytes,
            depth=limits.depth,
            nodes=limits.nodes,
            cells=limits.cells,
            seconds=limits.seconds,
        ),
        request_id=request_id,
    )


def catalogue_document(
    catalogue: Catalogue, facts: ProjectFacts, snapshot: Snapshot, site: SiteCodes, request_id: str
) -> CatalogueDocument:
    """The visible tables and the code systems their columns use."""
    tables = visible_tables(held_by(catalogue, snapshot.columns), facts.grant)
    used = {column.codes for table in tables.values() for column in table.columns if column.codes}
    return CatalogueDocument(
        protocol=PROTOCOL_VERSION,
        project=facts.slug,
        snapshot=snapshot_document(snapshot, facts.grant),
        tables=tuple(_table(table) for table in tables.values()),
        code_systems=tuple(_code_system(catalogue.code_systems[name], site) for name in sorted(used)),
        request_id=request_id,
    )


def snapshot_document(snapshot: Snapshot, grant: Grant) -> SnapshotDocument:
    manifest = snapshot.manifest
    first, last = calendar_of(grant, manifest.first_date, manifest.last_date)
    return SnapshotDocument(
        number=manifest.number,
        source=manifest.source,
        synthetic=manifest.synthetic,
        reference_date=manifest.reference_date,
        first_date=first,
        last_date=last,
    )


def _table(table: Table) -> TableDocument:
    return TableDocument(
        name=table.name,
        unit=table.unit,
        label_fr=table.label_fr,
        label_en=table.label_en,
        description_fr=table.description_fr,
        description_en=table.description_en,
        date=table.date,
        snds=table.snds,
        columns=tuple(_column(column) for column in table.columns),
    )


def _column(column: Column) -> ColumnDocument:
    return ColumnDocument(
        name=column.name,
        dtype=column.dtype,
        role=column.role,
        label_fr=column.label_fr,
        label_en=column.label_en,
        codes=column.codes,
        unit=column.unit,
        bounds=column.bounds,
    )


def _code_system(system: CodeSystem, site: SiteCodes) -> CodeSystemDocument:
    return CodeSystemDocument(
        name=system.name,
        label_fr=system.label_fr,
        label_en=system.label_en,
        site=system.site,
        parents=system.parents,
        codes=_site_codes(site[system.name]) if system.site else _codes(system),
    )


def _codes(system: CodeSystem) -> tuple[CodeDocument, ...]:
    return tuple(
        CodeDocument(code=code.code, label_fr=code.label_fr, label_en=code.label_en, parent=code.parent)
        for code in system.codes
    )


def _site_codes(pairs: tuple[tuple[str, str], ...]) -> tuple[CodeDocument, ...]:
    return tuple(
        CodeDocument(code=code, label_fr=label, label_en=label, parent=None) for code, label in pairs
    )
