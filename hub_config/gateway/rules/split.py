"""Splits an authorised query at its release frontier. See DESIGN, query path, step 3."""

from __future__ import annotations

from hub_config.gateway.rules.plan import AuthorisedQuery, Plan


def split(query: AuthorisedQuery) -> Plan:
    """The plan of `query`. Raises Refusal."""
    raise NotImplementedError
