"""The gateway's public keys: that in use and all before it, as it laid them down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from p4dp_sdk.wire.publication import Document, NotGenuine, Statement, verify

Keys = Mapping[str, str]
_NAME: Final = re.compile(r"[0-9a-f]{16}")


def read_keys(directory: Path) -> Keys:
    """PEM by fingerprint; none where the gateway has laid none: then nothing is born safe."""
    if not directory.is_dir():
        return {}
    return {path.stem: path.read_text() for path in directory.glob("*.pem") if _NAME.fullmatch(path.stem)}


def verified(document: Document, keys: Keys) -> Statement:
    """What the gateway signed. Raises NotGenuine: also for a key that it never had."""
    key = keys.get(document.signature.key)
    if key is None:
        raise NotGenuine("the table is signed with another key")
    return verify(document, key)
