"""How much of each file was set aside, by rule, and whether that is too much. Decides on numbers; reads no
data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub_config.warehouse.loader.mapping import Tolerance
from hub_config.warehouse.loader.rules import MEANING, Rule
from hub_config.warehouse.problems import WarehouseProblem


class MostlyBad(WarehouseProblem):
    """So much of a file was set aside that the mapping or the export must be wrong. Nothing was landed."""


@dataclass(frozen=True)
class Tally:
    """Of one file: `rows` read, blank ones left out, and how many of its lines each rule set aside. `read` is
    false where the same bytes were landed by an earlier load, whose counts these are."""

    name: str
    path: str
    sha256: str
    bytes: int
    rows: int
    read: bool
    rejected: Mapping[Rule, int]


def excesses(tallies: Sequence[Tally], tolerance: Tolerance) -> Iterator[tuple[Tally, Rule, int]]:
    """Every file and rule beyond what is tolerated."""
    for each in tallies:
        for rule, count in each.rejected.items():
            if each.read and count >= tolerance.least and count > tolerance.max_rejected * each.rows:
                yield each, rule, count


def require_mostly_good(tallies: Sequence[Tally], tolerance: Tolerance, listing: str) -> None:
    """Raises MostlyBad, which names every excess. `listing` says where the lines are listed."""
    found = [
        f"  {each.path}: {count:,} of {each.rows:,} rows: {rule} ({MEANING[rule]})"
        for each, rule, count in excesses(tallies, tolerance)
    ]
    if not found:
        return
    raise MostlyBad(
        f"More than {tolerance.max_rejected:.0%} of a file was set aside under one rule, so nothing was "
        "landed:\n"
        + "\n".join(found)
        + f"\nEach line is in {listing}. Correct the mapping or the export and "
        "load again; or, if the rows are rightly refused, raise `max_rejected` in the mapping's [limits]."
    )
