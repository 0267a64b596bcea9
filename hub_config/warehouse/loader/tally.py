"""How much of each file was set aside, and whether that is too much. Decides on numbers; reads no
data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub_config.warehouse.loader.mapping import Tolerance
from hub_config.warehouse.loader.rules import MEANING, Rule
from hub_config.warehouse.problems import WarehouseProblem


class MostlyBad(WarehouseProblem):
    """So much of a file was set aside that the mapping or the export must be wrong. Nothing was landed."""


@dataclass(frozen=True)
class Tally:
    """Of one file: `rows` read, blank ones left out, how many of them each rule set aside, and how many were
    set `aside` in all. `read` is false where the same bytes were landed by an earlier load, whose counts
    these are. `first` are the line and column that a rule met first; `made` is when it was made, where it
    says so."""

    name: str
    path: str
    sha256: str
    bytes: int
    rows: int
    read: bool
    rejected: Mapping[Rule, int]
    aside: int = 0
    first: Mapping[Rule, tuple[int, str | None]] = field(default_factory=dict)
    made: datetime | None = None


def excesses(tallies: Iterable[Tally], tolerance: Tolerance) -> Iterator[Tally]:
    """Every file of which more was set aside than is tolerated, under whichever rules; and every file of
    which no row was good, however short, unless all of it is tolerated."""
    for each in tallies:
        too_much = each.aside >= tolerance.least and each.aside > tolerance.max_rejected * each.rows
        nothing_good = 0 < each.rows <= each.aside and tolerance.max_rejected < 1
        if each.read and (too_much or nothing_good):
            yield each


def require_mostly_good(tallies: Iterable[Tally], tolerance: Tolerance, listing: str) -> None:
    """Raises MostlyBad, which names every excess and its rules. `listing` says where the lines are listed."""
    found = [line for each in excesses(tallies, tolerance) for line in _told(each)]
    if not found:
        return
    raise MostlyBad(
        f"More than {tolerance.max_rejected:.0%} of a file, or all of it, was set aside, so nothing was "
        "landed:\n"
        + "\n".join(found)
        + f"\nEach line is in {listing}. Correct the mapping or the export and "
        "load again; or, if the rows are rightly refused, raise `max_rejected` in the mapping's [limits]."
    )


def _told(each: Tally) -> Iterator[str]:
    """A row may have broken several rules."""
    yield f"  {each.path}: {each.aside:,} of {each.rows:,} rows"
    for rule, count in sorted(each.rejected.items(), key=lambda item: -item[1]):
        yield f"    {count:,}: {rule} ({MEANING[rule]}){_first(each, rule)}"


def _first(each: Tally, rule: Rule) -> str:
    line, column = each.first.get(rule, (0, None))
    return f", first on line {line:,}{f', {column}' if column else ''}" if line else ""
