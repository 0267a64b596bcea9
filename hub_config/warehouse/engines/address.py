"""Where an engine is and who asks there. The password stays in here: it is shown nowhere, and leaves in the
connection only."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from hub_config.warehouse.problems import WarehouseProblem

_HERE: Final = ("", "localhost", "127.0.0.1", "::1")


class Part(StrEnum):
    """Who connects: the gateway, which may only read, or the operator who publishes."""

    READER = "reader"
    PUBLISHER = "publisher"

    @property
    def variable(self) -> str:
        return "P4DP_WAREHOUSE_PASSWORD" if self is Part.READER else "P4DP_WAREHOUSE_PUBLISHER_PASSWORD"

    @property
    def file(self) -> str:
        return "warehouse-password" if self is Part.READER else "warehouse-publisher-password"


@dataclass(frozen=True, repr=False)
class Address:
    """`url` holds neither user nor password."""

    url: str
    user: str
    password: str = field(default="", repr=False)

    def uri(self, options: Mapping[str, str]) -> str:
        """For the driver. Over a network the server has to prove who it is, unless `url` says otherwise."""
        parts = urlsplit(self.url)
        asked = dict(parse_qsl(parts.query))
        if parts.hostname not in (*_HERE, None):
            asked.setdefault("sslmode", "verify-full")
        asked |= {"connect_timeout": asked.get("connect_timeout", "10"), "application_name": "p4dp"}
        if options:
            asked["options"] = " ".join(f"-c {name}={value}" for name, value in options.items())
        who = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        where = f"{who}@{parts.netloc.rpartition('@')[2]}"
        return urlunsplit((parts.scheme, where, parts.path, urlencode(asked, quote_via=quote), ""))


def password(part: Part, keys_dir: Path) -> str:
    """From the environment, else from the file in `keys/`; empty where there is neither, which leaves it to
    the server. Raises WarehouseProblem where others can read the file."""
    if part.variable in os.environ:
        return os.environ[part.variable]
    path = keys_dir / part.file
    if not path.exists():
        return ""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise WarehouseProblem(f"Others can read {path}: run `chmod 600` on it, and change the password.")
    return path.read_text(encoding="utf-8").strip()
