"""The environment of a workspace: an explicit list. What is not named here does not reach it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hub_config.spawner.furnishing import (
    CODELISTS_INSIDE,
    CODES_INSIDE,
    GATEWAY_INSIDE,
    HUB_URL_INSIDE,
    SERVER_CONFIG_INSIDE,
    SERVER_PORT,
    Place,
)

FROM_THE_HUB = (
    "JUPYTERHUB_API_TOKEN",
    "JUPYTERHUB_BASE_URL",
    "JUPYTERHUB_CLIENT_ID",
    "JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED",
    "JUPYTERHUB_COOKIE_OPTIONS",
    "JUPYTERHUB_DEFAULT_URL",
    "JUPYTERHUB_HOST",
    "JUPYTERHUB_OAUTH_ACCESS_SCOPES",
    "JUPYTERHUB_OAUTH_CALLBACK_URL",
    "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES",
    "JUPYTERHUB_OAUTH_SCOPES",
    "JUPYTERHUB_PUBLIC_HUB_URL",
    "JUPYTERHUB_PUBLIC_URL",
    "JUPYTERHUB_SERVER_NAME",
    "JUPYTERHUB_SERVICE_PREFIX",
    "JUPYTERHUB_USER",
)


def workspace_variables(
    hub: Mapping[str, str], place: Place, environment: Path, token: str, language: str
) -> dict[str, str]:
    """Of what the `hub` prepared, what a single-user server needs; and the workspace's own."""
    kept = {name: str(hub[name]) for name in FROM_THE_HUB if hub.get(name) is not None}
    api = f"{HUB_URL_INSIDE}{hub.get('JUPYTERHUB_BASE_URL', '/').rstrip('/')}/hub/api"
    user = hub["JUPYTERHUB_ACTIVITY_URL"].rsplit("/", 2)[1]  # as the hub escapes it
    prefix = hub.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    return (
        kept
        | _server_variables(place, api, user, prefix)
        | _person_variables(place, environment, token, language)
    )


def _server_variables(place: Place, api: str, user: str, prefix: str) -> dict[str, str]:
    return {
        "JUPYTERHUB_API_URL": api,
        "JUPYTERHUB_ACTIVITY_URL": f"{api}/users/{user}/activity",
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{SERVER_PORT}{prefix}",
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
        "JUPYTER_CONFIG_DIR": SERVER_CONFIG_INSIDE,
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter",  # noqa: S108 - the box's own
        "JUPYTERLAB_SETTINGS_DIR": f"{place.home_inside}/.jupyter/lab/user-settings",
        "JUPYTERLAB_WORKSPACES_DIR": f"{place.home_inside}/.jupyter/lab/workspaces",
    }


def _person_variables(place: Place, environment: Path, token: str, language: str) -> dict[str, str]:
    return {
        "HOME": place.home_inside,
        "USER": place.user,
        "LOGNAME": place.user,
        "SHELL": "/bin/bash",
        "PATH": f"{environment}/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "P4DP_LANG": language,
        "P4DP_GATEWAY_SOCKET": f"{GATEWAY_INSIDE}/gateway.sock",
        "P4DP_TOKEN": token,
        "P4DP_CODELISTS": CODELISTS_INSIDE,
        "P4DP_CODES": CODES_INSIDE,
    }
