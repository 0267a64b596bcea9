"""The marks of protected tables and figures, and numbers as people write them. In the language in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    from p4dp_sdk.wire.protocol import Disclosure

MARK = "•"  # a withheld cell, whatever the reason
SNAPPED = "≈"  # a cell that shows the value of an earlier answer


def withheld_label(patients: int, *, published: bool = False) -> str:
    """What a withheld cell is, in a few words; also for a figure's legend."""
    if published:
        text = _("withheld number (< {patients}), too revealing, or secondary suppression")
    else:
        text = _("withheld number (< {patients}) or too revealing")
    return text.format(patients=patients)


def plus_or_minus(disclosure: Disclosure) -> str:
    """By how much a count may be off, as people write it: "± 2"; empty where counts are exact."""
    return f"± {max(1, round(disclosure.error))}" if disclosure.error else ""


def number(value: Any) -> str:
    """A number as the person's language writes it; years and other short whole numbers stay as they are."""
    if isinstance(value, float):
        return _localised(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}")
    if isinstance(value, int) and not isinstance(value, bool):
        return _localised(f"{value:,}" if abs(value) >= 10_000 else str(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value)


def _localised(number: str) -> str:
    if language() is Language.ENGLISH:
        return number
    return number.replace(",", "\u202f").replace(".", ",")
