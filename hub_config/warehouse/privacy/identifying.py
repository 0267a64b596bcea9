"""What identifies somebody, wherever it stands in a text: numbers and addresses of a known make. Names have
none: they are kept out by what is let in (`text`), not found by what they look like. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from hub_config.warehouse.schema import literal


class Trace(StrEnum):
    """What was found. Closed: a report says one of these and a column, never the text."""

    EMAIL = "e-mail address"
    TELEPHONE = "telephone number"
    NIR = "social security number"
    LONG_NUMBER = "number of eight or more digits (a professional's, a person's)"
    DAY = "date written as text"
    ADDRESS = "street address"
    TITLE = "title before a name"
    FREE_TEXT = "text that no closed list or grammar accepts"
    DAY_OF_BIRTH = "date more precise than the month"


# RE2, as DuckDB has it: on text without accents, in lower case.
PATTERNS: Final[Mapping[Trace, str]] = {
    Trace.EMAIL: r"[^\s@]+@[^\s@]+\.[a-z]{2,}",
    Trace.TELEPHONE: r"(^|[^\d])(\+33|0033|0)[ .-]?(\(0\))?[1-9]([ .-]?\d{2}){4}([^\d]|$)",
    Trace.NIR: r"(^|[^\d])[1-478][ .]?\d{2}[ .]?\d{2}[ .]?(\d{2}|2[ab])[ .]?\d{3}[ .]?\d{3}",
    Trace.LONG_NUMBER: r"\d{8}",
    Trace.DAY: r"(^|[^\d])(\d{1,2}[/.-]\d{1,2}[/.-](19|20)\d{2}|(19|20)\d{2}-\d{2}-\d{2})([^\d]|$)",
    Trace.ADDRESS: r"(^|[^a-z])(rue|avenue|boulevard|bd|chemin|impasse|allee|lieu-dit|cedex)([^a-z]|$)",
    Trace.TITLE: r"(^|[^a-z])(mme|mlle|madame|mademoiselle|monsieur|docteur|dr|m\.)\s+[a-z]",
}


def shows(trace: Trace, text: str) -> str:
    """The SQL condition that `text` shows it."""
    return f"regexp_matches(lower(strip_accents({text})), {literal(PATTERNS[trace])})"
