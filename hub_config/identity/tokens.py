"""Verify an OpenID Connect id token: signature by the issuer's keys, issuer, audience, time, nonce. Pure.

Refuses symmetric and absent signatures whatever the header says. A refusal names the check that failed, never
the token. Keys are passed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY_SECONDS = 30


class UntrustedToken(Exception):
    """The id token is not proof of anything; the message says which check failed."""


class UnknownKey(UntrustedToken):
    """Signed by a key the issuer does not (yet) publish: fetch its keys again, once."""


@dataclass(frozen=True)
class Expected:
    """`nonce` None: the token answers a refresh, for which none was sent."""

    issuer: str
    client_id: str
    nonce: str | None = None


def nonce_for(code_verifier: str) -> str:
    """The nonce of a login, bound to the secret that stays in the browser's cookie until the callback."""
    return hashlib.sha256(b"p4dp nonce " + code_verifier.encode()).hexdigest()


def verify_id_token(token: object, keys: Mapping[str, Any], expected: Expected) -> Mapping[str, Any]:
    """The claims of `token`. `keys` is the issuer's JWK set. Raises UntrustedToken."""
    if not isinstance(token, str) or not token:
        raise UntrustedToken("the provider sent no id token")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _signing_key(token, keys),
            algorithms=list(ALGORITHMS),
            issuer=expected.issuer,
            audience=expected.client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "aud", "exp", "iat", "sub"]},
        )
    except jwt.PyJWTError as error:
        raise UntrustedToken(f"{type(error).__name__} while verifying the id token") from None
    _check_party(claims, expected)
    if expected.nonce is not None and claims.get("nonce") != expected.nonce:
        raise UntrustedToken("the id token's nonce is not this login's")
    return claims


def _check_party(claims: Mapping[str, Any], expected: Expected) -> None:
    """A token for several audiences must name us as the authorised party."""
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (several or "azp" in claims) and claims.get("azp") != expected.client_id:
        raise UntrustedToken("the id token was issued to another client")


def _signing_key(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise UntrustedToken("the id token's signature algorithm is not accepted")
    for key in keys.get("keys", []):
        if key.get("kid") == header.get("kid") and key.get("use", "sig") == "sig" and key.get("kty") != "oct":
            return jwt.PyJWK(key, algorithm=header["alg"])
    raise UnknownKey("the id token is signed by a key that the issuer does not publish")
