"""How long a reading should take, and what is read first. Pure.

The seconds below follow what thirty requests took by count of words, findings and keys (docs/reference/
airlock-figures.md); they order a queue and set an expectation, and nobody is held to them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from hub_config.airlock.rules.looks import batchable
from hub_config.governance.releases.facts import CheckState, FileFacts, FileKind, OutputClass, RequestFacts
from hub_config.governance.releases.findings import Severity

_TEXTS: Final = 75  # the requester's words and the vote, once
_BATCHED: Final = 25  # the requester's words, in a list to be approved at one go
_FILE: Final[Mapping[OutputClass, int]] = {
    OutputClass.BORN_SAFE: 25,
    OutputClass.REPRODUCED: 25,
    OutputClass.UNVERIFIED: 30,
}
_BYTES_A_SECOND: Final = 20  # of text and tables, 200 words a minute
_READ_THROUGH: Final = frozenset({FileKind.CSV, FileKind.TSV, FileKind.TEXT, FileKind.MARKDOWN})
_BYTES_READ: Final = 8_000  # beyond, nobody reads line by line
_FINDING: Final[Mapping[Severity, int]] = {Severity.BLOCKING: 20, Severity.WARNING: 15, Severity.NOTE: 3}
_FINDINGS_READ: Final = 12  # of one severity and file; beyond, one has seen what is the matter
_BY_HAND: Final = 600  # a file that no checker read
_RISK: Final[Mapping[OutputClass, int]] = {
    OutputClass.UNVERIFIED: 0,
    OutputClass.REPRODUCED: 1,
    OutputClass.BORN_SAFE: 2,
}


def minutes(request: RequestFacts) -> int:
    """At least one."""
    if batchable(request):
        return math.ceil(_BATCHED / 60)
    return max(1, math.ceil((_TEXTS + sum(map(_seconds, request.files))) / 60))


def risk(file: FileFacts) -> tuple[int, ...]:
    """Sorts files, the riskiest first."""
    return (
        0 if file.checked is CheckState.QUARANTINED else 1,
        _RISK[file.output_class],
        -_count(file, Severity.BLOCKING),
        -_count(file, Severity.WARNING),
        file.number,
    )


def _seconds(file: FileFacts) -> int:
    if file.checked is CheckState.QUARANTINED:
        return _BY_HAND
    found = sum(_FINDING[one] * min(_count(file, one), _FINDINGS_READ) for one in Severity)
    return _FILE[file.output_class] + found + _reading(file)


def _reading(file: FileFacts) -> int:
    """What the gateway did not write is read through."""
    read = file.output_class is not OutputClass.BORN_SAFE and file.kind in _READ_THROUGH
    return min(file.size, _BYTES_READ) // _BYTES_A_SECOND if read else 0


def _count(file: FileFacts, severity: Severity) -> int:
    return sum(finding.severity is severity for finding in file.findings)
