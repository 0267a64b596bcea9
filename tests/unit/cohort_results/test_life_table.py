"""Life tables through a real engine, against days counted by hand and with pandas."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from p4dp_sdk.cohorts.results import follow_up, life_table, table_one
from p4dp_sdk.cohorts.results.asking import Answer, Number
from p4dp_sdk.cohorts.results.errors import ResultError
from p4dp_sdk.cohorts.results.estimates import steps
from p4dp_sdk.cohorts.results.follow_up import Every, Grid, Survival, followed


def test_limits_are_rounded_months() -> None:
    grid = Grid.over(1, "month")
    assert (grid.limits[:4], grid.limits[-1], grid.times[-1]) == ((0, 30, 61, 91), 365, 12.0)
    assert Grid.over(5, Every.YEAR).limits == (0, 365, 730, 1096, 1461, 1826)


@pytest.mark.parametrize(("years", "every"), [(0, "month"), (11, "month"), (0.2, "year")])
def test_too_many_intervals_or_none_are_refused(years: float, every: str) -> None:
    with pytest.raises(ResultError, match="life table"):
        Grid.over(years, every)


def test_counts_by_hand(hand: ir.Table) -> None:
    """Days to death or exit: 1: 1826; 2: 0, dead; 3: 30, dead (29 February to 30 March); 4: 30, the death of
    the day after was not seen; 5: 180; 6: 365, dead; 7: 365; 8: 364; 9: 30, dead. A month is 30 days here,
    and day 30 belongs to the second."""
    table = life_table(hand, "death", "month", years=1).frame.set_index("time")
    assert table.at_risk[[0.0, 1.0, 2.0, 6.0, 12.0]].tolist() == [9, 8, 5, 4, 3]
    assert table.events[[1.0, 2.0, 3.0, 12.0]].tolist() == [1, 2, 0, 0]  # patient 6 dies on day 365: later
    assert table.withdrawn[[1.0, 2.0, 6.0, 12.0]].tolist() == [0, 1, 1, 1]
    assert table.survival[1.0] == pytest.approx(8 / 9)
    assert table.survival[2.0] == pytest.approx(8 / 9 * (1 - 2 / 7.5))


def test_groups_are_told_apart(hand: ir.Table) -> None:
    frame = life_table(hand, "death", "year", "sex", years=2).frame
    assert list(dict.fromkeys(frame.group)) == ["F", "M", "not recorded"]
    at_start = frame[frame.time == 0].set_index("group").at_risk
    assert at_start.to_dict() == {"F": 5, "M": 3, "not recorded": 1}


def _relation(frame: pd.DataFrame) -> ir.Table:
    how = {0: "censored", 1: "event", 2: "competing"}
    people = pd.DataFrame(
        {
            "patient_id": frame.pid,
            "relapse_time": frame.time,
            "relapse_event": frame.ended.map(how),
            "hormon": frame.hormon.astype(str),
        }
    )
    return ibis.duckdb.connect().create_table("cohort", people)


def test_agrees_with_lifelines_on_real_people(rotterdam: pd.DataFrame) -> None:
    found = life_table(_relation(rotterdam), "relapse", "month", years=10)
    fitter = KaplanMeierFitter().fit(rotterdam.time, rotterdam.ended == 1)
    theirs = fitter.predict([limit - 1 for limit in found.grid.limits[1:]])
    assert found.frame.survival[1:].tolist() == pytest.approx(theirs.tolist(), abs=0.001)


def test_competing_events_are_counted_apart(rotterdam: pd.DataFrame) -> None:
    frame = life_table(_relation(rotterdam), "relapse", "year", competing=True, years=10).frame
    first_ten = rotterdam[rotterdam.time < 3652]
    assert frame.events.sum() == (first_ten.ended == 1).sum()
    assert frame.competing.sum() == (first_ten.ended == 2).sum()
    last = frame.iloc[-1]
    assert (
        last.incidence
        < 1 - life_table(_relation(rotterdam), "relapse", "year", years=10).frame.survival.iloc[-1]
    )


def test_what_is_published_by_interval_is_what_a_draft_counts(rotterdam: pd.DataFrame) -> None:
    """The two questions, read back, give the same counts."""
    relation, grid = _relation(rotterdam), Grid.over(10, "quarter")
    survival = Survival.of(relation, "relapse")
    table = life_table(relation, "relapse", "quarter", years=10, competing=True)
    (cumulative,) = table.followed
    rows = follow_up.by_interval(survival, grid, competing=True).question(["interval"]).execute()
    named = {row["interval"]: row for row in rows.to_dict("records")}
    by_interval = follow_up.followed_by_interval(named, None, None, grid, competing=True)
    assert by_interval == cumulative


def test_a_withheld_interval_stops_a_published_curve() -> None:
    grid = Grid.over(3, "year")
    rows = {
        "000-364": {"patients": 30, "event": 20},
        "365-729": {"patients": 25, "event": None},
        "730-1095": {"patients": 25, "event": 15},
        "1096+": {"patients": 20, "event": 0},
    }
    found = follow_up.followed_by_interval(rows, None, None, grid, competing=False)
    assert found.at_risk == (100, 70, 45, 20) and found.events == (0, 20, None, None)


def test_draws_itself(rotterdam: pd.DataFrame) -> None:
    table = life_table(_relation(rotterdam), "relapse", "quarter", "hormon", years=8)
    for drawn in (table, life_table(_relation(rotterdam), "relapse", "year", competing=True, years=8)):
        axes = drawn.plot()
        assert axes.lines
        plt.close(axes.figure)
    assert "χ²" in repr(table.log_rank())


def test_a_missing_column_says_which_there_are(hand: ir.Table) -> None:
    with pytest.raises(ResultError, match="relapse_date"):
        life_table(hand, "relapse")
    with pytest.raises(ResultError, match="Did you mean “sex”"):
        life_table(hand, "death", by="sexe")


def test_a_number_rounded_to_its_neighbours_is_not_read_as_nothing_happened() -> None:
    """Of 18, 24 and 30 events before years 3, 4 and 5, a draft gives the last and rounds the others to it."""
    events = {1: None, 2: None, 3: Number(18), 4: Number(30, earlier=True), 5: Number(30)}
    at_risk = {1: Number(600), 2: Number(560), 3: Number(560, earlier=True), 4: Number(500), 5: Number(450)}
    days = dict(zip(range(1, 6), Grid.over(5, "year").limits[1:], strict=True))
    numbers = {f"event {days[year]}": number or Number(None) for year, number in events.items()}
    numbers |= {f"patients {days[year]}": number for year, number in at_risk.items()}
    answer = Answer(None, {"patients": Number(648), **numbers})
    told = followed(answer, Grid.over(5, "year"), competing=False)
    assert told.events == (0.0, None, None, 18, None, 30)
    assert told.at_risk == (648, 600, 560, 560, 500, 450)
    assert [(step.start, step.end, step.events) for step in steps(told)] == [(0, 3, 18), (3, 5, 12)]


def test_intervals_are_put_together_until_each_is_told() -> None:
    """15 events of each kind in each group; the rest goes to the last."""
    grid = Grid.over(5, "year")

    def group(*events: float | None) -> follow_up.Followed:
        return follow_up.Followed(None, (100.0,) * 6, (0.0, *events), (0.0,) * 6)

    def places(*groups: follow_up.Followed) -> tuple[float, ...]:
        return follow_up.tellable(groups, grid, competing=False).times

    assert places(group(15, 30, 45, 60, 75)) == (0, 1, 2, 3, 4, 5)
    assert places(group(8, 16, 24, 33, 40)) == (0, 2, 5)
    assert places(group(15, 30, 45, 60, 75), group(None, 20, None, 30, 36)) == (0, 2, 5)
    assert places(group(1, 2, 3, 4, 5)) == (0, 5)
    assert follow_up.tellable([group(8, 16, 24, 33, 40)], grid, competing=False).limits == (0, 730, 1826)


@pytest.mark.parametrize(("years", "first"), [(1, 0.0), (8, 100.0)])
def test_rare_events_are_drawn_upwards(rotterdam: pd.DataFrame, years: int, first: float) -> None:
    axes = life_table(_relation(rotterdam), "relapse", "quarter", years=years).plot()
    assert axes.lines[0].get_ydata()[0] == first
    plt.close(axes.figure)


def test_an_empty_cohort_says_where_to_look(hand: ir.Table) -> None:
    nobody = hand.filter(hand.sex == "none")
    for result in (table_one(nobody, variables=["age"]), life_table(nobody, "death", "year")):
        assert "cohort.attrition()" in repr(result)
    assert "cohort.attrition()" not in repr(table_one(hand, variables=["age"]))
