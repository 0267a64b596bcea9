"""What follows from a table: the dimensions of its keys, and every total that a reader could think of."""

from __future__ import annotations

import datetime
from itertools import product
from typing import Any

import ibis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.publication.cube import ancestors, coded, placed, shape_of
from hub_config.gateway.publication.dimensions import (
    Variable,
    parents_of,
    unknown_labels,
    variable_of,
)
from hub_config.gateway.publication.problem import problem_of, same_measure
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, Backing, Cells, Column, Vectors
from hub_config.gateway.rules.plan import Domain, Measure, MeasureKind, Release
from p4dp_sdk.catalogue.model import Code, CodeSystem
from p4dp_sdk.disclosure.hypercube import Kind

CHAPTERS = {"K86": "K", "K74": "K", "R74": "R", "SC": None}


def release(
    domains: tuple[Domain, ...],
    patient_keys: frozenset[str] = frozenset(),
    measures: tuple[Measure, ...] = (Measure("n", False),),
    rows: Any = None,
) -> Release:
    keys = tuple(key for domain in domains for key in domain.keys)
    types = {
        key: ibis.literal(domain.labels[0][i]).type()
        for domain in domains
        for i, key in enumerate(domain.keys)
    }
    schema = ibis.schema({**types, **{measure.name: "int64" for measure in measures}})
    rows = rows if rows is not None else ibis.table({**types, "__patient": "int64"}, name="rows")
    return Release("release_0", rows, schema, keys, measures, domains, True, patient_keys=patient_keys)


def names_of(variable: Variable) -> list[tuple[str, ...]]:
    return [dimension.keys for dimension in variable.dimensions]


def test_codes_roll_up_to_chapters_and_a_hole_stands_for_itself() -> None:
    codes = Domain(("cisp2",), tuple((code,) for code in (*CHAPTERS, None)))
    (dimension,) = variable_of(codes, [CHAPTERS]).dimensions
    assert dimension.levels == ((0, 1, 2, 3, 4), (0, 0, 1, 2, 3))
    assert dimension.asked == {0}
    tree = dimension.tree(partitions=False)
    assert tree.parents[0] == -1 and all(parent < child for child, parent in enumerate(tree.parents))
    children = [tree.parents.count(code) for code in range(1, 5)]
    assert sorted(children) == [1, 1, 1, 2], "two codes of K; R74, SC and the unknown alone"


def test_months_roll_up_to_years_however_they_are_written() -> None:
    days = [datetime.date(2020, 11, 1), datetime.date(2020, 12, 1), datetime.date(2021, 1, 1)]
    for labels in (days, [day.isoformat()[:7] for day in days]):
        (dimension,) = variable_of(Domain(("m",), tuple((label,) for label in labels)), []).dimensions
        assert dimension.levels[1] == (0, 0, 1)


def test_a_label_and_a_chapter_are_levels_of_their_code() -> None:
    labels = (("K", "K86", "HTA"), ("K", "K74", "Angor"), ("R", "R74", "Rhume"))
    variable = variable_of(Domain(("chapter", "cisp2", "libelle"), labels), [CHAPTERS])
    assert names_of(variable) == [("cisp2", "libelle", "chapter")]
    assert variable.dimensions[0].asked == {0, 1}


def test_a_class_that_cuts_across_chapters_is_a_dimension_of_its_own() -> None:
    labels = (("K86", "a"), ("K74", "b"), ("R74", "a"))
    variable = variable_of(Domain(("cisp2", "classe"), labels), [CHAPTERS])
    assert names_of(variable) == [("cisp2",), ("classe",)]
    cells = set(variable.cells())
    assert len({codes for codes in cells if 0 not in codes}) == 3 + 3, "codes and chapters, by class"


def test_year_and_month_of_one_date_are_two_dimensions() -> None:
    labels = tuple(product((2020, 2021), (1, 2, 3)))
    variable = variable_of(Domain(("y", "m"), labels), [])
    assert sorted(names_of(variable)) == [("m",), ("y",)]
    assert len(list(variable.cells())) == 3 * 4


def test_one_class_only_is_the_total_again() -> None:
    (dimension,) = variable_of(Domain(("c",), (("K86",), ("K74",))), [CHAPTERS]).dimensions
    assert len(dimension.levels) == 1


def test_unknown_labels_are_the_missing_and_those_that_say_so() -> None:
    domain = Domain(("band",), (("00-39",), ("40+",), ("non renseigné",), (None,)))
    assert unknown_labels(domain) == {("non renseigné",), (None,)}
    kept = variable_of(domain, [], unknown_labels(domain))
    assert kept.labels == (("00-39",), ("40+",))


