"""What is asked of `POST /v1/publish`: a title and a wire document. Pure; trusts nothing."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from hub_config.gateway.bodies import content_of, document_in
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.publication import MAX_TITLE

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True)
class PublishRequest:
    """`title` is one line of text, the person's own words; `document` the bytes of a wire document."""

    title: str
    document: bytes

    @classmethod
    def read(cls, body: bytes) -> PublishRequest:
        """Raises Refusal for anything of another form."""
        match content_of(body):
            case {"title": str(title), "query": dict(query), **rest} if not rest:
                return cls(_checked(title), document_in(query))
            case _:
                raise Refusal(ErrorCode.MALFORMED, problem="title and query")


def _checked(title: str) -> str:
    """One line that can be read as it is written: no control, direction or private characters."""
    line = unicodedata.normalize("NFC", title).strip()
    if not line or len(line) > MAX_TITLE or not is_readable(line):
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="a title is one line of 1 to 120 characters")
    return line


def is_readable(text: str) -> bool:
    """Whether it is seen as it is written: no control, direction or private characters. What a physician
    reads, and what a spreadsheet keeps, is then what was signed."""
    return not any(unicodedata.category(character) in _UNSEEN for character in text)
