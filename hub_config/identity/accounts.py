"""The demonstration's accounts: who they are, their passwords and one-time-code secrets. For the laptop only.

Passwords and secrets are generated once per enclave and kept in `identity/accounts.json` (0600); the provider
gets the same. Nothing here exists when the institution's own provider is used.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyotp

from hub_config.keys import write_private

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no character that is mistaken for another


@dataclass(frozen=True)
class Demo:
    """One invented person. `group` is a group of the provider (see roles.GROUPS)."""

    username: str
    given_name: str
    family_name: str
    title: str
    group: str


DEMO = (
    Demo("ines", "Inès", "Martin", "interne de médecine générale", "internes"),
    Demo("rachid", "Rachid", "Benali", "chercheur", "chercheurs"),
    Demo("diane", "Diane", "Leroy", "médecin DIM", "medecins-dim"),
    Demo("denis", "Denis", "Moreau", "médecin DIM", "medecins-dim"),
    Demo("dora", "Dora", "Petit", "déléguée à la protection des données", "dpo"),
    Demo("charles", "Charles", "Faure", "comité scientifique et éthique", "cse"),
    Demo("admin", "Alice", "Garnier", "administratrice de la plateforme", "administrateurs"),
    Demo("claire", "Claire", "Roux", "comité scientifique et éthique", "cse"),
    Demo("alix", "Alix", "Simon", "assistante qualité des données", "aqd"),
    Demo("damien", "Damien", "Lambert", "département de médecine générale", "dmg"),
)


@dataclass(frozen=True)
class Secrets:
    """What one account logs in with.

    `otp_secret` is the text whose bytes are the key of the one-time codes.
    """

    password: str
    otp_secret: str

    def code(self, at: int) -> str:
        """The one-time code (RFC 6238, 30 seconds, 6 digits) at the Unix time `at`."""
        return pyotp.TOTP(base64.b32encode(self.otp_secret.encode()).decode()).at(at)


class UnknownAccount(Exception):
    """No such demonstration account; the message lists those there are."""


class AccountsMissing(Exception):
    """The demonstration has not been started yet."""


def ensure_accounts(path: Path) -> Mapping[str, Secrets]:
    """The accounts on record; those that are not are generated, and the others stay as they are."""
    known = read_accounts(path) if path.exists() else {}
    if newcomers(known):
        _write(path, {**known, **{demo.username: _generate() for demo in newcomers(known)}})
    return read_accounts(path)


def newcomers(known: Mapping[str, Secrets]) -> list[Demo]:
    """People of the demonstration who have no account yet."""
    return [demo for demo in DEMO if demo.username not in known]


def read_accounts(path: Path) -> Mapping[str, Secrets]:
    """Raises AccountsMissing where the demonstration was never started."""
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError:
        raise AccountsMissing("There are no demo accounts yet. Start the enclave once: make up") from None
    return {name: Secrets(**item) for name, item in document.items()}


def account(accounts: Mapping[str, Secrets], username: str) -> Secrets:
    """Raises UnknownAccount."""
    if username not in accounts:
        raise UnknownAccount(f"No demo account is named '{username}'. There are: {', '.join(accounts)}.")
    return accounts[username]


def _write(path: Path, accounts: Mapping[str, Secrets]) -> None:
    document = {
        name: {"password": item.password, "otp_secret": item.otp_secret} for name, item in accounts.items()
    }
    write_private(path, json.dumps(document, indent=1))


def _generate() -> Secrets:
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(3))
    return Secrets(password="-".join(groups), otp_secret=secrets.token_hex(20))
