"""Much data, measured by sums and samples, against the same data read whole."""

from __future__ import annotations

import ibis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.evidence import cross, large, measure, quantile
from hub_config.gateway.evidence.fanout import is_one_table, most_rows
from hub_config.gateway.evidence.source import Source, source
from hub_config.gateway.rules.cells import Cells
from hub_config.gateway.rules.limits import verdicts
from hub_config.gateway.rules.plan import PATIENT, MeasureKind
from p4dp_sdk.disclosure.policy import Policy
from tests.services.gateway.evidence_world import (
    ALL,
    CHOSEN,
    CHOSEN_PEOPLE,
    COUNTED,
    PEOPLE,
    RING,
    SCHEMA,
    SUMMED,
    measure_of,
    release,
    session,
    table_of,
)

ALWAYS = {"whole_up_to": -1}
ADDITIVE = (COUNTED, CHOSEN, SUMMED)
MEDIAN = measure_of(
    MeasureKind.QUANTILE, "__w1", name="median", family="quantile:x:0.5", bounds=(-100.0, 100.0),
    quantile=0.5, step=0.1,
)  # fmt: skip


def population(seed, patients=1_500, rows=9_000, codes=4):
    """Sorted by patient, as facts are stored; GPs and codes of very different size."""
    draw = np.random.default_rng(seed)
    who = np.sort(draw.integers(0, patients, rows))
    code = np.minimum((codes * draw.random(rows) ** 3).astype(int), 2)
    gp = (who * 7 // 10) % 23 % draw.integers(1, 24)
    value = np.round(draw.normal(0, 30, rows).clip(-100, 100), 3)
    value[draw.random(rows) < 0.3] = 0.0
    return [
        (
            "ABC"[c] if draw.random() > 0.01 else None,
            "FM"[p % 2] if p % 50 else None,
            int(p),
            None if p % 31 == 0 else int(g),
            1 if draw.random() < 0.5 else None,
            None if p % 13 == 0 else float(v),
        )
        for c, p, g, v in zip(code, who, gp, value, strict=True)
    ]


def in_order(cells: Cells, labels):
    return [cells.labels.index(label) for label in labels]


def agree(large: Cells, whole: Cells, policy: Policy) -> None:
    assert set(large.labels) == set(whole.labels)
    order = in_order(large, whole.labels)
    shown, exactly = verdicts(large, policy, RING.prf), verdicts(whole, policy, RING.prf)
    for one, other in zip(large.columns, whole.columns, strict=True):
        name = other.measure.name
        assert np.array_equal(shown[name][order], exactly[name]), name
        assert one.exact[order] == pytest.approx(other.exact, nan_ok=True)
        assert np.array_equal(one.vectors.records[order], other.vectors.records)
        bounds, truth = one.backing, other.backing
        for least in ("patients", "physicians", "outside", "outside_few", "left_out"):
            assert (getattr(bounds, least)[order] <= getattr(truth, least)).all(), (name, least)
        for most in ("largest", "second", "physician_share"):
            assert (getattr(bounds, most)[order] >= getattr(truth, most) - 1e-9).all(), (name, most)
        assert bounds.total[order] == pytest.approx(truth.total)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(), ("code",), ("code", "sex")]), st.booleans())
def test_samples_change_no_verdict(seed, keys, distinct):
    rows = population(seed)
    asked = release(
        keys=keys, measures=ALL if distinct else ADDITIVE, patient_keys=frozenset({"sex"}) & set(keys)
    )
    connection = session(t=table_of(rows))
    large = measure(connection, asked, Policy(), RING, **ALWAYS)
    whole = measure(connection, asked, Policy(), RING)
    agree(large, whole, Policy())
    order = in_order(large, whole.labels)
    for one, other in zip(large.columns, whole.columns, strict=True):
        assert np.array_equal(one.vectors.by_patient[order], other.vectors.by_patient)
        assert np.array_equal(one.vectors.by_physician[order], other.vectors.by_physician)


