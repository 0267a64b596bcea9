"""Figures of studies: pyramid, heat map, funnel, forest, Kaplan-Meier, flow chart. What is withheld is shown
as such and its place tells nothing; each stands with one row, with none known, with long names, with many."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import p4dp_sdk as p4dp
from p4dp_sdk.backend.results import attach
from p4dp_sdk.errors import UnknownColumnError, UnknownNameError
from p4dp_sdk.figures.errors import NotAboveZeroError, NotOneRowEachError, TooFewGroupsError, TwoSidesError
from p4dp_sdk.figures.funnels import binomial_limits
from p4dp_sdk.wire.publication import Column, Lineage, Shape
from tests.unit.sdk.peer import disclosure
from tests.unit.sdk.signed_tables import table
from tests.unit.sdk.study_tables import centres, counts, crossed, curves, people, ratios, shares, steps

matplotlib.use("agg")
plots = p4dp.plots


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def hatched(axes: plt.Axes) -> list[tuple[float, float, float, float]]:
    """Left, foot, width and height of what stands for withheld cells."""
    drawn = [patch for patch in axes.patches if patch.get_hatch()]
    return [(p.get_x(), p.get_y(), p.get_width(), p.get_height()) for p in drawn]


def told(axes: plt.Axes) -> list[str]:
    return [entry.get_text() for legend in axes.figure.legends for entry in legend.get_texts()]


def written(axes: plt.Axes) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text()]


def test_a_pyramid_puts_men_left_women_right_and_the_youngest_at_the_foot() -> None:
    axes = plots.pyramid(people(), title="T", axis="patients")
    bars = {(round(p.get_y() + 0.43), p.get_width()) for p in axes.patches if not p.get_hatch()}
    assert bars == {(1, 300), (1, -200), (0, -40)}
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["00-09", "10-19"]
    assert hatched(axes) == [(0, pytest.approx(-0.43), 10, pytest.approx(0.86))]
    assert axes.get_xlim()[0] == -axes.get_xlim()[1]
    assert axes.xaxis.get_major_formatter()(-1500, 0) == "1\u202f500"
    axes.figure.canvas.draw()


def test_a_pyramid_of_a_draft_shows_its_error_and_its_earlier_answers() -> None:
    axes = plots.pyramid(people())
    assert [text.xy for text in axes.texts if text.get_text() == "≈"] == [(-200, 1)]
    assert len([drawn for drawn in axes.collections if drawn.get_gid() == "p4dp-error"]) == 2
    assert told(axes) == [
        "effectif masqué (< 11) ou trop révélateur",
        "arrondi à une réponse antérieure",
        "± 2 (brouillon)",
    ]


def test_a_pyramid_names_who_has_no_side() -> None:
    axes = plots.pyramid(people(sex=["F", "F", "M", pd.NA]))
    assert any(line.endswith(" —") for line in told(axes))


def test_other_pairs_stand_as_they_come_and_three_are_no_pair() -> None:
    axes = plots.pyramid(people(sex=["ville", "ville", "campagne", "campagne"]))
    assert [text for text in written(axes) if text != "≈"] == ["ville", "campagne"]
    with pytest.raises(TwoSidesError, match=r"plots\.bar"):
        plots.pyramid(people(sex=["a", "b", "c", "a"]))


def test_a_heat_map_hatches_what_is_withheld_and_leaves_blank_what_is_not_there() -> None:
    axes = plots.heatmap(crossed(), "code", "annee", "n", title="T", axis="patients")
    mesh = axes.collections[0]
    assert mesh.get_array().tolist() == [[30, None], [90, None]]
    assert mesh.get_cmap().name == "cividis"
    assert hatched(axes) == [(1.04, 0.04, 0.92, 0.92)]
    assert written(axes) == ["≈ 30", "90"]
    assert told(axes)[-1] == "± 2 (brouillon)"
    axes.figure.canvas.draw()


def test_the_scale_of_a_heat_map_knows_only_what_is_shown() -> None:
    mesh = plots.heatmap(crossed(), "code", "annee", "n").collections[0]
    assert (mesh.norm.vmin, mesh.norm.vmax) == (30, 90)
    nothing = plots.heatmap(crossed(n=counts(None, None, None)), "code", "annee", "n")
    assert len(nothing.figure.axes) == 1, "a scale of nothing"


def test_shares_of_a_heat_map_are_written_with_three_figures() -> None:
    axes = plots.heatmap(crossed(n=shares(0.123456, None, 0.5)), "code", "annee", "n")
    assert written(axes) == ["≈ 0,123", "0,5"]


def test_a_heat_map_of_much_writes_no_numbers() -> None:
    rows = [(f"Centre {i}", week, 20 + week) for i in range(35) for week in range(52)]
    axes = plots.heatmap(pd.DataFrame(rows, columns=["centre", "semaine", "n"]), "centre", "semaine", "n")
    assert written(axes) == []
    assert len(axes.get_yticklabels()) == 35


def test_a_funnel_draws_shares_and_names_who_is_outside() -> None:
    axes = plots.funnel(centres(), numerator="k", denominator="n", highlight="A", size="patients")
    points = sorted(tuple(p) for drawn in axes.collections for p in drawn.get_offsets().tolist())
    assert {(100, 40), (500, 34), (300, 20)} == set(points) - {(0.0, 0.0)}
    assert set(written(axes)) == {"A", "D"}
    axes.figure.canvas.draw()


def test_a_withheld_unit_has_no_place_in_a_funnel() -> None:
    axes = plots.funnel(centres(), numerator="k", denominator="n")
    assert any(line.endswith(" C, E") for line in told(axes))
    assert not hatched(axes)
    everywhere = [x for line in axes.lines for x in line.get_xdata()]
    other = plots.funnel(centres().drop(index=[2, 4]), numerator="k", denominator="n")
    assert everywhere == [x for line in other.lines for x in line.get_xdata()]


def test_limits_are_those_of_the_binomial_law() -> None:
    """Against scipy's quantiles: the interpolated limit lies within one case below them."""
    from scipy.stats import binom

    found = binomial_limits(0.3, [20, 75, 2000]).set_index("denominator")
    assert found.index.is_monotonic_increasing and found.index[-1] > 2000
    for size in (20, 75, 2000):
        for name, chance in (("low998", 0.001), ("low95", 0.025), ("high95", 0.975), ("high998", 0.999)):
            exact = binom.ppf(chance, size, 0.3)
            assert exact - 1 <= found.loc[size, name] * size <= exact


