"""What `status` shows: processes, ports, memory, snapshots, projects. Reads only; works whether the
enclave runs or not.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from hub_config.governance import actions
from hub_config.governance.facts import ProjectFacts
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.up import house
from hub_config.up.ports import ports
from hub_config.up.processes import Process, descendants
from hub_config.warehouse.activity import reporting
from hub_config.warehouse.snapshot import Snapshot, list_snapshots, unusable_snapshots

MEGABYTE = 1024 * 1024
PARTS = (
    ("hub_config.gateway", "gateway"),
    ("hub_config.airlock", "airlock"),
    ("hub_config.register", "register"),
    ("jupyterhub -f", "hub"),
    ("traefik", "proxy"),
    ("enclave_provider", "identity provider"),
    ("ipykernel", "kernel"),
    ("hub_config.spawner", "workspace"),
    ("jupyterhub.singleuser", "workspace"),
    ("jupyterhub-singleuser", "workspace"),
    ("bwrap", "workspace's sandbox"),
)
"""What of a command line tells a part of the enclave; the first that fits."""


def part_of(command: Iterable[str]) -> str:
    line = " ".join(command)
    return next((name for mark, name in PARTS if mark in line), "other")


def print_status(settings: Settings, console: Console) -> bool:
    """Returns whether the enclave runs."""
    running = house.holder(settings)
    if running is None:
        console.print(f"The enclave of {settings.home} is not running. Start it: make up")
    else:
        where = f"The enclave of {settings.home} runs (process {running.pid}): [bold]{running.url}[/]"
        console.print(where, soft_wrap=True)
        console.print(_processes(descendants(running.pid)))
        in_use = ports(settings.model_copy(update={"port": running.port}))
        console.print("Ports of the loopback: " + ", ".join(f"{port.number} {port.use}" for port in in_use))
    console.print(_snapshots(settings))
    for problem in unusable_snapshots(settings.warehouse_dir):
        console.print(f"[yellow]![/] {problem}", soft_wrap=True)
    console.print(_projects(_all_projects(settings)))
    return running is not None


def _processes(processes: Iterable[Process]) -> Table:
    table = Table("part", "processes", "memory (MB)", title="Processes", title_justify="left")
    parts: dict[str, list[Process]] = {}
    for process in processes:
        parts.setdefault(part_of(process.command), []).append(process)
    for name, members in sorted(parts.items()):
        table.add_row(name, str(len(members)), f"{sum(p.memory_bytes for p in members) / MEGABYTE:,.0f}")
    return table


def _snapshots(settings: Settings) -> Table:
    columns = ("n°", "source", "patients", "made", "practices silent")
    table = Table(*columns, title="Snapshots", title_justify="left")
    for snapshot in list_snapshots(settings.warehouse_dir):
        manifest = snapshot.manifest
        patients, silent = f"{manifest.patients:,}", _silent(snapshot)
        table.add_row(str(manifest.number), manifest.source, patients, manifest.created_at, silent)
    return table


def _silent(snapshot: Snapshot) -> str:
    """Of those awaited in the last closed month: counts only."""
    found = reporting(snapshot)
    return f"{sum(each.silent for each in found)} of {sum(each.expected for each in found)}" if found else ""


def _all_projects(settings: Settings) -> list[ProjectFacts]:
    if settings.database_url is None and not (settings.home / "governance.db").exists():
        return []
    store = open_store(settings)
    try:
        with store.session() as session:
            return actions.all_projects(session)
    finally:
        store.close()


def _projects(projects: Iterable[ProjectFacts]) -> Table:
    table = Table(
        "project", "status", "access", "snapshot", "members", title="Projects", title_justify="left"
    )
    for facts in projects:
        members = "everyone" if facts.open_to_all else ", ".join(sorted(facts.members))
        pin = str(facts.snapshot) if facts.rolling is None else "rolling"
        table.add_row(facts.slug, facts.status.value, facts.grant.access.value, pin, members)
    return table
