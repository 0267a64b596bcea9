"""Tables that a snapshot makes of its others once all rows are in: the same way whatever the source.

A derived table repeats nothing that was set aside. A snapshot made before a table was thought of lacks it.
"""

from hub_config.warehouse.derived.body_mass import derive_body_mass

__all__ = ["derive_body_mass"]
