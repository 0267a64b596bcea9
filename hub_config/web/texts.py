"""The words of the pages: French is the source, English comes from gettext catalogues, one click away."""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal

from starlette.requests import Request

Language = Literal["fr", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")
LANGUAGE_COOKIE: Final = "p4dp-language"
OWN: Final = (Path(__file__).with_name("locale"), "p4dp-web")


def N_(text: str) -> str:  # noqa: N802 (gettext's own name: marks a text for translation, where it is written)
    return text


def language_of(request: Request, otherwise: Language) -> Language:
    """What the person chose; `otherwise` until they do."""
    match request.cookies.get(LANGUAGE_COOKIE):
        case "fr":
            return "fr"
        case "en":
            return "en"
        case _:
            return otherwise


class Catalogues:
    """A site's own catalogue, then that of all pages. A text that neither knows stays as it is."""

    def __init__(self, places: Sequence[tuple[Path, str]]) -> None:
        self._places = (*places, OWN)

    def translate(self, text: str, language: Language, **blanks: object) -> str:
        """The empty text stays empty. `blanks` fill `%(name)s`."""
        if not text:
            return ""
        said = _catalogue(self._places, language).gettext(text)
        return said % blanks if blanks else said


@cache
def _catalogue(places: tuple[tuple[Path, str], ...], language: Language) -> gettext.NullTranslations:
    first = gettext.NullTranslations()
    for directory, domain in places:
        first.add_fallback(gettext.translation(domain, directory, languages=[language], fallback=True))
    return first