def test_only_lists_with_parents_are_kept() -> None:
    plain = CodeSystem("sex", "", "", (Code("F", "", ""),))
    coded_list = CodeSystem("cisp2", "", "", (Code("K86", "", "", "K"), Code("SC", "", "")))
    assert parents_of([plain, coded_list], {"centre": {"C1": "R1"}}) == (
        {"K86": "K", "SC": None},
        {"C1": "R1"},
    )


# --- the hypercube, measured -------------------------------------------------------------------------------

SEX = Domain(("sex",), (("F",), ("M",)))
CODES = Domain(("cisp2",), (("K86",), ("K74",), ("R74",)))


def cells_of(asked: Release, counts: dict[tuple[int, ...], int]) -> Cells:
    """Cells with so many patients each, and nothing else to say."""
    number = np.array(list(counts.values()), dtype=np.int64)
    zeros = np.zeros(len(number))
    everybody = np.full(len(number), NOBODY_ELSEWHERE)
    backing = Backing(number, number, number, everybody, zeros, zeros, zeros, zeros)
    words = np.zeros((len(number), 64), dtype=np.uint32)
    none = np.zeros(0, dtype=np.uint32)
    sketch = Vectors(words, words[:, :32], zeros, zeros, none, zeros)  # type: ignore[arg-type]
    columns = tuple(Column(measure, number, backing, sketch) for measure in asked.measures)
    return Cells(asked, tuple(counts), columns)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_every_total_stands_in_its_place(people: list[tuple[int, int]]) -> None:
    """Whatever roll-up a cell comes from, its place in the hypercube is where its total is looked for."""
    asked = release((SEX, CODES), frozenset({"sex"}))
    shape = shape_of(asked, tuple(variable_of(domain, [CHAPTERS]) for domain in (SEX, CODES)))
    sex, code = shape.dimensions
    measured = {}
    for levels in product(range(2), range(3)):
        columns = [d.codes(level) for d, level in zip((sex, code), levels, strict=True)]
        counts: dict[tuple[int, ...], int] = {}
        for person in people:
            label = [column[at] for column, at in zip(columns, person, strict=True)]
            kept_label = tuple(c for c in label if c)
            counts[kept_label] = counts.get(kept_label, 0) + 1
        kept = tuple(
            names[level] for names, level in zip(shape.levels, levels, strict=True) if level < len(names)
        )
        measured[kept] = cells_of(asked, counts)
    assert set(measured) == set(shape.rollups)
    cube = placed(shape, measured)
    exact = {
        tuple(map(int, c)): int(v) for c, v in zip(shape.coordinates, cube.columns[0].exact, strict=True)
    }
    assert exact[0, 0] == len(people)
    assert len(exact) == 3 * (3 + 2 + 1)
    for one in (1, 2):
        assert exact[one, 0] == sum(person[0] == one - 1 for person in people)
    for cells, totals in ancestors(shape):
        assert (cube.columns[0].exact[totals] >= cube.columns[0].exact[cells]).all()


def test_a_code_is_not_compared_with_a_chapter_that_nobody_asked_for() -> None:
    shape = shape_of(release((CODES,)), (variable_of(CODES, [CHAPTERS]),))
    pairs = {
        (int(shape.coordinates[a, 0]), int(shape.coordinates[b, 0]))
        for cells, totals in ancestors(shape)
        for a, b in zip(cells, totals, strict=True)
    }
    assert {total for _, total in pairs} == {0}
    assert len({code for code, _ in pairs}) == 3 + 2


def test_rows_get_codes_and_lose_what_is_in_no_list() -> None:
    people = ibis.memtable(
        {"cisp2": ["K86", "K74", "R74", "R74", "??", None], "__patient": [1, 2, 3, 4, 5, 6]}
    )
    asked = release((CODES,), rows=people)
    shape = shape_of(asked, (variable_of(CODES, [CHAPTERS]),))
    made = coded(shape)
    found = ibis.duckdb.connect().to_pyarrow(made.rows).to_pydict()
    assert made.keys == shape.levels[0] and sorted(found["__patient"]) == [1, 2, 3, 4]
    leaf, chapter = (dict(zip(found["__patient"], found[key], strict=True)) for key in made.keys)
    assert leaf[3] == leaf[4] != leaf[1] and chapter[1] == chapter[2] != chapter[3]


