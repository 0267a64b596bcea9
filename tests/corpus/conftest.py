"""`--write-airlock-checks`: write the page instead of comparing it."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-airlock-checks", action="store_true", help="write docs/reference/airlock-checks.md"
    )
