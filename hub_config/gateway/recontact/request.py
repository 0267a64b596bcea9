"""What is asked of `POST /v1/recontact`: the words for the GPs and a wire document. Pure; trusts nothing."""

from __future__ import annotations

from dataclasses import dataclass

from hub_config.gateway.bodies import content_of, document_in
from hub_config.gateway.publication.request import is_readable
from hub_config.governance.recontact.facts import LONGEST_PROTOCOL, LONGEST_TITLE
from p4dp_sdk.wire.errors import ErrorCode, Refusal


@dataclass(frozen=True)
class RecontactAsked:
    """`title` is one line, `protocol` what the GP reads before opening the list; `document` the bytes of a
    wire document whose expression has one column, `patient_id`."""

    title: str
    protocol: str
    document: bytes

    @classmethod
    def read(cls, body: bytes) -> RecontactAsked:
        """Raises Refusal for anything of another form."""
        match content_of(body):
            case {"title": str(title), "protocol": str(protocol), "query": dict(query), **rest} if not rest:
                return cls(_line(title), _text(protocol), document_in(query))
            case _:
                raise Refusal(ErrorCode.MALFORMED, problem="title, protocol and query")


def _line(title: str) -> str:
    line = title.strip()
    if not 0 < len(line) <= LONGEST_TITLE or not is_readable(line):
        raise Refusal(ErrorCode.RECONTACT_REFUSED, why="a title is one line of 1 to 120 characters")
    return line


def _text(protocol: str) -> str:
    lines = [line.strip() for line in protocol.strip().splitlines()]
    text = "\n".join(lines)
    if not 0 < len(text) <= LONGEST_PROTOCOL or not all(is_readable(line) for line in lines):
        raise Refusal(ErrorCode.RECONTACT_REFUSED, why="a protocol has 1 to 4000 readable characters")
    return text
