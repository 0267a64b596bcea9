"""What holds for every service under test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.fresh_stores import stores_by_copy, stores_by_migrations

__all__ = ["stores_by_copy", "stores_by_migrations"]


@pytest.fixture(scope="session", autouse=True)
def disks_are_not_waited_for() -> Iterator[None]:
    """No test survives a power cut. What a crash leaves is tried by killing processes, whose writes the
    system keeps; and what a disk that fails does, in tests/unit/governance/test_audit_crashes.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield
