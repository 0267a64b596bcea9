"""What `status` shows: the engine, the protection and the current snapshots; then processes, ports, memory,
snapshots, projects. Reads only; works whether the enclave runs or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from hub_config.governance import actions
from hub_config.governance.facts import ProjectFacts
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.up import house
from hub_config.up.glance import (
    Stand,
    age,
    current_line,
    engine_line,
    protection_line,
    stands,
    without_snapshot,
)
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
    running, at = house.holder(settings), datetime.now(UTC)
    snapshots, projects = list_snapshots(settings.warehouse_dir), _all_projects(settings)
    if running is None:
        console.print(f"The enclave of {settings.home} is not running. Start it: make up")
    else:
        where = f"The enclave of {settings.home} runs (process {running.pid}): [bold]{running.url}[/]"
        console.print(where, soft_wrap=True)
    _at_a_glance(settings, stands(snapshots, projects), at, console)
    for slug in without_snapshot(snapshots, projects):
        console.print(f"[yellow]![/] Project {slug} gets no answer: no usable snapshot is its own.")
    for problem in unusable_snapshots(settings.warehouse_dir):
        console.print(f"[yellow]![/] {problem}", soft_wrap=True)
    if running is not None:
        console.print(_processes(descendants(running.pid)))
        in_use = ports(settings.model_copy(update={"port": running.port}))
        console.print("Ports of the loopback: " + ", ".join(f"{port.number} {port.use}" for port in in_use))
    console.print(_snapshots(stands(snapshots, projects), at))
    console.print(_projects(projects))
    return running is not None


def _at_a_glance(settings: Settings, found: Sequence[Stand], at: datetime, console: Console) -> None:
    lines = [engine_line(settings.warehouse), protection_line(settings.policy.policy())]
    lines += [current_line(each, at) for each in found if each.current]
    if not found:
        lines.append("No snapshot can be used. Make one: p4dp-enclave warehouse synthesise --preset A")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def _processes(processes: Iterable[Process]) -> Table:
    table = Table("part", "processes", "memory (MB)", title="Processes", title_justify="left")
    parts: dict[str, list[Process]] = {}
    for process in processes:
        parts.setdefault(part_of(process.command), []).append(process)
    for name, members in sorted(parts.items()):
        table.add_row(name, str(len(members)), f"{sum(p.memory_bytes for p in members) / MEGABYTE:,.0f}")
    return table


def _snapshots(found: Iterable[Stand], at: datetime) -> Table:
    columns = ("n°", "source", "patients", "made", "current", "projects", "practices silent")
    table = _whole(Table(*columns, title="Snapshots", title_justify="left"))
    for each in found:
        manifest = each.snapshot.manifest
        made = f"{manifest.created_at[:10]} ({age(manifest.created_at, at)})"
        row = (manifest.source, f"{manifest.patients:,}", made, "yes" if each.current else "")
        table.add_row(str(manifest.number), *row, each.projects, _silent(each.snapshot))
    return table


def _whole(table: Table) -> Table:
    """Names are folded rather than cut, however narrow the terminal: they are typed in other commands."""
    for column in table.columns:
        column.overflow = "fold"
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
    columns = ("project", "status", "access", "snapshot", "policy", "members")
    table = _whole(Table(*columns, title="Projects", title_justify="left"))
    for facts in projects:
        members = "everyone" if facts.open_to_all else ", ".join(sorted(facts.members))
        pin = str(facts.snapshot) if facts.rolling is None else f"follows {facts.rolling}"
        policy = ", ".join(f"{name} {value}" for name, value in sorted(facts.policy.items()))
        row = (facts.status.value, facts.grant.access.value, pin, policy, members)
        table.add_row(facts.slug, *row)
    return table
