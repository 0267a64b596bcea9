"""The hub's configuration as JupyterHub would read it: what it allows, and what it must not."""

from __future__ import annotations

import ast
import stat
import sys
from pathlib import Path

import pytest
from jupyterhub import orm, scopes
from traitlets.config import PyFileConfigLoader

import hub_config
from hub_config.hub.policy import CUSTOM_SCOPES, PERSON_SCOPES, ROLES, csp, entry_point, services
from hub_config.origins import SERVICES
from hub_config.settings import Settings

CONFIGURATION = Path(hub_config.__file__).with_name("jupyterhub_config.py")
FORBIDDEN = ("admin", "list:", "shares", "access:services", "proxy", "shutdown", "delete:users")


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("P4DP_HOME", str(tmp_path))
    monkeypatch.delenv("P4DP_PORT", raising=False)
    monkeypatch.delenv("P4DP_CONFIG", raising=False)
    return PyFileConfigLoader(str(CONFIGURATION)).load_config()


def test_it_is_declarative():
    tree = ast.parse(CONFIGURATION.read_text())
    forbidden = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.For, ast.While, ast.Try)
    assert not [node for node in ast.walk(tree) if isinstance(node, forbidden)]


def test_secrets_are_made_and_private(config, tmp_path):
    files = list((tmp_path / "keys").iterdir())
    assert {"hub-cookies", "hub-auth-state", "proxy-interface", "oidc-client-secret"} <= {
        f.name for f in files
    }
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    text = CONFIGURATION.read_text()
    assert not [file.name for file in files if file.read_text().strip() in text]


def test_another_start_uses_the_same_secrets(config, tmp_path):
    again = PyFileConfigLoader(str(CONFIGURATION)).load_config()
    assert again.JupyterHub.cookie_secret == config.JupyterHub.cookie_secret
    assert again.CryptKeeper["keys"] == config.CryptKeeper["keys"]


def test_everything_listens_on_the_loopback(config):
    addresses = (
        config.JupyterHub.bind_url,
        config.JupyterHub.hub_bind_url,
        config.SupervisedTraefik.traefik_api_url,
    )
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)


def test_a_workspace_stands_on_its_own_origin(config):
    assert config.JupyterHub.subdomain_host == "http://p4dp.localhost:8000"


def test_people_hold_rights_over_themselves_only():
    assert all(scope.endswith("!user") for scope in PERSON_SCOPES)
    assert [role["name"] for role in ROLES] == ["user"]
    held = {scope for scope in ROLES[0]["scopes"] if not scope.endswith("!user")}
    assert held == {"access:services!service=airlock", "access:services!service=register"}


def test_people_cannot_make_tokens_or_see_others():
    """Expanded as JupyterHub does: nothing hides behind a shorter name."""
    scopes.define_custom_scopes({name: dict(value) for name, value in CUSTOM_SCOPES.items()})
    held = {
        scope.partition("!")[0]
        for scope in scopes.expand_scopes(list(PERSON_SCOPES), owner=orm.User(name="ines"))
    }
    assert "custom:p4dp:query" in held
    assert not {scope for scope in held if "tokens" in scope or scope.startswith(FORBIDDEN)}


def test_refresh_is_strict_and_before_each_start(config):
    authenticator = config.P4DPAuthenticator
    assert authenticator.auth_refresh_strict and authenticator.refresh_pre_spawn
    assert authenticator.enable_auth_state and authenticator.manage_groups and authenticator.enable_pkce
    assert 0 < authenticator.auth_refresh_age <= 60
    assert authenticator.required_amr == {"pwd", "otp", "mfa"}
    assert "admin_users" not in authenticator and "admin_groups" not in authenticator
    assert "userdata_from_id_token" not in authenticator


def test_outside_the_demonstration_the_settings_decide(tmp_path, monkeypatch):
    monkeypatch.setenv("P4DP_HOME", str(tmp_path))
    monkeypatch.delenv("P4DP_PORT", raising=False)
    (tmp_path / "keys").mkdir(mode=0o700)
    secret = tmp_path / "keys" / "oidc-client-secret"
    secret.write_text("given by the institution\n")
    secret.chmod(0o600)
    (tmp_path / "enclave.toml").write_text(
        'hostname = "p4dp.example.org"\n[workspace]\nstart_seconds = 45\n[identity]\nprovider = "oidc"\n'
        'issuer = "https://id.example.org/realms/p4dp"\naccepted_acr = ["2"]\n'
    )
    config = PyFileConfigLoader(str(CONFIGURATION)).load_config()
    assert config.JupyterHub.subdomain_host == "https://p4dp.example.org"
    assert config.Spawner.start_timeout == 45
    assert config.P4DPAuthenticator.issuer == "https://id.example.org/realms/p4dp"
    assert config.P4DPAuthenticator.client_secret == "given by the institution"
    assert config.P4DPAuthenticator.required_amr == {"mfa"}
    assert config.P4DPAuthenticator.accepted_acr == {"2"}
    assert config.P4DPAuthenticator.loopback_hosts == []
    assert config.JupyterHub.cookie_host_prefix_enabled
    assert config.JupyterHub.tornado_settings["cookie_options"] == {"samesite": "Lax", "secure": True}


