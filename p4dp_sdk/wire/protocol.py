"""What crosses the socket between a workspace and the gateway: version, limits, names of headers and
metadata, result record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

PROTOCOL_VERSION = 1
ARROW_STREAM = "application/vnd.apache.arrow.stream"
PROBLEM_JSON = "application/problem+json"
METADATA_KEY = b"p4dp"


class Scope(StrEnum):
    """Of whose rows a whole question is. Whose `OWN` is, the gateway finds out: a request never says."""

    ALL = "all"  # of everybody whom the project may see
    OWN = "own"  # of the person who asks: see ADR 0016


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
    """One released measure: how many cells are shown, how many carry the mark, and how many of those shown
    were rounded to an earlier answer. `snapped_labels` are the keys of these, the first 200; `given_again`
    the days (UTC) on which those of them that answer the same question again were shown first."""

    shown: int
    withheld: int
    snapped: int = 0
    snapped_labels: tuple[tuple[object, ...], ...] = ()
    given_again: tuple[str, ...] = ()

    @property
    def kept(self) -> float:
        """The share of cells that is shown; 1 of an empty table."""
        cells = self.shown + self.withheld
        return self.shown / cells if cells else 1.0


@dataclass(frozen=True)
class Disclosure:
    """What was done to an answer before it left. Travels as JSON under `METADATA_KEY` in the Arrow
    schema's metadata, and reaches the person as `.attrs["p4dp"]`.

    `protection` is `exploration` (threshold, then sticky noise or rounding, then the ledger), `publication`
    (exact values; primary and secondary suppression, audited, signed), `noise` (a privacy budget was spent),
    `none` (synthetic sandbox: `measures` then says what protection would have done), `rows` (individual data,
    microdata grant) or `public` (reference tables). `reasons` name, for the whole table, why cells were
    withheld. `method` is how numbers were blurred and `error` by how much a count may be off, in patients or
    rows, standard deviation (0 for exact tables). `key_columns` name the released keys in
    the order of `snapped_labels`. `scope`: of whose rows; in one's own there is no rule on GPs.
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
    method: str = ""
    error: float = 0.0
    key_columns: tuple[str, ...] = ()
    title: str = ""  # publication tables: the person's own words
    signature: Mapping[str, str] = field(default_factory=dict)  # publication tables: see `SafeTable`
    scope: Scope = Scope.ALL

    def to_json(self) -> bytes:
        """The scope is written where it is one's own, days where there are some: clients that never ask for
        it don't know the word."""
        fields = {
            name: value for name, value in asdict(self).items() if value != Scope.ALL or name != "scope"
        }
        for measure in fields["measures"].values():
            if not measure["given_again"]:
                del measure["given_again"]
        return json.dumps(fields, ensure_ascii=False, sort_keys=True, default=str).encode()

    @classmethod
    def from_json(cls, document: bytes) -> Disclosure:
        fields = json.loads(document)
        fields["measures"] = {k: _summary(v) for k, v in fields["measures"].items()}
        fields["reasons"] = tuple(fields["reasons"])
        fields["key_columns"] = tuple(fields["key_columns"])
        return cls(**fields | {"scope": Scope(fields.get("scope", Scope.ALL))})


def _summary(fields: dict[str, Any]) -> MeasureSummary:
    labels = tuple(tuple(label) for label in fields.pop("snapped_labels"))
    days = tuple(fields.pop("given_again", ()))
    return MeasureSummary(**fields, snapped_labels=labels, given_again=days)
