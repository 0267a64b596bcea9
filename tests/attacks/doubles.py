"""Doubles for the rules of publication: what takes a rule out where an attack proves its power."""

from __future__ import annotations

import numpy as np
import pytest

from hub_config.gateway.rules.earlier import overlaps, precedents


def by_people_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """For definitions: who holds the same people is the same, whatever was asked."""
    monkeypatch.setattr(precedents, "_same_definition", lambda _, pairs: np.ones(len(pairs), dtype=bool))
    monkeypatch.setattr(overlaps, "_follows", lambda _anchors, _row, _parts, found: found.distance == 0)
