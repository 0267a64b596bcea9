"""`p4dp-enclave project`: what operators and the committee type.

Thin: options in, one action, one screen out. Nothing asks for confirmation, so that commands can be
scripted; every change is an audit event in the name of the operating system's user. Heavy modules are
imported when a command runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.console import DAY, changing, reading, settings_here, today
from hub_config.governance.facts import AccessLevel
from hub_config.governance.problems import BadProject

if TYPE_CHECKING:
    from hub_config.governance.facts import ProjectFacts
    from hub_config.governance.grant_file import GrantFile

ROLLING: Final = "rolling"


@dataclass(frozen=True)
class Pin:
    """A snapshot's number, or the population to follow: empty for that of the newest."""

    number: int | None
    rolling: str | None = None


class _PinType(click.ParamType[Pin, str | Pin]):
    name = "N|rolling[:NAME]"

    def convert(self, value: str | Pin, param: click.Parameter | None, ctx: click.Context | None) -> Pin:
        if isinstance(value, Pin):
            return value
        word, _, population = value.partition(":")
        if word == ROLLING:
            return Pin(None, population)
        if not value.isdecimal() or int(value) < 1:
            self.fail(f"{value!r} is no number of a snapshot, nor `rolling` or `rolling:NAME`.", param, ctx)
        return Pin(int(value))


PIN: Final = _PinType()


@click.group()
def project() -> None:
    """Projects: who works on what, for which purpose, with which rights, until when."""


@project.command()
@click.argument("slug")
@click.option("--title", required=True, help="What the project is called on screens.")
@click.option("--purpose", required=True, help="What it is for, as the register of processing says it.")
@click.option(
    "--snapshot",
    type=PIN,
    help="Number of the snapshot it is pinned to; `rolling` (version glissante) follows the newest of its "
    "population, `rolling:NAME` of that one. [default: the newest number]",
)
@click.option("--grant", "grant_file", type=click.Path(path_type=Path), help="TOML file with the grant.")
@click.option("--access", type=click.Choice([level.value for level in AccessLevel]), help="Access level.")
@click.option(
    "--table", "tables", multiple=True, metavar="NAME[:COL,COL]", help="A table, or `all`. Repeat it."
)
@click.option(
    "--centre", "centres", multiple=True, help="Only this centre's rows. Repeat it. [default: all centres]"
)
@click.option("--from", "date_from", type=DAY, help="First day of the events.")
@click.option("--to", "date_to", type=DAY, help="Last day of the events.")
@click.option("--expires", "expires_on", type=DAY, help="Last day of the grant.")
@click.option("--legal-basis", help="MR-004, an authorisation…")
@click.option("--snds", is_flag=True, help="The committee granted the SNDS tables named.")
@click.option(
    "--recontact", is_flag=True, help="The committee granted re-contact: patients, through their GP only."
)
@click.option("--member", "members", multiple=True, metavar="USER:ROLE", help="A first member. Repeat it.")
@click.option("--open-to-all", is_flag=True, help="Everyone who logs in belongs to it (sandbox only).")
@click.option("--min-patients", type=int, help="Stricter than the site's threshold.")
@click.option("--min-physicians", type=int, help="Stricter than the site's threshold.")
def create(
    slug: str,
    title: str,
    purpose: str,
    snapshot: Pin | None,
    grant_file: Path | None,
    members: tuple[str, ...],
    open_to_all: bool,
    min_patients: int | None,
    min_physicians: int | None,
    **grant_options: object,
) -> None:
    """Put project SLUG on record as a draft. The grant comes from --grant FILE or from the options, not both.

    \b
    p4dp-enclave project create these-lea --title "Thèse de Léa" --purpose "…" --access aggregate \\
        --table patients --table diagnoses:patient_id,date,cisp2 --legal-basis MR-004 \\
        --expires 2027-06-30 --member lea:interne
    """
    from hub_config.governance import actions, desk

    said = _grant(grant_file, grant_options)
    grant = said.grant
    settings = settings_here()
    thresholds = {"min_patients": min_patients, "min_physicians": min_physicians}
    pin = snapshot or Pin(None)
    terms = desk.terms(settings, pin.number, rolling=pin.rolling, wants_centres=grant.centres is not None)
    charter = Charter(
        slug=slug,
        title=title,
        purpose=purpose,
        snapshot=terms.snapshot.number,
        rolling=terms.snapshot.rolling,
        grant=grant,
        members=dict(_member(text) for text in members),
        open_to_all=open_to_all,
        policy={**(said.policy or {}), **{k: v for k, v in thresholds.items() if v is not None}},
    )
    with changing(settings) as (session, recorder):
        facts = actions.create_project(session, charter, terms=terms, audit=recorder)
    _show(facts)
    click.echo(f"It is a draft: `p4dp-enclave project approve {slug}` opens it to its members.")


