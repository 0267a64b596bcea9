"""The words around a publication table: what is said under it, and its record for people. In their
language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _
from p4dp_sdk.tables.remarks import remarks
from p4dp_sdk.wire.messages import N_

if TYPE_CHECKING:
    from p4dp_sdk.tables.safe import SafeTable
    from p4dp_sdk.wire.publication import Statement

_ROWS_HELD = "rows-held"
_ACCESS = {
    "aggregate": N_("protected aggregates"),
    "microdata": N_("individual data"),
    "sandbox": N_("sandbox"),
}


def remarks_on(table: SafeTable) -> list[str]:
    """Marks, reasons, how much was kept and what to do; what is not counted; where the table comes from."""
    said = table.statement
    return [
        *remarks(table.frame, table.disclosure),
        *_left_out(said),
        *_again(said),
        *_standing(said),
        provenance(table),
    ]


def provenance(table: SafeTable) -> str:
    """One line: source, version of the data, date, number, signature."""
    said = table.statement
    text = _("Project {project}, snapshot {snapshot}, {date}, request {request}, signed {signature}…")
    return text.format(
        project=said.project,
        snapshot=said.snapshot,
        date=_day(said.date),
        request=said.request_id,
        signature=table.document.signature.value[:12],
    )


def record_lines(table: SafeTable) -> list[tuple[str, str]]:
    """The record for people: (name, value) pairs."""
    said, signature = table.statement, table.document.signature
    policy = ", ".join(f"{name} = {value}" for name, value in sorted(said.policy.items()))
    return [
        (_("Title"), said.title),
        (_("Project"), said.project),
        (_("Right of access"), _(_ACCESS.get(said.access, said.access))),
        (_("Snapshot"), str(said.snapshot) + (f" ({_('synthetic data')})" if said.synthetic else "")),
        (_("Date"), said.date),
        (_("Request"), said.request_id),
        (_("Method"), said.method),
        (_("Policy"), policy),
        (_("Cells shown"), f"{said.shown} / {said.shown + said.withheld}"),
        (_("Rules that apply"), ", ".join(said.reasons)),
        (_("Not counted"), ", ".join(said.left_out)),
        (_("To be looked at"), ", ".join(said.unverified)),
        (_("Definition"), said.definition),
        (_("Columns"), "; ".join(f"{c.name}: {c.lineage}" for c in said.columns)),
        (_("Signature"), f"{signature.algorithm} {signature.key} {signature.value}"),
    ]


def _left_out(said: Statement) -> list[str]:
    if not said.left_out:
        return []
    text = _("Those of whom this is unknown, if any, are too few: nothing here counts them ({columns}).")
    return [text.format(columns=", ".join(f"`{name}`" for name in said.left_out))]


def _again(said: Statement) -> list[str]:
    if not said.given_again:
        return []
    text = _("Published before: the numbers and the marks are those of {date}, whatever changed since.")
    return [text.format(date=_day(said.date))]


def _standing(said: Statement) -> list[str]:
    """What the table is not: real, or vouched for whole."""
    lines = [_("Synthetic data: an exercise, not a result.")] if said.synthetic else []
    if _ROWS_HELD in said.unverified:
        lines.append(_("This project sees individual data: a physician looks at the table before it leaves."))
    words = [name for name in said.unverified if name != _ROWS_HELD]
    if words:
        text = _("Words or values of your own, looked at before the table leaves: {columns}.")
        lines.append(text.format(columns=", ".join(f"`{name}`" for name in words)))
    return lines


def _day(moment: str) -> str:
    day = moment[:10]
    return day if language() is Language.ENGLISH else "/".join(reversed(day.split("-")))
