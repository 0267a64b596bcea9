"""Bars of a protected result: what is withheld is hatched, as high as the threshold allows and no more."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.backend.results import attach
from tests.unit.sdk.peer import disclosure

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def frame(**changes: object) -> pd.DataFrame:
    values = {
        "age_band": ["20-29", "30-39"],
        "femmes": pd.array([None, 1500], "Int64"),
        "hommes": pd.array([30, 12], "Int64"),
    }
    return attach(pd.DataFrame(values), disclosure(**changes))


def hatched(axes: plt.Axes) -> list[float]:
    return [patch.get_height() for patch in axes.patches if patch.get_hatch()]


def test_withheld_cells_are_hatched_below_the_threshold() -> None:
    axes = p4dp.plots.bar(frame(), "age_band", ["femmes", "hommes"], title="T", axis="patients")
    assert hatched(axes) == [10]
    assert [entry.get_text() for entry in axes.get_legend().get_texts()] == [
        "femmes",
        "hommes",
        "effectif masqué (< 11)",
    ]
    axes.figure.canvas.draw()


def test_a_stricter_threshold_is_drawn_as_such() -> None:
    assert hatched(p4dp.plots.bar(frame(min_patients=20), "age_band", "femmes")) == [19]


def test_known_values_keep_their_height() -> None:
    axes = p4dp.plots.bar(frame(), "age_band", "hommes")
    assert [patch.get_height() for patch in axes.patches] == [30, 12]
    assert axes.get_legend() is None


def test_horizontal_bars_read_from_the_top_with_their_labels() -> None:
    named = frame().assign(nom=["vingtaine", "trentaine"])
    axes = p4dp.plots.bar(named, "age_band", "hommes", labels="nom", horizontal=True)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["vingtaine", "trentaine"]
    assert axes.yaxis_inverted()
    assert [patch.get_width() for patch in axes.patches] == [30, 12]


def test_numbers_of_the_axis_follow_the_language() -> None:
    axes = p4dp.plots.bar(frame(), "age_band", "femmes")
    assert axes.yaxis.get_major_formatter()(1500, 0) == "1\u202f500"
    p4dp.language("en")
    assert axes.yaxis.get_major_formatter()(1500, 0) == "1,500"


def test_a_given_axes_is_used() -> None:
    _figure, axes = plt.subplots()
    assert p4dp.plots.bar(frame(), "age_band", "hommes", ax=axes) is axes
