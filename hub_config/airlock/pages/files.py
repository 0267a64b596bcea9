"""One file of a request as the templates show it: what is found in it, where it comes from, what is like it
among what left before, what changed since it was last asked for. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub_config.airlock.checks import Preview, TableBlock
from hub_config.airlock.checks.texts import Words
from hub_config.airlock.pages import changes, names, previews
from hub_config.airlock.pages.changes import Change
from hub_config.airlock.pages.names import Part
from hub_config.airlock.pages.previews import BlockView, FoundView, Language
from hub_config.airlock.pages.provenance import Provenance, definition_of, provenance
from hub_config.airlock.pages.tables import Comparison, Table, compare
from hub_config.airlock.pages.words import CLASSES, KINDS
from hub_config.governance.releases.facts import CheckState, FileFacts, FileKind, RequestFacts, Review
from hub_config.governance.releases.findings import Rule, Severity

_NOT_DRAWN: Final = frozenset({Rule.ACTIVE_CONTENT, Rule.EXTERNAL_LINK, Rule.EMBEDDED_OBJECT})
_NEIGHBOURS: Final = 6  # no more than a person compares


@dataclass(frozen=True)
class Material:
    """A file, and what of it lies on the shelf. `quarantine`: why it was put aside, in words."""

    facts: FileFacts
    preview: Preview
    quarantine: Words | None = None


@dataclass(frozen=True)
class Released:
    """A file that the project has released before."""

    request: str
    facts: FileFacts
    released_at: datetime
    preview: Preview


@dataclass(frozen=True)
class Left:
    """What left before and is like something that is asked for, the newest first; `older`: so many more are,
    and are not compared."""

    files: tuple[Released, ...] = ()
    older: int = 0


@dataclass(frozen=True)
class Before:
    """The request that this one resubmits."""

    request: RequestFacts
    previews: Mapping[str, Preview]  # by SHA-256


@dataclass(frozen=True)
class NeighbourView:
    name: tuple[Part, ...]
    released_on: datetime
    same_bytes: bool
    same_definition: bool
    compared: Comparison | None


@dataclass(frozen=True)
class FileView:
    number: int
    name: tuple[Part, ...]
    odd_name: bool
    kind: str
    bytes: int
    sha256: str
    checker: str
    output_class: str
    class_label: str
    pending: bool
    quarantined: bool
    quarantine: Words | None
    findings: tuple[FoundView, ...]
    blocks: tuple[BlockView, ...]
    blocking: int
    warnings: int
    provenance: Provenance
    neighbours: tuple[NeighbourView, ...] = ()
    farther: int = 0  # neighbours that are not shown
    change: Change | None = None
    compared: Comparison | None = None
    drawn: bool = False  # an SVG that the page shows
    folded: bool = False  # unchanged, and nobody who read it objected
    my_verdict: str = ""


def file_view(material: Material, language: Language) -> FileView:
    file = material.facts
    found, blocks = previews.shown(file, material.preview, language)
    return FileView(
        number=file.number,
        name=names.parts(file.name),
        odd_name=names.is_odd(file.name),
        kind=KINDS[file.kind],
        bytes=file.size,
        sha256=file.sha256,
        checker=file.checker,
        output_class=file.output_class.value,
        class_label=CLASSES[file.output_class],
        pending=file.checked is CheckState.PENDING,
        quarantined=file.checked is CheckState.QUARANTINED,
        quarantine=material.quarantine,
        findings=found,
        blocks=blocks,
        blocking=count(file, Severity.BLOCKING),
        warnings=count(file, Severity.WARNING),
        provenance=provenance(file, language),
        drawn=is_drawn(file),
    )


def is_drawn(file: FileFacts) -> bool:
    """Whether its own bytes may be shown: an SVG in which nothing acts, and nothing leads elsewhere."""
    stops = {finding.rule for finding in file.findings if finding.severity is Severity.BLOCKING}
    return file.kind is FileKind.SVG and file.checked is CheckState.CHECKED and not stops & _NOT_DRAWN


def count(file: FileFacts, severity: Severity) -> int:
    return sum(finding.severity is severity for finding in file.findings)


def whole(
    material: Material,
    language: Language,
    released: Sequence[Released],
    before: Before | None,
    mine: Review | None,
) -> FileView:
    """The file beside what was released, and what it was before; `mine` is the reader's own vote."""
    file, near = material.facts, _neighbours(material, released)
    view = replace(
        file_view(material, language),
        neighbours=near[:_NEIGHBOURS],
        farther=len(near[_NEIGHBOURS:]),
        my_verdict=mine.files[file.number].value if mine and file.number in mine.files else "",
    )
    if before is None:
        return view
    change = changes.change_of(file, before.request.files)
    old = changes.earlier(file, before.request.files) if change is Change.CHANGED else None
    compared = _compared(material.preview, before.previews[old.sha256]) if old else None
    folded = change is Change.SAME and not changes.objected(file, before.request)
    return replace(view, change=change, compared=compared, folded=folded)


# --- neighbours --------------------------------------------------------------------------------------------


def _neighbours(material: Material, released: Sequence[Released]) -> tuple[NeighbourView, ...]:
    """Those that could be subtracted from this file: of the same bytes, definition or columns; what differs
    by a few people first, then the newest."""
    near = [_neighbour(material, other) for other in released]
    kept = [one for one in near if one.same_bytes or one.same_definition or one.compared is not None]
    return tuple(sorted(kept, key=_nearness))


def _neighbour(material: Material, other: Released) -> NeighbourView:
    ours, theirs = definition_of(material.facts), definition_of(other.facts)
    return NeighbourView(
        name=names.parts(other.facts.name),
        released_on=other.released_at,
        same_bytes=material.facts.sha256 == other.facts.sha256,
        same_definition=bool(ours) and ours == theirs,
        compared=_compared(material.preview, other.preview),
    )


def _nearness(one: NeighbourView) -> tuple[bool, int, float]:
    few = one.compared.small if one.compared else 0
    return not one.same_bytes, -few, -one.released_on.timestamp()


def _compared(now: Preview, before: Preview) -> Comparison | None:
    """Of the first tables in both that have the same columns."""
    for ours in _tables(now):
        for theirs in _tables(before):
            if (compared := compare(ours, theirs)) is not None:
                return compared
    return None


def _tables(preview: Preview) -> list[Table]:
    return [Table(b.title, b.header, b.rows) for b in preview.blocks if isinstance(b, TableBlock)]
