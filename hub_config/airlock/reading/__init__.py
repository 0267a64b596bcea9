"""What a signed table shows, in a sentence that a physician can read: from the gateway's definition alone."""

from hub_config.airlock.reading.query import read
from hub_config.airlock.reading.telling import Reading

__all__ = ["Reading", "read"]
