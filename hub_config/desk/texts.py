"""Marks the desk's texts for translation: French here, English in `locale/`."""

from __future__ import annotations


def N_(text: str) -> str:  # noqa: N802 (gettext's own name: marks a text for translation, where it is written)
    return text
