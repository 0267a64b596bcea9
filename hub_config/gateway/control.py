"""The control socket, for the enclave's own processes: refresh the workspaces' sockets, tell whether all
is well.

Its file has mode 0600 in a directory of mode 0700: whoever can open it is this enclave's user. It tells no
data.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp

from hub_config.gateway.app import guarded, refuse_with_problems
from hub_config.gateway.documents import HealthDocument, RefreshDocument
from hub_config.gateway.listeners import Listeners


def create_control_app(listeners: Listeners) -> ASGIApp:
    api = FastAPI(title="P4DP gateway control", docs_url=None, redoc_url=None, openapi_url=None)
    refuse_with_problems(api)

    @api.get("/v1/health")
    async def health() -> HealthDocument:
        return HealthDocument(status="ok", listening=len(listeners.listening))

    @api.post("/v1/bindings/refresh")
    async def refresh() -> RefreshDocument:
        refused = await listeners.refresh()
        return RefreshDocument(listening=listeners.listening, refused=dict(refused))

    return guarded(api)
