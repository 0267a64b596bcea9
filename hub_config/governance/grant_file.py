"""Reads a grant from a TOML file or a command's options. Unknown keys and ill-typed values are refused.

    access = "aggregate"            # aggregate, microdata or sandbox
    legal_basis = "MR-004"
    centres = ["C01", "C02"]        # left out: every centre
    date_from = 2015-01-01          # events of these days, both included; left out: all
    date_to = 2019-12-31
    expires_on = 2027-06-30         # last day of the grant
    snds = false
    recontact = false               # may ask practices to tell patients of a study
    tables = "all"                  # every table but the SNDS's; or, table by table:

    [tables]
    patients = "all"
    diagnoses = ["patient_id", "date", "cisp2"]

    [policy]                        # stricter than the site's, key by key; left out: as the site
    min_patients = 20

Whether tables, columns and centres exist, and what a policy may say, is for `terms.check` to judge.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.problems import BadGrant, did_you_mean
from hub_config.governance.terms import every_table

ALL = "all"


@dataclass(frozen=True)
class GrantFile:
    """What a file says: the grant, and the project's policy (None: nothing of it)."""

    grant: Grant
    policy: Mapping[str, Any] | None = None


class _GrantDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    access: Literal["aggregate", "microdata", "sandbox"]
    legal_basis: str
    tables: Literal["all"] | dict[str, Literal["all"] | list[str]]
    centres: list[str] | None = None
    date_from: date | None = None
    date_to: date | None = None
    expires_on: date | None = None
    snds: bool = False
    recontact: bool = False
    policy: dict[str, int | float | str] | None = None


def read_grant_file(path: Path) -> GrantFile:
    """The grant and the policy in a TOML file. Raises BadGrant with every problem found."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadGrant([f"{path} can't be read: {error.strerror}."]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadGrant([f"{path} is not valid TOML: {error}."]) from None
    return parse_grant(document)


def parse_grant(document: Mapping[str, Any]) -> GrantFile:
    """What a document with the keys shown above says. Raises BadGrant with every problem found."""
    try:
        said = _GrantDocument.model_validate(document)
    except ValidationError as error:
        raise BadGrant(_explanations(error)) from None
    grant = Grant(
        access=AccessLevel(said.access),
        tables=_tables(said.tables),
        centres=None if said.centres is None else frozenset(said.centres),
        date_from=said.date_from,
        date_to=said.date_to,
        expires_on=said.expires_on,
        legal_basis=said.legal_basis,
        snds=said.snds,
        recontact=said.recontact,
    )
    return GrantFile(grant, said.policy)


def parse_table_options(options: Iterable[str]) -> str | dict[str, str | list[str]]:
    """`all`, `patients` or `diagnoses:date,cisp2`, as a grant file says them.

    A table given twice has the columns of both.
    """
    tables: dict[str, str | list[str]] = {}
    for option in options:
        if option == ALL:
            return ALL
        name, colon, columns = option.partition(":")
        tables[name] = [*_listed(tables.get(name)), *columns.split(",")] if colon else ALL
    return tables


def _listed(columns: str | list[str] | None) -> list[str]:
    return columns if isinstance(columns, list) else []


def _tables(said: str | Mapping[str, str | list[str]]) -> dict[str, frozenset[str] | None]:
    if isinstance(said, str):
        return every_table()
    return {name: None if isinstance(columns, str) else frozenset(columns) for name, columns in said.items()}


def _explanations(error: ValidationError) -> list[str]:
    """One line a key. A union gives a message for each of its members; the first says enough."""
    found: dict[str, str] = {}
    for item in error.errors(include_input=False, include_url=False):
        key = str(item["loc"][0])
        found.setdefault(key, _explanation(key, item["type"], item["msg"]))
    return [f"{key}: {why}" for key, why in found.items()]


def _explanation(key: str, kind: str, message: str) -> str:
    match kind:
        case "extra_forbidden":
            return f"a grant has no such key.{did_you_mean(key, _GrantDocument.model_fields)}"
        case "missing":
            return "is missing."
        case _ if key == "policy":
            return "expected a table of numbers, and `method` as a text."
        case _ if key == "tables":
            return 'expected "all", or a table of names, each "all" or a list of columns.'
        case _:
            return f"{message}."
