"""What crosses the socket between a workspace and the gateway: version, limits, names of headers and
metadata, result record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

PROTOCOL_VERSION = 1
ARROW_STREAM = "application/vnd.apache.arrow.stream"
PROBLEM_JSON = "application/problem+json"
METADATA_KEY = b"p4dp"


@dataclass(frozen=True)
class Limits:
    """What one request may cost. A site may change them in its settings; these are the defaults."""

    request_bytes: int = 256 * 1024
    depth: int = 200
    nodes: int = 2_000
    cells: int = 100_000
    seconds: float = 120.0
    memory_bytes: int = 4 * 1024**3


@dataclass(frozen=True)
class MeasureSummary:
    """One released measure: how many cells are shown and how many carry the mark."""

    shown: int
    withheld: int


@dataclass(frozen=True)
class Disclosure:
    """What was done to an answer before it left. Travels as JSON under `METADATA_KEY` in the Arrow
    schema's metadata, and reaches the person as `.attrs["p4dp"]`.

    `protection` is `threshold` (small cells withheld), `none` (synthetic sandbox: `measures` then says
    what protection would have done) or `rows` (individual data, microdata grant) or `public` (reference
    tables). `reasons` name, for the whole table, why cells were withheld: frequency, physicians,
    unanimity.
    """

    request_id: str
    project: str
    snapshot: int
    protection: str
    min_patients: int
    min_physicians: int
    measures: Mapping[str, MeasureSummary] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    rows_may_be_missing: bool = False  # open key: failing rows are dropped, their number is not told
    definition: str = ""  # readable SQL of what was asked, written by the gateway

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def from_json(cls, document: bytes) -> Disclosure:
        fields = json.loads(document)
        fields["measures"] = {k: MeasureSummary(**v) for k, v in fields["measures"].items()}
        fields["reasons"] = tuple(fields["reasons"])
        return cls(**fields)
