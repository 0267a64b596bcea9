"""Figures of protected results: withheld cells are drawn as such, colours hold for colour-blind readers."""

from p4dp_sdk.plots.bars import bar
from p4dp_sdk.plots.distributions import box, histogram
from p4dp_sdk.plots.lines import line

__all__ = ["bar", "box", "histogram", "line"]
