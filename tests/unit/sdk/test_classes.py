"""Classes never overlap, leave no hole, and carry literal labels (run on DuckDB: they are ordinary Ibis)."""

from __future__ import annotations

import ibis
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.errors import BadClassesError

AGES = ibis.memtable({"age": [0, 17, 18, 39, 40, 64, 65, 101, None]}, schema={"age": "int32"})
VALUES = ibis.memtable({"imc": [18.4, 18.5, 24.9, 25.0, None]}, schema={"imc": "float64"})


def test_each_limit_opens_its_class() -> None:
    labels = AGES.select(c=p4dp.age_bands(AGES.age, [18, 40, 65])).execute()["c"].tolist()
    assert labels == ["00-17", "00-17", "18-39", "18-39", "40-64", "40-64", "65+", "65+", "non renseigné"]


def test_starting_at_birth_is_the_same() -> None:
    assert p4dp.age_bands(AGES.age, [0, 18]).equals(p4dp.age_bands(AGES.age, [18]))


def test_one_class_from_birth() -> None:
    labels = AGES.select(c=p4dp.age_bands(AGES.age, [0])).execute()["c"].tolist()
    assert labels == ["00+"] * 8 + ["non renseigné"]


def test_values_are_cut_at_their_limits() -> None:
    labels = VALUES.select(c=p4dp.value_bands(VALUES.imc, [18.5, 25])).execute()["c"].tolist()
    assert labels == ["< 18.5", "18.5 – < 25", "18.5 – < 25", "≥ 25", "non renseigné"]


@pytest.mark.parametrize("edges", [[], [40, 40], [65, 40], [18.5, 40], [-5, 40]])
def test_overlapping_or_broken_limits_are_refused(edges: list[float]) -> None:
    with pytest.raises(BadClassesError, match="chevaucher"):
        p4dp.age_bands(AGES.age, edges)


@pytest.mark.parametrize("edges", [[], [25, 25], [30, 25]])
def test_values_too(edges: list[float]) -> None:
    with pytest.raises(BadClassesError):
        p4dp.value_bands(VALUES.imc, edges)


def test_desc_is_ibis() -> None:
    assert p4dp.desc(AGES.age).equals(ibis.desc(AGES.age))
