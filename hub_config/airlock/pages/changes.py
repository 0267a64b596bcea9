"""What a request says and holds anew, against the one it resubmits. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub_config.governance.releases.facts import FileFacts, RequestFacts, Verdict

_WORDS: Final = re.compile(r"\s+|[^\s]+")


class Change(StrEnum):
    SAME = "same"  # byte for byte
    CHANGED = "changed"  # a file of this name had other bytes
    NEW = "new"


@dataclass(frozen=True)
class Piece:
    """Part of a text: as it was, added, or taken away."""

    text: str
    new: bool = False
    gone: bool = False


def change_of(file: FileFacts, before: Sequence[FileFacts]) -> Change:
    """Against the files of the request that is resubmitted."""
    if any(file.sha256 == other.sha256 for other in before):
        return Change.SAME
    return Change.CHANGED if earlier(file, before) else Change.NEW


def earlier(file: FileFacts, before: Sequence[FileFacts]) -> FileFacts | None:
    """The file of that name in the request that is resubmitted."""
    return next((other for other in before if other.name == file.name), None)


def objected(file: FileFacts, before: RequestFacts) -> bool:
    """Whether somebody did not approve these bytes in the request that is resubmitted."""
    numbers = {other.number for other in before.files if other.sha256 == file.sha256}
    return any(
        number in numbers and verdict is not Verdict.APPROVE
        for review in before.reviews
        for number, verdict in review.files.items()
    )


def gone(now: Sequence[FileFacts], before: Sequence[FileFacts]) -> tuple[FileFacts, ...]:
    """Files that are no longer there, under their name or another."""
    names, bytes_ = {file.name for file in now}, {file.sha256 for file in now}
    return tuple(file for file in before if file.name not in names and file.sha256 not in bytes_)


def reworded(now: str, before: str) -> tuple[Piece, ...]:
    """`now` in pieces, with what stood there before; nothing where they are equal."""
    return () if now == before else tuple(_pieces(_WORDS.findall(before), _WORDS.findall(now)))


def _pieces(before: list[str], now: list[str]) -> Iterator[Piece]:
    for kind, i, j, k, m in difflib.SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece("".join(now[k:m]))
            continue
        if i < j:
            yield Piece("".join(before[i:j]), gone=True)
        if k < m:
            yield Piece("".join(now[k:m]), new=True)
