"""Primary suppression of one release: its engine frame in, what may be shown out."""

from __future__ import annotations

import pyarrow as pa

from hub_config.gateway.rules.plan import ProtectedTable, Release
from p4dp_sdk.disclosure.policy import Policy


def protect(release: Release, frame: pa.Table, policy: Policy) -> ProtectedTable:
    """Keys and measures of `release` with every cell that fails `policy` withheld."""
    raise NotImplementedError
