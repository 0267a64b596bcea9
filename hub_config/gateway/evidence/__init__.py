"""Evidence: what the engine knows of a release's cells, before anything of it is shown."""

from hub_config.gateway.evidence.measurement import cross, measure

__all__ = ["cross", "measure"]
