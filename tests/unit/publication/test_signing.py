"""The key that signs publication tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hub_config.cli import main
from hub_config.gateway.publication.signing import KEY_FILE, Signer
from hub_config.keys import UnsafeKey
from p4dp_sdk.wire.publication import verify
from tests.unit.sdk.signed_tables import STATEMENT


def test_the_key_is_made_once_and_stays(tmp_path: Path) -> None:
    first, again = Signer.ensure(tmp_path), Signer.ensure(tmp_path)
    assert first.public_key == again.public_key and first.name == again.name
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert verify(again.sign(STATEMENT), first.public_key) == STATEMENT


def test_enclaves_have_keys_of_their_own(tmp_path: Path) -> None:
    assert Signer.ensure(tmp_path / "a").public_key != Signer.ensure(tmp_path / "b").public_key


def test_a_key_that_others_may_read_signs_nothing(tmp_path: Path) -> None:
    Signer.ensure(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(UnsafeKey):
        Signer.ensure(tmp_path)


def test_the_secret_stands_in_no_repr(tmp_path: Path) -> None:
    signer = Signer.ensure(tmp_path)
    assert (tmp_path / KEY_FILE).read_text()[:16] not in repr(signer) and "rivate" not in repr(signer)


def test_an_operator_prints_what_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_HOME", str(tmp_path))
    printed = CliRunner().invoke(main, ["publication-key"])
    signer = Signer.ensure(tmp_path / "keys")
    assert printed.exit_code == 0 and printed.stdout == signer.public_key
    assert signer.name in printed.stderr
    assert verify(signer.sign(STATEMENT), printed.stdout) == STATEMENT
