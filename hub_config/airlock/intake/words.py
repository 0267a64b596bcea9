"""The airlock's refusals for a notebook: French, or English from the catalogue of its pages."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

from hub_config.airlock.checks.texts import Language
from hub_config.airlock.texts import TEXTS, AirlockProblem

_LOCALE = Path(__file__).parents[1] / "locale"


def told(problem: AirlockProblem, language: Language) -> str:
    text = TEXTS[problem.problem]
    return (_english().gettext(text) if language == "en" else text) % problem.blanks


@cache
def _english() -> gettext.NullTranslations:
    return gettext.translation("p4dp-airlock", _LOCALE, ["en"], fallback=True)
