"""Where a browser finds a workspace, the airlock and the register: an origin of its own for each. Pure.

Two workspaces on one origin are one to a browser: a page that hostile code serves in the sandbox project
could read and run the same person's other projects, or leave a service worker there for later. So the host's
first label names the person and the project; a name that no label can hold is replaced by a digest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

SERVICES: Mapping[str, str] = {"airlock": "sas", "register": "registre"}
"""Services with pages, and the first label of their hosts; a workspace's label is never one of these."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_WORKSPACE = re.compile(r"/user/([^/]+)/([^/]+)/")


def workspace_label(user: str, project: str) -> str:
    """`<project>--<user>`, the label of no other: a user's name has no `--`, nor has a digest."""
    plain = f"{project}--{user}"
    if _LABEL.fullmatch(plain) and "--" not in user and not user.startswith("-"):
        return plain
    return hashlib.sha256(f"{project}/{user}".encode()).hexdigest()[:40]


def workspace_origin(hub_url: str, user: str, project: str) -> str:
    """Scheme, host and port of this workspace, below those of the hub."""
    parts = urlsplit(hub_url)
    return f"{parts.scheme}://{workspace_label(user, project)}.{parts.netloc}"


def service_origin(hub_url: str, service: str) -> str:
    """Scheme, host and port of the pages of `service`, below those of the hub."""
    parts = urlsplit(hub_url)
    return f"{parts.scheme}://{SERVICES[service]}.{parts.netloc}"


def to_own_origin(url: str, hub_url: str) -> str:
    """`url` on the origin of the workspace its path names; any other unchanged."""
    found = _WORKSPACE.match(urlsplit(url).path + "/")
    if found is None:
        return url
    own = urlsplit(workspace_origin(hub_url, unquote(found[1]), unquote(found[2])))
    return urlunsplit(urlsplit(url)._replace(scheme=own.scheme, netloc=own.netloc))