def test_given_limits_are_drawn_as_they_are() -> None:
    given = pd.DataFrame(
        {"denominator": [1, 600], "low95": 0.2, "high95": 0.6, "low998": 0.05, "high998": 0.9}
    )
    axes = plots.funnel(centres(), numerator="k", denominator="n", limits=given, target=0.4)
    levels = sorted({round(float(y), 6) for line in axes.lines for y in line.get_ydata()})
    assert levels == [5, 20, 40, 60, 90]
    assert written(axes) == []


def test_a_forest_plot_writes_its_numbers_and_hatches_the_whole_width() -> None:
    axes = plots.forest(ratios(), log=True, axis="rapport")
    assert written(axes) == ["1,50 [1,20 – 1,90]", "1,00", "•"]
    ((left, _foot, width, _height),) = hatched(axes)
    assert (left, left + width) == pytest.approx(axes.get_xlim())
    assert axes.yaxis_inverted() and axes.get_xscale() == "log"
    assert axes.get_xlim()[0] < 1 < axes.get_xlim()[1]
    axes.figure.canvas.draw()


def test_what_is_withheld_moves_nothing_else() -> None:
    one, other = plots.forest(ratios()), plots.forest(ratios().head(2))
    assert one.get_xlim() == other.get_xlim()


def test_differences_have_no_logarithm() -> None:
    with pytest.raises(NotAboveZeroError, match="log=False"):
        plots.forest(ratios(low=shares(-0.1, None, None)), log=True)
    assert plots.forest(ratios(low=shares(-0.1, None, None))).get_xscale() == "linear"


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0, 1e4])
def test_a_logarithmic_axis_has_few_ticks_and_some(scale: float) -> None:
    axes = plots.forest(ratios(high=shares(1.9 * scale, None, None)).head(1), log=True)
    inside = [t for t in axes.get_xticks() if axes.get_xlim()[0] <= t <= axes.get_xlim()[1]]
    assert 1 <= len(inside) <= 8


