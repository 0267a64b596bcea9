"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

USUAL = 0o022


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several files may run at once, never parts of one: what a file starts, it starts once. The stories
    share one enclave."""
    for item in items:
        group = "journeys" if item.path.parent.name == "journeys" else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """`up` closes new files to everybody else, for its whole process; the next test must not inherit that."""
    os.umask(USUAL)
    yield
    os.umask(USUAL)
