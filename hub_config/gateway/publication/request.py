"""What is asked of `POST /v1/publish`: a title and a wire document. Pure; trusts nothing."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass

from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.publication import MAX_TITLE


@dataclass(frozen=True)
class PublishRequest:
    """`title` is one line of text, the person's own words; `document` the bytes of a wire document."""

    title: str
    document: bytes

    @classmethod
    def read(cls, body: bytes) -> PublishRequest:
        """Raises Refusal for anything of another form."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            raise Refusal(ErrorCode.MALFORMED, problem="JSON") from None
        match content:
            case {"title": str(title), "query": dict(query), **rest} if not rest:
                return cls(_checked(title), json.dumps(query, ensure_ascii=False).encode("utf-8", "replace"))
            case _:
                raise Refusal(ErrorCode.MALFORMED, problem="title and query")


def _checked(title: str) -> str:
    """One line that can be read as it is written: no control, direction or private characters."""
    line = unicodedata.normalize("NFC", title).strip()
    strange = any(unicodedata.category(character).startswith("C") for character in line)
    if not line or len(line) > MAX_TITLE or strange:
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="a title is one line of 1 to 120 characters")
    return line
