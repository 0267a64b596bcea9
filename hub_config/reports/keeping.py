"""What a run leaves to its readers: one folder with the executed notebook, the page, and what the run was.

The folder appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

from hub_config.governance.audit import AuditFailure, read_records
from hub_config.governance.facts import ProjectFacts
from hub_config.governance.report_runs.facts import KeptFile
from hub_config.governance.report_runs.templates import Template
from hub_config.governance.report_runs.texts import Language, ReportProblem, Text
from hub_config.reports.collecting import Left
from hub_config.reports.inert import page
from hub_config.settings import Settings

_WORKSPACE: Final = Path(__file__).parents[2] / ".venv" / "workspace"
_TOOLS: Final = (
    "p4dp-sdk",
    "ibis-framework",
    "pandas",
    "matplotlib",
    "lifelines",
    "scikit-learn",
    "papermill",
    "nbconvert",
)
_YES_NO: Final[Mapping[Language, tuple[str, str]]] = {"fr": ("non", "oui"), "en": ("no", "yes")}


class FolderTaken(ReportProblem):
    """There is something already where the report should go."""


@dataclass(frozen=True)
class Done:
    """A run that has ended, as the enclave knows it."""

    run: str
    template: Template
    facts: ProjectFacts
    parameters: Mapping[str, Any]
    began: datetime
    ended: datetime
    outcome: str
    requests: tuple[str, ...] | None  # numbers of the gateway's answers; None: the audit log can't be read


@dataclass(frozen=True)
class Leaving:
    """What the box left, as read and bounded. `fragment` None: it did not get so far. `left`: of its
    folder of outputs; `alone`: these and nothing else are kept, since the notebook itself may show rows."""

    notebook: bytes
    fragment: str | None
    left: Left = field(default_factory=Left)
    alone: bool = False


def place_for(settings: Settings, project: str, name: str) -> Path:
    return settings.reports_dir / project / name


def refuse_taken(folder: Path) -> None:
    """Raises FolderTaken where `folder` is a file, or holds anything."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise FolderTaken(
            Text(
                f"{folder} existe déjà et n'est pas un dossier vide : rien n'a été exécuté. Choisissez "
                f"un autre "
                "dossier.",
                f"{folder} is there already, and no empty folder: nothing was run. Choose another.",
            )
        )


def keep(folder: Path, done: Done, leaving: Leaving, language: Language) -> tuple[KeptFile, ...]:
    """Write the folder: complete, closed to others, at once. The notebook and the page, by the bytes
    that were written. Raises OSError, FolderTaken."""
    refuse_taken(folder)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    draft.mkdir(mode=0o700)
    try:
        files = _files(done, leaving, language)
        for name, content in files.items():
            _write(draft / name, content)
        _write(
            draft / "manifest.json",
            json.dumps(manifest(done, leaving.left), indent=1, ensure_ascii=False).encode() + b"\n",
        )
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return tuple(KeptFile(name, _digest(content), len(content)) for name, content in files.items())


def _files(done: Done, leaving: Leaving, language: Language) -> dict[str, bytes]:
    if leaving.alone:
        return dict(leaving.left.files)
    files = {f"{done.template.name}.ipynb": leaving.notebook, **leaving.left.files}
    if leaving.fragment is not None:
        text = page(done.template.title, _card(done, language), leaving.fragment, language)
        files[f"{done.template.name}.html"] = text.encode()
    return files


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def manifest(done: Done, left: Left) -> dict[str, Any]:
    return {
        "run": done.run,
        "project": done.facts.slug,
        "snapshot": done.facts.snapshot,
        "template": {"name": done.template.name, "sha256": done.template.sha256},
        **_told_of_outputs(done, left),
        "parameters": dict(done.parameters),
        "began": done.began.isoformat(timespec="seconds"),
        "ended": done.ended.isoformat(timespec="seconds"),
        "outcome": done.outcome,
        "requests": None if done.requests is None else list(done.requests),
        "versions": versions(),
    }


def _told_of_outputs(done: Done, left: Left) -> dict[str, Any]:
    """Names of what was dropped stand here alone, for the operator: they are the notebook's words."""
    registration = done.template.registration
    if registration is None:
        return {}
    return {
        "registration": registration.id,
        "access": registration.access.value,
        "outputs": {output.name: output.told for output in registration.outputs},
        "lacking": list(left.lacking),
        "undeclared": [*left.undeclared, *([f"+ {left.more}"] if left.more else [])],
    }


def versions(environment: Path = _WORKSPACE) -> dict[str, str]:
    """Of what the box computes with, as its installation says."""
    places = [str(place) for place in environment.glob("lib/python*/site-packages")]
    found = {each.metadata["Name"].lower(): each.version for each in distributions(path=places)}
    return {name: found[name] for name in _TOOLS if name in found}


def requests_of(settings: Settings, service: str, began: datetime) -> tuple[str, ...] | None:
    """The gateway's numbers of what the service asked since then, from the audit log."""
    since = began.isoformat(timespec="seconds")[:19]
    try:
        return tuple(
            str(record.details["request_id"])
            for record in read_records(settings.audit_dir, settings.keys_dir)
            if record.who == service and record.at[:19] >= since and "request_id" in record.details
        )
    except AuditFailure:
        return None


def answered_on(settings: Settings, service: str, began: datetime) -> int | None:
    """The snapshot that the log says the service's first question since then was answered on."""
    since = began.isoformat(timespec="seconds")[:19]
    try:
        for record in read_records(settings.audit_dir, settings.keys_dir):
            number = record.details.get("snapshot")
            if record.who == service and record.at[:19] >= since and isinstance(number, int):
                return number
    except AuditFailure:
        return None
    return None


def _card(done: Done, language: Language) -> tuple[tuple[str, str], ...]:
    french = language == "fr"
    told = ", ".join(f"{name} = {_said(value, language)}" for name, value in done.parameters.items())
    return (
        ("Projet" if french else "Project", f"{done.facts.title} ({done.facts.slug})"),
        (
            "Produit le" if french else "Made on",
            done.ended.strftime("%d/%m/%Y %H:%M UTC" if french else "%Y-%m-%d %H:%M UTC"),
        ),
        ("Paramètres" if french else "Parameters", told or "—"),
        (
            "Données" if french else "Data",
            ("instantané n° {n}" if french else "snapshot {n}").format(n=done.facts.snapshot),
        ),
        (_kind(done, french=french), f"{done.template.name}, SHA-256 {done.template.sha256[:16]}…"),
        ("Exécution" if french else "Run", done.run),
    )


def _kind(done: Done, *, french: bool) -> str:
    if done.template.registration is not None:
        return "Notebook enregistré" if french else "Registered notebook"
    return "Modèle" if french else "Template"


def _said(value: object, language: Language) -> str:
    match value:
        case bool():
            return _YES_NO[language][value]
        case list():
            return " | ".join(map(str, value))
        case None:
            return "—"
        case _:
            return str(value)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
