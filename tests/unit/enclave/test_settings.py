"""Settings are read whole or refused, and the refusal names the key."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from hub_config.sections import PolicySettings
from hub_config.settings import BadSettings, Settings, load_settings
from p4dp_sdk.disclosure.policy import Method, Policy


def read(tmp_path: Path, text: str, **environ: str) -> Settings:
    (tmp_path / "enclave.toml").write_text(text)
    return load_settings({"P4DP_HOME": str(tmp_path), **environ})


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert (settings.port, settings.policy.min_patients, settings.identity.provider) == (8000, 11, "demo")


def test_a_sites_policy_takes_every_key_of_the_rules(tmp_path: Path) -> None:
    keys = {field.name for field in fields(Policy)} - {"max_cells"}
    assert set(PolicySettings.model_fields) == keys
    settings = read(tmp_path, "[policy]\nmin_patients = 20\nmethod = 'rounding'\nrounding_base = 10")
    assert settings.policy.policy(max_cells=50) == Policy(
        min_patients=20, method=Method.ROUNDING, rounding_base=10, max_cells=50
    )
    assert read(tmp_path, "").policy.policy() == Policy()


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
        ("[policy]\nmax_physician_share = 0.9", "policy.max_physician_share"),
        ("[policy]\nsnap_jitter = 0", "policy.snap_jitter"),
        ("[policy]\nmin_patient = 20", "policy.min_patient"),
        ("[policy]\nmethod = 'none'", "policy.method"),
        ("[policy]\nmax_cells = 10", "policy.max_cells"),  # `limits.cells` says it
        ("[policy]\nnoise_variance = 400.0", "noise_variance can't exceed"),
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
