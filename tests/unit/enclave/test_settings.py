"""Settings are read whole or refused, and the refusal names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_config.settings import BadSettings, Settings, load_settings


def read(tmp_path: Path, text: str, **environ: str) -> Settings:
    (tmp_path / "enclave.toml").write_text(text)
    return load_settings({"P4DP_HOME": str(tmp_path), **environ})


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert (settings.port, settings.policy.min_patients, settings.identity.provider) == (8000, 11, "demo")


def test_the_port_comes_from_the_environment_last(tmp_path: Path) -> None:
    assert read(tmp_path, "port = 9000", P4DP_PORT="9100").port == 9100


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 9000", "prot"),
        ("port = 80", "port"),
        ("port = ", "enclave.toml"),
        ("[policy]\nmin_patients = 5", "policy.min_patients"),
        ("[policy]\nmin_physicians = 2", "policy.min_physicians"),
        ("[identity]\nprovider = 'keycloak'", "identity.provider"),
        ("[identity]\nprovider = 'oidc'", "issuer"),
        ("[identity]\nrequired_amr = []", "second factor"),
        ("home = '/elsewhere'", "P4DP_HOME"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(BadSettings, match=named):
        read(tmp_path, text)


@pytest.mark.parametrize("port", ["abc", "80", "70000", "90.5", ""])
def test_a_bad_port_says_what_to_set(tmp_path: Path, port: str) -> None:
    with pytest.raises(BadSettings, match=r"whole number from 1024 to 65000, for example P4DP_PORT=9000"):
        read(tmp_path, "", P4DP_PORT=port)


def test_a_file_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"missing\.toml"):
        load_settings({"P4DP_HOME": str(tmp_path), "P4DP_CONFIG": str(tmp_path / "missing.toml")})
