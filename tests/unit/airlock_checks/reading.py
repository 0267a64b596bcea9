"""A small table, written as people read it, and what the checkers say of it: `rule at row, column`."""

from __future__ import annotations

import textwrap

from hub_config.airlock.checks.inside.found import Context, Found, Order
from hub_config.airlock.checks.inside.kinds import kind_of
from hub_config.airlock.checks.inside.registry import checker_of
from hub_config.governance.releases.findings import Finding, Severity


def read(content: str | bytes, name: str = "table.csv", context: Context | None = None) -> Found:
    content = textwrap.dedent(content).lstrip("\n").encode() if isinstance(content, str) else content
    kind = kind_of(content, name)
    return checker_of(kind)(content, Order(name, kind, context or Context()))


def drawn(table: str) -> str:
    """`a | b` lines as a CSV."""
    lines = [line for line in textwrap.dedent(table).strip("\n").splitlines() if line.strip()]
    return "".join(",".join(f'"{cell.strip()}"' for cell in line.split("|")) + "\n" for line in lines)


def said(found: Found, *severities: Severity) -> list[str]:
    """In the file's order: "small-count 3,2", "row-level", "small-count line 4"."""
    return sorted(_told(each) for each in found.findings if not severities or each.severity in severities)


def blocking(table: str, context: Context | None = None) -> list[str]:
    return said(read(drawn(table), context=context), Severity.BLOCKING)


def warnings(table: str, context: Context | None = None) -> list[str]:
    return said(read(drawn(table), context=context), Severity.WARNING)


def _told(finding: Finding) -> str:
    place = finding.place
    if place is None or (place.row, place.line, place.column, place.sheet) == (None,) * 4:
        return finding.rule.value
    at = (
        f"line {place.line}"
        if place.line is not None
        else ",".join("" if number is None else str(number) for number in (place.row, place.column))
    )
    sheet = "" if place.sheet is None else f" sheet {place.sheet}"
    return f"{finding.rule.value}{sheet} {at}".strip(" ,")
