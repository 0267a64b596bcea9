"""A small real hub around P4DPSpawner: the roles of the enclave, a login by name alone, and one service for
the tests; the desk of reports beside."""

import os
import sys
from pathlib import Path

from hub_config.governance.audit import AuditChain
from hub_config.governance.journal import Journal
from hub_config.hub.policy import CUSTOM_SCOPES, REPORTS_ROLE, ROLES
from hub_config.keys import ensure_key
from hub_config.reports import handler as reports
from hub_config.settings import load_settings
from hub_config.spawner.spawner import P4DPSpawner

here = Path(os.environ["SMALL_HUB_DIR"])
ports = [int(port) for port in os.environ["SMALL_HUB_PORTS"].split(",")]
c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.JupyterHub.bind_url = f"http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{ports[1]}"
c.JupyterHub.proxy_class = "traefik_file"
c.TraefikFileProviderProxy.traefik_api_url = f"http://127.0.0.1:{ports[2]}"
c.TraefikFileProviderProxy.traefik_api_username = "hub"
c.TraefikFileProviderProxy.traefik_api_password = "for this test"
c.TraefikFileProviderProxy.static_config_file = str(here / "traefik.toml")
c.TraefikFileProviderProxy.dynamic_config_file = str(here / "routes.toml")
c.JupyterHub.db_url = f"sqlite:///{here / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(here / "cookies")
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.allow_named_servers = True
c.JupyterHub.spawner_class = P4DPSpawner
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
c.Spawner.poll_interval = 1
c.P4DPSpawner.admission_interval = int(os.environ["SMALL_HUB_ADMISSION_INTERVAL"])
c.P4DPSpawner.environment_dir = str(Path(sys.prefix).parent / "workspace")
c.P4DPSpawner.templates_dir = str(here / "templates")
c.JupyterHub.custom_scopes = CUSTOM_SCOPES
settings = load_settings()
c.JupyterHub.services = [
    {"name": "tester", "api_token": os.environ["SMALL_HUB_TOKEN"]},
    {"name": "reports", "api_token": ensure_key(settings.keys_dir, "reports")},
]
desk = reports.Desk(
    Journal(AuditChain(settings.audit_dir, settings.keys_dir)),
    settings.reports.seconds,
    settings.homes_dir,
    here / "templates",
)
c.JupyterHub.extra_handlers = reports.handlers(desk)
c.JupyterHub.load_roles = [
    *ROLES,
    REPORTS_ROLE,
    {
        "name": "tester",
        "services": ["tester"],
        "scopes": ["admin:users", "admin:servers", "access:servers", "tokens", "read:tokens"],
    },
]
