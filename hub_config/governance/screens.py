"""What the governance commands print: tables for people, on any terminal width. Facts in, text out; decides
nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub_config.governance.audit import Verification
from hub_config.governance.audit.anchors import Anchored
from hub_config.governance.facts import Grant, ProjectFacts, ProjectStatus
from hub_config.governance.objections.facts import EVERY_NUMBERING, Objection

_STYLES = {
    ProjectStatus.DRAFT: "yellow",
    ProjectStatus.APPROVED: "green",
    ProjectStatus.SUSPENDED: "red",
    ProjectStatus.CLOSED: "dim",
}


def print_projects(projects: Iterable[ProjectFacts], *, today: date) -> None:
    table = Table(
        "Project", "Title", "Status", "Access", "Snapshot", "Expires", "Members", box=None, pad_edge=False
    )
    for facts in projects:
        table.add_row(
            facts.slug,
            facts.title,
            _status(facts.status),
            facts.grant.access.value,
            _pin(facts),
            _expiry(facts.grant, today),
            _members(facts),
        )
    if table.row_count:
        Console().print(table)
    else:
        Console().print("No project yet. `p4dp-enclave project create --help` says how to make one.")


def print_project(facts: ProjectFacts, *, today: date) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _lines(facts, today):
        table.add_row(name, value)
    Console().print(table)


def print_objections(found: Collection[Objection]) -> None:
    columns = ("No.", "Who", "Number", "Numbering", "Scope", "Recorded on", "Lifted on")
    table = Table(*columns, box=None, pad_edge=False)
    for each in found:
        numbering = "every one" if each.numbering == EVERY_NUMBERING else each.numbering
        table.add_row(
            str(each.id),
            each.subject.value,
            str(each.number),
            numbering,
            each.scope.value,
            each.recorded_on.isoformat(),
            each.lifted_on.isoformat() if each.lifted_on else "",
        )
    if found:
        Console().print(table)
    Console().print(
        f"{len(found)} objections here; those the warehouse was loaded with are in its snapshots."
    )


def print_verification(outcome: Verification) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for name in outcome.quarantined:
        console.print(f"Set aside by a repair: {name}", style="yellow")
    if outcome.broken:
        found = outcome.broken
        console.print(
            f"BROKEN at event {found.number}, {found.file}: {found.problem}.", style="bold red", markup=False
        )
        console.print(
            f"{outcome.events} events before it are intact. Keep the log as it is, and compare with a backup."
        )
        return
    if not outcome.events:
        console.print("Nothing is recorded yet.")
        return
    if outcome.dropped:
        console.print(f"Events 1 to {outcome.dropped} were dropped when they were old enough.")
    console.print(
        f"Intact: {outcome.events - outcome.dropped} events in {outcome.segments} segments.", style="green"
    )
    if outcome.torn:
        console.print("A crash cut the newest line short; nothing is lost, the next event repairs it.")
    console.print(f"Key {outcome.key}. Note for the next run: {outcome.events}:{outcome.head}")


def print_anchored(found: Anchored) -> None:
    console = Console(soft_wrap=True, highlight=False)
    if found.problem:
        console.print(f"ANCHORS: {found.problem}.", style="bold red", markup=False)
    broken = found.verification.broken
    if broken:
        console.print(
            f"The log does not pass through the anchors: {broken.problem}.", style="bold red", markup=False
        )
    elif found.intact:
        console.print(f"The log passes through all {found.anchors} anchors.", style="green")


def _pin(facts: ProjectFacts) -> str:
    return str(facts.snapshot) if facts.rolling is None else f"rolling ({facts.rolling})"


def _lines(facts: ProjectFacts, today: date) -> Iterable[tuple[str, str | Text]]:
    grant = facts.grant
    yield "Project", facts.slug
    yield "Title", facts.title
    yield "Purpose", facts.purpose
    yield "Status", _status(facts.status)
    yield "Snapshot", _pin(facts)
    yield "Members", _members(facts)
    yield "Access", grant.access.value
    yield "Tables", "\n".join(_table(name, columns) for name, columns in sorted(grant.tables.items()))
    yield "SNDS", "granted" if grant.snds else "no"
    yield "Re-contact", "granted" if grant.recontact else "no"
    yield "Centres", "all" if grant.centres is None else ", ".join(sorted(grant.centres))
    yield "Events", f"{grant.date_from or 'first'} to {grant.date_to or 'last'}"
    yield "Expires", _expiry(grant, today)
    yield "Legal basis", grant.legal_basis
    stricter = ", ".join(f"{name} {value}" for name, value in sorted(facts.policy.items()))
    yield "Policy", stricter or "as the site"


def _table(name: str, columns: Collection[str] | None) -> str:
    return name if columns is None else f"{name}: {', '.join(sorted(columns))}"


def _status(status: ProjectStatus) -> Text:
    return Text(status.value, style=_STYLES[status])


def _expiry(grant: Grant, today: date) -> str:
    if grant.expires_on is None:
        return "never"
    return f"{grant.expires_on}{' (expired)' if today > grant.expires_on else ''}"


def _members(facts: ProjectFacts) -> str:
    return "everyone" if facts.open_to_all else ", ".join(sorted(facts.members)) or "none"
