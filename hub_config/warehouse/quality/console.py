"""`warehouse check` on the terminal: completeness, the rules that fired, what moved since the last one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rich.console import Console
from rich.table import Table

from hub_config.warehouse.pages.language import Words, language_of
from hub_config.warehouse.pages.quality import Since, write_report
from hub_config.warehouse.quality.compare import Tolerance, moves, together
from hub_config.warehouse.quality.profile import NoProfile, Profile, read_profile
from hub_config.warehouse.quality.words import label_of, share, told
from hub_config.warehouse.rolling import before
from hub_config.warehouse.snapshot import Snapshot

_MOVES_SHOWN: Final = 20

By = Literal["centre", "month"]


@dataclass(frozen=True)
class Asked:
    """Beyond which share something has moved; by what tables are split, too; where the report goes."""

    tolerance: Tolerance
    by: tuple[By, ...] = ()
    report: Path | None = None


def show_quality(snapshot: Snapshot, warehouse_dir: Path, asked: Asked, console: Console) -> None:
    """Prints the quality of `snapshot`, and writes its report into a directory of its own."""
    try:
        found = read_profile(snapshot.directory)
    except NoProfile as problem:
        console.print(str(problem))
        return
    since = _since(snapshot, found, warehouse_dir, asked.tolerance)
    _say_completeness(found, console)
    _say_rules(found, console)
    for by in asked.by:
        _say_groups(found, by, console)
    console.print(f"Patients who may stand under two sources: {found.twins:,} (counted, never joined).")
    _say_moves(since, console)
    if asked.report:
        words = Words(language_of(os.environ))
        page = write_report(found, snapshot.number, since, asked.report / str(snapshot.number), words)
        console.print(f"Report: {page}", soft_wrap=True)


def _since(snapshot: Snapshot, found: Profile, warehouse_dir: Path, tolerance: Tolerance) -> Since | None:
    other = before(warehouse_dir, snapshot)
    try:
        profile = read_profile(other.directory) if other else None
    except NoProfile:
        return None
    if other is None or profile is None:
        return None
    under = together(other.manifest.merged, snapshot.manifest.merged)
    return Since(other.number, moves(profile, found, tolerance, under))


def _say_completeness(found: Profile, console: Console) -> None:
    table = Table("table", "rows", "columns not always filled", box=None, pad_edge=False)
    for name, each in found.tables.items():
        gaps = {c: each.all.share_filled(c) for c, n in each.all.filled.items() if n < each.all.rows}
        said = ", ".join(f"{column} {share(filled)}" for column, filled in sorted(gaps.items()))
        table.add_row(name, f"{each.all.rows:,}", said or "none")
    console.print(table)


def _say_groups(found: Profile, by: By, console: Console) -> None:
    """The same for each centre or month of a table."""
    table = Table("table", by, "rows", "columns not always filled", "rules", box=None, pad_edge=False)
    for name, each in found.tables.items():
        gaps = sorted(c for c, n in each.all.filled.items() if n < each.all.rows)
        for group, counts in sorted((each.centres if by == "centre" else each.months).items()):
            filled = (f"{column} {share(counts.share_filled(column))}" for column in gaps)
            fired = (f"{rule} {share(counts.share_fired(rule))}" for rule in sorted(counts.rules))
            table.add_row(name, group, f"{counts.rows:,}", "\n".join(filled), "\n".join(fired))
    console.print(table)


def _say_rules(found: Profile, console: Console) -> None:
    table = Table("table", "rule", "rows", "share", "most in", "meaning", box=None, pad_edge=False)
    for name, each in found.tables.items():
        for rule, rows in sorted(each.all.rules.items(), key=lambda fired: -fired[1]):
            most = max(each.centres, key=lambda centre: each.centres[centre].share_fired(rule), default="")
            table.add_row(name, rule, f"{rows:,}", share(each.all.share_fired(rule)), most, label_of(rule))
    console.print(table)


def _say_moves(since: Since | None, console: Console) -> None:
    if since is None:
        console.print("No earlier snapshot of this population to compare with.")
    elif not since.moves:
        console.print(f"Nothing moved beyond the tolerance since snapshot {since.number}.")
    else:
        console.print(f"Moved since snapshot {since.number}:")
        _say(since, console)


def _say(since: Since, console: Console) -> None:
    lines: Sequence[str] = [told(move) for move in since.moves]
    for line in lines[:_MOVES_SHOWN]:
        console.print(f"  {line}", soft_wrap=True, markup=False, highlight=False)
    if len(lines) > _MOVES_SHOWN:
        console.print(f"  and {len(lines) - _MOVES_SHOWN} more: see the report (--report DIR).")
