"""Marks the desk's texts for translation: French here, English in `locale/`. Holds what several pages say."""

from __future__ import annotations

from typing import Final


def N_(text: str) -> str:  # noqa: N802 (gettext's own name: marks a text for translation, where it is written)
    return text


UNKNOWN_STEP: Final = N_("Cette étape n'existe pas. Rouvrez la page, puis recommencez.")
