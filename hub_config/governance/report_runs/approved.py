"""The approved templates: the notebooks of one folder of the checkout, changed by review alone."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[3] / "templates_notebooks"
LARGEST: Final = 512 * 1024
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def approved(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the templates there are."""
    return tuple(
        sorted(path.stem for path in (folder or FOLDER).glob("*.ipynb") if _NAME.fullmatch(path.stem))
    )


def approved_hashes(folder: Path | None = None) -> Mapping[str, str]:
    """The SHA-256 of each approved template, as it is now. One that can't be read is not approved."""
    found = {name: content_of(name, folder) for name in approved(folder)}
    return {name: hashlib.sha256(content).hexdigest() for name, content in found.items() if content}


def content_of(name: str, folder: Path | None = None) -> bytes | None:
    """The template's bytes; None for a link, what is closed to us, no regular file, or too large a one."""
    path = (folder or FOLDER) / f"{name}.ipynb"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        content = file.read(LARGEST + 1)
    return content if len(content) <= LARGEST else None
