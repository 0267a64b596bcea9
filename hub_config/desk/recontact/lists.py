"""The file for one practice: sealed identifiers among sealed blanks, in the order of chance.

Of data that were loaded the seals were made at load, and nothing here knows an identifier. Synthetic data
have no practice software: their identifiers are made of the number, and sealed here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from hub_config.governance.recontact.facts import PracticeKey, RecontactRequest
from hub_config.governance.recontact.on_record import as_sealing_key
from hub_config.settings import Settings
from hub_config.warehouse.local_ids import synthetic_id
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.sealing.envelope import BLANK, public_key, sealed
from hub_config.warehouse.sealing.landed import has_seals, seals_of

FORMAT: Final = "p4dp-recontact-1"
STEP: Final = 25  # the length of a list is told no finer


def ready(settings: Settings, request: RecontactRequest, key: PracticeKey) -> bool:
    """Whether a load has sealed with this key. Raises LandingProblem."""
    landing = settings.home / "landing"
    return request.synthetic or has_seals(landing, key.source, as_sealing_key(key))


def practice_file(
    settings: Settings,
    request: RecontactRequest,
    key: PracticeKey,
    patients: Collection[int],
    project: str,
    on: date,
) -> dict[str, object]:
    """What the practice's tool reads. Raises LandingProblem."""
    seals = padded(_seals(settings, request, key, patients), key)
    return {
        "format": FORMAT,
        "request": request.id,
        "project": project,
        "title": request.title,
        "protocol": request.protocol,
        "practice": key.practice,
        "key": key.fingerprint,
        "made_on": on.isoformat(),
        "sealed": [b64encode(seal).decode() for seal in seals],
    }


def padded(seals: Collection[bytes], key: PracticeKey) -> list[bytes]:
    """With sealed blanks up to the next multiple of `STEP`, one list at least. Seals are as good as random,
    so their own order mixes them."""
    missing = -len(seals) % STEP or (0 if seals else STEP)
    blanks = (sealed(public_key(key.public_key), BLANK) for _ in range(missing))
    return sorted([*seals, *blanks])


def _seals(
    settings: Settings, request: RecontactRequest, key: PracticeKey, patients: Collection[int]
) -> list[bytes]:
    if request.synthetic:
        opened = public_key(key.public_key)
        return [sealed(opened, synthetic_id(Kind.PATIENT, number)) for number in patients]
    landing = settings.home / "landing"
    found: Mapping[int, bytes] = seals_of(landing, key.source, as_sealing_key(key), patients)
    return list(found.values())
