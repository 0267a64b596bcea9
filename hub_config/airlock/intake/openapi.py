"""`python -m hub_config.airlock.intake.openapi`: writes the reference of the airlock in a workspace."""

from __future__ import annotations

import json
import sys

from hub_config.airlock.intake.app import openapi_document


def reference() -> str:
    """The OpenAPI document, as `docs/reference/airlock-openapi.json` holds it."""
    return json.dumps(openapi_document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
