"""`python -m hub_config.gateway.openapi`: writes the published reference of the gateway's HTTP interface."""

from __future__ import annotations

import json
import sys

from hub_config.gateway.app import openapi_document


def reference() -> str:
    """The OpenAPI document, as `docs/reference/gateway-openapi.json` holds it."""
    return json.dumps(openapi_document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
