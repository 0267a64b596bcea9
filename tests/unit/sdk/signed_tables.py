"""Publication tables for tests, signed with a key of their own."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from p4dp_sdk.tables.safe import SafeTable
from p4dp_sdk.wire.publication import Column, Document, Lineage, Shape, Signature, Statement, fingerprint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))

STATEMENT = Statement(
    project="these-ines",
    access="aggregate",
    snapshot=3,
    synthetic=False,
    policy={"min_patients": 11, "min_physicians": 3, "max_physician_share": 0.85},
    method="exact; primary and secondary suppression, audited",
    definition="SELECT …",
    title="Diabète par âge <b>et</b> sexe",
    columns=(
        Column("age_band", Shape.TEXT, Lineage.KEY, ("age_band",)),
        Column("patients", Shape.INTEGER, Lineage.MEASURE, ("patients",), protected=True),
        Column("part", Shape.NUMBER, Lineage.DERIVED, ("patients", "n"), protected=True),
    ),
    rows=(("40-49", 1234, 0.125), ("50-59", None, None), ("60-69", 87, 1 / 3)),
    total=("", 1324, 0.25),
    shown=4,
    withheld=2,
    reasons=("frequency", "secondary"),
    request_id="abc123",
    date="2026-11-21T10:00:00+00:00",
)


def pem(key: Ed25519PrivateKey = KEY) -> str:
    form = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(*form).decode()


def signed(key: Ed25519PrivateKey = KEY, **changes: Any) -> Document:
    statement = replace(STATEMENT, **changes)
    value = base64.b64encode(key.sign(statement.signed_bytes)).decode()
    return Document(statement, Signature(fingerprint(key.public_key().public_bytes_raw()), value))


def table(**changes: Any) -> SafeTable:
    return SafeTable.from_json(signed(**changes).to_json())
