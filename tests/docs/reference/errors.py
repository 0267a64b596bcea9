"""`errors.md`: every refusal, from the codes and messages of the wire, in English and French."""

from __future__ import annotations

import gettext
from pathlib import Path

import p4dp_sdk.locale
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.messages import Translate, fill
from p4dp_sdk.wire.refusals import MESSAGES

from .page import page

HOW = """
Every way the gateway says no. A code never changes its meaning; the words around it may. A notebook gets
them as `p4dp_sdk.EnclaveError` (with `.code` and a request number), over HTTP they are
`application/problem+json` with the status given here. Words in ‹angle quotes› are names and limits taken from
the question, never a value of the data.
"""


def build() -> str:
    french = gettext.translation(
        p4dp_sdk.locale.DOMAIN, localedir=Path(p4dp_sdk.locale.__file__).parent, languages=["fr"]
    ).gettext
    parts = [part for each in ErrorCode for part in _error(each, french)]
    return page("Errors", HOW, *parts)


def _error(each: ErrorCode, french: Translate) -> list[str]:
    return [
        f"## {each.value}",
        f"HTTP {Refusal(each).status}",
        f"{_sentences(each, str)}",
        f"*{_sentences(each, french)}*",
    ]


def _sentences(each: ErrorCode, translate: Translate) -> str:
    message = MESSAGES[each]
    blanks = {name: f"‹{name}›" for name in message.blanks}
    sentences = (translate(text) for text in (message.what, message.why, message.next))
    return " ".join(_shown(fill(sentence, blanks)) for sentence in sentences)


def _shown(sentence: str) -> str:
    """Markdown would take these for its own."""
    return sentence.replace("*", "\\*").replace("_", "\\_")
