"""Why a file is of its class, and where its columns come from, as its proof says it. Pure.

The proof was made by the enclave. What it lacks is not shown; nothing is read into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub_config.airlock.pages.words import CLASS_REASONS, LINEAGES
from hub_config.governance.releases.facts import FileFacts

_MOST: Final = 200


@dataclass(frozen=True)
class ColumnView:
    """`vouched`: whether the enclave wrote all of its text."""

    name: str
    lineage: str
    source: str
    vouched: bool


@dataclass(frozen=True)
class Provenance:
    """`because`: why the file is of no safer class."""

    why: str
    because: tuple[str, ...] = ()
    definition: str = ""
    title: str = ""
    columns: tuple[ColumnView, ...] = ()
    snapshot: int | None = None


def provenance(file: FileFacts) -> Provenance:
    proof = file.proof or {}
    columns = proof.get("columns")
    return Provenance(
        why=CLASS_REASONS[file.output_class],
        because=_texts(proof.get("reasons")),
        definition=_text(proof.get("definition")),
        title=_text(proof.get("title")),
        columns=tuple(map(_column, columns[:_MOST])) if isinstance(columns, list) else (),
        snapshot=proof["snapshot"] if isinstance(proof.get("snapshot"), int) else None,
    )


def _column(column: Mapping[str, Any]) -> ColumnView:
    lineage = _text(column.get("lineage"))
    return ColumnView(
        name=_text(column.get("name")),
        lineage=LINEAGES.get(lineage, lineage),
        source=", ".join(_texts(column.get("source"))),
        vouched=lineage not in ("literal", "user") and column.get("alias") is not True,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(values: object) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, values))) if isinstance(values, (list, tuple)) else ()
