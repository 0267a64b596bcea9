"""The enclave's audit key: Ed25519, made at first use, a file of mode 600 in `keys/`. It signs seals and
heads, nothing else.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hub_config.governance.audit.failures import AuditBroken
from hub_config.governance.audit.segment import write_atomically

KEY_FILE = "audit.pem"


def load_key(keys_dir: Path) -> Ed25519PrivateKey | None:
    """The key, or None if this enclave has never recorded anything. Raises AuditBroken if the file can't be
    used."""
    path = keys_dir / KEY_FILE
    try:
        if path.stat().st_mode & 0o077:
            raise AuditBroken(f"The audit key {path} can be read by other users. Run: chmod 600 {path}")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise AuditBroken(
            f"The audit key {path} can't be read. Restore it from the backup of keys/."
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditBroken(f"The audit key {path} is not an Ed25519 key. Restore it from the backup of keys/.")
    return key


def save_key(keys_dir: Path, key: Ed25519PrivateKey) -> None:
    """Write a new key, whole or not at all, readable by its owner only."""
    keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomically(keys_dir / KEY_FILE, content)


def fingerprint(key: Ed25519PublicKey) -> str:
    """A short name of the key, to compare with the one noted on paper the day the enclave was set up."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]