@project.command()
@click.argument("slug")
def approve(slug: str) -> None:
    """Open project SLUG to its members, from their next request on."""
    from hub_config.governance import actions

    with changing(settings_here()) as (session, recorder):
        facts = actions.approve(session, slug, audit=recorder)
    click.echo(f"Project {slug} is {facts.status.value}.")


@project.command()
@click.argument("slug")
def suspend(slug: str) -> None:
    """Close project SLUG at once, until it is approved again."""
    from hub_config.governance import actions

    with changing(settings_here()) as (session, recorder):
        facts = actions.suspend(session, slug, audit=recorder)
    click.echo(f"Project {slug} is {facts.status.value}: its next query is refused.")


@project.command()
@click.argument("slug")
@click.option(
    "--grant", "grant_file", type=click.Path(path_type=Path), help="TOML file. [default: the grant it has]"
)
@click.option(
    "--snapshot",
    type=PIN,
    help="Number of a snapshot, or `rolling`, or `rolling:NAME`. [default: as it is]",
)
@click.option("--recontact/--no-recontact", default=None, help="Grant re-contact. [default: as it is]")
def amend(slug: str, grant_file: Path | None, snapshot: Pin | None, recontact: bool | None) -> None:
    """Give project SLUG another grant, policy or snapshot, to extend it for instance. It is a draft again
    until approved. A grant file without `[policy]` leaves the policy as it is."""
    from hub_config.governance import actions, desk
    from hub_config.governance import grant_file as files

    settings = settings_here()
    said = files.read_grant_file(grant_file) if grant_file else None
    with changing(settings) as (session, recorder):
        before = actions.project_facts(session, slug)
        grant = said.grant if said else before.grant
        grant = grant if recontact is None else replace(grant, recontact=recontact)
        pin = snapshot or Pin(before.snapshot, before.rolling)
        terms = desk.terms(settings, pin.number, rolling=pin.rolling, wants_centres=grant.centres is not None)
        policy = said.policy if said else None
        facts = actions.amend(session, slug, grant, policy=policy, terms=terms, audit=recorder)
    _show(facts)


@project.command()
@click.argument("slug")
def close(slug: str) -> None:
    """Close project SLUG for good."""
    from hub_config.governance import actions

    with changing(settings_here()) as (session, recorder):
        facts = actions.close(session, slug, audit=recorder)
    click.echo(f"Project {slug} is {facts.status.value}.")


@project.command()
@click.argument("slug")
def show(slug: str) -> None:
    """Show project SLUG: purpose, grant, members."""
    from hub_config.governance import actions

    with reading(settings_here()) as session:
        facts = actions.project_facts(session, slug)
    _show(facts)


@project.command(name="list")
def list_projects() -> None:
    """List every project."""
    from hub_config.governance import actions, screens

    with reading(settings_here()) as session:
        found = actions.all_projects(session)
    screens.print_projects(found, today=today())


@project.command()
@click.argument("slug")
@click.argument("user")
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in MemberRole]),
    help="As what they belong to it.",
)
def add_member(slug: str, user: str, role: str) -> None:
    """Let USER work in project SLUG."""
    from hub_config.governance import actions

    with changing(settings_here()) as (session, recorder):
        facts = actions.add_member(session, slug, user, MemberRole(role), audit=recorder)
    click.echo(f"Members of {slug}: {', '.join(sorted(facts.members))}.")


@project.command()
@click.argument("slug")
@click.argument("user")
def remove_member(slug: str, user: str) -> None:
    """Take USER out of project SLUG: their next request is refused."""
    from hub_config.governance import actions

    with changing(settings_here()) as (session, recorder):
        facts = actions.remove_member(session, slug, user, audit=recorder)
    click.echo(f"Members of {slug}: {', '.join(sorted(facts.members)) or 'none'}.")


def _grant(file: Path | None, options: dict[str, object]) -> GrantFile:
    from hub_config.governance import grant_file

    given = {name: value for name, value in options.items() if value not in (None, (), False)}
    if file is None:
        return grant_file.parse_grant(_as_document(given))
    if given:
        names = ", ".join(sorted(given))
        raise BadProject(f"The grant is in {file}: leave out the options that would say it again ({names}).")
    return grant_file.read_grant_file(file)


def _as_document(given: dict[str, object]) -> dict[str, object]:
    """The options as the keys of a grant file."""
    from hub_config.governance.grant_file import parse_table_options

    document = {name: value.date() if isinstance(value, datetime) else value for name, value in given.items()}
    if isinstance(centres := document.get("centres"), tuple):
        document["centres"] = list(centres)
    if isinstance(tables := document.get("tables"), tuple):
        document["tables"] = parse_table_options(tables)
    return document


def _member(text: str) -> tuple[str, MemberRole]:
    user, _, role = text.partition(":")
    if role not in set(MemberRole):
        raise BadProject(f"--member {text!r}: expected USER:ROLE, the role one of {', '.join(MemberRole)}.")
    return user, MemberRole(role)


def _show(facts: ProjectFacts) -> None:
    from hub_config.governance import screens

    screens.print_project(facts, today=today())
