"""Who may do what at the hub: scopes, roles, services, headers, as data. Read by jupyterhub_config.py.

A person has no `self`, so can mint no token; nobody is an administrator of the hub, so nobody reaches another
person's workspace. The token that may query is made by the spawner for one workspace and holds nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hub_config.origins import SERVICES
from hub_config.settings import Settings

QUERY_SCOPE = "custom:p4dp:query"
REPORT_SCOPE = "custom:p4dp:reports"

CUSTOM_SCOPES: Mapping[str, Mapping[str, str]] = {
    QUERY_SCOPE: {"description": "Interroger l'entrepôt par la passerelle, au nom d'un espace de travail"},
    REPORT_SCOPE: {"description": "Exécuter un modèle approuvé, au nom du service d'un projet"},
}

PERSON_SCOPES = (
    "read:users!user",
    "users:activity!user",
    "servers!user",
    "access:servers!user",
    f"{QUERY_SCOPE}!user",
)
SITE_SCOPES = tuple(f"access:services!service={name}" for name in SERVICES)
"""Who they are, told to the airlock and to the register: what they may do there is decided there."""

ROLES: tuple[Mapping[str, Any], ...] = (
    {
        "name": "user",
        "description": "A person: their own workspaces, the sites, and no token of their own making",
        "scopes": [*PERSON_SCOPES, *SITE_SCOPES],
    },
)

REPORTS_ROLE: Mapping[str, Any] = {
    "name": "reports",
    "description": "The operators' command: runs of approved templates, and nothing else of the hub",
    "scopes": [REPORT_SCOPE],
    "services": ["reports"],
}

PASSED_ON = (
    "PATH",
    "LANG",
    "HOME",
    "P4DP_HOME",
    "P4DP_CONFIG",
    "P4DP_PORT",
    "P4DP_RUNTIME_DIR",
    "XDG_RUNTIME_DIR",
)


def csp(settings: Settings) -> str:
    """Everything from here, nothing inline, framed by nobody; forms may lead on to one's own workspace."""
    workspaces = settings.hub_url.replace("://", "://*.")
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            f"form-action 'self' {workspaces}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def headers(settings: Settings) -> dict[str, str]:
    return {
        "Content-Security-Policy": csp(settings),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def behind_tls(settings: Settings) -> bool:
    return settings.hub_url.startswith("https:")


def cookie_options(settings: Settings) -> dict[str, Any]:
    """TLS ends before the enclave, which so can't see it: said here.

    With it goes the `__Host-` prefix: a page of a workspace may set cookies for the hub's host as well, and
    so make its visitor somebody else there; a browser lets nobody but the hub set cookies of that name. On a
    laptop, not every browser takes `Secure` cookies over plain HTTP.
    """
    return {"samesite": "Lax", "secure": True} if behind_tls(settings) else {"samesite": "Lax"}


def entry_point(settings: Settings) -> dict[str, Any]:
    """How the proxy takes what comes in. Behind TLS all of it comes from the proxy in front, on the loopback,
    whose word on the browser's address is taken; on a laptop browsers come themselves, and nobody's is."""
    transport = {"transport": {"respondingTimeouts": {"readTimeout": "0s"}}}
    trusted = {"forwardedHeaders": {"trustedIPs": ["127.0.0.1/32"]}} if behind_tls(settings) else {}
    return {**transport, **trusted}


def sites(checkout: Path) -> tuple[str, ...]:
    """The services with pages that this checkout can start."""
    return tuple(name for name in SERVICES if (checkout / "hub_config" / name / "__main__.py").exists())


def services(checkout: Path, settings: Settings) -> list[dict[str, Any]]:
    """The gateway and the sites, started and restarted by the hub; they die with it whatever it dies of."""
    gateway = _started_here(checkout, "gateway")
    return [gateway, *(_site(checkout, settings, name) for name in sites(checkout))]


def _site(checkout: Path, settings: Settings, name: str) -> dict[str, Any]:
    """Its people log in by the hub without a question: it is a part of the house. The hub knows no address
    of it; the proxy hands on what comes to the site's own origin (`site_routes`)."""
    return {
        **_started_here(checkout, name),
        "oauth_redirect_uri": settings.service_url(name) + "/oauth_callback",
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [
            f"access:services!service={name}",
            "read:users:name!user",
            "read:users:groups!user",
        ],
    }


def _started_here(checkout: Path, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "command": ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", f"hub_config.{name}"],
        "cwd": str(checkout),
        "environment": {name: os.environ[name] for name in PASSED_ON if name in os.environ},
        "display": False,
    }


def site_routes(settings: Settings) -> dict[str, Any]:
    """The sites' own origins, as traefik reads routes."""
    ports = settings.service_ports
    rules = {name: f"Host(`{urlsplit(settings.service_url(name)).hostname}`)" for name in SERVICES}
    return {
        "http": {
            "routers": {
                f"site-{name}": {"rule": rule, "service": f"site-{name}"} for name, rule in rules.items()
            },
            "services": {
                f"site-{name}": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{ports[name]}"}]}}
                for name in SERVICES
            },
        }
    }
