"""Numbers, days and moments as people of the place write them. Pure; moments are told in Paris time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from hub_config.web.texts import Language

_PARIS: Final = ZoneInfo("Europe/Paris")
_NARROW: Final = "\N{NARROW NO-BREAK SPACE}"


def number(value: int | float, language: Language) -> str:
    """12 345,6 in French, 12,345.6 in English."""
    english = f"{value:,}"
    if language == "en":
        return english
    return english.translate({ord(","): _NARROW, ord("."): ","})


def day(value: date, language: Language) -> str:
    """22/11/2026 in French, 22 Nov 2026 in English. Of a moment, the day it was in Paris."""
    when = _in_paris(value) if isinstance(value, datetime) else value
    return f"{when:%d/%m/%Y}" if language == "fr" else f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def moment(value: datetime, language: Language) -> str:
    """22/11/2026 à 14 h 05 in French, 22 Nov 2026, 14:05 in English; UTC where it names no zone."""
    when = _in_paris(value)
    clock = f" à {when.hour}{_NARROW}h{_NARROW}{when:%M}" if language == "fr" else f", {when:%H:%M}"
    return day(value, language) + clock


def _in_paris(value: datetime) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(_PARIS)


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
