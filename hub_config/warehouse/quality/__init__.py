"""The quality layer: rules applied while a snapshot is made, what they found, what changed since the last.

The rules are the catalogue's (`p4dp_sdk.catalogue.quality`). What was exported is never changed.
"""

from hub_config.warehouse.quality.judging import judge
from hub_config.warehouse.quality.profile import profile, read_profile

__all__ = ["judge", "profile", "read_profile"]
