"""What may be asked with noise, and how much one patient may add: held on the engine for any patient."""

from __future__ import annotations

from types import SimpleNamespace

import ibis
import numpy as np
import pytest

from hub_config.gateway.noise.bounds import GRID, bounded
from hub_config.gateway.noise.noisy import noisy, shared
from hub_config.gateway.noise.statements import statement
from hub_config.gateway.rules.plan import MeasureKind
from hub_config.gateway.rules.protect import full_domain
from hub_config.gateway.rules.split import split
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.conformance import world


@pytest.fixture(scope="module")
def engine():
    return world.engine(1)


@pytest.fixture
def t():
    return world.tables()


def planned(expression, engine):
    return split(world.ask(expression, engine))


def measures(expression, engine, contributions=5, most_cells=100_000):
    plan = planned(expression, engine)
    (release,) = plan.releases
    return release, bounded(plan, contributions, most_cells)[release.name]


def exact(release, measure, engine):
    table = engine.to_pyarrow(statement(release, measure))
    keys = zip(*(table.column(key).to_pylist() for key in release.keys), strict=True)
    return dict(zip(keys, table.column("__total").to_pylist(), strict=True))


# --- sensitivities -----------------------------------------------------------------------------------------


def test_a_patient_is_once_in_a_table_by_their_own_keys(t, engine):
    _, (patients,) = measures(t.patients.group_by("sex").agg(n=t.patients.patient_id.nunique()), engine)
    assert (patients.sensitivity, patients.unit) == (1, 1)


def test_a_patient_with_many_codes_counts_in_few(t, engine):
    asked = t.diagnoses.group_by("cisp2").agg(n=t.diagnoses.patient_id.nunique())
    assert measures(asked, engine, contributions=3)[1][0].sensitivity == 3
    assert measures(asked, engine, contributions=500)[1][0].sensitivity <= len(world.CODES["cisp2"]) + 1


def test_rows_and_sums(t, engine):
    b = t.biometrics
    _, parts = measures(b.group_by("measure").agg(rows=b.count(), total=b.value.sum()), engine, 4)
    by_kind = {part.measure.kind: part for part in parts}
    assert by_kind[MeasureKind.ROWS].sensitivity == 4
    total = by_kind[MeasureKind.SUM]
    assert total.sensitivity == 4 * GRID
    assert total.unit * GRID == max(map(abs, total.measure.bounds))


@pytest.mark.parametrize("contributions", [1, 2, 3, 50])
def test_no_patient_adds_more_than_the_sensitivity(t, engine, contributions):
    """Every patient taken out in turn: the totals of all cells move by at most the sensitivity, in all."""
    d, b = t.diagnoses, t.biometrics
    asked = [
        d.group_by("cisp2").agg(n=d.patient_id.nunique()),
        d.group_by("cisp2").agg(n=d.count()),
        b.group_by("measure").agg(n=b.value.sum()),
    ]
    for expression in asked:
        release, parts = measures(expression, engine, contributions)
        for part in parts:
            for patient in range(1, 13):
                alone = release.rows.filter(release.rows["__patient"] == patient)
                one = exact(SimpleNamespace(rows=alone, keys=release.keys, unit=release.unit), part, engine)
                assert sum(abs(total or 0) for total in one.values()) <= part.sensitivity


def test_with_enough_contributions_nothing_is_lost(t, engine):
    d = t.diagnoses
    release, (rows,) = measures(d.group_by("cisp2").agg(n=d.count()), engine, 50)
    assert exact(release, rows, engine) == {
        ("T90",): 5, ("K86",): 3, ("R74",): 4, ("R80",): 2, ("SC",): 1,
    }  # fmt: skip


def test_which_rows_are_left_out_is_chance(t, engine):
    d = t.diagnoses
    release, (rows,) = measures(d.group_by("cisp2").agg(n=d.count()), engine, 1)
    seen = {tuple(sorted(exact(release, rows, engine).items())) for _ in range(40)}
    assert len(seen) > 1


