"""`p4dp-enclave audit`: verify, export, anchor and prune the audit log. Options in, one action, one screen
out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TextIO

import click

from hub_config.governance.console import DAY, day, operator, settings_here
from hub_config.governance.problems import BadProject

BROKEN = 1  # exit code of `audit verify` when the log is not intact


@click.group()
def audit() -> None:
    """The audit log: who asked what, and how it ended."""


@audit.command()
@click.option(
    "--noted", metavar="NUMBER:HASH", help="What an earlier run printed: the log must still pass through it."
)
@click.option(
    "--anchors",
    type=click.File("r", encoding="utf-8", errors="replace"),
    help="File of anchors noted outside, or saved mails: the log must still pass through all of them.",
)
def verify(noted: str | None, anchors: TextIO | None) -> None:
    """Check every event of the log. Exit code 0 if it is intact, 1 if it is broken."""
    from hub_config.governance import screens
    from hub_config.governance.audit import verify as verify_chain
    from hub_config.governance.audit.anchors import verify_with

    settings = settings_here()
    if anchors is not None:
        found = verify_with(settings.audit_dir, settings.keys_dir, anchors)
        screens.print_anchored(found)
        if not found.intact:
            raise click.exceptions.Exit(BROKEN)
    outcome = verify_chain(settings.audit_dir, settings.keys_dir, noted=_noted(noted))
    screens.print_verification(outcome)
    if not outcome.intact:
        raise click.exceptions.Exit(BROKEN)


@audit.command()
@click.option("--who", default="", help="Only this person's or service's.")
@click.option("--project", "slug", default="", help="Only this project's.")
@click.option(
    "--what", "kinds", multiple=True, help="Only events of this name; `release.` takes all that begin so."
)
@click.option("--from", "first", type=DAY, help="First day, UTC.")
@click.option("--to", "last", type=DAY, help="Last day, UTC.")
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option(
    "--language", type=click.Choice(["fr", "en"]), help="Of a CSV file's headers. [default: the site's]"
)
@click.option(
    "--output",
    type=click.File("w", encoding="utf-8", lazy=False),
    default="-",
    help="[default: standard output]",
)
def export(
    who: str,
    slug: str,
    kinds: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    kind: str,
    language: Literal["fr", "en"] | None,
    output: TextIO,
) -> None:
    """Write some of the events; each is checked on the way. The export is itself an event."""
    from hub_config.governance.audit import export as exporting
    from hub_config.governance.audit.reading import Wanted

    settings = settings_here()
    wanted = Wanted(who, slug, kinds, (), day(first), day(last))
    count = exporting.export(
        settings.audit_dir,
        settings.keys_dir,
        wanted,
        exporting.Format(kind),
        output,
        who=operator(),
        language=language or settings.language,
    )
    click.echo(f"{count} events.", err=True)


@audit.command()
def anchor() -> None:
    """Note the log's end outside: in `audit.anchor_file`, to `audit.anchor_mail`, and on the screen."""
    from hub_config.governance.audit.upkeep import anchor as note

    line = note(settings_here(), who=operator())
    click.echo(line)


@audit.command()
def prune() -> None:
    """Drop the events older than `audit.keep_months`, in whole months; never one of the last twelve."""
    from hub_config.governance.audit.upkeep import prune as drop

    dropped = drop(settings_here(), who=operator())
    if dropped is None:
        click.echo("Nothing is old enough to be dropped.")
        return
    click.echo(f"{dropped.events} events dropped, up to number {dropped.number} of {dropped.at[:10]}.")


def _noted(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, head = text.partition(":")
    if not number.isdigit() or not head:
        raise BadProject("--noted: expected NUMBER:HASH, as `p4dp-enclave audit verify` prints it.")
    return int(number), head
