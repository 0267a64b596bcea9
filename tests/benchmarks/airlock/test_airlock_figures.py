"""What the airlock asks of physicians and of this machine, recorded in docs/reference/airlock-figures.md.
`make bench` runs this."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks.airlock import queue
from tests.benchmarks.airlock.loading import Thirty
from tests.benchmarks.airlock.requests import REQUESTS, STOPPED
from tests.benchmarks.airlock.reviewing import Effort, Physician, Whose, review_all
from tests.benchmarks.page import seconds, section, table

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
PAGE: Final = Path(__file__).parents[3] / "docs/reference/airlock-figures.md"
HEAD: Final = """# The airlock in figures

From `make bench`; each section says when and on what it was measured. What the checks find and miss is on
[a page of its own](airlock-checks.md).

"""
MODEL: Final = """
Counted by a program that reads and presses what a physician must, through the real pages, with the real
checks in their boxes. The time is a model, not a stopwatch: 200 words a minute, 15 s to look into a finding
or at a picture, 5 s to find one's way on a new screen, and the keystroke-level model of Card, Moran and
Newell (Communications of the ACM 23(7), 1980) with a slow typist's 0.5 s a key, 1.1 s to point and 1.35 s
to make up one's mind. Cells of what nothing vouches for are read one by one, also in a table of 156 rows.
*Every word* reads labels and warnings anew on each page; *practised* does not read again what was read
before.

No person was timed, and the physicians of the program do not hesitate, ask or disagree more than once. What
two files that no check could read would take to handle by hand is not in it: both are sent back."""
COLUMNS: Final = (
    "physician",
    "screens",
    "keys",
    "clicks",
    "findings",
    "pictures",
    "our words",
    "requester's words",
    "cells",
    "minutes, every word",
    "minutes, practised",
)
ESTIMATED: Final = """
The queue's own "≈ min" of these add up to {told:.0f} minutes for both, those counted (every word) to
{counted:.0f}; files put aside are told at ten minutes each, for handling by hand.

{stopped} more requests never reached a physician: a blocking finding, told to their requester with the
remedy, keeps them from being sent."""
MEASURED: Final = """
In this process: the whole application without a network, on SQLite, one reader at a time; fifteen readings
each, after one that is not counted.
"""


def test_thirty_requests(tmp_path: Path) -> None:
    thirty = Thirty(tmp_path / "home")
    thirty.load((*REQUESTS, *STOPPED))
    physicians = review_all(thirty)
    with section("Thirty requests, two physicians", PAGE, HEAD) as page:
        page += [MODEL.strip(), "", *_efforts(physicians), *_kinds(thirty, physicians)]
        page += [_estimates(thirty, physicians)]
    thirty.close()


def test_pages_of_a_long_queue(tmp_path: Path) -> None:
    airlock = queue.Long(tmp_path / "home")
    airlock.fill(requests=200, files=10)
    rows = []
    for who, path in airlock.pages():
        visit = airlock.visit(who)
        visit.get(path)
        times = sorted(1000 * seconds(lambda v=visit, p=path: v.get(p)) for _ in range(15))
        took = (f"{statistics.median(times):.0f}", f"{times[-1]:.0f}")
        rows.append((f"`{queue.anonymous(path)}`", who, *took, len(airlock.asked(who, path))))
    with section("Pages with 200 requests of ten files in the queue", PAGE, HEAD) as page:
        page += [MEASURED.strip(), ""]
        page += table(("page", "who", "ms, median", "ms, longest", "SQL statements"), rows)
    airlock.close()


def _efforts(physicians: Sequence[Physician]) -> list[str]:
    totals = [physician.total for physician in physicians]
    named = zip(("first", "second", "both"), (*totals, sum(totals, Effort())), strict=True)
    return table(COLUMNS, [(name, *_row(effort)) for name, effort in named])


def _row(effort: Effort) -> Iterator[object]:
    yield from (effort.screens, effort.keystrokes, effort.clicks, effort.findings, effort.pictures)
    yield effort.words[Whose.OURS] + effort.words[Whose.FINDINGS]
    yield from (effort.words[Whose.REQUESTERS], effort.words[Whose.CELLS])
    yield from (f"{effort.minutes:.0f}", f"{effort.practised:.0f}")


def _kinds(thirty: Thirty, physicians: Sequence[Physician]) -> list[str]:
    """Of one request, one reader: the median and the longest, by class and fate."""
    found: dict[str, list[float]] = {}
    for physician in physicians:
        for id, effort in physician.efforts.items():
            found.setdefault(_kind(thirty, id), []).append(effort.minutes)
    rows = [(k, len(all_), f"{statistics.median(all_):.1f}", f"{max(all_):.1f}") for k, all_ in found.items()]
    return table(("a request", "readings", "minutes, median", "longest"), rows)


def _kind(thirty: Thirty, id: str) -> str:
    facts = thirty.facts(id)
    if facts.quarantined:
        return "with a file put aside"
    return f"{facts.output_class.value}{', sent again' if facts.previous else ''}"


def _estimates(thirty: Thirty, physicians: Sequence[Physician]) -> str:
    """What the queue says beside what was counted, without what is put aside."""
    told = counted = 0.0
    for physician in physicians:
        for id, effort in physician.efforts.items():
            if not thirty.facts(id).quarantined:
                told, counted = told + physician.estimated[id], counted + effort.minutes
    return ESTIMATED.format(told=told, counted=counted, stopped=len(thirty.stopped)).strip()
