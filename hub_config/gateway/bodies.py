"""A body that holds a wire document beside other things. Pure; trusts nothing."""

from __future__ import annotations

import json
from typing import Any

from p4dp_sdk.wire.errors import ErrorCode, Refusal


def content_of(body: bytes) -> Any:
    """What the JSON says. Raises Refusal for what is none, or nested without end."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(ErrorCode.MALFORMED, problem="JSON") from None


def document_in(query: object) -> bytes:
    """The bytes of the wire document that stands there. What no text can hold is replaced, and refused where
    it is read."""
    return json.dumps(query, ensure_ascii=False).encode("utf-8", "replace")