def test_missing_labels_are_labels_where_they_are_kept() -> None:
    people = ibis.memtable(
        {"sex": ["F", None, None], "__patient": [1, 2, 3]}, schema={"sex": "string", "__patient": "int64"}
    )
    domain = Domain(("sex",), (("F",), ("M",), (None,)))
    made = coded(shape_of(release((domain,), rows=people), (variable_of(domain, []),)))
    found = ibis.duckdb.connect().to_pyarrow(made.rows).to_pydict()
    assert sorted(found["__patient"]) == [1, 2, 3]


# --- as a problem ------------------------------------------------------------------------------------------


def measure(name: str, kind: MeasureKind, **known: Any) -> Measure:
    return Measure(name, known.pop("conditional", False), kind, **known)


N = measure("n", MeasureKind.ROWS)
P = measure("p", MeasureKind.PATIENTS)
A, B = (measure(name, MeasureKind.ROWS, weight=f"__{name}") for name in "ab")
SUM = measure("m [1]", MeasureKind.SUM, weight="__x", bounds=(-5.0, 5.0), family="sum:x")
VALUES = measure("m [2]", MeasureKind.ROWS, weight="__y")


@pytest.mark.parametrize(
    ("measures", "links", "together"),
    [
        ((N,), set(), ()),
        ((P, N), {("n", "p", 1.0, np.inf)}, ()),
        ((N, A, B), {("a", "n", 0.0, 1.0), ("b", "n", 0.0, 1.0)}, (("a", "b"),)),
        ((SUM, VALUES), {("m [1]", "m [2]", -5.0, 5.0)}, (("m [1]", "m [2]"),)),
    ],
)
def test_what_readers_know_of_the_measures_of_one_row(
    measures: tuple[Measure, ...], links: set[Any], together: Any
) -> None:
    asked = release((SEX,), measures=measures)
    shape = shape_of(asked, (variable_of(SEX, []),))
    counts = {shape.levels[0]: {(1,): 20, (2,): 30}, (): {(): 50}}
    cube = placed(shape, {kept: cells_of(asked, found) for kept, found in counts.items()})
    statuses = {m.name: np.zeros(3, dtype=np.int8) for m in measures}
    assert problem_of(cube, statuses, {}).together == ()
    problem = problem_of(cube, statuses, {}, relations=None)
    assert {(link.of, link.by, link.low, link.high) for link in problem.links} == links
    assert problem.together == together
    assert [q.kind is Kind.COUNT for q in problem.quantities] == [
        m.kind is not MeasureKind.SUM for m in measures
    ]


def test_totals_that_the_table_does_not_show_cost_less() -> None:
    asked = release((SEX, CODES))
    shape = shape_of(asked, tuple(variable_of(domain, [CHAPTERS]) for domain in (SEX, CODES)))
    cells = cells_of(asked, {(1, 1): 20})
    cube = placed(shape, {shape.rollups[0]: cells, **{k: cells_of(asked, {}) for k in shape.rollups[1:]}})
    (quantity,) = problem_of(cube, {"n": np.zeros(18, dtype=np.int8)}, {}).quantities
    shown = {tuple(map(int, codes)) for codes in cube.coordinates[shape.displayed]}
    assert len(shown) == 2 * 3 + 1 and (0, 0) in shown and quantity.cost is not None
    assert quantity.cost[~shape.displayed].max() < quantity.cost[shape.displayed].min()


def test_a_sum_is_tied_to_its_count_whatever_that_is_called() -> None:
    """The values of a mean, counted beside it: one number, under the name of the first."""
    values = measure("values", MeasureKind.ROWS, weight="__y")
    asked = release((SEX,), measures=(values, SUM, VALUES))
    shape = shape_of(asked, (variable_of(SEX, []),))
    cube = placed(
        shape, {shape.levels[0]: cells_of(asked, {(1,): 20, (2,): 30}), (): cells_of(asked, {(): 50})}
    )
    problem = problem_of(cube, dict.fromkeys(("values", "m [1]"), np.zeros(3, dtype=np.int8)), {})
    assert [(link.of, link.by) for link in problem.links] == [("m [1]", "values")]


def test_a_measure_that_is_asked_twice_is_one() -> None:
    asked = release((SEX,), measures=(measure("n", MeasureKind.ROWS), measure("share [2]", MeasureKind.ROWS)))
    assert same_measure(asked) == {"n": "n", "share [2]": "n"}
