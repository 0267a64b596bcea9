"""The shared lists of an enclave: added once checked, listed, shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from hub_config.codelists.in_force import books
from hub_config.codelists.keeping import put, shared_folder
from hub_config.codelists.problems import CodeListProblem
from hub_config.governance.audit import AuditChain, AuditEvent, Decision
from hub_config.governance.problems import did_you_mean
from hub_config.settings import Settings
from p4dp_sdk.catalogue.code_lists import BadCodeList, ListDocument, Patterns, checked, parse_document
from p4dp_sdk.catalogue.code_lists.document import MAX_BYTES, placed, version_order

Report = Callable[[str], None]


@dataclass(frozen=True)
class Shared:
    """One version of one shared list."""

    path: Path
    document: ListDocument


def add(settings: Settings, source: Path, who: str) -> tuple[Shared, Patterns]:
    """Take the list in the file `source` in; with it, which of its codes name nothing in this enclave.

    Raises CodeListProblem where the file is no list, names what does not exist, takes a name of the lists
    that ship, or says again a version that is there.
    """
    data = _read(source)
    document, missing = _understood(settings, data, source.name)
    if document.id in starter_ids():
        raise CodeListProblem(
            f"{document.id!r} is the name of a list that ships with the SDK, on which indicators rest. Give "
            "yours a name of its own."
        )
    path = shared_folder(settings.home, "codelists", document.id) / f"{document.version}.toml"
    if path.exists():
        raise CodeListProblem(
            f"Version {document.version} of {document.id!r} is there already, and results may rest on it. "
            "Give the changed list a new version."
        )
    details = {"list": document.id, "version": document.version}
    event = AuditEvent(who, "codelist.add", None, Decision.ALLOWED, details)
    put(path, data, event, AuditChain(settings.audit_dir, settings.keys_dir))
    return Shared(path, document), missing


def shared(settings: Settings) -> Iterator[Shared]:
    """Every version of every shared list, in order. One that broke since raises CodeListProblem."""
    paths = sorted(settings.codelists_dir.glob("*/*.toml"))
    found = [Shared(path, _parsed(_read(path), str(path))) for path in paths]
    yield from sorted(found, key=lambda one: (one.document.id, version_order(one.document.version)))


def find(settings: Settings, name: str, version: str | None) -> Shared:
    """The list called `name`, in its newest version unless one is named. Raises CodeListProblem."""
    every = list(shared(settings))
    found = [one for one in every if one.document.id == name and version in (None, one.document.version)]
    if not found:
        said = f"{name!r}" if version is None else f"{name!r} in version {version}"
        known = {one.document.id for one in every}
        raise CodeListProblem(
            f"There is no shared list {said}.{did_you_mean(name, known)} "
            "`p4dp-enclave codelist list` shows them."
        )
    return found[-1]


@cache
def starter_ids() -> frozenset[str]:
    """Names of the lists that ship with the SDK."""
    folder = files("p4dp_sdk") / "codelists" / "starter"
    return frozenset(path.name.removesuffix(".toml") for path in folder.iterdir())


def _understood(settings: Settings, data: bytes, name: str) -> tuple[ListDocument, Patterns]:
    document = _parsed(data, name)
    in_force = books(settings)
    try:
        _codes, missing = checked(document.codes, in_force)
        _without, more = checked(document.exclude, in_force)
    except BadCodeList as bad:
        raise CodeListProblem.of(placed(bad, data, name)) from None
    return document, {s: missing.get(s, ()) + more.get(s, ()) for s in sorted({*missing, *more})}


def _parsed(data: bytes, name: str) -> ListDocument:
    try:
        return parse_document(data, name)
    except BadCodeList as bad:
        raise CodeListProblem.of(bad) from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
