"""One file that somebody asks to take out: what the enclave can prove of it, what is put on the shelf, what
the checks find. Blocks for as long as the checks take: call it from a thread.

    received = receive(desk, "these-ines", "table.csv", content)
    drafting.add_file(session, person, request, received.name, received.shelved, received.checked, …)

What is shelved is what is reviewed and released: for a genuine table or figure, the airlock's own rendering;
for a file that a checker can write anew from what it read, that one (`_anew`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from hub_config.airlock.actions.drafting import Checked
from hub_config.airlock.checks import (
    Bounds,
    Context,
    Inspection,
    Preview,
    Quarantine,
    Reason,
    Sizes,
    inspect,
    inspect_bytes,
    preview_document,
)
from hub_config.airlock.proofs import Classification, Standing, classify, read_keys, standing_of
from hub_config.airlock.proofs.notebooks import classify_notebook
from hub_config.airlock.proofs.reproduced import digest, of_runs
from hub_config.airlock.pseudonyms import PseudonymSearch, Searched
from hub_config.airlock.shelf import Shelf, Shelved
from hub_config.airlock.texts import AirlockProblem, Problem
from hub_config.governance.releases.facts import CheckState, FileKind, OutputClass
from hub_config.governance.releases.findings import Finding, Rule, Severity
from hub_config.governance.report_runs.reading import approvals, runs_like, runs_that_kept
from hub_config.governance.store import Store
from hub_config.settings import Settings

Search = Callable[[str, int, Sequence[int]], Searched]
WRITTEN_ANEW: Final = frozenset({FileKind.PNG, FileKind.JPEG, FileKind.XLSX, FileKind.PARQUET})
_MEGABYTE: Final = 1024**2


class Desk(Protocol):
    """What is needed of the airlock's desk."""

    @property
    def store(self) -> Store: ...
    @property
    def shelf(self) -> Shelf: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def now(self) -> Callable[[], datetime]: ...


@dataclass(frozen=True)
class Received:
    """What to name in a request: `name` may end otherwise than that sent, where it asked for no form."""

    name: str
    shelved: Shelved
    checked: Checked


