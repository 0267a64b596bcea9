"""`p4dp-enclave report`: what an operator types, or a timer. Thin: check, ask the hub, follow, keep.

Exit codes: 0 done; 1 a cell failed, or what was left can't be used; 2 refused before anything ran; 3 the
enclave is not running; 4 over its time; 5 the run broke off; 130 Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub_config.governance.report_runs.texts import ReportProblem, Text, language_of

if TYPE_CHECKING:
    from hub_config.governance.facts import ProjectFacts
    from hub_config.governance.report_runs.parameters import Parameter
    from hub_config.settings import Settings

INTERRUPTED = 130


@click.group()
def report() -> None:
    """Reports: approved notebooks, run without a person, on a project's protected aggregates."""


@report.command()
@click.argument("template", required=False)
@click.option("--notebook", help="In place of TEMPLATE: a registered notebook, by name, number or SHA-256.")
@click.option(
    "--project",
    required=True,
    help="On whose data: aggregates alone, unless a registered notebook reads rows.",
)
@click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter. Repeat it."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder to make. [default: reports/<project>/<date>-<template>-<run> in the enclave's home]",
)
@click.option(
    "--seconds", type=click.IntRange(1), help="Time limit, within the site's. [default: the site's]"
)
def run(
    template: str | None,
    notebook: str | None,
    project: str,
    parameters: tuple[str, ...],
    output: Path | None,
    seconds: int | None,
) -> None:
    """Run TEMPLATE, or a registered notebook; keep it executed, a page without code, a manifest, and what
    a registered notebook declared. Of one that reads rows: the declared files alone.

    The enclave must be running. Ctrl-C, or the end of this command in any way, ends the run.

    Exit codes: 0 ready; 1 a cell failed; 2 refused before anything ran; 3 the enclave is not running; 4 over
    its time; 5 broken off; 130 Ctrl-C.
    """
    from hub_config.reports.running import Wanted, carry_out

    if bool(template) is bool(notebook):
        raise click.UsageError("Give either TEMPLATE or --notebook.")
    with _told():
        wanted = Wanted(template or "", project, parameters, output, seconds, notebook or "")
        sys.exit(carry_out(wanted, language_of(os.environ), _centres))


@report.command()
@click.argument("template", required=False)
def templates(template: str | None) -> None:
    """The approved templates, or the parameters of one."""
    from hub_config.governance.report_runs.approved import approved
    from hub_config.governance.report_runs.templates import read_template

    with _told():
        if template is None:
            for name in approved():
                click.echo(f"{name:<32} {read_template(name).title}")
        else:
            for each in read_template(template).parameters:
                click.echo(_described(each))


@report.command()
@click.argument("project")
def notebooks(project: str) -> None:
    """The registered notebooks of PROJECT that may run: name, number, what they see, SHA-256."""
    from hub_config.reports.registered import registered
    from hub_config.settings import load_settings

    with _told():
        for each in registered(load_settings(), project):
            click.echo(f"{each.name:<32} {each.id} {each.access.value:<9} {each.sha256}")


def _centres(settings: Settings, facts: ProjectFacts) -> tuple[str, ...]:
    """The centres of the project's snapshot that its grant gives."""
    from hub_config.governance import desk
    from hub_config.governance.centres import reached, shown

    snapshot = desk.terms(settings, facts.snapshot, wants_centres=True).snapshot
    known = shown(snapshot.centres or (), snapshot.merged)
    reach = reached(facts.grant.centres, snapshot.merged)
    return tuple(sorted(known if reach is None else known & reach))


def _described(parameter: Parameter) -> str:
    default = "…" if parameter.required else str(parameter.default)
    choices = f" [{' | '.join(parameter.choices)}]" if parameter.choices else ""
    return f"{parameter.name}: {parameter.kind.value} = {default}  {parameter.help}{choices}"


@contextmanager
def _told() -> Iterator[None]:
    """Problems in the person's language, each with its exit code."""
    language = language_of(os.environ)
    try:
        yield
    except ReportProblem as problem:
        click.echo(problem.text.say(language), err=True)
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        stopped = Text("Interrompu : tout est arrêté.", "Interrupted: everything is stopped.")
        click.echo(stopped.say(language), err=True)
        sys.exit(INTERRUPTED)
