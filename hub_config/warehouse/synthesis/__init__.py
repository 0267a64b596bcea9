"""Synthetic warehouses: invented people, counted like the published snapshots. Nobody real is in them."""

from hub_config.warehouse.synthesis.presets import Preset, PresetUnavailable
from hub_config.warehouse.synthesis.run import synthesise

__all__ = ["Preset", "PresetUnavailable", "synthesise"]
