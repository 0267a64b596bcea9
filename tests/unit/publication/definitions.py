"""Definitions over the whole catalogue, authorised but bound to no data: what decides reads them alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import ibis

from hub_config.gateway.rules.plan import PATIENT, PHYSICIAN, AuthorisedQuery, BoundTable
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Role, Table, Unit
from p4dp_sdk.disclosure.policy import Policy
from tests.services.gateway.peer_enclave import table

_HIDDEN = {Unit.PERSON: {PATIENT: "int64", PHYSICIAN: "int32"}, Unit.PHYSICIAN: {PHYSICIAN: "int32"}}
_SITES = {"centre": ("C1", "C2", "C3", "C4", "C5"), "region": ("R1", "R2")}


@cache
def _domains() -> dict[str, tuple[str, ...]]:
    systems = load_catalogue().code_systems.values()
    return {system.name: tuple(code.code for code in system.codes) for system in systems} | _SITES


@cache
def _tables() -> dict[str, BoundTable]:
    tables = load_catalogue().tables
    return {name: _bound(table) for name, table in tables.items() if table.unit is not Unit.ENCLAVE}


def _bound(described: Table) -> BoundTable:
    seen = tuple(c for c in described.columns if not c.role.hidden and c.role is not Role.RAW)
    schema = {column.name: column.dtype for column in seen} | _HIDDEN.get(described.unit, {})
    return BoundTable(replace(described, columns=seen), ibis.table(schema, name=described.name))


def seen(name: str) -> Any:
    """A catalogue table as a notebook has it. (`Any`: its columns are attributes.)"""
    return table(name)


def codes(system: str) -> tuple[str, ...]:
    return _domains()[system]


def asked(expression: ibis.Expr, policy: Policy | None = None) -> AuthorisedQuery:
    calendar = (date(2000, 1, 1), date(2022, 12, 31))
    return AuthorisedQuery(
        expression, _tables(), _domains(), calendar, AccessLevel.AGGREGATE, policy or Policy()
    )


def counted(persons: Any, *keys: str, **named: Any) -> Any:
    return persons.group_by(*keys, **named).agg(n=lambda t: t.patient_id.nunique())
