"""The person's language: French unless they say otherwise.

English texts in the code are gettext ids; `fr/LC_MESSAGES/p4dp_sdk.po` says them in French and `.mo` is its
compiled form (`pybabel compile -d p4dp_sdk/locale -D p4dp_sdk`; a test checks that it is current and
complete). The choice lives in the environment (`P4DP_LANG`, else `LANG`), so that what a notebook starts
speaks the same language; `speaking` sets it aside for a moment, in one thread.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from pathlib import Path

DOMAIN = "p4dp_sdk"


class Language(StrEnum):
    FRENCH = "fr"
    ENGLISH = "en"


_SPOKEN: ContextVar[Language | None] = ContextVar("p4dp_language", default=None)


def language(choice: str | None = None) -> Language:
    """The language in force; with `choice` ("fr" or "en"), changes it first.

    Raises ValueError for another language.
    """
    if choice is not None:
        os.environ["P4DP_LANG"] = Language(choice).value
    if (spoken := _SPOKEN.get()) is not None:
        return spoken
    wanted = os.environ.get("P4DP_LANG") or os.environ.get("LANG") or ""
    return Language.ENGLISH if wanted.lower().startswith("en") else Language.FRENCH


@contextmanager
def speaking(wanted: Language) -> Iterator[None]:
    """Inside, texts are in `wanted`, whatever the choice in force."""
    before = _SPOKEN.set(wanted)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def translate(text: str) -> str:
    """`text` (an English id) in the language in force."""
    return _catalogue(language()).gettext(text)


def translate_count(one: str, many: str, count: int) -> str:
    """`one` or `many`, by `count`, in the language in force."""
    return _catalogue(language()).ngettext(one, many, count)


@cache
def _catalogue(wanted: Language) -> gettext.NullTranslations:
    if wanted is Language.ENGLISH:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, localedir=Path(__file__).parent, languages=[wanted.value])
