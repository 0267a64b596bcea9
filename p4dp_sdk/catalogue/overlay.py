"""A site's own tables of codes, laid over the catalogue: more codes and better labels, never a code less.

Pure (floor 0): whoever reads a table's file hands its text in. Both the gateway, which closes its keys with
the catalogue, and the workspace lay the same tables over it.

A table is CSV: `code,label_fr,label_en,parent`. A code that the catalogue has keeps its parent there, so that
the totals which publication protects stay what they were.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace

from p4dp_sdk.catalogue.model import Catalogue, Code, CodeSystem

COLUMNS = ("code", "label_fr", "label_en", "parent")
SYSTEMS = {
    "atc": ("ATC", "ATC"),
    "cim10": ("CIM-10", "ICD-10"),
    "cip": ("Présentations (CIP)", "Packs (CIP)"),
    "cis": ("Spécialités (CIS)", "Medicinal products (CIS)"),
    "cisp2": ("CISP-2", "ICPC-2"),
    "loinc": ("LOINC", "LOINC"),
}  # what a site may load, and what it is called where the catalogue has no such system


class OverlayError(ValueError):
    """A table that can't be laid over the catalogue; the message says why, in English, for operators."""


@dataclass(frozen=True)
class Overlay:
    system: str
    codes: tuple[Code, ...]


def parse_overlay(system: str, text: str) -> Overlay:
    """The table of `system` in `text`. Raises OverlayError."""
    if system not in SYSTEMS:
        raise OverlayError(f"{system!r} is no system that can be loaded. There are: {', '.join(SYSTEMS)}.")
    rows = csv.DictReader(io.StringIO(text))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise OverlayError(f"the first line must be {','.join(COLUMNS)}")
    try:
        codes = tuple(_code(row, number) for number, row in enumerate(rows, 2))
    except csv.Error as error:
        raise OverlayError(f"it is no CSV: {error}") from None
    if len({code.code for code in codes}) != len(codes):
        raise OverlayError("a code stands in it twice")
    return Overlay(system, codes)


def write_overlay(overlay: Overlay) -> str:
    """What `parse_overlay` reads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((c.code, c.label_fr, c.label_en, c.parent or "") for c in overlay.codes)
    return out.getvalue()


def extended(catalogue: Catalogue, overlays: Iterable[Overlay]) -> Catalogue:
    """`catalogue` with the codes and labels of `overlays`: the very same without any."""
    systems = dict(catalogue.code_systems)
    for overlay in overlays:
        systems[overlay.system] = _extended(systems.get(overlay.system), overlay)
    return replace(catalogue, code_systems=systems) if systems != catalogue.code_systems else catalogue


def _extended(system: CodeSystem | None, overlay: Overlay) -> CodeSystem:
    if system is None:
        label_fr, label_en = SYSTEMS[overlay.system]
        return CodeSystem(overlay.system, label_fr, label_en, overlay.codes)
    said = {code.code: code for code in overlay.codes}
    kept = tuple(
        replace(said[code.code], parent=code.parent) if code.code in said else code for code in system.codes
    )
    old = {code.code for code in system.codes}
    return replace(system, codes=kept + tuple(code for code in overlay.codes if code.code not in old))


def _code(row: dict[str, str], line: int) -> Code:
    code, label = row["code"], row["label_fr"]
    if not code or not label or None in row or None in row.values():
        raise OverlayError(f"line {line}: a code and a label are needed, and four fields")
    return Code(code, label, row["label_en"] or label, row["parent"] or None)