@pytest.mark.parametrize("distinct", [False, True])
def test_few_rows_a_cell_are_read_whole(distinct):
    """Thousands of small cells: none can be certified from a part of the patients."""
    rows = [
        (f"c{p % 700}", "FM"[p % 2], p, p % 5, 1, 1.0)
        for p in range(12_000)
        for _ in range(2 if p % 3 else 1)
    ]
    asked = release(measures=ALL if distinct else ADDITIVE, domains=(), closed=False)
    connection = session(t=table_of(rows))
    agree(
        measure(connection, asked, Policy(), RING, remember=False, **ALWAYS),
        measure(connection, asked, Policy(), RING, remember=False),
        Policy(),
    )


@pytest.mark.parametrize(
    "at_once, few, alone", [(12_000, 12_000, True), (12_000, 11_999, False), (4_000, 4_000, True)]
)
def test_rows_leave_the_engine_one_by_one_only_where_they_are_few(monkeypatch, at_once, few, alone):
    """So few at once, of one range of patients after the other. Beyond that it groups them itself, within its
    own limit of memory."""
    rows = [(f"c{p % 700}", "FM"[p % 2], p, p % 5, 1, 1.0) for p in range(12_000)]
    monkeypatch.setattr(large, "_FINE", at_once)
    monkeypatch.setattr(large, "_COARSE", few)
    fetched = []
    count = Source.count_contributions
    monkeypatch.setattr(Source, "count_contributions", lambda *given: fetched.append(given) or count(*given))
    asked = release(keys=("code",), measures=(COUNTED,), domains=(), closed=False)
    connection = session(t=table_of(rows))
    found = measure(connection, asked, Policy(), RING, remember=False, **ALWAYS)
    assert bool(fetched) is alone
    assert all(len(relations) == len(rows) // at_once for _, relations, *_ in fetched[-1:])
    agree(found, measure(connection, asked, Policy(), RING, remember=False), Policy())


def test_one_patient_and_one_gp_who_make_up_most_are_found():
    crowd = [("A", "F", p, p % 6, 1, 1.0) for p in range(3_000)]
    heavy = [("A", "F", 5, 1, 1, 90.0)] * 20_000
    local = [("B", "F", p, 0 if p % 20 else p % 7, 1, 5.0) for p in range(3_000)]
    for rows in (crowd + heavy, local, crowd + local):
        connection = session(t=table_of(rows))
        asked = release(keys=("code",), measures=(COUNTED, SUMMED), domains=(), closed=False)
        agree(
            measure(connection, asked, Policy(), RING, **ALWAYS),
            measure(connection, asked, Policy(), RING),
            Policy(),
        )


def test_samples_hold_everybody_below_their_threshold():
    rows = [("ABC"[min(p % 40, 2)], "F", p, p % 5, 1, 1.0) for p in range(60_000)]
    cells = measure(session(t=table_of(rows)), release(keys=("code",)), Policy(), RING, **ALWAYS)
    ranks = RING.patients(60_000).ranks
    for column in cells.columns:
        vectors = column.vectors
        for number, (code,) in enumerate(cells.labels):
            everybody = np.sort(ranks[[p for p, row in enumerate(rows) if row[0] == code]])
            found = vectors.ranks[vectors.offsets[number] : vectors.offsets[number + 1]]
            assert np.array_equal(found, everybody[everybody < vectors.threshold[number]])
            assert 20 <= len(found) <= 256
        assert len(vectors.ranks) == vectors.offsets[-1]


def test_quantiles_and_roll_ups_agree(monkeypatch):
    monkeypatch.setattr(quantile, "moves", lambda caps, _drawn, _policy: np.zeros(len(caps)))
    monkeypatch.setattr(quantile.Records, "flattened", lambda self, _caps: self.rows.astype(float))
    rows = population(5)
    connection = session(t=table_of(rows))
    asked, kept = release(measures=(MEDIAN, *ALL)), [("code", "sex"), ("sex",), ()]
    large = cross(connection, asked, Policy(), RING, kept, **ALWAYS)
    whole = cross(connection, asked, Policy(), RING, kept)
    for keys in kept:
        agree(large[keys], whole[keys], Policy())
    assert np.isfinite(whole[()].columns[0].exact).all()


def test_the_rows_of_a_join_are_bounded_by_those_of_its_tables():
    rows = [("A", "F", p, p % 5, 1, 1.0) for p in range(300) for _ in range(p % 4 + 1)]
    connection = session(t=table_of(rows))
    asked = release(keys=("code",))
    assert is_one_table(source(connection, asked)) and most_rows(source(connection, asked)) == 4
    other = asked.rows.view()
    joined = asked.rows.join(other, "__patient").select(*[asked.rows[c] for c in asked.rows.columns])
    doubled = release(keys=("code",), rows=joined)
    assert not is_one_table(source(connection, doubled)) and most_rows(source(connection, doubled)) == 16
    agree(
        measure(connection, doubled, Policy(), RING, **ALWAYS),
        measure(connection, doubled, Policy(), RING),
        Policy(),
    )


@pytest.mark.parametrize("distinct", [False, True])
def test_a_value_and_its_count_share_what_is_counted_once(distinct):
    connection = session(t=table_of(population(9)))
    table = release().rows
    there = table["__w1"].notnull()
    rows = table.select(
        "code", "__patient", "__physician",
        __w0=ibis.ifelse(there, 1, None).cast("int8"),
        __w1=ibis.ifelse(there, table["__w1"], None),
    )  # fmt: skip
    measures = (SUMMED, CHOSEN, *((CHOSEN_PEOPLE,) if distinct else ()))
    asked = release(keys=("code",), measures=measures, rows=rows)
    made = source(connection, asked)
    assert made.presence("__w0") == made.presence("__w1") != made.presence(None)
    large = measure(connection, asked, Policy(), RING, **ALWAYS)
    agree(large, measure(connection, asked, Policy(), RING), Policy())


@pytest.mark.parametrize("missing", [(), (7,), (7, 8, 501)])
def test_values_that_few_rows_lack_have_fingerprints_of_their_own(missing):
    """Whom the first sample does not hold: one patient in 32 of two thousand."""
    rows = [
        ("AB"[p % 2], "F", p, p % 5, 1, None if p in missing else 1.0) for p in range(2_000) for _ in range(2)
    ]
    connection, asked = session(t=table_of(rows)), release(keys=("code",), measures=(COUNTED, SUMMED))
    agree(
        measure(connection, asked, Policy(), RING, **ALWAYS),
        measure(connection, asked, Policy(), RING),
        Policy(),
    )


def by_patient(*keys, **renamed):
    """How many rows each patient has, in bands; one row a patient unless there are more `keys`."""
    table = ibis.table({**SCHEMA, "patient_id": "int64"}, name="t")
    each = table.group_by(*keys, PATIENT, **{new: table[old] for new, old in renamed.items()}).agg(
        n=table.count(), __physician=table["__physician"].min()
    )
    band = ibis.ifelse(each["n"] > 2, "many", "few")
    one = ibis.literal(1, "int8")
    return each.mutate(code=band).select("code", PATIENT, "__physician", __w0=one)


@pytest.mark.parametrize(
    "made, most",
    [
        (by_patient(), 1),
        (by_patient("patient_id"), 1),
        (by_patient("sex"), 2),
        (by_patient(patient_id="code"), 3),
    ],
)  # fmt: skip
def test_rows_put_together_by_patient_are_one_each(made, most):
    rows = [("ABC"[n % 3], "FM"[n % 2], p, p % 5, 1, 1.0) for p in range(2_000) for n in range(p % 6 + 1)]
    table = table_of(rows)
    connection = session(t=table.append_column("patient_id", table.column(PATIENT)))
    asked = release(keys=("code",), measures=(COUNTED, PEOPLE), rows=made, domains=(), closed=False)
    made_source = source(connection, asked)
    assert most_rows(made_source) == most and is_one_table(made_source)
    agree(
        measure(connection, asked, Policy(), RING, **ALWAYS),
        measure(connection, asked, Policy(), RING),
        Policy(),
    )
