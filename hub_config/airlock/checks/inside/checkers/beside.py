"""What stands beside an image's pixels, whatever its format: texts, a colour profile; how large it may be.

Texts are shown and checked as a text that stands alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hub_config.airlock.checks.inside.checkers.gathering import Gathering
from hub_config.airlock.checks.inside.found import CannotRead, Reason
from hub_config.governance.releases.findings import Place, Rule

MOST_PIXELS: Final = 40_000_000
LARGEST_PROFILE: Final = 10_000
_LONG_TEXT: Final = 2_000
_READABLE: Final = re.compile(rb"[\x20-\x7e\n]{40,}")
_LETTERS: Final = 12  # different ones: of a text, not of a pattern in the pixels


@dataclass(frozen=True)
class Size:
    width: int
    height: int

    @property
    def absurd(self) -> bool:
        return not 0 < self.width * self.height <= MOST_PIXELS


def refuse_absurd(size: Size) -> None:
    if size.absurd:
        raise CannotRead(Reason.BOMB)


def readable(body: bytes) -> list[str]:
    """The texts within bytes that mean something else."""
    runs = _READABLE.findall(body)
    return [run.decode("latin-1") for run in runs if len(set(run)) >= _LETTERS]


def tell_text(gathering: Gathering, body: bytes, place: Place, inflated: bytes = b"") -> None:
    gathering.search(body.decode("latin-1"), inflated.decode("latin-1"))
    if len(body) + len(inflated) > _LONG_TEXT:
        gathering.block(Rule.HIDDEN_CONTENT, "texts beside an image", place)
    else:
        for text in readable(body + b"\x00" + inflated):
            gathering.lines("", text.splitlines(), place)
    gathering.warn(Rule.DOCUMENT_METADATA, "texts beside an image", place)


def is_profile(profile: bytes) -> bool:
    """Whether it has the length and the mark that a colour profile (ICC) has, and is no larger than most."""
    return (
        128 < len(profile) <= LARGEST_PROFILE
        and int.from_bytes(profile[:4]) == len(profile)
        and profile[36:40] == b"acsp"
    )


def tell_profile(gathering: Gathering, profile: bytes, place: Place) -> None:
    gathering.search(profile.decode("latin-1"), profile.replace(b"\x00", b"").decode("latin-1"))
    gathering.warn(Rule.DOCUMENT_METADATA, "texts beside an image", place)
