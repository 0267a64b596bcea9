"""Id tokens: the one good one is accepted, and everything a little different from it is refused."""

from __future__ import annotations

import time
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from hub_config.identity.tokens import Expected, UnknownKey, UntrustedToken, nonce_for, verify_id_token

ISSUER, CLIENT, NONCE = "http://identity.localhost:8001", "p4dp-hub", nonce_for("v" * 43)
EXPECTED = Expected(ISSUER, CLIENT, NONCE)


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def keys(key):
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}


def claims(**changes):
    """Times may be told from now: tests that two processes collect must have equal names."""
    now = int(time.time())
    told = {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in changes.items()
    }
    good = {"iss": ISSUER, "aud": CLIENT, "sub": "ines", "iat": now, "exp": now + 600, "nonce": NONCE}
    return {name: value for name, value in {**good, **told}.items() if value is not None}


def signed(key, kid="k1", algorithm="RS256", **changes):
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"kid": kid})


def test_the_good_one(key, keys):
    assert verify_id_token(signed(key), keys, EXPECTED)["sub"] == "ines"


def test_several_audiences_with_us_as_the_party(key, keys):
    assert verify_id_token(signed(key, aud=[CLIENT, "other"], azp=CLIENT), keys, EXPECTED)


def test_a_refresh_needs_no_nonce(key, keys):
    assert verify_id_token(signed(key, nonce=None), keys, Expected(ISSUER, CLIENT))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://evil.localhost"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": None},
        {"aud": [CLIENT, "other"]},
        {"azp": "other"},
        {"exp": 1},
        {"exp": timedelta(minutes=-1)},
        {"exp": None},
        {"iat": timedelta(days=1)},
        {"iat": None},
        {"sub": None},
        {"nonce": "another"},
        {"nonce": None},
        {"nbf": timedelta(days=1)},
    ],
    ids=str,
)
def test_one_wrong_claim(key, keys, changes):
    with pytest.raises(UntrustedToken):
        verify_id_token(signed(key, **changes), keys, EXPECTED)


def test_forged_with_another_key(keys):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(UntrustedToken, match="InvalidSignature"):
        verify_id_token(signed(other), keys, EXPECTED)


def test_changed_after_signing(key, keys):
    head, _, signature = signed(key).split(".")
    _, body, _ = signed(key, sub="admin").split(".")
    with pytest.raises(UntrustedToken):
        verify_id_token(f"{head}.{body}.{signature}", keys, EXPECTED)


def test_unsigned(keys):
    with pytest.raises(UntrustedToken, match="algorithm"):
        verify_id_token(jwt.encode(claims(), None, algorithm="none", headers={"kid": "k1"}), keys, EXPECTED)


def test_signed_with_the_public_key_as_a_shared_secret(key, keys):
    token = jwt.encode(
        claims(), "a shared secret of more than thirty-two bytes", algorithm="HS256", headers={"kid": "k1"}
    )
    with pytest.raises(UntrustedToken, match="algorithm"):
        verify_id_token(token, keys, EXPECTED)


def test_a_symmetric_key_in_the_issuers_set_is_not_used(key, keys):
    planted = {"keys": [{"kty": "oct", "kid": "k1", "k": "AAAA"}]}
    with pytest.raises(UnknownKey):
        verify_id_token(signed(key), planted, EXPECTED)


def test_a_key_the_issuer_does_not_publish(key, keys):
    with pytest.raises(UnknownKey):
        verify_id_token(signed(key, kid="k2"), keys, EXPECTED)


@pytest.mark.parametrize("token", [None, "", 7, "a.b.c", "x", b"bytes"])
def test_not_a_token(keys, token):
    with pytest.raises(UntrustedToken):
        verify_id_token(token, keys, EXPECTED)


def test_a_refusal_does_not_carry_the_token(key, keys):
    token = signed(key, sub="secret-subject", aud="other")
    with pytest.raises(UntrustedToken) as refusal:
        verify_id_token(token, keys, EXPECTED)
    assert token not in str(refusal.value) and "secret-subject" not in str(refusal.value)
    assert refusal.value.__cause__ is None and refusal.value.__suppress_context__
