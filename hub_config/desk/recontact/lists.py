"""The file for one practice: sealed identifiers among sealed blanks, in the order of chance, all wrapped anew
at each fetch.

Seals of data that were loaded are the same at each fetch, blanks are not: without the wrapping, who holds two
files of one practice would tell them apart, and see whose seal an objection took out.

Of data that were loaded the seals were made at load, and nothing here knows an identifier. Synthetic data
have no practice software: their identifiers are made of the number, and sealed here.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Mapping
from datetime import date
from random import SystemRandom
from typing import Final

from hub_config.governance.recontact.facts import Handed, PracticeKey, RecontactRequest
from hub_config.governance.recontact.on_record import as_sealing_key
from hub_config.settings import Settings
from hub_config.warehouse.local_ids import synthetic_id
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.sealing.envelope import BLANK, public_key, sealed, wrapped
from hub_config.warehouse.sealing.landed import has_seals, seals_of

FORMAT: Final = "p4dp-recontact-2"
BOUND: Final = ("format", "request", "key", "project", "title", "protocol", "made_on")


def ready(settings: Settings, request: RecontactRequest, key: PracticeKey) -> bool:
    """Whether a load has sealed with this key. Raises LandingProblem."""
    landing = settings.home / "landing"
    return request.synthetic or has_seals(landing, key.source, as_sealing_key(key))


def practice_file(
    settings: Settings,
    request: RecontactRequest,
    key: PracticeKey,
    handed: Handed,
    project: str,
    on: date,
) -> dict[str, object]:
    """What the practice's tool reads. Raises LandingProblem."""
    seals = _seals(settings, request, key, handed.patients)
    said = {
        "format": FORMAT,
        "request": request.id,
        "project": project,
        "title": request.title,
        "protocol": request.protocol,
        "practice": key.practice,
        "key": key.fingerprint,
        "made_on": on.isoformat(),
    }
    return {**said, **closed(padded(seals, key, handed.room), key, said)}


def closed(seals: Collection[bytes], key: PracticeKey, said: Mapping[str, str]) -> dict[str, str]:
    """The seals end to end, each as long as the key: how long this is tells their number and nothing else.
    Opens with the words of `BOUND` only."""
    made = wrapped(public_key(key.public_key), b"".join(seals), bound(said))
    parts = {"wrapped": made.key, "nonce": made.nonce, "sealed": made.content}
    return {name: b64encode(part).decode() for name, part in parts.items()}


def bound(said: Mapping[str, str]) -> bytes:
    """What the practice's tool is to show, as JSON that the tool writes byte by byte the same."""
    values = [said[name] for name in BOUND]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def padded(seals: Collection[bytes], key: PracticeKey, room: int) -> list[bytes]:
    """With sealed blanks up to `room`, and shuffled."""
    blanks = (sealed(public_key(key.public_key), BLANK) for _ in range(room - len(seals)))
    mixed = [*seals, *blanks]
    SystemRandom().shuffle(mixed)
    return mixed


def _seals(
    settings: Settings, request: RecontactRequest, key: PracticeKey, patients: Collection[int]
) -> list[bytes]:
    if request.synthetic:
        opened = public_key(key.public_key)
        return [sealed(opened, synthetic_id(Kind.PATIENT, number)) for number in patients]
    landing = settings.home / "landing"
    found: Mapping[int, bytes] = seals_of(landing, key.source, as_sealing_key(key), patients)
    return list(found.values())
