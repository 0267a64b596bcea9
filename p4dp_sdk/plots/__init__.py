"""Figures of protected results: withheld cells are drawn as such, colours hold for colour-blind readers."""

from p4dp_sdk.figures.bars import bar
from p4dp_sdk.figures.distributions import box, histogram
from p4dp_sdk.figures.flows import flow_chart
from p4dp_sdk.figures.forests import forest
from p4dp_sdk.figures.funnels import funnel
from p4dp_sdk.figures.heatmaps import heatmap
from p4dp_sdk.figures.lines import line
from p4dp_sdk.figures.pyramids import pyramid
from p4dp_sdk.figures.saving import save
from p4dp_sdk.figures.survivals import kaplan_meier

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
