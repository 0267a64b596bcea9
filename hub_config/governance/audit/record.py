"""Bytes of the chain: canonical JSON, hashes, signatures and the kinds of file. Pure.

Canonical JSON here: keys sorted, no spaces, ASCII with escapes, no float. A record's hash covers the bytes of
all its other fields, its predecessor's hash among them, so that not even a space can change. `where` stands
in a record only where it is known: events written before there was one keep their bytes.

    000001.jsonl  the events, one record a line
    000001.seal   written when the segment closes: its SHA-256, range and last hash, signed
    head.json     the newest record and where its line begins, signed: the redo log of the last append
    pruned.json   the last event that retention dropped, signed: the chain is read from there
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub_config.governance.audit.event import AuditEvent, Scalar

GENESIS = "0" * 64
HEAD_FILE = "head.json"
LOCK_FILE = ".lock"
PRUNED_FILE = "pruned.json"
_HASH_KEY = b'"hash":"'
_HASH_LENGTH = 64


class NotCanonical(ValueError):
    """Bytes that this module did not write. Says what is wrong, never what they contain."""


def segment_file(segment: int) -> str:
    return f"{segment:06d}.jsonl"


def seal_file(segment: int) -> str:
    return f"{segment:06d}.seal"


def canonical(document: Mapping[str, object]) -> bytes:
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")


@dataclass(frozen=True)
class Record:
    """One event in its place: number from 1, UTC time, the hash before it and its own."""

    number: int
    at: str
    who: str
    what: str
    project: str | None
    decision: str
    details: Mapping[str, Scalar]
    prev: str
    hash: str
    where: str | None = None

    @classmethod
    def of(cls, event: AuditEvent, *, number: int, at: str, prev: str) -> Self:
        said = {**asdict(event), "decision": event.decision.value, "number": number, "at": at, "prev": prev}
        digest = hashlib.sha256(canonical(_without_unknown_place(said))).hexdigest()
        return cls(**said, hash=digest)

    def document(self) -> dict[str, Any]:
        return _without_unknown_place({name: getattr(self, name) for name in _NAMES[Record]})

    @property
    def line(self) -> bytes:
        return canonical(self.document()) + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """The record of one line. Raises NotCanonical unless these are exactly the bytes of a sound one.

        What is hashed is the line without its hash, as bytes: a million events are read without being
        written anew. The last `"hash":"` is the record's own: inside a text a quote is escaped, and the
        details stand before.
        """
        said = _record_fields(_json(line))
        place = line.rfind(_HASH_KEY)
        begin, end = place + len(_HASH_KEY), place + len(_HASH_KEY) + _HASH_LENGTH
        if line[end : end + 2] != b'",' or line[-1:] != b"\n":
            raise NotCanonical("the line is not in canonical form")
        digest = hashlib.sha256(line[:place] + line[end + 2 : -1]).hexdigest()
        if digest.encode() != line[begin:end] or digest != said["hash"]:
            raise NotCanonical("the event does not match its hash")
        return cls(**said)


def _without_unknown_place(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name != "where" or value is not None}


def _record_fields(document: dict[str, Any]) -> dict[str, Any]:
    """Of a record written before events had a place, or since."""
    if "where" in document and not isinstance(document["where"], str):
        raise NotCanonical("not a record")
    return _fields({"where": None, **document}, Record)


@dataclass(frozen=True)
class Head:
    """Where the chain ends: the newest record (None before the first) and the place of its line."""

    segment: int
    offset: int  # where the newest record's line begins in its segment
    first_at: str  # time of the segment's first event: a new month begins a new segment
    record: Record | None

    @property
    def number(self) -> int:
        return self.record.number if self.record else 0

    @property
    def hash(self) -> str:
        return self.record.hash if self.record else GENESIS

    @property
    def line(self) -> bytes:
        return self.record.line if self.record else b""

    @property
    def end(self) -> int:
        """Length of the segment once the newest record is in it."""
        return self.offset + len(self.line)

    def document(self) -> dict[str, Any]:
        record = self.record.document() if self.record else None
        return {"segment": self.segment, "offset": self.offset, "first_at": self.first_at, "record": record}


@dataclass(frozen=True)
class Seal:
    """What a closed segment holds."""

    segment: int
    first: int
    last: int
    prev: str
    hash: str
    sha256: str


@dataclass(frozen=True)
class Pruned:
    """Where the chain begins since retention dropped what was before: after this event, the last of
    `segment`."""

    segment: int
    number: int
    hash: str
    at: str  # when that event was written
    pruned_at: str


@dataclass(frozen=True)
class Anchor:
    """What is noted outside: at that moment the chain ended with this event, under this key."""

    number: int
    hash: str
    at: str  # when it was noted
    key: str


Signed = Head | Seal | Pruned | Anchor
_NAMES: Mapping[type[Any], tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind)) for kind in (Record, Head, Seal, Pruned, Anchor)
}


def sign(said: Signed, key: Ed25519PrivateKey) -> bytes:
    document = said.document() if isinstance(said, Head) else asdict(said)
    return (
        canonical({"said": document, "signature": key.sign(_signed_bytes(type(said), document)).hex()})
        + b"\n"
    )


def parse_head(content: bytes, key: Ed25519PublicKey) -> Head:
    """The head, if `key` signed exactly these bytes. Raises NotCanonical otherwise."""
    said = _opened(content, Head, key)
    record = said.pop("record")
    if record is not None and not isinstance(record, dict):
        raise NotCanonical("not a record")
    return Head(**said, record=Record(**_record_fields(record)) if record else None)


def parse_seal(content: bytes, key: Ed25519PublicKey) -> Seal:
    """The seal, if `key` signed exactly these bytes. Raises NotCanonical otherwise."""
    return Seal(**_opened(content, Seal, key))


def parse_pruned(content: bytes, key: Ed25519PublicKey) -> Pruned:
    """The mark of what was dropped, if `key` signed exactly these bytes. Raises NotCanonical otherwise."""
    return Pruned(**_opened(content, Pruned, key))


def parse_anchor(content: bytes, key: Ed25519PublicKey) -> Anchor:
    """The anchor, if `key` signed exactly these bytes. Raises NotCanonical otherwise."""
    return Anchor(**_opened(content, Anchor, key))


def _signed_bytes(kind: type[Signed], said: Mapping[str, object]) -> bytes:
    """The kind is part of what is signed: no seal can pass for a head."""
    return canonical({"kind": kind.__name__.lower(), "said": said})


def _opened(content: bytes, kind: type[Signed], key: Ed25519PublicKey) -> dict[str, Any]:
    envelope = _json(content)
    if set(envelope) != {"said", "signature"} or canonical(envelope) + b"\n" != content:
        raise NotCanonical("not a signed document in canonical form")
    said = _fields(envelope["said"], kind)
    if not _verifies(envelope["signature"], _signed_bytes(kind, said), key):
        raise NotCanonical("the signature is not this enclave's")
    return said


def _verifies(signature: object, content: bytes, key: Ed25519PublicKey) -> bool:
    try:
        raw = bytes.fromhex(str(signature))
        key.verify(raw, content)
    except (InvalidSignature, ValueError):
        return False
    return raw.hex() == signature  # hexadecimal has several spellings, the chain one


def _fields(value: object, kind: type[Record | Signed]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != set(_NAMES[kind]):
        raise NotCanonical(f"not a {kind.__name__.lower()}")
    return dict(value)


def _json(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("ascii"), parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError):
        raise NotCanonical("not JSON as this enclave writes it") from None
    if not isinstance(document, dict):
        raise NotCanonical("not a JSON object")
    return document


def _no_float(_text: str) -> float:
    raise ValueError("the chain holds no floats")
