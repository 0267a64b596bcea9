"""Figures of a protected result: what is withheld is hatched at a height that tells nothing, a draft shows
its error, cells of an earlier answer carry a sign."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.text import Text

import p4dp_sdk as p4dp
from p4dp_sdk.backend.results import attach
from p4dp_sdk.wire.protocol import MeasureSummary
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


def exact() -> pd.DataFrame:
    return frame(protection="publication", error=0.0, method="")


def hatched(axes: plt.Axes) -> list[float]:
    return [patch.get_height() for patch in axes.patches if patch.get_hatch()]


def test_withheld_cells_are_hatched_below_the_threshold() -> None:
    axes = p4dp.plots.bar(frame(), "age_band", ["femmes", "hommes"], title="T", axis="patients")
    assert hatched(axes) == [10]
    assert [entry.get_text() for entry in axes.get_legend().get_texts()] == [
        "femmes",
        "hommes",
        "effectif masqué (< 11) ou trop révélateur",
        "± 2 (brouillon)",
    ]
    axes.figure.canvas.draw()


def test_a_stricter_threshold_is_drawn_as_such() -> None:
    assert hatched(p4dp.plots.bar(frame(min_patients=20), "age_band", "femmes")) == [19]


def test_known_values_keep_their_height() -> None:
    axes = p4dp.plots.bar(exact(), "age_band", "hommes")
    assert [patch.get_height() for patch in axes.patches] == [30, 12]
    assert axes.get_legend() is None
    assert not axes.collections


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


def told(axes: plt.Axes) -> list[str]:
    legend = axes.get_legend()
    return [entry.get_text() for entry in legend.get_texts()] if legend else []


def whiskers(axes: plt.Axes) -> list[list[list[float]]]:
    (drawn,) = [lines for lines in axes.collections if lines.get_gid() == "p4dp-error"]
    assert isinstance(drawn, LineCollection)
    return [segment.tolist() for segment in drawn.get_segments()]


def test_a_draft_shows_by_how_much_its_counts_may_be_off() -> None:
    axes = p4dp.plots.bar(frame(error=3.0), "age_band", "hommes")
    assert whiskers(axes) == [[[0, 27], [0, 33]], [[1, 9], [1, 15]]]
    assert told(axes) == ["± 3 (brouillon)"]
    lying = p4dp.plots.bar(frame(error=3.0), "age_band", "hommes", horizontal=True)
    assert whiskers(lying)[0] == [[27, 0], [33, 0]]


def test_the_error_of_a_mean_is_not_known_so_not_drawn() -> None:
    means = frame().assign(imc=pd.array([None, 24.5], "Float64"))
    axes = p4dp.plots.bar(attach(means, frame().attrs["p4dp"]), "age_band", "imc")
    assert not axes.collections
    assert hatched(axes) == [pytest.approx(24.5 * 0.04)], (
        "a stub: ten would dwarf shares, and hide under means"
    )


def snapped(*labels: str) -> dict[str, object]:
    summary = MeasureSummary(2, 0, len(labels), tuple((label,) for label in labels))
    return {"measures": {"hommes": summary}, "key_columns": ("age_band",)}


def signs(axes: plt.Axes) -> list[tuple[float, float]]:
    return [text.xy for text in axes.texts if text.get_text() == "≈"]


def test_cells_of_an_earlier_answer_carry_a_sign() -> None:
    axes = p4dp.plots.bar(frame(**snapped("30-39")), "age_band", "hommes")
    assert signs(axes) == [(1, 12)]
    assert "arrondi à une réponse antérieure" in told(axes)
    axes.figure.canvas.draw()


def test_a_publication_table_is_exact_and_names_secondary_suppression() -> None:
    assert told(p4dp.plots.bar(exact(), "age_band", "femmes"))[-1] == (
        "effectif masqué (< 11), trop révélateur, ou masquage complémentaire"
    )


def test_a_line_stops_where_a_cell_is_withheld() -> None:
    weeks = {"semaine": range(5), "cas": pd.array([20, None, 30, 40, 50], "Int64")}
    said = disclosure(measures={"cas": MeasureSummary(4, 1, 1, ((3,),))}, key_columns=("semaine",), error=2.0)
    axes = p4dp.plots.line(attach(pd.DataFrame(weeks), said), "semaine", "cas", title="T", axis="cas")
    (drawn,) = axes.lines
    assert str(drawn.get_ydata()[1]) == "nan"
    assert [patch.get_x() + patch.get_width() / 2 for patch in axes.patches] == [1]
    assert hatched(axes) == [10]
    assert signs(axes) == [(3, 40)]
    assert len(whiskers(axes)) == 4
    axes.figure.canvas.draw()


def test_names_that_would_touch_are_turned() -> None:
    for last, turned in (("80+", 0), ("non renseigné", 45)):
        names = [*(f"{start}-{start + 4}" for start in range(40, 80, 5)), last]
        rows = pd.DataFrame({"classe": names, "n": range(20, 20 + len(names))})
        ticks = p4dp.plots.bar(rows, "classe", "n").get_xticklabels()
        assert {tick.get_rotation() for tick in ticks} == {turned}


def test_a_long_line_names_some_of_its_rows() -> None:
    weeks = attach(pd.DataFrame({"semaine": range(104), "cas": range(20, 124)}), disclosure())
    axes = p4dp.plots.line(weeks, "semaine", ["cas", "cas"])
    assert [tick.get_text() for tick in axes.get_xticklabels()][:2] == ["0", "5"]
    assert len(axes.lines) == 2


def classes(*labels: str | None, counts: list[int | None]) -> pd.DataFrame:
    values = {"age": pd.array(labels, "string"), "patients": pd.array(counts, "Int64")}
    summary = MeasureSummary(2, 1, 1, (("100-109",),))
    return attach(
        pd.DataFrame(values), disclosure(measures={"patients": summary}, key_columns=("age",), error=2.0)
    )


def test_a_histogram_puts_its_classes_in_order_and_the_unknown_apart() -> None:
    frame = classes("100-109", "20-99", "non renseigné", "00-19", "110+", counts=[30, 90, 50, None, 12])
    axes = p4dp.plots.histogram(frame)
    placed = {round(p.get_x() + p.get_width() / 2): p.get_height() for p in axes.patches}
    assert placed == {0: 10, 1: 90, 2: 30, 3: 12, 5: 50}
    assert hatched(axes) == [10]
    names = [tick.get_text() for tick in axes.get_xticklabels()]
    assert names == ["00-19", "20-99", "100-109", "110+", "non renseigné"]
    assert signs(axes) == [(2, 30)]
    axes.figure.canvas.draw()


def test_a_histogram_of_values_starts_below_its_first_limit() -> None:
    frame = classes("≥ 25", "18.5 – < 25", "< 18.5", counts=[20, 40, 30])
    axes = p4dp.plots.histogram(frame, "age", "patients")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["< 18.5", "18.5 – < 25", "≥ 25"]


def boxes() -> pd.DataFrame:
    return attach(
        pd.DataFrame(
            {
                "sex": ["F", "M", "X"],
                "patients": [200, 100, 12],
                "p05": pd.array([18.5, None, None], "Float64"),
                "p25": pd.array([22, 23, None], "Float64"),
                "p50": pd.array([25, 26, None], "Float64"),
                "p75": pd.array([29, 30, None], "Float64"),
                "p95": pd.array([38.5, 37, None], "Float64"),
            }
        ),
        disclosure(),
    )


def test_a_box_holds_half_of_the_patients_and_its_whiskers_nine_in_ten() -> None:
    axes = p4dp.plots.box(boxes(), "sex", title="IMC", axis="kg/m²")
    first, second, whisker, unknown = axes.patches
    assert (first.get_y(), first.get_height()) == (22, 7)
    assert (second.get_y(), second.get_height()) == (23, 7)
    assert unknown.get_hatch() and whisker.get_hatch()
    assert whisker.get_y() + whisker.get_height() <= 23 and whisker.get_height() != 0
    ends = {
        tuple(map(tuple, segment.tolist())) for lines in axes.collections for segment in lines.get_segments()
    }
    assert ((0.0, 22.0), (0.0, 18.5)) in ends
    assert ((1.0, 23.0), (1.0, 18.5)) not in ends
    assert not [segment for segment in ends if segment[0][0] == segment[1][0] == 1.0 and segment[1][1] < 23]
    assert told(axes) == ["effectif masqué (< 11) ou trop révélateur"]
    axes.figure.canvas.draw()


def test_boxes_are_named_by_their_groups() -> None:
    grouped = attach(boxes().assign(type="a"), disclosure(key_columns=("sex", "type")))
    for axes, names in (
        (p4dp.plots.box(grouped), ["F · a", "M · a", "X · a"]),
        (p4dp.plots.box(grouped, "sex"), ["F", "M", "X"]),
    ):
        assert [tick.get_text() for tick in axes.get_xticklabels()] == names


def test_a_box_of_everybody_needs_no_name() -> None:
    axes = p4dp.plots.box(boxes().head(1).drop(columns="sex"))
    assert len(axes.patches) == 1
    assert told(axes) == []


@pytest.mark.parametrize("words", [r"$\frac{1}{0}$", "5 $ – 10 $", "$^{$"])
@pytest.mark.parametrize("horizontal", [False, True])
def test_no_text_is_read_as_a_formula(words: str, horizontal: bool) -> None:
    shown = pd.DataFrame({"class": [words, "30-39"], words: [20, 30]})
    ax = p4dp.plots.bar(shown, "class", words, title=words, axis=words, horizontal=horizontal)
    ax.figure.canvas.draw()
    assert not any(text.get_parse_math() for text in ax.findobj(Text))
    names = ax.get_yticklabels() if horizontal else ax.get_xticklabels()
    assert [ax.get_title(loc="left"), names[0].get_text()] == [words, words]
