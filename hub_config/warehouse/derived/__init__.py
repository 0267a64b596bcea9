"""What a snapshot makes of its tables once all rows are in: the same way whatever the source.

`body_mass` is a table of its own; observation periods are bounded by life and by the data. A derived table
repeats nothing that was set aside. A snapshot made before a table was thought of lacks it.
"""

from hub_config.warehouse.derived.body_mass import derive_body_mass
from hub_config.warehouse.derived.observation import bound_observation

__all__ = ["bound_observation", "derive_body_mass"]
