"""What a page says, in French or English: texts, numbers, the catalogue's labels. Pure but for reading the
catalogues of the package."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.quality import load_rules

Language = Literal["fr", "en"]
_LOCALE: Final = Path(__file__).with_name("locale")
_DOMAIN: Final = "p4dp-warehouse"
_SETTING: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set counts


def language_of(environ: Mapping[str, str]) -> Language:
    """French, but where the operator's terminal speaks English."""
    said = next((environ[name] for name in _SETTING if environ.get(name)), "")
    return "en" if said.lower().startswith("en") else "fr"


@dataclass(frozen=True)
class Words:
    """Called with a French text it gives the page's; `blanks` fill `%(name)s`."""

    language: Language = "fr"

    def __call__(self, text: str, **blanks: object) -> str:
        said = _translations(self.language).gettext(text)
        return said % blanks if blanks else said

    def count(self, number: float | None) -> str:
        """In whole numbers; nothing where there is none."""
        return "" if number is None else self._number(f"{number:,.0f}")

    def signed(self, number: int) -> str:
        return self._number(f"{number:+,}") if number else "0"

    def percent(self, share: float) -> str:
        """A share that is not nothing is never shown as nothing, nor one that is not all as all."""
        if 0 < share < 0.0001:
            return self._number("<0.01 %")
        if 0.9999 < share < 1:
            return self._number(">99.99 %")
        return self._number(f"{100 * share:.2f} %")

    def round_percent(self, share: float) -> str:
        """For scales."""
        return self._number(f"{100 * share:.4g} %")

    def change(self, share: float) -> str:
        """By how much of what it was."""
        return self._number(f"{100 * share:+,.1f} %")

    def _number(self, text: str) -> str:
        """In French a comma for the point and a narrow space between thousands; no break before the unit."""
        if self.language == "fr":
            text = text.translate({ord(","): "\N{NARROW NO-BREAK SPACE}", ord("."): ","})
        return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{MINUS SIGN}")

    def table(self, name: str) -> str:
        found = load_catalogue().tables.get(name)
        return self._label(found) if found else name

    def column(self, table: str, stored: str) -> str:
        """By its name in the snapshot."""
        found = load_catalogue().tables.get(table)
        column = next((each for each in found.columns if each.stored_as == stored), None) if found else None
        return self._label(column) if column else stored

    def rule(self, name: str) -> str:
        """What a `dq_code`, or a rule that is only counted, means."""
        codes = {each.code: each for each in load_catalogue().code_systems["dq_code"].codes}
        if name in codes:
            return self._label(codes[name])
        rule = load_rules().get(name)
        return name if rule is None else rule.what_fr if self.language == "fr" else rule.what_en

    def _label(self, labelled: object) -> str:
        return str(getattr(labelled, f"label_{self.language}"))


@cache
def _translations(language: Language) -> gettext.NullTranslations:
    return gettext.translation(_DOMAIN, _LOCALE, languages=[language], fallback=True)
