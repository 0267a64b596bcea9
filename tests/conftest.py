"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

USUAL = 0o022


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """`up` closes new files to everybody else, for its whole process; the next test must not inherit that."""
    os.umask(USUAL)
    yield
    os.umask(USUAL)
