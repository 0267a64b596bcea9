"""Writes a part of the log for the DPO, as JSON Lines (the records' own bytes) or CSV. Every event is checked
on the way; an export is recorded before it is written."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Literal, TextIO, assert_never

from hub_config.governance.audit.chain import AuditChain
from hub_config.governance.audit.event import AuditEvent, Decision
from hub_config.governance.audit.reading import Wanted
from hub_config.governance.audit.record import Record
from hub_config.governance.audit.verification import read_records
from hub_config.governance.spreadsheets import inert

Language = Literal["fr", "en"]
_COLUMNS: dict[Language, tuple[str, ...]] = {
    "en": ("number", "at", "who", "what", "project", "decision", "where", "details", "prev", "hash"),
    "fr": (
        "numéro", "date et heure (UTC)", "qui", "quoi", "projet", "décision", "depuis", "détails",
        "empreinte précédente", "empreinte",
    ),
}  # fmt: skip


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


def export(
    directory: Path,
    keys: Path,
    wanted: Wanted,
    kind: Format,
    output: TextIO,
    *,
    who: str,
    language: Language = "en",
) -> int:
    """Write the events that are `wanted` to `output`; how many. Raises AuditFailure, and AuditBroken at a
    break. `language` is that of a CSV file's headers: JSON Lines are the chain's own bytes."""
    AuditChain(directory, keys).append(
        AuditEvent(who, "audit.export", None, Decision.ALLOWED, _said(wanted, kind))
    )
    chosen = (record for record in read_records(directory, keys) if wanted.admits(record))
    match kind:
        case Format.JSONL:
            return _write_lines(chosen, output)
        case Format.CSV:
            return _write_csv(chosen, output, language)
        case _:
            assert_never(kind)


def _said(wanted: Wanted, kind: Format) -> dict[str, str]:
    """What was taken out, as the event tells it."""
    return {
        "first": str(wanted.first or ""),
        "last": str(wanted.last or ""),
        "format": kind.value,
        "person": wanted.who,
        "of_project": wanted.project,
        "kinds": " ".join(wanted.what),
    }


def _write_lines(records: Iterable[Record], output: TextIO) -> int:
    count = 0
    for record in records:
        output.write(record.line.decode("ascii"))
        count += 1
    return count


def _write_csv(records: Iterable[Record], output: TextIO, language: Language) -> int:
    writer = csv.writer(output)
    writer.writerow(_COLUMNS[language])
    count = 0
    for record in records:
        writer.writerow(_cells(record))
        count += 1
    return count


def _cells(record: Record) -> Iterator[str | int]:
    yield record.number
    details = json.dumps(dict(record.details), sort_keys=True)
    texts = (record.at, record.who, record.what, record.project or "", record.decision, record.where or "")
    for text in (*texts, details):
        yield inert(text)
    yield record.prev
    yield record.hash
