"""The published reference is the one this code has, and the code keeps to it whatever it is asked."""

from __future__ import annotations

import json
from pathlib import Path

from hub_config.airlock.intake.openapi import reference

PUBLISHED = Path(__file__).parents[4] / "docs" / "reference" / "airlock-openapi.json"


def test_the_published_reference_is_current() -> None:
    """If not: python -m hub_config.airlock.intake.openapi > docs/reference/airlock-openapi.json"""
    assert PUBLISHED.read_text(encoding="utf-8") == reference()


def test_every_address_promises_problem_documents_and_a_token() -> None:
    document = json.loads(reference())
    for path in document["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert document["security"] == [{"serverToken": []}]
    assert "HTTPValidationError" not in document["components"]["schemas"]
