"""The hub's configuration: declarative, no functions, no secret in the clear. See docs/explanation for the
reasons.

Reads `hub_config.settings`; secrets come from `keys/`, made on first use.
"""

import os
import sys
from pathlib import Path

from hub_config.governance.audit import AuditChain
from hub_config.governance.journal import Journal
from hub_config.governance.roles import Role
from hub_config.hub.desk import Desk
from hub_config.hub.pages import TEMPLATES, handlers, template_vars
from hub_config.hub.policy import (
    CUSTOM_SCOPES,
    REPORTS_ROLE,
    ROLES,
    behind_tls,
    cookie_options,
    entry_point,
    headers,
    services,
    site_routes,
    sites,
)
from hub_config.hub.proxy import SupervisedTraefik
from hub_config.identity.oidc import P4DPAuthenticator
from hub_config.identity.provider import SCOPES, client_secret
from hub_config.keys import ensure_key
from hub_config.reports import handler as reports
from hub_config.reports.protocol import KEY
from hub_config.settings import load_settings
from hub_config.spawner.spawner import P4DPSpawner

settings = load_settings()
checkout = Path(__file__).parents[1]
state = settings.home / "hub"
loopback = "127.0.0.1"
desk = Desk(settings, sites(checkout))
c = get_config()  # noqa: F821 (given by traitlets)

# Addresses: people reach the proxy only; the hub and the proxy's own interface answer on the loopback.
c.JupyterHub.bind_url = f"http://{loopback}:{settings.port}"
c.JupyterHub.hub_bind_url = f"http://{loopback}:{settings.hub_api_port}"
c.JupyterHub.subdomain_host = settings.hub_url
c.JupyterHub.default_url = f"{settings.hub_url}/hub/home"
c.JupyterHub.proxy_class = SupervisedTraefik
c.SupervisedTraefik.command = [str(Path(sys.executable).with_name("traefik"))]
c.SupervisedTraefik.traefik_api_url = f"http://{loopback}:{settings.proxy_api_port}"
c.SupervisedTraefik.traefik_api_username = "hub"
c.SupervisedTraefik.traefik_api_password = ensure_key(settings.keys_dir, "proxy-interface")
c.SupervisedTraefik.static_config_file = str(state / "traefik.toml")
c.SupervisedTraefik.dynamic_config_file = str(state / "routes.toml")
c.SupervisedTraefik.traefik_log_level = "ERROR"
c.SupervisedTraefik.extra_dynamic_config = site_routes(settings)
c.SupervisedTraefik.extra_static_config = {
    "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
    "entryPoints": {"http": entry_point(settings)},
}

# State and secrets
c.JupyterHub.db_url = f"sqlite:///{state / 'hub.sqlite'}"
c.JupyterHub.cookie_secret = bytes.fromhex(ensure_key(settings.keys_dir, "hub-cookies"))
c.JupyterHub.cookie_max_age_days = 0.5
c.JupyterHub.cookie_host_prefix_enabled = behind_tls(settings)
c.CryptKeeper.keys = [bytes.fromhex(ensure_key(settings.keys_dir, "hub-auth-state"))]


# Who: the institution's provider, a second factor, people who can be removed at once
c.JupyterHub.authenticator_class = P4DPAuthenticator
c.P4DPAuthenticator.issuer = settings.issuer
c.P4DPAuthenticator.client_id = settings.identity.client_id
c.P4DPAuthenticator.client_secret = client_secret(settings)
c.P4DPAuthenticator.oauth_callback_url = f"{settings.hub_url}/hub/oauth_callback"
c.P4DPAuthenticator.scope = list(SCOPES)
c.P4DPAuthenticator.basic_auth = True
c.P4DPAuthenticator.enable_pkce = True
c.P4DPAuthenticator.username_claim = "preferred_username"
c.P4DPAuthenticator.required_amr = set(settings.required_amr)
c.P4DPAuthenticator.accepted_acr = set(settings.identity.accepted_acr)
c.P4DPAuthenticator.manage_groups = True
c.P4DPAuthenticator.allowed_groups = {role.value for role in Role}
c.P4DPAuthenticator.allow_existing_users = False
c.P4DPAuthenticator.enable_auth_state = True
c.P4DPAuthenticator.auth_refresh_age = settings.identity.refresh_seconds
c.P4DPAuthenticator.auth_refresh_strict = True
c.P4DPAuthenticator.refresh_pre_spawn = True
c.P4DPAuthenticator.sweep_seconds = 3 * settings.identity.refresh_seconds
c.P4DPAuthenticator.auto_login = True
c.P4DPAuthenticator.loopback_hosts = ["identity.localhost"] if settings.identity.provider == "demo" else []
c.P4DPAuthenticator.logout_redirect_url = settings.logout_url
c.P4DPAuthenticator.has_left = desk.has_left
c.P4DPAuthenticator.journal = Journal(AuditChain(settings.audit_dir, settings.keys_dir))
report_desk = reports.Desk(c.P4DPAuthenticator.journal, settings.reports.seconds, settings.homes_dir)
c.P4DPAuthenticator.pages = [*handlers(desk), *reports.handlers(report_desk)]

# What they may do
c.JupyterHub.custom_scopes = CUSTOM_SCOPES
c.JupyterHub.load_roles = [*ROLES, REPORTS_ROLE]
c.JupyterHub.services = [
    *services(checkout, settings),
    {"name": KEY, "api_token": ensure_key(settings.keys_dir, KEY)},
]
c.JupyterHub.oauth_require_pkce = True

# Workspaces: one named server a project
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 5
c.JupyterHub.spawner_class = P4DPSpawner
c.JupyterHub.implicit_spawn_seconds = 0
c.Spawner.poll_interval = 5  # also how soon a gateway that died is started again
c.Spawner.start_timeout = settings.workspace.start_seconds
c.Spawner.http_timeout = 90
c.JupyterHub.shutdown_on_logout = False

# What they see
c.JupyterHub.template_paths = [str(TEMPLATES)]
c.JupyterHub.template_vars = template_vars(desk)
c.JupyterHub.tornado_settings = {"headers": headers(settings), "cookie_options": cookie_options(settings)}

# The end: whatever the hub started ends with it
c.JupyterHub.cleanup_servers = True
c.JupyterHub.cleanup_proxy = True
c.JupyterHub.log_level = os.environ.get("P4DP_LOG_LEVEL", "INFO")
