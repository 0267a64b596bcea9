"""`p4dp-enclave register`: the register of processing activities for a file. Options in, one document out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TextIO

import click

from hub_config.governance.console import changing, settings_here


@click.group()
def register() -> None:
    """The register of processing activities (GDPR, article 30)."""


@register.command()
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option(
    "--output",
    type=click.File("w", encoding="utf-8", lazy=False),
    default="-",
    help="[default: standard output]",
)
def export(kind: str, output: TextIO) -> None:
    """Write every processing activity, national and regional. The export is itself an event."""
    from hub_config.governance.register import export as exporting

    settings = settings_here()
    with changing(settings) as (session, recorder):
        found = exporting.activities(session, settings.projects)
        recorder.record(session, "register.export", None, format=kind, activities=len(found))
    today = datetime.now(UTC).date()
    output.write(exporting.write_csv(found) if kind == "csv" else exporting.write_json(found, on=today))
    click.echo(f"{len(found)} activities.", err=True)
