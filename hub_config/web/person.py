"""Who visits a page: `governance.roles.Person`, by the name the pages know it under."""

from __future__ import annotations

from hub_config.governance.roles import Person

__all__ = ["Person"]
