"""Classes of a number as keys: whatever edges the query wrote, all of its classes come back, seen or not."""

from __future__ import annotations

import ibis
import pytest
from ibis import _

import p4dp_sdk as p4dp
from hub_config.gateway.rules.split import split
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode, encode
from tests.conformance import world


@pytest.fixture(scope="module")
def engine():
    return world.engine(4)


@pytest.fixture
def t():
    return world.tables()


def release_of(expression, engine):
    travelled = decode(encode(expression), world.schema)
    (release,) = split(world.ask(travelled, engine)).releases
    return release


def classes(expression, engine):
    release = release_of(expression, engine)
    assert release.closed
    (domain,) = release.domains
    return [label for (label,) in domain.labels if label is not None]


def test_buckets(t, engine):
    ages = t.patients.group_by(bin=_.age.bucket([0, 20, 40, 60, 80, 120])).agg(n=_.count())
    assert classes(ages, engine) == [0, 1, 2, 3, 4]
    weights = t.biometrics.group_by(bin=_.value.bucket([50.0, 75.0], include_under=True, include_over=True))
    assert classes(weights.agg(n=_.count()), engine) == [0, 1, 2]


def test_cases(t, engine):
    band = ibis.cases((_.value < 60, "light"), (_.value < 80, "middle"), else_="heavy")
    assert classes(t.biometrics.group_by(band=band).agg(n=_.count()), engine) == ["light", "middle", "heavy"]


def test_age_bands(t, engine):
    bands = t.patients.group_by(band=p4dp.age_bands(t.patients.age, [40, 65])).agg(n=_.count())
    assert classes(bands, engine)[:3] == ["00-39", "40-64", "65+"]  # and one for those whose age is missing


def test_a_summary_of_each_patient(t, engine):
    last = t.biometrics.group_by("patient_id").agg(v=_.value.argmax(_.date))
    binned = last.group_by(bin=_.v.bucket([0, 60, 80, 400])).agg(n=_.count())
    assert classes(binned, engine) == [0, 1, 2]
    assert release_of(binned, engine).patient_keys == {"bin"}


def test_two_histograms_in_one_table_know_all_their_cells(t, engine):
    asked = t.patients.group_by("sex", bin=_.age.bucket([0, 40, 65, 120])).agg(n=_.count())
    release = release_of(asked, engine)
    assert release.closed and release.cells == 3 * 4  # unknown sex, unknown age


def test_classes_by_arithmetic_are_open(t, engine):
    """How many there are depends on the data."""
    assert not release_of(t.patients.group_by(bin=_.age // 10 * 10).agg(n=_.count()), engine).closed


def test_edges_that_depend_on_the_data_do_not_exist(t, engine):
    with pytest.raises(Refusal) as refusal:
        release_of(t.patients.group_by(bin=_.age.histogram(nbins=5)).agg(n=_.count()), engine)
    assert refusal.value.code in (ErrorCode.WINDOW_RULE, ErrorCode.UNKNOWN_OPERATION)
