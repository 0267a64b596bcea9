"""The control socket, for the enclave's own processes: refresh the workspaces' sockets, tell whether all
is well.

Its file has mode 0600 in a directory of mode 0700: whoever can open it is this enclave's user. By itself it
tells no data.
"""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, ConfigDict
from starlette.types import ASGIApp

from hub_config.sockets.doors import guarded, refuse_with_problems
from hub_config.sockets.listeners import Listeners


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HealthDocument(_Document):
    status: str
    listening: int


class RefreshDocument(_Document):
    """After a refresh: the bindings that have a listening socket, and those refused with the reason."""

    listening: tuple[str, ...]
    refused: dict[str, str]


def create_control_app(listeners: Listeners, service: str = "gateway", *more: APIRouter) -> ASGIApp:
    """`more`: what this service answers its peers beside that; its documents say what it tells."""
    api = FastAPI(title=f"P4DP {service} control", docs_url=None, redoc_url=None, openapi_url=None)
    refuse_with_problems(api)

    @api.get("/v1/health")
    async def health() -> HealthDocument:
        return HealthDocument(status="ok", listening=len(listeners.listening))

    @api.post("/v1/bindings/refresh")
    async def refresh() -> RefreshDocument:
        refused = await listeners.refresh()
        return RefreshDocument(listening=listeners.listening, refused=dict(refused))

    for router in more:
        api.include_router(router)
    return guarded(api)
