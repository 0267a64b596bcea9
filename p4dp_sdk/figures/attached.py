"""The record of what was done to a result, where pandas keeps it: `.attrs["p4dp"]`."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from p4dp_sdk.wire.protocol import Disclosure

if TYPE_CHECKING:
    import pandas as pd

ATTRS_KEY = "p4dp"

Attributed = TypeVar("Attributed", "pd.DataFrame", "pd.Series[Any]")


class Protection(StrEnum):
    """What was done to an answer (`Disclosure.protection`)."""

    EXPLORATION = (
        "exploration"  # a draft: small cells withheld, the others blurred and tied to earlier answers
    )
    PUBLICATION = "publication"  # exact; small cells, and those that would give them away, withheld
    NOISE = "noise"  # a privacy budget was spent
    NONE = "none"  # synthetic sandbox: shown, and said what protection would do
    ROWS = "rows"  # individual data, microdata grant
    PUBLIC = "public"  # reference tables


class AttachedDisclosure(Disclosure, dict[str, Any]):
    """A `Disclosure` that is also its own JSON object: pandas and pyarrow write `.attrs` to Parquet as JSON,
    and would refuse anything else."""

    def __init__(self, disclosure: Disclosure) -> None:
        dict.__init__(self, asdict(disclosure))
        Disclosure.__init__(self, **{name: getattr(disclosure, name) for name in self})


def attach(result: Attributed, disclosure: Disclosure) -> Attributed:
    """`result` with the record of what was done to it."""
    result.attrs[ATTRS_KEY] = AttachedDisclosure(disclosure)
    return result


def disclosure_in(result: pd.DataFrame | pd.Series[Any]) -> Disclosure | None:
    """The record that a result carries, also after a round trip through Parquet; None if it carries none."""
    record = result.attrs.get(ATTRS_KEY)
    if record is None or isinstance(record, Disclosure):
        return record
    return Disclosure.from_json(json.dumps(record).encode())
