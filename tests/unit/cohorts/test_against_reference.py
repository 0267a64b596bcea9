"""Generated definitions over generated tiny worlds: the compiled relation, run as it is on DuckDB, is the
naive reference row by row. Dates lie on the boundaries: 29 February, ends of months, one day off; with ties
and NULL."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from .naive import Criterion, Said, Variable, attrition, cohort
from .written import rows, site, written

D = date
DAYS = [
    D(2014, 12, 31), D(2015, 1, 31), D(2015, 2, 27), D(2015, 2, 28), D(2015, 3, 1), D(2015, 8, 28),
    D(2015, 8, 29), D(2016, 1, 31), D(2016, 2, 28), D(2016, 2, 29), D(2016, 3, 1), D(2016, 5, 29),
    D(2016, 8, 31), D(2017, 2, 27), D(2017, 2, 28), D(2017, 3, 1), D(2018, 12, 31),
]  # fmt: skip
MONTHS = [D(1960, 2, 1), D(1976, 3, 1), D(2000, 2, 1)]
DEATHS = [None, None, D(2016, 2, 1), D(2016, 3, 1), D(2017, 2, 1)]
LENGTHS = [("months", 1), ("months", 6), ("months", 12), ("days", 1), ("days", 365), ("months", 24)]

PATIENTS = 40

days = st.sampled_from(DAYS)
lengths = st.sampled_from(LENGTHS)
codes = st.sampled_from(["A", "B"])


def world_of(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Forty patients with a few events each, on a handful of days: ties and boundaries are the rule. Four in
    five have one long observation period."""
    draw = Random(seed)  # noqa: S311 - test data
    world: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("patients", "observation_periods", "diagnoses", "lab_results")
    }
    for number in range(PATIENTS):
        own = {"patient_id": number}
        person = {"sex": draw.choice(["F", "M", None]), "centre_id": "C1"}
        months = {"birth_month": draw.choice([None, *MONTHS]), "death_month": draw.choice(DEATHS)}
        world["patients"].append({**own, **person, **months})
        for _ in range(draw.choice([1, 2, 2, 3])):
            start, end = sorted(draw.sample(DAYS, 2)) if draw.random() < 0.4 else (DAYS[0], DAYS[-1])
            world["observation_periods"].append({**own, "start_date": start, "end_date": end})
        for _ in range(draw.randint(1, 4)):
            code = draw.choice("AAB")
            world["diagnoses"].append({**own, "date": draw.choice([None, *DAYS]), "cisp2": code})
        for _ in range(draw.randint(0, 7)):
            lab = {"analyte": "hba1c", "date": draw.choice([None, *DAYS])}
            world["lab_results"].append({**own, **lab, "value": draw.choice([None, 6.0, 7.5, 9.0])})
    return world


criteria = st.one_of(
    st.builds(
        Criterion, keeps=st.booleans(), code=codes, length=st.one_of(st.none(), lengths), after=st.booleans()
    ),
    st.builds(Criterion, keeps=st.booleans(), age=st.sampled_from([15, 16, 40])),
)


@st.composite
def variables(draw: Any, follow_up: Any) -> Variable:
    summary = draw(st.sampled_from(["first", "last", "nearest", "count", "any", "mean", "slope"]))
    before = draw(st.one_of(st.none(), st.just("ever"), lengths))
    reach = [("months", 1), ("days", 30)] if follow_up else LENGTHS
    ahead = st.one_of(st.just("ever"), st.sampled_from(reach))
    after = draw(ahead if before is None else st.one_of(st.none(), ahead))
    dated = summary in ("first", "last", "nearest") and draw(st.booleans())
    of = "date" if dated else None if summary in ("count", "any") else "value"
    return Variable(summary, "hba1c", before, after, of)


@st.composite
def definitions(draw: Any) -> Said:
    follow_up = draw(st.one_of(st.none(), st.sampled_from([("months", 12), ("days", 366), ("months", 1)])))
    between = draw(st.sampled_from([None, None, (DAYS[3], DAYS[14]), (DAYS[1], DAYS[9])]))
    return Said(
        which=draw(st.sampled_from(["first", "last", "any"])),
        code="A",
        between=between,
        washout=draw(st.one_of(st.none(), st.none(), lengths)),
        follow_up=follow_up,
        criteria=tuple(draw(st.lists(criteria, max_size=2))),
        variables=tuple(draw(st.lists(variables(follow_up), max_size=3))),
        outcome=draw(st.sampled_from(["", "A", "B"])),
        competing=tuple(draw(st.lists(st.sampled_from(["death", "B", "A"]), max_size=2, unique=True))),
    )


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 10_000), said=definitions())
def test_the_relation_is_the_reference(seed: int, said: Said) -> None:
    world = world_of(seed)
    made = written(site(world), said)
    found, wanted = rows(made.relation.execute()), cohort(world, said)
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6), said
    counts = list(made.attrition().frame["patients"])
    assert counts == (attrition(world, said) or [0] * len(counts))


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    seed=st.integers(0, 10_000),
    which=st.sampled_from(["first", "last"]),
    outcome=codes,
    years=st.sampled_from([None, 1, 2, 3]),
    seen=st.sampled_from([1, 2]),
)
def test_who_left_is_the_reference_said_apart(
    seed: int, which: str, outcome: str, years: int | None, seen: int
) -> None:
    """What a published life table is made of: with the event, without it, and who died, by days."""
    world = world_of(seed)
    length = None if years is None else ("months", 12 * years)
    said = Said(which, "A", follow_up=length, outcome=outcome, competing=("death",))
    table = written(site(world), said).life_table("o", every="year", years=seen)
    if years is not None and years < seen:
        assert table.apart is None
        return
    assert table.apart is not None
    end = table.grid.limits[-1]
    told = [row for row in cohort(world, said) if row["o_time"] < end]
    events, others = table.apart.events.execute(), table.apart.others.execute()
    assert _people(events, end, "days") == sorted(
        (row["patient_id"], row["o_time"]) for row in told if row["o_event"] == "event"
    )
    assert _people(others, end, "days", "died") == sorted(
        (row["patient_id"], row["o_time"], row["o_event"] == "competing")
        for row in told
        if row["o_event"] != "event" and row["exit_reason"] != "end_of_follow_up"
    )
    assert len(table.apart.everybody.execute()) == len(cohort(world, said))


def _people(frame: Any, end: int, *columns: str) -> list[tuple[Any, ...]]:
    early = frame[frame.days < end]
    return sorted(early[["patient_id", *columns]].itertuples(index=False, name=None))
