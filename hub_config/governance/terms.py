"""What a charter must keep to before it can become a project. Pure: no I/O, no clock.

A grant names only what the catalogue and the snapshot have, and never what is not theirs to give: enclave
tables, GP identifiers, SNDS tables without the SNDS flag. A project's thresholds may be stricter than the
site's, never looser; the unprotected sandbox exists on synthetic data only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from hub_config.governance.centres import Merged, denied, too_small
from hub_config.governance.charter import Charter
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.problems import BadGrant, BadProject, did_you_mean
from hub_config.governance.services import PREFIX, is_service
from hub_config.sections import PolicySettings
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Catalogue, Role, Table, Unit
from p4dp_sdk.disclosure.policy import BadPolicy

_SLUG = re.compile(  # JupyterHub takes no longer name for a server, and a project is one
    r"(?=.{3,30}$)[a-z][a-z0-9]*(-[a-z0-9]+)*"
)
_USER = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


@dataclass(frozen=True)
class SnapshotTerms:
    """What a grant must know of its snapshot. `centres` None: not looked up, so a grant may not name any.
    They are those on record: `merged` says which of them are one in the snapshot."""

    number: int
    synthetic: bool
    centres: frozenset[str] | None = None
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)  # of centres, in words
    rolling: str | None = None  # the population, where the project is to follow it
    merged: Merged = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Terms:
    snapshot: SnapshotTerms
    policy: PolicySettings = field(default_factory=PolicySettings)
    catalogue: Catalogue = field(default_factory=load_catalogue)


def every_table(catalogue: Catalogue | None = None) -> dict[str, frozenset[str] | None]:
    """All columns of every table about patients and every reference table, those of the SNDS apart."""
    tables = (catalogue or load_catalogue()).tables.values()
    return {t.name: None for t in tables if t.unit in (Unit.PERSON, Unit.PUBLIC) and not t.snds}


def check(charter: Charter, terms: Terms) -> None:
    """Raises BadProject for the project itself, BadGrant, with every problem, for its grant."""
    for problem in _project_problems(charter, terms):
        raise BadProject(problem)
    if problems := tuple(_grant_problems(charter.grant, terms)):
        raise BadGrant(problems)


def username(user: str) -> str:
    """A user's name as the hub knows it: the hub lowers what the identity provider gives."""
    return user.strip().lower()


def is_username(name: str) -> bool:
    return _USER.fullmatch(name) is not None and not is_service(name)


def bad_username(user: str) -> str:
    return (
        f"{user!r} can't be a user's name: letters, digits and . _ @ + - only, "
        f"and {PREFIX!r} begins the names of services."
    )


def _project_problems(charter: Charter, terms: Terms) -> Iterator[str]:
    if not _SLUG.fullmatch(charter.slug):
        yield (
            f"{charter.slug!r} can't name a project: 3 to 30 lower-case letters, digits and single hyphens, "
            "a letter first."
        )
    if not charter.title.strip() or len(charter.title) > 200:
        yield "A project has a title of 1 to 200 characters."
    if not charter.purpose.strip():
        yield "A project states its purpose."
    for user in charter.members:
        if not is_username(username(user)):
            yield bad_username(user)
    if charter.snapshot != terms.snapshot.number:
        pinned, checked = charter.snapshot, terms.snapshot.number
        yield f"The project is pinned to snapshot {pinned}, but was checked against {checked}."
    if charter.rolling != terms.snapshot.rolling:
        yield "The project was checked as pinned and is to roll, or the other way round."
    yield from _policy_problems(charter, terms.policy)
    yield from _sandbox_problems(charter, terms.snapshot)


def _policy_problems(charter: Charter, site: PolicySettings) -> Iterator[str]:
    try:
        site.policy().tightened(charter.policy)
    except BadPolicy as problem:
        yield f"policy: {problem}."


def _sandbox_problems(charter: Charter, snapshot: SnapshotTerms) -> Iterator[str]:
    sandbox = charter.grant.access is AccessLevel.SANDBOX
    if sandbox and not snapshot.synthetic:
        yield (
            f"Snapshot {snapshot.number} holds real people: sandbox access is for synthetic snapshots. "
            "Grant `aggregate`."
        )
    if charter.open_to_all and not sandbox:
        yield "Only a sandbox project is open to everyone who logs in: name this project's members."


def _grant_problems(grant: Grant, terms: Terms) -> Iterator[str]:
    if not grant.tables:
        yield "tables: name at least one."
    if not grant.legal_basis.strip():
        yield "legal_basis: state it (MR-004, authorisation…)."
    if grant.date_from and grant.date_to and grant.date_from > grant.date_to:
        yield f"dates: {grant.date_from} is after {grant.date_to}."
    yield from _centre_problems(grant.centres, terms.snapshot)
    for name, columns in grant.tables.items():
        yield from _table_problems(name, columns, grant, terms.catalogue)


def _centre_problems(centres: Collection[str] | None, snapshot: SnapshotTerms) -> Iterator[str]:
    if centres is not None and not centres:
        yield "centres: name at least one, or leave the key out for all."
    known = snapshot.centres or frozenset()
    for centre in sorted(set(centres or ()) - known):
        yield f"centres: snapshot {snapshot.number} has no centre {centre!r}.{did_you_mean(centre, known)}"
    for each in denied(frozenset(centres or ()), snapshot.merged):
        yield f"centres: in snapshot {snapshot.number}, {too_small(each)}"


def _table_problems(
    name: str, columns: Collection[str] | None, grant: Grant, catalogue: Catalogue
) -> Iterator[str]:
    grantable = {table.name: table for table in catalogue.tables.values() if table.unit is not Unit.ENCLAVE}
    table = grantable.get(name)
    if table is None:
        yield f"tables: there is no table {name!r} to grant.{did_you_mean(name, grantable)}"
        return
    if table.snds and not grant.snds:
        yield f"tables: {name!r} comes from the SNDS: it needs `snds = true`, by the committee's decision."
    if columns is not None:
        yield from _column_problems(table, columns, grant.access)


def _column_problems(table: Table, columns: Collection[str], access: AccessLevel) -> Iterator[str]:
    if not columns:
        yield f"tables: {table.name!r} with no column; leave the columns out for all of them."
    grantable = {column.name: column for column in table.columns if not column.role.hidden}
    for name in sorted(columns):
        if name not in grantable:
            yield f"tables: {table.name!r} has no column {name!r} to grant.{did_you_mean(name, grantable)}"
        elif (
            grantable[name].role is Role.RAW and table.unit is Unit.PERSON and access is AccessLevel.AGGREGATE
        ):
            yield f"tables: {table.name}.{name} is a raw value: it needs microdata access."
