"""Why a file is of its class, and where its columns come from, as its proof says it. Pure.

The proof was made by the enclave. What it lacks is not shown; nothing is read into it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hub_config.airlock.pages.notebook_words import REGISTERED_REASON
from hub_config.airlock.pages.words import CLASS_REASONS, LINEAGES, THRESHOLDS
from hub_config.airlock.reading import Reading, read
from hub_config.governance.facts import AccessLevel
from hub_config.governance.releases.facts import FileFacts
from hub_config.web.texts import Language

_MOST: Final = 200


@dataclass(frozen=True)
class ColumnView:
    """`vouched`: whether the enclave wrote all of its text."""

    name: str
    lineage: str
    source: str
    vouched: bool


@dataclass(frozen=True)
class RunView:
    """The enclave's own run that left a file. `sha256` is the template's, or that of the project's notebook
    registered under the number `registration`; `rows`: it could see rows; `requests`: numbers of gateway
    answers."""

    id: str
    template: str
    sha256: str
    parameters: tuple[tuple[str, str], ...]
    asked_by: str
    at: datetime | None
    snapshot: int | None
    requests: tuple[str, ...]
    registration: str = ""
    rows: bool = False


@dataclass(frozen=True)
class Provenance:
    """`reading` says `definition` in words, where it can be said whole. `title` is the person's words;
    `titled`: it stands in the file itself. `shown` and `withheld` count the protected cells."""

    why: str
    definition: str = ""
    reading: Reading | None = None
    title: str = ""
    titled: bool = False
    at: datetime | None = None
    shown: int | None = None
    withheld: int | None = None
    synthetic: bool = False
    policy: tuple[tuple[str, float], ...] = ()
    columns: tuple[ColumnView, ...] = ()
    snapshot: int | None = None
    run: RunView | None = None


def provenance(file: FileFacts, language: Language) -> Provenance:
    proof = file.proof or {}
    columns = proof.get("columns")
    definition = definition_of(file)
    return Provenance(
        why=REGISTERED_REASON if proof.get("registration") else CLASS_REASONS[file.output_class],
        definition=definition,
        reading=read(definition, language) if definition else None,
        title=_text(proof.get("title")),
        titled=proof.get("titled") is True,
        at=_moment(_text(proof.get("date"))),
        shown=_number(proof.get("shown")),
        withheld=_number(proof.get("withheld")),
        synthetic=proof.get("synthetic") is True,
        policy=tuple(_policy(proof.get("policy"))),
        columns=tuple(map(_column, columns[:_MOST])) if isinstance(columns, list) else (),
        snapshot=_number(proof.get("snapshot")),
        run=_run(proof) if proof.get("form") == "report" else None,
    )


def definition_of(file: FileFacts) -> str:
    """The gateway's text of what was asked; empty where no gateway vouches for it."""
    return _text((file.proof or {}).get("definition"))


def _run(proof: Mapping[str, Any]) -> RunView:
    told = proof.get("parameters")
    parameters = told.items() if isinstance(told, Mapping) else ()
    return RunView(
        id=_text(proof.get("run")),
        template=_text(proof.get("template")),
        sha256=_text(proof.get("sha256")),
        parameters=tuple((str(name), _written(value)) for name, value in parameters),
        asked_by=_text(proof.get("asked_by")),
        at=_moment(_text(proof.get("date"))),
        snapshot=_number(proof.get("snapshot")),
        requests=_texts(proof.get("requests")),
        registration=_text(proof.get("registration")),
        rows=proof.get("access") == AccessLevel.MICRODATA.value,
    )


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _column(column: Mapping[str, Any]) -> ColumnView:
    lineage = _text(column.get("lineage"))
    return ColumnView(
        name=_text(column.get("name")),
        lineage=LINEAGES.get(lineage, lineage),
        source=", ".join(_texts(column.get("source"))),
        vouched=lineage not in ("literal", "user") and column.get("alias") is not True,
    )


def _policy(told: object) -> Iterator[tuple[str, float]]:
    """The thresholds that a reviewer asks about first."""
    for name, label in THRESHOLDS.items():
        value = told.get(name) if isinstance(told, Mapping) else None
        if isinstance(value, (int, float)):
            yield label, value


def _moment(told: str) -> datetime | None:
    try:
        return datetime.fromisoformat(told)
    except ValueError:
        return None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(values: object) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, values))) if isinstance(values, (list, tuple)) else ()
