"""A table of one's own making is taken out as one that the enclave signed.

A researcher writes rows into a CSV or a figure and signs it with a key of their own, changes a number of a
genuine table, or moves a genuine signature to another table. Born safe, it would leave after one look, or
none. Without the check of the signature each of them works.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub_config.airlock.proofs import Classification, Standing, classify, classifying
from hub_config.governance.releases.facts import OutputClass
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.figures.proof import Proof
from p4dp_sdk.figures.spec import Kind, Part, Spec
from p4dp_sdk.wire.publication import Document
from tests.unit.sdk.signed_tables import OTHER_KEY, pem, signed

POLICY = {
    "min_patients": 11,
    "min_physicians": 3,
    "min_outside": 11,
    "max_physician_share": 0.85,
    "dominance_k": 0.85,
}
STANDING = Standing("these-ines", 3, Policy(), holders=False)
KEYS = {signed().signature.key: pem()}
GENUINE = signed(policy=POLICY)
ROWS = (("Dupont, 82 ans", 1, 1.0),)
BAR = Spec(Kind.BAR, {Part.CATEGORY: ("age_band",), Part.VALUES: ("patients",)})


def changed() -> bytes:
    content = json.loads(GENUINE.to_json())
    content["statement"]["rows"] = [list(row) for row in ROWS]
    return json.dumps(content).encode()


def signed_by_oneself() -> bytes:
    return signed(OTHER_KEY, policy=POLICY, rows=ROWS, total=None).to_json()


def under_the_gateway_s_name() -> bytes:
    content = json.loads(signed_by_oneself())
    content["signature"]["key"] = next(iter(KEYS))
    return json.dumps(content).encode()


def with_a_genuine_signature() -> bytes:
    content = json.loads(signed_by_oneself())
    content["signature"] = json.loads(GENUINE.to_json())["signature"]
    return json.dumps(content).encode()


def figure() -> bytes:
    return Proof(Document.from_json(signed_by_oneself()), BAR).to_json()


def in_metadata() -> bytes:
    return b"PAR1" + signed_by_oneself() + b"PAR1"


ATTACKS = (
    changed,
    signed_by_oneself,
    under_the_gateway_s_name,
    with_a_genuine_signature,
    figure,
    in_metadata,
)


def sent(content: bytes) -> Classification:
    return classify("resultats.svg" if b'"spec"' in content else "resultats.csv", content, STANDING, KEYS)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_forged_table_is_born_safe_where_signatures_are_believed(
    attack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifying, "verified", lambda document, keys: document.statement)
    assert sent(attack()).output_class is OutputClass.BORN_SAFE


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_forged_table_is_looked_at_by_two_physicians(attack: Any) -> None:
    known = sent(attack())
    assert known.output_class is OutputClass.UNVERIFIED
    assert known.rendering is None and "definition" not in known.proof, "nothing of it is vouched for"


def test_the_genuine_table_goes_through() -> None:
    assert sent(GENUINE.to_json()).output_class is OutputClass.BORN_SAFE
