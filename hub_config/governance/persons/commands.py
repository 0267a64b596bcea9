"""`p4dp-enclave person`: who of those who log in is who in the warehouse. Options in, one action out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hub_config.governance.console import changing, reading, settings_here
from hub_config.governance.persons.facts import Link, Standing
from hub_config.governance.problems import BadPerson

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCE = click.option(
    "--source",
    metavar="TEXT",
    help="The source of the snapshots, as `warehouse list` shows it. [default: the newest's]",
)


@click.group()
def person() -> None:
    """Persons: which consultations, patients or interns of the warehouse are one's own."""


@person.command()
@click.argument("login")
@click.option("--intern", type=click.IntRange(0), help="Number of the intern whose log is theirs.")
@click.option("--physician", type=click.IntRange(0), help="Number of the GP whose practice is theirs.")
@click.option("--trainer", type=click.IntRange(0), help="Number of the GP whose interns they supervise.")
@SOURCE
def link(
    login: str, intern: int | None, physician: int | None, trainer: int | None, source: str | None
) -> None:
    """Say who LOGIN is in the warehouse. Give one number.

    They see protected tables of these rows alone, without the rule of three GPs; nothing of it can be
    published. From their next question on.
    """
    from hub_config.governance import desk
    from hub_config.governance.persons import actions

    standing, number = _only(
        {Standing.INTERN: intern, Standing.PHYSICIAN: physician, Standing.TRAINER: trainer}
    )
    settings = settings_here()
    found = desk.require_person(settings, source, standing, number)
    with changing(settings) as (session, recorder):
        made = actions.link(session, Link(login, found, standing, number), audit=recorder)
    click.echo(f"{made.username} is {standing.value} {number} of “{found}”, from the next question on.")


@person.command()
@click.argument("login")
@SOURCE
def unlink(login: str, source: str | None) -> None:
    """Take LOGIN off the register: their next question about their own is refused."""
    from hub_config.governance import desk
    from hub_config.governance.persons import actions

    settings = settings_here()
    found = source or desk.newest_source(settings)
    with changing(settings) as (session, recorder):
        actions.unlink(session, login, found, audit=recorder)
    click.echo(f"{login} has no rows of their own in “{found}” any more.")


@person.command()
@click.argument("login")
@click.option("--reason", required=True, help="Why, for the register.")
def leave(login: str, reason: str) -> None:
    """Put LOGIN out everywhere at once: projects, centres, reviewers, log-in.

    What they did stays on record.
    """
    from hub_config.governance.register import leaving

    with changing(settings_here()) as (session, recorder):
        left = leaving.leave(session, login, reason=reason, audit=recorder)
    click.echo(f"{left.username} is out of {len(left.projects)} projects and can't log in any more.")
    for slug in left.orphaned:
        click.echo(f"Project {slug} needs somebody else to answer for it: name them in the register.")


@person.command(name="return")
@click.argument("login")
def take_back(login: str) -> None:
    """Let LOGIN, who left, log in again: with no project until one adds them."""
    from hub_config.governance.register import leaving

    with changing(settings_here()) as (session, recorder):
        leaving.take_back(session, login, audit=recorder)
    click.echo(f"{login} may log in again.")


@person.command(name="list")
def list_persons() -> None:
    """List who is who, by login."""
    from hub_config.governance.persons import actions

    with reading(settings_here()) as session:
        found = actions.persons(session)
    for line in _lines(found):
        click.echo(line)


def _only(given: dict[Standing, int | None]) -> tuple[Standing, int]:
    said = [(standing, number) for standing, number in given.items() if number is not None]
    if len(said) != 1:
        raise BadPerson("Give one number: --intern, --physician or --trainer.")
    return said[0]


def _lines(found: Iterable[Link]) -> list[str]:
    rows = [f"{each.username}: {each.standing.value} {each.number} of “{each.source}”" for each in found]
    return rows or ["Nobody is linked yet. `p4dp-enclave person link --help` says how."]
