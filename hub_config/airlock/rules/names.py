"""Names of files, which are the user's: cut and cleaned before they are kept, shown or recorded. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MOST: Final = 120
UNNAMED: Final = "fichier"
_HIDING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SPACES: Final = re.compile(r"\s+")
_REFUSED: Final = re.compile(r'[\\/:*?"<>|]+')


def cleaned(name: str) -> str:
    """The last part of `name`, without what hides, turns text around or leads elsewhere, within MOST
    characters; its ending is kept."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(c for c in last if unicodedata.category(c) not in _HIDING)
    plain = _SPACES.sub(" ", _REFUSED.sub("_", visible)).strip(" .")
    return _cut(plain) or UNNAMED


def _cut(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    if len(name) <= MOST or not dot or len(ending) > 16:
        return name[:MOST].rstrip(" .")
    return f"{stem[: MOST - len(ending) - 1].rstrip(' .')}.{ending}"
