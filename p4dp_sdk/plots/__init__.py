"""Figures of protected results: withheld cells are drawn as such, colours hold for colour-blind readers."""

from p4dp_sdk.plots.bars import bar

__all__ = ["bar"]
