"""What may select people in a publication table. Pure."""

from __future__ import annotations

from hub_config.gateway.rules.plan import AuthorisedQuery


def check_selectors(query: AuthorisedQuery) -> None:
    """Raises Refusal (NOT_PUBLISHABLE) where the definition of `query` could name people one by one."""
