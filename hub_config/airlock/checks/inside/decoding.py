"""Bytes to text: UTF-8, UTF-16 with its mark, Windows-1252 (told); anything else is put aside. Pure."""

from __future__ import annotations

import re
from typing import Final

from hub_config.airlock.checks.inside.found import CannotRead, Notes
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Rule, Severity

_WIDE: Final = re.compile(rb"[\xc3\xc5][\x80-\xbf]|\xe2\x80[\x80-\xbf]")
_CONTROLS: Final = re.compile(r"[\x01-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f\x80-\x9f]")


def decoded(content: bytes, notes: Notes) -> str:
    """Raises CannotRead."""
    text, encoding = _decode(content)
    if encoding != "UTF-8":
        severity = Severity.BLOCKING if encoding.startswith("mixed") else Severity.WARNING
        notes.add(Rule.ENCODING, severity, encoding=encoding)
    if "\x00" in text or len(_CONTROLS.findall(text[:1_000_000])) > max(8, len(text) // 200):
        raise CannotRead(Reason.ENCODING)
    return text


def _decode(content: bytes) -> tuple[str, str]:
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16"), "UTF-16"
        if b"\x00" in content:
            raise CannotRead(Reason.ENCODING)
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        raise CannotRead(Reason.ENCODING) from None
    return text, "mixed UTF-8 and Windows-1252" if _WIDE.search(content) else "Windows-1252"