def test_curves_are_steps_from_one_hundred_percent() -> None:
    axes = plots.kaplan_meier(curves(), title="T", unit="mois")
    first, second = (line.get_ydata() for line in axes.lines)
    assert first[:2].tolist() == [100, 90] and math.isnan(first[2]) and first[3] == 70
    assert second[:3].tolist() == pytest.approx([100, 80, 60]) and math.isnan(second[3])
    assert {line.get_drawstyle() for line in axes.lines} == {"steps-post"}
    assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()
    axes.figure.canvas.draw()


def test_a_withheld_step_is_a_stub_at_the_foot_as_long_as_its_time() -> None:
    stubs = hatched(plots.kaplan_meier(curves()))
    assert [(left, width) for left, _foot, width, _height in stubs] == [(24, 12), (36, 12)]
    other = curves(survival=shares(0.9, None, 0.1, 0.8, 0.6, None))
    assert hatched(plots.kaplan_meier(other)) == stubs


def test_the_band_is_drawn_where_the_curve_is_known_only() -> None:
    gone = plots.kaplan_meier(curves(survival=shares(*[None] * 6)))
    assert not gone.collections
    assert plots.kaplan_meier(curves()).collections


def test_numbers_at_risk_stand_under_their_times() -> None:
    axes = plots.kaplan_meier(curves())
    below = sorted((t.xyann[1] for t in axes.texts if t.get_text() in ("F", "M")), reverse=True)
    at = {(t.xy[0], t.xyann[1]): t.get_text() for t in axes.texts if t.get_text() not in ("F", "M")}
    assert [at[x, below[0]] for x in (12, 24, 36)] == ["200", "•", "90"]
    assert [at[x, below[1]] for x in (12, 24, 36)] == ["180", "100", "•"]
    assert at[0, below[0]] == "200", "everybody is at risk until the first time"


def test_incidence_rises_from_zero_without_groups_or_numbers_at_risk() -> None:
    rows = pd.DataFrame({"time": [6, 12], "incidence": [0.1, 0.2]})
    axes = plots.kaplan_meier(rows, survival="incidence", rising=True, unit="mois")
    assert axes.lines[0].get_ydata().tolist() == [0, 10, 20]
    assert axes.get_ylim()[0] == 0 and axes.get_xlabel() == "mois"
    assert not told(axes)


def test_a_flow_chart_says_who_remains_and_who_is_set_aside() -> None:
    axes = plots.flow_chart(steps(), title="T")
    boxes = [text for text in written(axes) if "n " in text]
    assert boxes[0] == "Patients du projet\nn = 26\u202f125"
    assert boxes[1].endswith("n = •") and "n ≈ 1400" in "".join(boxes)
    assert [text.rpartition(" ")[2] for text in boxes if "\n" not in text] == ["120", "•"]
    assert len(hatched(axes)) == 2
    assert told(axes)[-1] == "± 2 (brouillon)"
    axes.figure.canvas.draw()


def test_a_withheld_box_is_as_large_as_a_known_one() -> None:
    sizes = [
        sorted((p.get_x(), p.get_y(), p.get_width(), p.get_height()) for p in plots.flow_chart(each).patches)
        for each in (steps(), steps(n=counts(26125, 500, 1400, 1400)))
    ]
    assert np.allclose(sizes[0][-4:], sizes[1][-4:])


# -- all of them ------------------------------------------------------------------------------------------


