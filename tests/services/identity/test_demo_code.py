"""`demo-code`: today's code of a demo account, and a refusal everywhere else."""

from __future__ import annotations

import stat
import time

import pyotp
import pytest
from click.testing import CliRunner

from hub_config.identity import accounts
from hub_config.identity.accounts import DEMO, Secrets, ensure_accounts
from hub_config.identity.commands import demo_code


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "identity").mkdir()
    monkeypatch.setenv("P4DP_HOME", str(tmp_path))
    monkeypatch.delenv("P4DP_CONFIG", raising=False)
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(demo_code, arguments)


def test_the_code_is_the_accounts(home):
    secret = ensure_accounts(home / "identity" / "accounts.json")["ines"]
    before, answer, after = secret.code(int(time.time())), call("ines"), secret.code(int(time.time()))
    assert answer.exit_code == 0
    assert answer.stdout.strip() in (before, after)


def test_codes_follow_rfc_6238():
    """The published test vector, on six digits."""
    assert Secrets("", "12345678901234567890").code(59) == "287082"
    assert pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").at(59) == "287082"


def test_refused_outside_the_demonstration(home):
    ensure_accounts(home / "identity" / "accounts.json")
    (home / "enclave.toml").write_text(
        '[identity]\nprovider = "oidc"\nissuer = "https://id.example.org/realms/p4dp"\n'
    )
    answer = call("ines")
    assert answer.exit_code != 0
    assert "institution" in answer.output
    assert not any(character.isdigit() for character in answer.output)


def test_unknown_account_names_the_known_ones(home):
    ensure_accounts(home / "identity" / "accounts.json")
    answer = call("bob")
    assert answer.exit_code != 0
    assert all(demo.username in answer.output for demo in DEMO)


def test_before_the_first_start_it_says_what_to_do(home):
    answer = call("ines")
    assert answer.exit_code != 0 and "make up" in answer.output


def test_accounts_are_private_kept_and_different(home):
    path = home / "identity" / "accounts.json"
    first = ensure_accounts(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_accounts(path) == first
    assert len(
        {item.password for item in first.values()} | {i.otp_secret for i in first.values()}
    ) == 2 * len(DEMO)
    assert set(first) == {demo.username for demo in DEMO}


def test_an_account_that_is_there_stays_when_another_joins(home, monkeypatch):
    path = home / "identity" / "accounts.json"
    monkeypatch.setattr(accounts, "DEMO", DEMO[:7])
    first = ensure_accounts(path)
    assert len(first) == 7
    monkeypatch.undo()
    then = ensure_accounts(path)
    assert {name: then[name] for name in first} == first
    assert set(then) - set(first) == {"claire", "alix", "damien"}
