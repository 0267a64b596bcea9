"""A file's name: what it pretends to be. Pure; the name is never printed, only described."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from hub_config.airlock.checks.inside.kinds import agrees, extension_of, is_known_extension, named_kind
from hub_config.airlock.checks.inside.preview import shows
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import Finding, Rule, Severity

_LONGEST_NAME: Final = 120
_OUTSIDE: Final = frozenset('/\\:*?"<>|')
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)


def findings_of_name(name: str, kind: FileKind) -> tuple[Finding, ...]:
    """What is wrong with `name`, for a file whose bytes say `kind`."""
    deceptions = tuple(
        Finding(Rule.DECEPTIVE_NAME, Severity.BLOCKING, None, {"how": how}) for how in _deceptions(name)
    )
    if agrees(name, kind) or kind is FileKind.UNKNOWN:
        return deceptions
    said = named_kind(name)
    params = {"said": said.value if said else "", "found": kind.value}
    severity = Severity.BLOCKING if said else Severity.WARNING
    return (*deceptions, Finding(Rule.NAME_DISAGREES, severity, None, params))


def _deceptions(name: str) -> Iterator[str]:
    if not all(map(shows, name)):
        yield "invisible"
    if len(_scripts(name)) > 1 or unicodedata.normalize("NFKC", name) != unicodedata.normalize("NFC", name):
        yield "look-alikes"
    if set(name) & _OUTSIDE or name in ("", ".", ".."):
        yield "path"
    if name.startswith((".", "-", "~", " ")) or name.endswith((" ", ".")):
        yield "edges"
    if len(name) > _LONGEST_NAME:
        yield "long"
    stem = name[: -len(extension_of(name)) - 1] if extension_of(name) else name
    if "." in stem and is_known_extension(extension_of(stem)):
        yield "two-extensions"
    if stem.split(".")[0].lower() in _RESERVED:
        yield "reserved"


def _scripts(name: str) -> set[str]:
    """The scripts of the letters, Latin always among them: an extension is Latin."""
    letters = (each for each in name if each.isalpha())
    return {"LATIN"} | {unicodedata.name(each, "UNKNOWN ?").split()[0] for each in letters}
