"""The published reference is the one this code has."""

from __future__ import annotations

import json
from pathlib import Path

from hub_config.gateway.openapi import reference

PUBLISHED = Path(__file__).parents[3] / "docs" / "reference" / "gateway-openapi.json"


def test_the_published_reference_is_current() -> None:
    """If not: python -m hub_config.gateway.openapi > docs/reference/gateway-openapi.json"""
    assert PUBLISHED.read_text(encoding="utf-8") == reference()


def test_every_address_promises_problem_documents_and_a_token() -> None:
    document = json.loads(reference())
    asked = {"whoami", "me", "catalogue", "query", "previous", "noise", "publish", "recontact"}
    asked.add("publication-key")
    assert set(document["paths"]) == {f"/v1/{name}" for name in asked}
    for path in document["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert document["security"] == [{"serverToken": []}]
    assert "HTTPValidationError" not in document["components"]["schemas"]
