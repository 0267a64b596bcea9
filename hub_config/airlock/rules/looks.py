"""How many physicians look at a request before it leaves. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, assert_never

from hub_config.airlock.rules.recourse import contested
from hub_config.governance.facts import AccessLevel
from hub_config.governance.releases.facts import CheckState, FileFacts, OutputClass, RequestFacts
from hub_config.governance.releases.findings import Severity

MOST_LOOKS: Final = 2


@dataclass(frozen=True)
class HousePolicy:
    """What the site's settings and the project's people decide. `holders`: somebody of the project holds rows
    of people, or did of late, or the project itself gives them."""

    born_safe_at_once: bool = False
    holders: bool = True


def looks_needed(files: Iterable[FileFacts], policy: HousePolicy) -> int:
    """0, 1 or 2: as many as the file that needs most. A request without files would need two."""
    return max((_looks_at(file, policy) for file in files), default=MOST_LOOKS)


def least_looks(files: Iterable[FileFacts]) -> int:
    """As many as no policy goes below: two where a blocking finding was answered instead of mended."""
    return MOST_LOOKS if any(map(contested, files)) else 0


def batchable(request: RequestFacts) -> bool:
    """Whether it may be approved among others, at one go: born safe throughout, and nothing to look at."""
    return request.output_class is OutputClass.BORN_SAFE and not any(
        _quarantined(file) or _warned(file) for file in request.files
    )


def _looks_at(file: FileFacts, policy: HousePolicy) -> int:
    if file.checked is not CheckState.CHECKED or contested(file):
        return MOST_LOOKS
    match file.output_class:
        case OutputClass.BORN_SAFE:
            return 0 if _at_once(file, policy) else 1
        case OutputClass.REPRODUCED:
            return MOST_LOOKS if _of_rows(file) and _warned(file) else 1
        case OutputClass.UNVERIFIED:
            return MOST_LOOKS
        case _:
            assert_never(file.output_class)


def _at_once(file: FileFacts, policy: HousePolicy) -> bool:
    allowed = policy.born_safe_at_once and not policy.holders
    return allowed and file.generated_text and not _warned(file)


def _of_rows(file: FileFacts) -> bool:
    """Whether the run that left it could see rows of people."""
    return file.proof is not None and file.proof.get("access") == AccessLevel.MICRODATA.value


def _quarantined(file: FileFacts) -> bool:
    return file.checked is not CheckState.CHECKED


def _warned(file: FileFacts) -> bool:
    return any(finding.severity is not Severity.NOTE for finding in file.findings)
