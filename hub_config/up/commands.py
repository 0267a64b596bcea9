"""`p4dp-enclave up` and `p4dp-enclave status`."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from hub_config.governance.problems import StoreProblem
from hub_config.identity import provider
from hub_config.identity.accounts import DEMO, read_accounts
from hub_config.identity.provider import ProviderProblem
from hub_config.isolation import workspaces_have_own_uid
from hub_config.keys import UnsafeKey
from hub_config.settings import BadSettings, Settings, load_settings
from hub_config.up import house, ports
from hub_config.up.processes import adopt_orphans, end_descendants
from hub_config.up.programs import programs
from hub_config.up.report import print_status
from hub_config.up.reviewers import ensure_reviewers
from hub_config.up.supervisor import CannotKeepUp, Supervisor
from hub_config.warehouse.snapshot import SnapshotProblem, unusable_snapshots

MAIN_ACCOUNTS = ("ines", "rachid", "diane", "denis", "dora", "charles", "admin")
KNOWN_PROBLEMS = (house.CannotStart, CannotKeepUp, ProviderProblem, SnapshotProblem, StoreProblem, UnsafeKey)


@click.command()
@click.option(
    "--preset",
    type=click.Choice(["A", "C", "none"]),
    default="A",
    show_default=True,
    help="What to synthesise when there is no snapshot yet.",
)
@click.option("--scale", type=float, default=1.0, show_default=True, help="Size of what is synthesised.")
def up(preset: str, scale: float) -> None:
    """Start the enclave and keep it running; Ctrl-C stops all of it.

    Makes what is missing (keys, a synthetic warehouse, demo projects and accounts) and keeps what there is.
    """
    console = Console(highlight=False)
    try:
        settings = load_settings()
        house.make_home(settings)
        with house.held(settings):
            _run(settings, console, preset, scale)
    except (BadSettings, *KNOWN_PROBLEMS) as problem:
        console.print(f"[bold red]✗[/] {problem}", soft_wrap=True)
        sys.exit(1)


@click.command()
def status() -> None:
    """The engine, the protection, the current snapshots and who follows them; then what runs, on which ports,
    in how much memory, all snapshots and projects.

    Exit code 3: not running.
    """
    try:
        settings = load_settings()
        is_running = print_status(settings, Console(highlight=False))
    except (BadSettings, *KNOWN_PROBLEMS) as problem:
        raise click.ClickException(str(problem)) from None
    sys.exit(0 if is_running else 3)


def _run(settings: Settings, console: Console, preset: str, scale: float) -> None:
    began = time.monotonic()
    if busy := ports.busy_message(settings):
        raise house.CannotStart(busy)
    house.require_keys(settings)
    _say_isolation(settings, console)
    if settings.identity.provider == "demo":
        _prepare_identity(settings, console)
    house.ensure_warehouse(settings, preset, scale)
    for problem in unusable_snapshots(settings.warehouse_dir):
        console.print(f"[yellow]![/] {problem}", soft_wrap=True)
    if settings.identity.provider == "demo":
        house.ensure_projects(settings)
        ensure_reviewers(settings)
    adopt_orphans()
    supervisor = Supervisor(say=lambda text: console.print(f"[yellow]![/] {text}", soft_wrap=True))
    _stop_on_signals(supervisor)
    try:
        for program in programs(settings):
            console.print(f"[dim]starting the {program.name}…[/]")
            supervisor.start(program)
        if not supervisor.stopping.is_set():
            house.note_keys(settings)
            _welcome(settings, console, time.monotonic() - began)
        supervisor.watch()
    finally:
        console.print("\nStopping…")
        supervisor.stop()
        for process in end_descendants(grace_seconds=5.0):
            console.print(f"[yellow]![/] killed process {process.pid} ({' '.join(process.command[:3])})")
        console.print("Everything is stopped; the data are kept.")


def _prepare_identity(settings: Settings, console: Console) -> None:
    with console.status("preparing the demonstration's accounts…"):
        provider.prepare(settings, house.CHECKOUT)


def _stop_on_signals(supervisor: Supervisor) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.stopping.set())


def _say_isolation(settings: Settings, console: Console) -> None:
    if not workspaces_have_own_uid(settings.home):
        console.print(
            "[bold yellow]demo: synthetic data only[/] (not started as root: workspaces share your user)"
        )


def _welcome(settings: Settings, console: Console, seconds: float) -> None:
    console.print(f"\n[bold green]✓[/] The enclave is ready ({seconds:.0f} s): [bold]{settings.hub_url}[/]\n")
    if settings.identity.provider == "demo":
        _introduce(settings, console)
    console.print(f"[dim]Logs: {house.logs_dir(settings)}/ · Ctrl-C stops everything[/]", soft_wrap=True)


def _introduce(settings: Settings, console: Console) -> None:
    """Passwords are printed once, the first time everything started; afterwards only where they are kept."""
    accounts = read_accounts(provider.accounts_file(settings))
    told = provider.directory(settings) / "passwords-told"
    for demo in DEMO:
        if demo.username in MAIN_ACCOUNTS:
            password = f"{accounts[demo.username].password:<20}" if not told.exists() else ""
            console.print(
                f"  [bold]{demo.username:<8}[/]{password}{demo.given_name} {demo.family_name}, {demo.title}"
            )
    others = "Other accounts" if not told.exists() else "Passwords, as printed the first time"
    console.print(f"  {others}: {provider.accounts_file(settings)}", soft_wrap=True)
    console.print(
        f"  One-time code, asked after the password: {_own_command()} demo-code ines\n", soft_wrap=True
    )
    told.touch(mode=0o600)


def _own_command() -> str:
    """How the commands are called from here, so that they can be copied."""
    installed = Path(sys.executable).with_name("p4dp-enclave")
    name = str(installed.relative_to(Path.cwd())) if installed.is_relative_to(Path.cwd()) else str(installed)
    home = f"P4DP_HOME={shlex.quote(os.environ['P4DP_HOME'])} " if "P4DP_HOME" in os.environ else ""
    return home + shlex.quote(name if installed.exists() else "p4dp-enclave")
