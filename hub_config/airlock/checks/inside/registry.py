"""Which function checks which kind of file. Checkers are imported when they are needed: a parser takes a
while to load, and one process checks one file.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final, cast

from hub_config.airlock.checks.inside.found import CannotRead, Checker
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.facts import FileKind

_HERE: Final = "hub_config.airlock.checks.inside.checkers"

CHECKERS: Final[Mapping[FileKind, str]] = {
    FileKind.CSV: "delimited:check",
    FileKind.TSV: "delimited:check",
    FileKind.XLSX: "spreadsheets:check",
    FileKind.PARQUET: "parquet:check",
    FileKind.JSON: "structured:check",
    FileKind.TEXT: "text:check",
    FileKind.MARKDOWN: "text:check",
    # documents, images, models and archives
    FileKind.HTML: "hypertext:check",
    FileKind.NOTEBOOK: "notebooks:check",
    FileKind.PNG: "images:check",
    FileKind.JPEG: "images:check",
    FileKind.SVG: "svg:check",
    FileKind.PDF: "pdf:check",
    FileKind.MODEL_JSON: "models:check",
    FileKind.ARCHIVE: "refused:check",
    FileKind.PICKLE: "refused:check",
    FileKind.OFFICE: "office:check",
}
"""module:function of `checkers`, called as a `Checker`. A kind without one is put aside for people."""


def checker_of(kind: FileKind) -> Checker:
    """Raises CannotRead."""
    named = CHECKERS.get(kind)
    if named is None:
        raise CannotRead(Reason.UNKNOWN_KIND)
    module, _, function = named.partition(":")
    return cast(Checker, getattr(import_module(f"{_HERE}.{module}"), function))