def test_a_value_beyond_its_bounds_counts_as_the_bound(t, engine):
    release, parts = measures(t.biometrics.group_by("measure").agg(s=t.biometrics.value.sum()), engine, 1)
    part = next(p for p in parts if p.measure.kind is MeasureKind.SUM)
    column = part.measure.weight
    for value in (1e300, float("inf"), -1e300):
        changed = release.rows.mutate(ibis.literal(value).name(column))
        wild = SimpleNamespace(rows=changed, keys=release.keys, unit=release.unit)
        assert max(abs(total) for total in exact(wild, part, engine).values()) <= 12 * GRID


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda t: t.patients.group_by("age").agg(n=t.patients.count()), ErrorCode.KEY_RULE),
        (lambda t: t.diagnoses.group_by("date").agg(n=t.diagnoses.count()), ErrorCode.KEY_RULE),
        (
            lambda t: t.physicians.group_by("sex").agg(n=t.physicians.count()),
            ErrorCode.MEASURE_NOT_RELEASABLE,
        ),
        (lambda t: t.patients.agg(m=t.patients.age.median()), ErrorCode.MEASURE_NOT_RELEASABLE),
    ],
    ids=["an open key", "single days", "no patients", "a quantile"],
)
def test_what_noise_can_not_be_sized_for(t, engine, ask, code):
    with pytest.raises(Refusal) as refused:
        measures(ask(t), engine)
    assert refused.value.code is code


def test_limits(t, engine):
    asked = t.diagnoses.group_by("cisp2").agg(n=t.diagnoses.count())
    for contributions in (0, -1, 1_001):
        with pytest.raises(Refusal) as refused:
            measures(asked, engine, contributions)
        assert refused.value.code is ErrorCode.MALFORMED
    with pytest.raises(Refusal) as refused:
        measures(asked, engine, most_cells=3)
    assert refused.value.code is ErrorCode.TOO_MANY_CELLS


# --- the table ---------------------------------------------------------------------------------------------


def shown(expression, engine, draw, epsilon=1.0):
    plan = planned(expression, engine)
    (release,) = plan.releases
    shares = shared(bounded(plan, 5, 100_000), epsilon)[release.name]
    cells = len(list(full_domain(release)))
    return release, noisy(release, shares, [np.zeros(cells, dtype=np.int64)] * len(shares), draw)


def test_every_cell_of_the_domain_comes_back(t, engine):
    asked = t.patients.group_by("sex", "centre_id").agg(n=t.patients.patient_id.nunique())
    release, table = shown(asked, engine, lambda totals, *_: totals + 7)
    assert table.frame.num_rows == 2 * 3 and set(table.frame.column("n").to_pylist()) == {7}
    assert [tuple(row[key] for key in release.keys) for row in table.frame.to_pylist()] == list(
        full_domain(release)
    )
    assert table.measures["n"].withheld == 0 and not table.rows_may_be_missing and not table.reasons


def test_no_key_is_one_cell(t, engine):
    _, table = shown(t.patients.agg(n=t.patients.patient_id.nunique()), engine, lambda totals, *_: totals + 3)
    assert table.frame.to_pydict() == {"n": [3]}


def test_counts_below_zero_are_shown_as_zero(t, engine):
    asked = t.patients.group_by("sex").agg(n=t.patients.patient_id.nunique())
    _, table = shown(asked, engine, lambda totals, *_: totals - 4)
    assert table.frame.column("n").to_pylist() == [0, 0]


def test_the_budget_is_shared_by_the_measures(t, engine):
    spent = []

    def draw(totals, sensitivity, epsilon):
        spent.append(epsilon)
        return totals

    d = t.diagnoses
    shown(d.group_by("cisp2").agg(rows=d.count(), patients=d.patient_id.nunique()), engine, draw, 0.8)
    assert spent == [0.4, 0.4]


def test_sums_lose_the_digits_that_are_noise(t, engine):
    asked = t.biometrics.group_by("measure").agg(total=t.biometrics.value.sum())
    _, table = shown(asked, engine, lambda totals, *_: totals + 123_456_789)
    for name in table.frame.column_names:
        for value in table.frame.column(name).to_pylist():
            assert not isinstance(value, float) or value == round(value, -2) > 0  # its error: thousands
