"""`p4dp-enclave`: what operators type. Commands live with their area and are imported when they are used.

Problems the enclave foresees end in one message and exit code 2; anything else in its kind and place,
without a trace or the error's own words, for they may carry values of the data. `P4DP_DEBUG=1` shows the
trace, to a developer.
"""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

import click


@dataclass(frozen=True)
class Lazy:
    """Where a command is, and its line in `--help`, known without importing it."""

    module: str
    attribute: str
    summary: str


COMMANDS: Mapping[str, Lazy] = {
    "up": Lazy("hub_config.up.commands", "up", "Start the enclave; Ctrl-C stops all of it."),
    "status": Lazy("hub_config.up.commands", "status", "Say what is running, and where."),
    "demo-code": Lazy("hub_config.identity.commands", "demo_code", "Print a demo account's one-time code."),
    "warehouse": Lazy("hub_config.warehouse.commands", "warehouse", "Make, load, check and list snapshots."),
    "keys": Lazy("hub_config.warehouse.key_commands", "keys", "Replace the pseudonym key."),
    "project": Lazy(
        "hub_config.governance.commands", "project", "Create, approve, suspend and show projects."
    ),
    "objection": Lazy(
        "hub_config.governance.objections.commands", "objection", "Record who objected, and list them."
    ),
    "person": Lazy(
        "hub_config.governance.persons.commands", "person", "Say whose rows are whose own, and list it."
    ),
    "register": Lazy(
        "hub_config.governance.register.commands", "register", "Export the register of processing."
    ),
    "codelist": Lazy(
        "hub_config.codelists.commands", "codelist", "Share code lists among projects, and show them."
    ),
    "codes": Lazy("hub_config.codelists.commands", "codes", "Load the site's own tables of codes."),
    "ledger": Lazy("hub_config.governance.ledger.commands", "ledger", "Show what projects were answered."),
    "publication-key": Lazy(
        "hub_config.gateway.publication.commands",
        "publication_key",
        "Print the key that verifies published tables.",
    ),
    "report": Lazy("hub_config.reports.commands", "report", "Run an approved notebook without a person."),
    "audit": Lazy("hub_config.governance.audit.commands", "audit", "Verify and export the audit log."),
}

# Exceptions whose message is written for operators, by name: recognised without importing their modules.
SPOKEN = frozenset(
    {
        "hub_config.settings.BadSettings",
        "hub_config.keys.UnsafeKey",
        "hub_config.governance.problems.GovernanceProblem",
        "hub_config.governance.audit.failures.AuditFailure",
        "hub_config.warehouse.problems.WarehouseProblem",
    }
)
REFUSAL = "p4dp_sdk.wire.errors.Refusal"


class EnclaveProblem(click.ClickException):
    """One message, exit code 2."""

    exit_code = 2


class EnclaveGroup(click.Group):
    """A group that imports a command when it is used, and turns every exception into a message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        command = getattr(import_module(lazy.module), lazy.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{lazy.module}:{lazy.attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own: a message, an exit code, Ctrl-C, a reader that has seen enough
        except Exception as error:
            if os.environ.get("P4DP_DEBUG"):
                raise
            raise EnclaveProblem(explain(error)) from None


def explain(error: Exception) -> str:
    """What to tell the operator."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if names & SPOKEN:
        return str(error)
    if REFUSAL in names:
        return _refusal(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The disk is full. Free some space, then do it again: what was kept is intact."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return _unforeseen(error)


def _refusal(error: Exception) -> str:
    from p4dp_sdk.wire.refusals import explain as explain_refusal

    return str(explain_refusal(*error.args))


def _unforeseen(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "hub_config" in frame.filename or "p4dp_sdk" in frame.filename]
    where = f" at {own[-1].filename}:{own[-1].lineno}" if own else ""
    remedy = "Please report it; P4DP_DEBUG=1 shows the trace to a developer."
    return f"Unforeseen {type(error).__name__}{where}. {remedy}"


@click.group(
    cls=EnclaveGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def main() -> None:
    """The P4DP research enclave: start it, fill it, and govern who works on what."""


if __name__ == "__main__":
    main(prog_name="p4dp-enclave")
