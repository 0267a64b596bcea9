"""Table 1 against counts made by hand, on the cohort of `conftest`: 5 women, 3 men, one unknown."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.cohorts.results import questions, table_one
from p4dp_sdk.cohorts.results.asking import Number
from p4dp_sdk.cohorts.results.errors import ResultError
from p4dp_sdk.cohorts.results.questions import without
from p4dp_sdk.cohorts.results.variables import variables_of

SMOKING = ["never", "former", "current"]


def told(table: Any, variable: str, level: str = "", statistic: str = "n") -> list[float | None]:
    """One line of the frame: all, women, men, sex not recorded."""
    frame = table.frame
    row = frame[(frame.variable == variable) & (frame.level == level) & (frame.statistic == statistic)]
    assert len(row) == 1, (variable, level, statistic)
    values = [row.iloc[0][name] for name in ("overall", "F", "M", "not recorded")]
    return [None if pd.isna(value) else float(value) for value in values]


@pytest.fixture
def table(hand: ir.Table) -> Any:
    names = ["age", "hta", "smoking", "hba1c"]
    bands = {"age": [40, 65], "hba1c": [7, 8], "smoking": SMOKING}
    return table_one(hand, by="sex", variables=names, bands=bands)


def test_sizes_and_yes_no_lines(table: Any) -> None:
    assert told(table, "patients") == [9, 5, 3, 1]
    assert told(table, "hta") == [4, 2, 1, 1]
    assert told(table, "hta", "not recorded") == [1, 0, 1, 0]  # patient 7: unknown is no "no"


def test_a_limit_belongs_to_the_class_above_it(table: Any) -> None:
    assert told(table, "age", "< 40") == [1, 1, 0, 0]
    assert told(table, "age", "40–64") == [5, 2, 2, 1]
    assert told(table, "age", "≥ 65") == [2, 1, 1, 0]
    assert told(table, "age", "not recorded") == [1, 1, 0, 0]
    assert told(table, "hba1c", "7 – < 8") == [4, 2, 2, 0]
    assert told(table, "hba1c", "≥ 8") == [2, 1, 1, 0]


def test_classes_and_their_missing_add_up_to_everybody(table: Any) -> None:
    levels = [told(table, "smoking", level) for level in (*SMOKING, "not recorded")]
    assert [sum(column) for column in zip(*levels, strict=True)] == told(table, "patients")


def test_percentages_are_of_all_patients_of_the_column(table: Any) -> None:
    assert told(table, "hta", statistic="percent") == pytest.approx([400 / 9, 40, 100 / 3, 100])


def test_means_and_quartiles_are_of_those_known(table: Any, hand: ir.Table) -> None:
    frame = hand.execute()
    values = frame.hba1c.dropna()
    assert told(table, "hba1c", statistic="mean")[0] == pytest.approx(values.mean())
    assert told(table, "hba1c", statistic="sd")[0] == pytest.approx(values.std(ddof=1))
    assert told(table, "hba1c", statistic="median")[0] == pytest.approx(values.median())
    assert told(table, "hba1c", statistic="q1")[0] == pytest.approx(np.quantile(values, 0.25))


def test_an_age_in_days_is_told_in_years(hand: ir.Table) -> None:
    days = hand.mutate(age_days=(hand.age * 365.25).cast("int64"))
    frame = table_one(days, variables=["age"]).frame.set_index("statistic")
    assert frame.overall["mean"] == pytest.approx(hand.age.mean().execute(), abs=0.01)
    assert frame.overall["median"] == pytest.approx(hand.age.median().execute(), abs=0.01)


def test_what_nobody_can_miss_has_no_line_for_it(hand: ir.Table) -> None:
    member = hand.mutate(old=hand.patient_id.isin(hand.filter(hand.age >= 65).patient_id))
    lines = table_one(member, variables=["old", "hta"]).frame
    missing = lines[lines.level == "not recorded"]
    assert set(missing.variable) == {"hta"}


def test_cases_name_their_own_classes(hand: ir.Table) -> None:
    grade = ibis.cases((hand.age < 40, "young"), (hand.age >= 65, "old"), else_="between")
    lines = table_one(hand.mutate(grade=grade), variables=["grade"]).frame
    assert list(lines[lines.statistic == "n"].level) == ["", "young", "old", "between"]


def test_columns_are_told_by_kind_unless_named(hand: ir.Table) -> None:
    table = table_one(hand, by="sex", bands={"smoking": SMOKING})
    assert list(dict.fromkeys(table.frame.variable)) == ["patients", "age", "hta", "smoking", "hba1c"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"variables": ["agee"]}, "Did you mean “age”"),
        ({"by": "sexe"}, "Did you mean “sex”"),
        ({"variables": ["index_date"]}, "can't stand in a Table 1"),
        ({"variables": ["smoking"]}, "Name them"),
        ({"bands": {"age": [65, 40]}, "variables": ["age"]}, "each larger"),
        ({"bands": {"age": ["old"]}, "variables": ["age"]}, "each larger"),
        ({"bands": {"smoking": "never"}, "variables": ["smoking"]}, "list of its codes"),
        ({"bands": {"weight": [40]}, "variables": ["age"]}, "no column “weight”"),
    ],
)
def test_what_cannot_be_told_says_what_to_do(hand: ir.Table, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ResultError) as error:
        table_one(hand, **options)
    assert said in str(error.value) and "What to do" in str(error.value)


# -- publication: what is asked, and what follows from it ---------------------------------------------------


def _parts(hand: ir.Table, **options: Any) -> list[list[str]]:
    variables = variables_of(hand, ["age", "hta", "smoking"], options, {}, by="sex")
    return [list(part.columns) for part in questions.published(hand, variables)]


def test_every_part_holds_the_size_of_the_group_beside_its_classes(hand: ir.Table) -> None:
    parts = _parts(hand, age=[40, 50, 65], smoking=SMOKING)
    assert all(part[0] == "patients" for part in parts)
    assert parts[0] == ["patients"]  # hta may be missing: it has a part of its own, with its "no"
    assert ["patients", "hta", "hta no"] in parts
    assert ["patients", "age < 40", "age 40-50", "age 50-65", "age ≥ 65", "age 1 / 2", "age 2 / 2"] in parts


def test_halves_count_the_same_people_as_the_classes(hand: ir.Table) -> None:
    (age,) = variables_of(hand, ["age"], {"age": [40, 50, 65]}, {}, by=None)
    whole = hand.agg(n=hand.patient_id.nunique(where=age.column.notnull())).execute().n[0]
    halves = hand.agg(
        **{str(at): hand.patient_id.nunique(where=h) for at, h in enumerate(age.halves)}
    ).execute()
    assert halves.iloc[0].sum() == whole


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"patients": 100, "hta": 30, "hta no": 50}, 20.0),
        ({"patients": 100, "hta": 50, "hta no": 50}, 0.0),
        ({"patients": 100, "hta": 50, "hta no": 45}, None),  # five people: never told
        ({"patients": 100, "hta": 30}, None),
        ({"hta": 30, "hta no": 50}, None),
    ],
)
def test_the_missing_follow_from_the_others_or_are_withheld(
    hand: ir.Table, numbers: dict[str, float], expected: float | None
) -> None:
    variables = variables_of(hand, ["hta"], {}, {}, by=None)
    known = {name: Number(value) for name, value in numbers.items()}
    assert questions.with_missing(variables, known)["hta null"].value == expected


# -- against pandas, on any cohort ---------------------------------------------------------------------------

_PATIENTS = st.lists(
    st.tuples(
        st.sampled_from(["F", "M", None]),
        st.one_of(st.none(), st.integers(0, 110)),
        st.sampled_from([True, False, None]),
    ),
    min_size=1,
    max_size=40,
)


@given(_PATIENTS)
@settings(max_examples=25, deadline=None)
def test_agrees_with_pandas(rows: list[tuple[str | None, int | None, bool | None]]) -> None:
    frame = pd.DataFrame(
        {
            "patient_id": range(len(rows)),
            "sex": pd.array([row[0] for row in rows], dtype="string"),
            "age": pd.array([row[1] for row in rows], dtype="Int64"),
            "ill": pd.array([row[2] for row in rows], dtype="boolean"),
        }
    )
    cohort = ibis.duckdb.connect().create_table("cohort", frame)
    found = table_one(cohort, by="sex", variables=["age", "ill"], bands={"age": [40, 65]}).frame
    counts = found[found.statistic == "n"].set_index(["variable", "level"])
    for name, group in [
        ("overall", frame),
        *((s, frame[frame.sex == s]) for s in frame.sex.dropna().unique()),
    ]:
        assert counts[name]["patients", ""] == len(group)
        assert counts[name]["ill", ""] == int((group.ill == True).fillna(False).sum())  # noqa: E712
        assert counts[name]["ill", "not recorded"] == group.ill.isna().sum()
        assert counts[name]["age", "40–64"] == int(group.age.between(40, 64).fillna(False).sum())
        assert counts[name]["age", "not recorded"] == group.age.isna().sum()


def test_a_refused_part_costs_no_other_line_of_its_variable(hand: ir.Table) -> None:
    variables = variables_of(hand, ["age", "hta", "smoking"], {"age": [40], "smoking": SMOKING}, {}, by=None)
    _sizes, moments, classes, ill, smoking = questions.published(hand, variables)
    age, hta, smokes = variables
    lost, left = without(age, classes)
    assert (lost, left.levels, left.summed) == ("age, n (%)", (), True)
    lost, left = without(age, moments)
    assert lost.startswith("age, mean") and left.levels == age.levels and not left.summed
    assert without(left, classes)[0] == "age"  # nothing is left of it
    assert without(hta, ill) == ("hta", hta) and without(smokes, smoking) == ("smoking", smokes)
