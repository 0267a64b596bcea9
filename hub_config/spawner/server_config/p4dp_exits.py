"""The Jupyter server's own ways out, closed: converting, terminals, raw files, big or unknown files through
the contents API.

Friction and a trail, not a boundary: until a kernel has its own box it can replace this server, and what the
browser shows has left in any case. Imported by the Jupyter server inside the box; never by the enclave.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyterhub.singleuser.extension import JupyterHubAuthorizer
from tornado import web
from traitlets import Integer

CLOSED_RESOURCES = frozenset({"nbconvert", "terminals"})
READABLE = frozenset({".ipynb", ".py", ".r", ".sql", ".md"})
REFUSAL = "P4DP : ce fichier ne sort que par le sas. / This file leaves through the airlock only."


class P4DPAuthorizer(JupyterHubAuthorizer):  # type: ignore[misc]
    """The hub's own check of who may enter, and no one may convert a notebook or open a terminal."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return resource not in CLOSED_RESOURCES and bool(
            super().is_authorized(handler, user, action, resource)
        )


class P4DPContents(AsyncLargeFileManager):  # type: ignore[misc]
    """Opens notebooks and sources up to `max_bytes` in the browser; lists other files, never reads them."""

    max_bytes = Integer(4 * 1024**2, config=True, help="Largest file the browser may open.")

    async def get(self, path: str, content: bool = True, **options: Any) -> Any:
        if content:
            entry = await super().get(path, content=False, **options)
            if entry["type"] != "directory":
                self._refuse_unreadable(path, entry.get("size") or 0)
        return await super().get(path, content=content, **options)

    def _refuse_unreadable(self, path: str, size: int) -> None:
        if PurePosixPath(path).suffix.lower() not in READABLE or size > self.max_bytes:
            self.log.warning("P4DP: reading refused (%d bytes)", size)
            raise web.HTTPError(403, REFUSAL)
