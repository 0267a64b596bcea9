"""Long phrases get a letter and are told once, below: "(B) : …". One set of letters a reading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Final

from hub_config.airlock.reading.meaning import require

_OPEN, _CLOSE = "\ue000", "\ue001"  # in no text of a catalogue's, and refused in a requester's
_OF, _END = "\ue002", "\ue003"
_OWNER: Final = re.compile(f"{_OF}([^{_END}]*){_END}")
_INLINE: Final = 240
_MARK: Final = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


def owner(table: str) -> str:
    """Stands behind a column's name, and says whose it is."""
    return f"{_OF}{table}{_END}"


def without_owner(said: str) -> str:
    return _OWNER.sub("", said)


@dataclass
class Terms:
    """What has a letter so far: a term is told of those before it alone."""

    _told: list[str] = field(default_factory=list)

    def short(self, phrase: str, longest: int) -> str:
        """`phrase`, or what stands for it. The same phrase has the same letter."""
        if len(phrase) <= longest or _MARK.fullmatch(phrase):
            return phrase
        if phrase not in self._told:
            self._told.append(phrase)
        return f"{_OPEN}{self._told.index(phrase)}{_CLOSE}"

    def lettered(self, phrases: Sequence[str]) -> Lettered:
        """Letters for what `phrases` speak of, in the order in which it is told. What is spoken of once, and
        speaks of nothing else, is told where it is spoken of."""
        used: Counter[int] = Counter()
        waiting = [number for phrase in phrases for number in _numbers(phrase)]
        while waiting:
            number = waiting.pop()
            used[number] += 1
            if used[number] == 1:
                waiting += _numbers(self._told[number])
        inline = {number for number, times in used.items() if times == 1 and self._is_short(number)}
        lettered = sorted(set(used) - inline)
        require(len(lettered) <= len(ascii_uppercase))
        return Lettered(self._told, inline, dict(zip(lettered, ascii_uppercase, strict=False)))

    def _is_short(self, number: int) -> bool:
        phrase = self._told[number]
        return len(phrase) <= _INLINE and not _numbers(phrase)


@dataclass(frozen=True)
class Lettered:
    """The letters of one reading."""

    _told: Sequence[str]
    _inline: Collection[int]
    _letters: Mapping[int, str]

    def read(self, phrase: str, of: str) -> str:
        """`phrase` as it is shown. `of`: how a column says whose it is."""
        said = _MARK.sub(lambda mark: self._mark(int(mark[1])), phrase)
        return _OWNER.sub(lambda found: of % found[1], said)

    def terms(self, of: str) -> Iterator[tuple[str, str]]:
        for number, letter in self._letters.items():
            yield f"({letter})", self.read(self._told[number], of)

    def _mark(self, number: int) -> str:
        return f"‹{self._told[number]}›" if number in self._inline else f"({self._letters[number]})"


def has_letter(text: str) -> bool:
    """Whether a text of the requester's looks like one of ours."""
    return re.search(r"\(\s*[A-Z]\s*\)", text) is not None


def is_letter(phrase: str) -> bool:
    return _MARK.fullmatch(phrase) is not None


def _numbers(phrase: str) -> list[int]:
    return [int(mark) for mark in _MARK.findall(phrase)]
