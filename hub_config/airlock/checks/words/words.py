"""One wording: what was found, why it matters, how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["fr", "en"]


@dataclass(frozen=True)
class Words:
    what: str
    why: str
    remedy: str


def both(french: tuple[str, str, str], english: tuple[str, str, str]) -> dict[Language, Words]:
    return {"fr": Words(*french), "en": Words(*english)}