def test_a_laptop_without_tls_keeps_plain_cookies(config):
    assert not config.JupyterHub.cookie_host_prefix_enabled
    assert config.JupyterHub.tornado_settings["cookie_options"] == {"samesite": "Lax"}


def test_logins_are_recorded(config, tmp_path):
    assert config.P4DPAuthenticator.journal.chain.directory == tmp_path / "audit"


def test_one_workspace_a_project(config):
    assert config.JupyterHub.allow_named_servers is True
    assert config.JupyterHub.named_server_limit_per_user > 0


def test_the_hub_takes_all_along(config):
    assert config.JupyterHub.cleanup_servers and config.JupyterHub.cleanup_proxy


def test_pages_are_closed_to_everything_from_elsewhere(config):
    policy = config.JupyterHub.tornado_settings["headers"]["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy and "*;" not in policy
    assert "frame-ancestors 'none'" in policy


def test_forms_may_lead_to_workspaces_only(tmp_path):
    assert "form-action 'self' http://*.p4dp.localhost:8000;" in csp(Settings(home=tmp_path))


def test_the_gateway_is_the_hubs_and_dies_with_it(config):
    gateway = config.JupyterHub.services[0]
    assert gateway["name"] == "gateway"
    assert gateway["command"][:3] == ["setpriv", "--pdeathsig", "TERM"]
    assert gateway["command"][-2:] == ["-m", "hub_config.gateway"]
    assert not [
        name for name in gateway["environment"] if "KEY" in name or "SECRET" in name or "TOKEN" in name
    ]


def test_the_sites_are_the_hubs_and_are_told_who_is_there_and_no_more(tmp_path):
    settings = Settings(home=tmp_path)
    for name in SERVICES:
        place = tmp_path / "hub_config" / name
        place.mkdir(parents=True)
        (place / "__main__.py").touch()
    airlock, register = services(tmp_path, settings)[1:]
    assert airlock["oauth_redirect_uri"] == "http://sas.p4dp.localhost:8000/oauth_callback"
    assert register["oauth_redirect_uri"] == "http://registre.p4dp.localhost:8000/oauth_callback"
    assert airlock["command"] == [
        "setpriv",
        "--pdeathsig",
        "TERM",
        sys.executable,
        "-m",
        "hub_config.airlock",
    ]
    assert airlock["oauth_client_allowed_scopes"] == [
        "access:services!service=airlock",
        "read:users:name!user",
        "read:users:groups!user",
    ]
    assert "url" not in airlock, "the hub would give it a path on its own origin"


def test_a_site_that_is_not_there_is_not_started(tmp_path):
    assert [service["name"] for service in services(tmp_path, Settings(home=tmp_path))] == ["gateway"]


def test_the_proxy_leads_to_each_site_on_its_own_origin(config):
    http = config.SupervisedTraefik.extra_dynamic_config["http"]
    assert http["routers"]["site-airlock"]["rule"] == "Host(`sas.p4dp.localhost`)"
    assert http["services"]["site-register"]["loadBalancer"]["servers"] == [{"url": "http://127.0.0.1:8005"}]


def test_the_browsers_address_is_believed_of_a_tls_proxy_alone(tmp_path):
    behind_tls = Settings(home=tmp_path, hostname="p4dp.example.org")
    assert entry_point(behind_tls)["forwardedHeaders"] == {"trustedIPs": ["127.0.0.1/32"]}
    assert "forwardedHeaders" not in entry_point(Settings(home=tmp_path))


def test_a_log_in_without_pkce_is_refused(config):
    assert config.JupyterHub.oauth_require_pkce is True


def test_the_operators_key_runs_reports_and_does_nothing_else(config, tmp_path):
    reports = config.JupyterHub.services[-1]
    assert reports == {"name": "reports", "api_token": (tmp_path / "keys" / "reports").read_text().strip()}
    assert [
        role["scopes"] for role in config.JupyterHub.load_roles if "reports" in role.get("services", ())
    ] == [["custom:p4dp:reports"]]
    assert "custom:p4dp:reports" not in PERSON_SCOPES
