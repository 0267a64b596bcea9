"""What is said to people, as templates: what happened, why, and what to do next.

Pure text (floor 0): English templates, which are the gettext ids; French lives in `p4dp_sdk.locale`. A
`{blank}` is filled from params and always stands in a `[bracketed part]`, which is left out when a blank of
it is not given: a message always reads well. Nothing but params is ever inserted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

Params = Mapping[str, str | int]
Translate = Callable[[str], str]

_OPTIONAL = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")
_BLANK = re.compile(r"\{(\w+)\}")


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "to be translated later"
    return text


@dataclass(frozen=True)
class Message:
    """Three sentences for people, with blanks."""

    what: str
    why: str
    next: str

    @property
    def blanks(self) -> frozenset[str]:
        return frozenset(name for field in fields(self) for name in _BLANK.findall(getattr(self, field.name)))


@dataclass(frozen=True)
class Explanation:
    """A message with its blanks filled, in one language."""

    what: str
    why: str
    next: str

    def __str__(self) -> str:
        return " ".join((self.what, self.why, self.next))


def fill(template: str, params: Params) -> str:
    """`template` with its blanks filled; a bracketed part with a blank that is not given is left out."""
    return _OPTIONAL.sub(lambda part: _fill_part(part[1], params), template)


def _fill_part(part: str, params: Params) -> str:
    if not all(name in params for name in _BLANK.findall(part)):
        return ""
    return _BLANK.sub(lambda blank: str(params[blank[1]]), part)
