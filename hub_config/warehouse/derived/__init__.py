"""What a snapshot makes of its tables once all rows are in: the same way whatever the source.

`body_mass` and `practice_months` are tables of their own; observation periods are found out from the exports
where the source has none, and bounded by life and by the data. A derived table repeats nothing that was set
aside. A snapshot made before a table was thought of lacks it.
"""

from hub_config.warehouse.derived.body_mass import derive_body_mass
from hub_config.warehouse.derived.observation import bound_observation, derive_observation, name_death_sources
from hub_config.warehouse.derived.practices import Observing

__all__ = ["Observing", "bound_observation", "derive_body_mass", "derive_observation", "name_death_sources"]
