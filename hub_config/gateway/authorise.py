"""What a project may name: facts and catalogue in, visible tables out. Pure.

A column is visible if the grant gives it and its role may be seen: a physician's number never, a raw value
only where rows may be seen. A table nobody may see here does not exist for the query.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import assert_never

import ibis

from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts
from hub_config.sections import PolicySettings
from p4dp_sdk.catalogue.model import Catalogue, Column, Role, Table, Unit
from p4dp_sdk.disclosure.policy import Policy

_BEARING = frozenset({Role.PATIENT, Role.PHYSICIAN})  # whom objections and thresholds are about


def held_by(catalogue: Catalogue, stored: Mapping[str, Collection[str]]) -> Catalogue:
    """What a snapshot holds of the data model, by the columns it stores: one made before a table or a column
    was thought of lacks it. A table without what limits stand on is lacking whole."""
    tables = {
        name: _narrowed(table, stored[name])
        for name, table in catalogue.tables.items()
        if name in stored and _bears_limits(table, stored[name])
    }
    return replace(catalogue, tables=tables)


def _narrowed(table: Table, stored: Collection[str]) -> Table:
    columns = tuple(column for column in table.columns if column.stored_as in stored)
    held = any(column.name == table.key for column in columns)
    return (
        table
        if columns == table.columns
        else replace(table, columns=columns, key=table.key if held else None)
    )


def _bears_limits(table: Table, stored: Collection[str]) -> bool:
    """Whether objections, thresholds and every grant's centres and dates can be applied to it."""
    needed = (
        column
        for column in table.columns
        if column.role in _BEARING or column.name in (table.date, "centre_id")
    )
    return all(column.stored_as in stored for column in needed)


def visible_tables(catalogue: Catalogue, grant: Grant) -> Mapping[str, Table]:
    """The granted tables by name, each with its visible columns only."""
    tables = (
        _visible(catalogue.tables[name], grant) for name in sorted(grant.tables) if name in catalogue.tables
    )
    return {table.name: table for table in tables if table is not None}


def visible_schema(table: Table) -> ibis.Schema:
    """The Ibis schema a workspace sees of a visible table."""
    return ibis.schema({column.name: column.dtype for column in table.columns})


def sees_rows(access: AccessLevel) -> bool:
    """Whether individual rows reach the workspace: then identifiers are pseudonyms and raw values are
    readable.
    """
    match access:
        case AccessLevel.MICRODATA | AccessLevel.SANDBOX:
            return True
        case AccessLevel.AGGREGATE:
            return False
        case _:
            assert_never(access)


def policy_of(facts: ProjectFacts, site: PolicySettings, max_cells: int) -> Policy:
    """The site's policy with what the project's makes stricter."""
    return site.policy(max_cells=max_cells).strictest(facts.policy)


def calendar_of(grant: Grant, first: date, last: date) -> tuple[date, date]:
    """The snapshot's dates, narrowed to the grant's."""
    return max(first, grant.date_from or first), min(last, grant.date_to or last)


def _visible(table: Table, grant: Grant) -> Table | None:
    if table.unit is Unit.ENCLAVE or (table.snds and not grant.snds):
        return None
    granted = grant.tables[table.name]
    columns = tuple(
        column
        for column in table.columns
        if _is_visible(column, grant.access) and (granted is None or column.name in granted)
    )
    dated = table.date if any(column.name == table.date for column in columns) else None
    return replace(table, columns=columns, date=dated) if columns else None


def _is_visible(column: Column, access: AccessLevel) -> bool:
    match column.role:
        case Role.PHYSICIAN | Role.INTERN:
            return False
        case Role.RAW:
            return sees_rows(access)
        case Role.PATIENT | Role.EVENT | Role.CODE | Role.DATE | Role.NUMERIC:
            return True
        case _:
            assert_never(column.role)
