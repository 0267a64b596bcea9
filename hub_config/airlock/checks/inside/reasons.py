"""Why a file is put aside for people to handle: no check could read it for certain, within the limits."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    UNKNOWN_KIND = "unknown-kind"
    REFUSED_KIND = "refused-kind"
    NAME_DISAGREES = "name-disagrees"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    BOMB = "bomb"
    TOO_LARGE = "too-large"
    TOO_MUCH = "too-much"
    ENCODING = "encoding"
    POLYGLOT = "polyglot"
    NOT_THE_SAME_ANEW = "not-the-same-anew"
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    NONSENSE = "nonsense"
    NO_BOX = "no-box"


class CannotRead(Exception):
    """The checker stops here. Carries a reason, never a value of the file."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