def receive(desk: Desk, project: str, name: str, content: bytes, search: Search | None = None) -> Received:
    """Take `content` in for a request of `project`. Raises AirlockProblem (too large), UnknownProject,
    OSError; nothing for what the file holds."""
    limit = desk.settings.airlock.file_bytes
    if len(content) > limit:
        raise AirlockProblem(Problem.FILE_TOO_BIG, megabytes=limit // _MEGABYTE)
    standing = _standing(desk, project)
    known = _classified(desk, name, content, standing)
    kept = known.rendering.content if known.rendering else content
    called = known.rendering.name if known.rendering else name
    bounds, context = _bounds(desk.settings), _context(standing)
    shelved = desk.shelf.put(kept, limit=limit)
    inspection = inspect(desk.shelf.path(shelved.sha256), called, bounds=bounds, context=context)
    if known.output_class is OutputClass.UNVERIFIED and inspection.anew:
        called = _named(called, inspection)
        shelved = desk.shelf.put(inspection.anew, limit=bounds.input_bytes)
        inspection = _anew(inspection, inspect_bytes(inspection.anew, called, bounds=bounds, context=context))
    elif _is_silent(known, inspection):
        inspection = replace(inspection, preview=Preview(), quarantined=Quarantine(Reason.NOT_THE_SAME_ANEW))
    checker = _told(inspection.version, called, standing)
    if inspection.quarantined is None:
        document = preview_document(inspection.preview)
        desk.shelf.put_preview(shelved.sha256, checker, document)
    search = search or PseudonymSearch(desk.settings.gateway_control_socket)
    return Received(called, shelved, _checked(known, inspection, standing, search, checker))


def _is_silent(known: Classification, inspection: Inspection) -> bool:
    """Whether a box that had to write a file anew did not: a file that has taken it over would keep it so."""
    owed = inspection.kind in WRITTEN_ANEW and inspection.quarantined is None
    return owed and known.output_class is OutputClass.UNVERIFIED


def _named(name: str, inspection: Inspection) -> str:
    """A photograph's pixels come as PNG."""
    return str(Path(name).with_suffix(".png")) if inspection.kind is FileKind.JPEG else name


def _anew(before: Inspection, after: Inspection) -> Inspection:
    """Of a file written anew. The box that read the requester's bytes is not believed: another has read what
    it wrote, and would write the very same. What stops the requester's own file stops it still: who sends a
    hidden sheet is told, and takes it away."""
    same = after.quarantined is not None or after.anew == before.anew
    stops = [each for each in before.findings if each.severity is Severity.BLOCKING]
    findings = (*stops, *(each for each in after.findings if each not in stops))
    if before.sha256 != after.sha256:
        findings = (*findings, Finding(Rule.WRITTEN_ANEW, Severity.NOTE))
    return replace(
        after,
        findings=findings,
        candidates=tuple(sorted({*before.candidates, *after.candidates})),
        preview=after.preview if same else Preview(),
        quarantined=after.quarantined if same else Quarantine(Reason.NOT_THE_SAME_ANEW),
    )


def _standing(desk: Desk, project: str) -> Standing:
    with desk.store.session() as session:
        return standing_of(session, project, settings=desk.settings, at=desk.now())


def _classified(desk: Desk, name: str, content: bytes, standing: Standing) -> Classification:
    """A file that a run kept is that run's, whatever else it carries: its bytes are left as they are."""
    return _of_a_run(desk, content, standing) or _signed(desk, name, content, standing)


def _of_a_run(desk: Desk, content: bytes, standing: Standing) -> Classification | None:
    with desk.store.session() as session:
        runs = runs_that_kept(session, digest(content))
        others = [other for run in runs for other in runs_like(session, run)]
        return of_runs(runs, standing, approvals(session, standing.project), others) if runs else None


def _signed(desk: Desk, name: str, content: bytes, standing: Standing) -> Classification:
    keys = read_keys(desk.settings.publication_keys_dir)
    if name.lower().endswith(".ipynb"):
        return classify_notebook(name, content, standing, keys)
    return classify(name, content, standing, keys)


def _bounds(settings: Settings) -> Bounds:
    airlock = settings.airlock
    return Bounds(
        memory=airlock.check_memory_bytes,
        wall_seconds=airlock.check_seconds,
        sizes=Sizes(file_bytes=airlock.file_bytes, rows=airlock.rows),
    )


def _context(standing: Standing) -> Context:
    return Context(min_patients=standing.policy.min_patients)


def _told(version: str, name: str, standing: Standing) -> str:
    """The checks' version, and what they were told of the file. The same bytes under another name, or for
    another project, are looked at otherwise: their preview is another, and takes no one's place."""
    told = json.dumps([name, standing.project, standing.policy.min_patients])
    return f"{version}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _checked(
    known: Classification, inspection: Inspection, standing: Standing, search: Search, checker: str
) -> Checked:
    put_aside = inspection.quarantined
    proof = dict(known.proof) | ({"quarantine": put_aside.reason.value} if put_aside else {})
    return Checked(
        known.kind or inspection.kind,
        known.output_class,
        CheckState.QUARANTINED if put_aside else CheckState.CHECKED,
        (*known.findings, *_found(known, inspection, standing, search)),
        proof,
        checker,
    )


def _found(
    known: Classification, inspection: Inspection, standing: Standing, search: Search
) -> tuple[Finding, ...]:
    """What the checks found; of a born-safe rendering, whose every cell the gateway protected, what its name
    pretends: that is the requester's."""
    if known.output_class is OutputClass.BORN_SAFE:
        return tuple(each for each in inspection.findings if each.rule is Rule.DECEPTIVE_NAME)
    searched = search(standing.project, standing.snapshot, inspection.candidates)
    return (*inspection.findings, *searched.findings)
