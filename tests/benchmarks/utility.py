"""docs/reference/utility.md: what a session kept, which rules took the rest, how far off it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tests.benchmarks.page import section, table
from tests.benchmarks.usability import Diary

PAGE: Final = Path(__file__).parents[2] / "docs/reference/utility.md"
_HEAD: Final = """# What protection leaves

From `make bench`, on the synthetic snapshot A (26,125 patients, 51 GPs). Counted are cells with at least 11
patients in truth; one that is withheld is put under the first rule that takes it. *Near the threshold*: it
reaches every limit in truth, but not with enough to spare for a blurred number, so that no limit is an
oracle. *Near a withheld cell*, *within few GPs* and *a known sum* are the ledger's: the cell alone could be
shown, but not beside earlier answers.

The error of a draft has three parts: its noise (5 patients at most); how far it is from the earlier answer
whose value it shows (some fifteen patients, rarely over twenty); and, where it shows a sum of earlier cells,
the noise of each of them. Publication tables are exact. A Table 1 is published as
[the how-to](../how-to/faire-un-tableau-1.md) says; published draft by draft, HbA1c is lost, since the number
of those who have one would count the few who have none.

"""


def write(title: str, lines: Sequence[str]) -> None:
    """Print a report, and make it the page's section `title`."""
    print(f"\n{title}\n" + "\n".join(lines))
    with section(title, page=PAGE, head=_HEAD) as written:
        written.extend(lines)


def report(diary: Diary, *, by: str, of: str) -> list[str]:
    """By step or table what was kept; `of`: the steps of which the least and the median are told."""
    kept = diary.kept(of)
    all_ = diary.cells["shown"].notna().mean()
    least = f"at least {kept.min():.1%} each time, {kept.median():.1%} in the median, {all_:.1%} of all"
    lines = [f"Cells shown: {least}.", "", *_rules(diary, by)]
    lines += ["Error of counts, by size of the cell:", "", *_listed("patients", diary.errors().round(1))]
    if not diary.cells["count"].all():
        lines += ["Error of means, in their own unit:", "", *_listed("mean", diary.means_off().round(3))]
    return [*lines, *sorted(set(diary.refused))]


def _rules(diary: Diary, by: str) -> list[str]:
    """What each table kept; and of what was withheld, which rule took how many."""
    shares = diary.kept(by).map("{:.1%}".format).rename("shown")
    if not diary.watched.rows:
        return _listed(by, shares.to_frame())
    counts = diary.watched.counts(by)
    return _listed("", counts.loc[:, counts.any()].assign(shown=shares))


def _listed(corner: str, frame: pd.DataFrame) -> list[str]:
    rows = [[_named(index), *map(_said, values)] for index, *values in frame.itertuples()]
    return table([corner, *map(str, frame.columns)], rows)


def _named(index: Any) -> str:
    return ": ".join(index) if isinstance(index, tuple) else str(index)


def _said(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:g}"
    return str(value)
