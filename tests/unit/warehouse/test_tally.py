"""When a file is too bad to be landed: a table of what was read and set aside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub_config.warehouse.loader.mapping import Tolerance
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.tally import MostlyBad, Tally, excesses, require_mostly_good

FOUR = dict.fromkeys((Rule.MISSING, Rule.BAD_DATE, Rule.UNKNOWN_CODE, Rule.NO_PERSON), 19)


def tally(rows: int, aside: int, rejected: dict[Rule, int] | None = None, *, read: bool = True) -> Tally:
    return Tally("events", "events.csv", "", 0, rows, read, rejected or {Rule.MISSING: aside}, aside)


@pytest.mark.parametrize(
    ("file", "tolerance", "stops"),
    [
        (tally(100, 20), Tolerance(), False),
        (tally(100, 21), Tolerance(), True),
        (tally(100, 76, FOUR), Tolerance(), True),  # four rules, none above a fifth
        (tally(100, 19, FOUR), Tolerance(), False),  # the same rows broke all four
        (tally(60, 19), Tolerance(), False),  # too few to judge by
        (tally(19, 18), Tolerance(), False),
        (tally(19, 19), Tolerance(), True),  # not one good row
        (tally(1, 1), Tolerance(), True),
        (tally(0, 0), Tolerance(), False),
        (tally(100, 76, FOUR, read=False), Tolerance(), False),
        (tally(100, 76, FOUR), Tolerance(max_rejected=0.8), False),
        (tally(5, 5), Tolerance(max_rejected=0.8), True),
        (tally(5, 5), Tolerance(max_rejected=1.0), False),
    ],
)
def test_a_file_is_judged_by_all_the_rows_set_aside(file: Tally, tolerance: Tolerance, stops: bool) -> None:
    assert list(excesses([file], tolerance)) == ([file] if stops else [])


def test_the_message_names_the_file_its_share_and_each_rule() -> None:
    with pytest.raises(MostlyBad) as raised:
        require_mostly_good([tally(100, 5), tally(100, 76, FOUR)], Tolerance(), "rejected.csv")
    told = str(raised.value).splitlines()
    assert told[1] == "  events.csv: 76 of 100 rows"
    assert len(told) == 7 and "    19: bad-date (" in told[3] and "rejected.csv" in told[-1]


def test_the_message_names_the_first_line_and_column_of_a_rule() -> None:
    bad = replace(tally(100, 76), first={Rule.MISSING: (7, "born")})
    with pytest.raises(MostlyBad, match=r"76: missing \(.*\), first on line 7, born\n"):
        require_mostly_good([bad], Tolerance(), "rejected.csv")
    whole = replace(bad, first={Rule.MISSING: (7, None)})  # no column of it: too many fields, say
    with pytest.raises(MostlyBad, match=r"first on line 7\n"):
        require_mostly_good([whole], Tolerance(), "rejected.csv")
