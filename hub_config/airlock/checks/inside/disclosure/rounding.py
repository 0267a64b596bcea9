"""Whether a text says that counts are rounded, and to what. Pure."""

from __future__ import annotations

import re
from typing import Final

_DECLARED: Final = re.compile(
    r"(?:arrondi\w*|rounded|rounding|arrondissement)[^.\n]{0,40}?"
    r"\b(?:à|a|au|aux|de|to|multiples? (?:de|of))\s+"
    r"(?:multiples? (?:de|of)\s+|nearest\s+|the nearest\s+|plus proche\s+)?(\d{1,3})\b",
    re.I,
)


def declared_rounding(text: str) -> int | None:
    """« Effectifs arrondis à 5 »: 5. Bases of 2 to 100; decimals are no rounding of counts."""
    for match in _DECLARED.finditer(text[:20_000]):
        after = text[match.end() : match.end() + 12].lower()
        if 2 <= int(match[1]) <= 100 and not re.match(r"\s*(décim|decim|chiffre|digit|%)", after):
            return int(match[1])
    return None
