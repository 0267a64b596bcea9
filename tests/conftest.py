"""What holds for every test."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

USUAL = 0o022
STARTS = re.compile(r"tests/(journeys/|services/(hub|spawner)/|attacks/test_(report|sandbox)_)")

SPARK = re.compile(r"tests/\w+/(\w+/)*test_\w*spark\w*\.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several files may run at once, never parts of one: what a file starts, it starts once. What starts an
    enclave or a workspace runs apart from its like: some look for their processes on the whole machine. What
    stands on Spark shares one."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.nodeid.partition("::")[0])))


def _group(file: str) -> str:
    if STARTS.match(file):
        return "enclaves"
    return "spark" if SPARK.match(file) else file


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """`up` closes new files to everybody else, for its whole process; the next test must not inherit that."""
    os.umask(USUAL)
    yield
    os.umask(USUAL)
