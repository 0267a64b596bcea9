"""`p4dp-enclave keys …`: replace the pseudonym key without renumbering anybody. Prints counts, no key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hub_config.settings import load_settings

if TYPE_CHECKING:
    from hub_config.warehouse.rotation import Rotation


@click.group()
def keys() -> None:
    """Replace the pseudonym key."""


@keys.group(name="rotate-pseudonyms")
def rotate_pseudonyms() -> None:
    """Replace the key that names persons: begin, load what the practices export, finish. Numbers stay."""


@rotate_pseudonyms.command()
def begin() -> None:
    """Draw a new key beside the old one, or take it from P4DP_PSEUDONYM_NEXT_KEY."""
    from hub_config.warehouse.rotation import begin as begin_rotation

    _say(begin_rotation(load_settings().keys_dir))


@rotate_pseudonyms.command()
def status() -> None:
    """Say of how many persons the new key knows nothing yet."""
    from hub_config.warehouse.rotation import status as status_of

    _say(status_of(load_settings().keys_dir))


@rotate_pseudonyms.command()
@click.option(
    "--leave-behind",
    is_flag=True,
    help="Even if some are unknown to the new key: exported again, they are new persons, and an objection "
    "of theirs no longer reaches them.",
)
def finish(leave_behind: bool) -> None:
    """Drop the old key. What was derived from it is gone with it."""
    from hub_config.warehouse.rotation import finish as finish_rotation

    told = finish_rotation(load_settings().keys_dir, leave_behind=leave_behind)
    _say(told)
    click.echo("The new key is in force; the old one is gone. Back up keys/ and destroy older backups of it.")


def _say(rotation: Rotation) -> None:
    click.echo(f"Rotation begun {rotation.since}.")
    for each in rotation.carried:
        known = each.numbered - each.missing
        click.echo(f"  {each.kind}s: the new key knows {known:,} of {each.numbered:,}")
