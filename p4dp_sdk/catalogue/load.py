"""Reads the catalogue's own files: one TOML a table, one CSV a code system. Malformed data is an error."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from p4dp_sdk.catalogue.model import Catalogue, Code, CodeSystem, Column, Role, Table, Unit


@cache
def load_catalogue() -> Catalogue:
    """The enclave's data model: every table and code system, whether granted or not."""
    here = files(__package__)
    tables = [
        _table(path)
        for path in sorted((here / "tables").iterdir(), key=lambda p: p.name)
        if path.name.endswith(".toml")
    ]
    systems = tomllib.loads((here / "codes" / "systems.toml").read_text(encoding="utf-8"))
    return Catalogue(
        tables={table.name: table for table in tables},
        code_systems={name: _code_system(name, meta, here / "codes") for name, meta in systems.items()},
    )


def _table(path: Traversable) -> Table:
    fields = tomllib.loads(path.read_text(encoding="utf-8"))
    columns = tuple(_column(column) for column in fields.pop("columns"))
    return Table(
        name=path.name.removesuffix(".toml"), unit=Unit(fields.pop("unit")), columns=columns, **fields
    )


def _column(fields: dict[str, Any]) -> Column:
    bounds = fields.pop("bounds", None)
    return Column(role=Role(fields.pop("role")), bounds=tuple(bounds) if bounds else None, **fields)


def _code_system(name: str, meta: dict[str, Any], directory: Traversable) -> CodeSystem:
    if meta.get("site"):
        return CodeSystem(name=name, codes=(), **meta)
    with (directory / f"{name}.csv").open(encoding="utf-8") as file:
        codes = tuple(
            Code(row["code"], row["label_fr"], row["label_en"], row.get("parent") or None)
            for row in csv.DictReader(file)
        )
    return CodeSystem(name=name, codes=codes, **meta)
