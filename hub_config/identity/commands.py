"""`p4dp-enclave demo-code USER`: the current one-time code of a demonstration account."""

from __future__ import annotations

import sys
import time

import click

from hub_config.identity.accounts import AccountsMissing, UnknownAccount, account, read_accounts
from hub_config.identity.provider import accounts_file
from hub_config.settings import BadSettings, load_settings

PERIOD_SECONDS = 30
TYPING_SECONDS = 10  # the provider takes a code of the running period only


@click.command("demo-code")
@click.argument("user")
def demo_code(user: str) -> None:
    """Print a one-time code of the demo account USER, with time left to type it.

    Only for the demonstration's own accounts: it refuses when the institution's identity provider is used.
    """
    try:
        settings = load_settings()
        if settings.identity.provider != "demo":
            raise click.ClickException(
                "This enclave uses the institution's identity provider: there are no demo accounts. "
                "One-time codes come from each person's own authenticator."
            )
        secrets = account(read_accounts(accounts_file(settings)), user)
    except (BadSettings, AccountsMissing, UnknownAccount) as problem:
        raise click.ClickException(str(problem)) from None
    now = _with_time_left()
    click.echo(secrets.code(now))
    if sys.stderr.isatty():
        click.echo(f"valid for {PERIOD_SECONDS - now % PERIOD_SECONDS} s", err=True)


def _with_time_left() -> int:
    """Now, or the beginning of the next period where the running one is nearly over."""
    left = PERIOD_SECONDS - time.time() % PERIOD_SECONDS
    if left < TYPING_SECONDS:
        click.echo(f"waiting {left:.0f} s for a code that lasts", err=True)
        time.sleep(left)
    return int(time.time())
