"""Figures of protected results: withheld cells are drawn as such, colours hold for colour-blind readers."""

from p4dp_sdk.plots.bars import bar
from p4dp_sdk.plots.distributions import box, histogram
from p4dp_sdk.plots.flows import flow_chart
from p4dp_sdk.plots.forests import forest
from p4dp_sdk.plots.funnels import funnel
from p4dp_sdk.plots.heatmaps import heatmap
from p4dp_sdk.plots.lines import line
from p4dp_sdk.plots.pyramids import pyramid
from p4dp_sdk.plots.saving import save
from p4dp_sdk.plots.survivals import kaplan_meier

__all__ = [
    "bar",
    "box",
    "flow_chart",
    "forest",
    "funnel",
    "heatmap",
    "histogram",
    "kaplan_meier",
    "line",
    "pyramid",
    "save",
]