FIGURES: dict[str, tuple[Callable[..., plt.Axes], pd.DataFrame, list[str]]] = {
    "pyramid": (plots.pyramid, people(), ["n"]),
    "heatmap": (lambda f, **o: plots.heatmap(f, "code", "annee", "n", **o), crossed(), ["n"]),
    "funnel": (
        lambda f, **o: plots.funnel(f, numerator="k", denominator="n", **o), centres(), ["k", "n"],
    ),
    "forest": (plots.forest, ratios(), ["estimate", "low", "high"]),
    "kaplan_meier": (plots.kaplan_meier, curves(), ["survival", "low", "high", "at_risk"]),
    "flow_chart": (plots.flow_chart, steps(), ["n", "excluded"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", FIGURES)
def test_one_row_and_nothing_known_are_drawn(kind: str) -> None:
    draw, frame, cells = FIGURES[kind]
    gone = frame.assign(**{name: frame[name].where(frame[name].isna()) for name in cells})
    for each in (frame.head(1), gone, gone.head(1)):
        draw(attach(each, disclosure())).figure.canvas.draw()


@pytest.mark.parametrize("kind", FIGURES)
def test_a_given_axes_is_used_and_keeps_its_legend(kind: str) -> None:
    draw, frame, _cells = FIGURES[kind]
    _figure, (_other, axes) = plt.subplots(1, 2)
    assert draw(frame, ax=axes) is axes
    assert not axes.figure.legends and axes.get_legend()
    axes.figure.canvas.draw()


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("words", [r"$\frac{1}{0}$", "5 $ – 10 $"])
def test_no_text_is_read_as_a_formula(kind: str, words: str) -> None:
    draw, frame, _cells = FIGURES[kind]
    label = frame.columns[0]
    named = frame.assign(**{label: [f"{words} {row}" for row in range(len(frame))]})
    axes = draw(attach(named, disclosure()), title=words)
    axes.figure.canvas.draw()
    assert not any(text.get_parse_math() for text in axes.figure.findobj(Text) if "$" in text.get_text())


@pytest.mark.parametrize("kind", ["pyramid", "heatmap", "funnel", "kaplan_meier"])
def test_two_rows_for_one_place_are_refused(kind: str) -> None:
    draw, frame, _cells = FIGURES[kind]
    with pytest.raises(NotOneRowEachError, match="filter"):
        draw(pd.concat([frame, frame]))


@pytest.mark.parametrize("kind", FIGURES)
def test_a_missing_column_is_named(kind: str) -> None:
    draw, frame, cells = FIGURES[kind]
    with pytest.raises(UnknownColumnError, match=cells[0]):
        draw(frame.drop(columns=cells[0]))


# -- of a publication table -------------------------------------------------------------------------------


def test_a_publication_table_draws_itself() -> None:
    published = table(
        columns=(
            Column("sex", Shape.TEXT, Lineage.KEY, ("sex",)),
            Column("age_band", Shape.TEXT, Lineage.KEY, ("age_band",)),
            Column("patients", Shape.INTEGER, Lineage.MEASURE, ("patients",), protected=True),
            Column("part", Shape.INTEGER, Lineage.MEASURE, ("part",), protected=True),
        ),
        rows=(("F", "40-49", 1234, 617), ("M", "40-49", None, None)),
        total=None,
    )
    title = published.title
    assert [tick.get_text() for tick in published.plot.pyramid().axes.get_yticklabels()] == ["40-49"]
    assert published.plot.heatmap("age_band").axes.get_title(loc="left") == title
    assert [t.get_text() for t in published.plot.heatmap("age_band").axes.get_xticklabels()] == ["F", "M"]
    assert published.plot.funnel(numerator="part", denominator="patients").axes.get_title(loc="left") == title
    with pytest.raises(p4dp.P4DPError, match="sexe"):
        published.plot.heatmap("sexe")
    with pytest.raises(TooFewGroupsError, match=r"plot\.bar"):
        table().plot.pyramid()
    assert table().plot.histogram().axes.get_title(loc="left") == table().title
    for asked in (table().plot.kaplan_meier, table().plot.flow_chart, table().plot.forest):
        with pytest.raises(UnknownNameError):
            asked()
