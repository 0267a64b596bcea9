"""`p4dp-enclave objection`: what the data protection officer's letters become. Options in, one action, one
line out; nothing that names the person is kept or printed.
"""

from __future__ import annotations

from datetime import UTC, datetime

import click

from hub_config.governance.console import changing, reading, settings_here, today
from hub_config.governance.objections.facts import ObjectionScope, Subject
from hub_config.governance.problems import BadProject


@click.group()
def objection() -> None:
    """Objections of patients and physicians, by the identifier in their practice's software, which is kept
    nowhere."""


@objection.command()
@click.option("--patient", metavar="ID", help="A patient, as the practice's software calls them.")
@click.option("--physician", metavar="ID", help="A physician: what they exported goes, with their patients.")
@click.option(
    "--source", help="Which source the identifier is of: a mapping's, or a preset. [default: the only one]"
)
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in ObjectionScope]),
    default=ObjectionScope.ALL.value,
    show_default=True,
    help="all: no row of theirs is seen any more. future: none dated after today is.",
)
@click.option("--reference", default="", help="Of the letter or contract; never a name.")
def add(patient: str | None, physician: str | None, source: str | None, scope: str, reference: str) -> None:
    """Record an objection: the next query of any project honours it. Give one identifier. Prints the number
    of its receipt."""
    from hub_config.governance import desk
    from hub_config.governance.rights import actions as rights

    if (patient is None) == (physician is None):
        raise BadProject("An objection is a patient's or a physician's: give one identifier.")
    subject = Subject.PATIENT if physician is None else Subject.PHYSICIAN
    settings = settings_here()
    named = desk.the_source(settings, source)
    found = desk.objector(settings, subject, patient or physician or "", named)
    with changing(settings) as (session, recorder):
        receipt = rights.record_objection(
            session,
            subject,
            found.number,
            numbering=found.numbering,
            scope=ObjectionScope(scope),
            source=named,
            reference=reference,
            at=datetime.now(UTC),
            audit=recorder,
        )
    with changing(settings) as (session, _):
        rights.confirm(session, receipt.id, at=datetime.now(UTC))
    said = "Recorded: the next query honours it." if receipt.new else "It was on record already."
    click.echo(f"{said} Receipt {receipt.id}, scope {receipt.scope.value}.")


@objection.command(name="list")
def list_objections() -> None:
    """List the objections on record, those that were lifted too."""
    from hub_config.governance import screens
    from hub_config.governance.objections import actions

    with reading(settings_here()) as session:
        found = actions.objections(session)
    screens.print_objections(found)


@objection.command()
@click.argument("number", type=int, metavar="N")
@click.option("--reason", required=True, help="Why: recorded by error, withdrawn by letter 14… Never whose.")
def lift(number: int, reason: str) -> None:
    """Lift objection N of `objection list`, on the word of the data protection officer: it was recorded by
    error, or whoever made it withdrew it. Snapshots that were made without the person stay so."""
    from hub_config.governance.objections import actions

    with changing(settings_here()) as (session, recorder):
        actions.lift(session, number, reason=reason, on=today(), audit=recorder)
    click.echo(f"Objection {number} is lifted, from the next query on.")
    click.echo(
        "What was purged meanwhile is not back: load all files of the source again, with "
        "`p4dp-enclave warehouse load --afresh`."
    )
