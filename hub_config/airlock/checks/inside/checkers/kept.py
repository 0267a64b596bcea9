"""What a notebook keeps beside its cells and no reader looks at: kernel, tags, names of cells, moments of a
run. What Jupyter writes is known by its form; the rest is kept short in all the notebook.
"""

from __future__ import annotations

import re
from typing import Any, Final

_FORM: Final = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]{8,15}(?:Z|[+-]\d\d:?\d\d)?|[0-9a-f]{1,12}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|"
    r"\d{1,2}(?:\.\w{1,6}){1,3}|"
)
_WORD: Final = re.compile(r"[A-Za-z.][A-Za-z _.:/+-]{0,40}\d?")
_MOST_WORDS: Final = 2_000  # characters, each word told once
_MOST: Final = 300
_LARGEST: Final = 99_999


class Kept:
    def __init__(self) -> None:
        self._words: set[str] = set()
        self._told: set[str] = set()

    @property
    def too_much(self) -> bool:
        return sum(map(len, self._told)) > _MOST or sum(map(len, self._words)) > _MOST_WORDS

    def add(self, value: Any) -> None:
        waiting = [value]
        while waiting:
            match waiting.pop():
                case dict(each):
                    waiting.extend((*each, *each.values()))
                case list(each):
                    waiting.extend(each)
                case str(each):
                    self._text(each)
                case bool() | None:
                    pass
                case int(each) if abs(each) <= _LARGEST:
                    pass
                case each:
                    self._told.add(str(each))

    def _text(self, text: str) -> None:
        if _WORD.fullmatch(text):
            self._words.add(text)
        elif not _FORM.fullmatch(text):
            self._told.add(text)
