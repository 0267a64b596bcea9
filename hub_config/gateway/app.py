"""HTTP of the gateway, and nothing else: the addresses of a workspace's socket. The binding comes with the
socket.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub_config.gateway import actions
from hub_config.gateway.actions import Call, Gateway
from hub_config.gateway.client import Client
from hub_config.gateway.documents import (
    CatalogueDocument,
    MeDocument,
    NoiseBudgetDocument,
    PreviousDocument,
    WhoamiDocument,
)
from hub_config.gateway.noise import action as noise_action
from hub_config.gateway.own import action as own_action
from hub_config.gateway.previous import action as previous_action
from hub_config.gateway.publication import desk
from hub_config.gateway.publication.documents import PublicationKeyDocument
from hub_config.gateway.recontact import action as recontact_action
from hub_config.gateway.recontact.documents import RecontactsDocument, RequestedDocument
from hub_config.gateway.stopping import Stopped
from hub_config.governance.recontact.facts import LONGEST_PROTOCOL, LONGEST_TITLE
from hub_config.sockets.doors import (
    BINDING,
    PROBLEM,
    REQUEST_ID,
    describe_problems,
    guarded,
    refuse_with_problems,
)
from p4dp_sdk.wire.errors import Refusal
from p4dp_sdk.wire.protocol import ARROW_STREAM
from p4dp_sdk.wire.publication import DOCUMENT_JSON, MAX_TITLE

_QUERY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A wire document: the expression as a graph of operations (p4dp_sdk.wire.graph).",
        "content": {"application/json": {"schema": {"type": "object"}}},
    },
}
_NOISE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A budget, a wire document (as for `/v1/query`), and how many rows, or cells, of one"
        " patient count at most.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["epsilon", "query"],
                    "properties": {
                        "epsilon": {"type": "number"},
                        "contributions": {"type": "integer", "default": noise_action.DEFAULT_CONTRIBUTIONS},
                        "query": {"type": "object"},
                    },
                }
            }
        },
    },
}
_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Arrow IPC stream (lz4). Schema metadata `p4dp` (JSON) says how it was protected.",
        "content": {ARROW_STREAM: {"schema": {"type": "string", "format": "binary"}}},
    }
}

UseCase = Callable[[Gateway, Call, Client], AbstractAsyncContextManager[actions.Pieces]]

_PUBLISH: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "`title`: one line of 1 to 120 characters. `query`: a wire document (`/v1/query`).",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["title", "query"],
                    "properties": {
                        "title": {"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
                        "query": {"type": "object"},
                    },
                    "additionalProperties": False,
                }
            }
        },
    },
}
_RECONTACT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "`title` and `protocol`: what the GPs read. `query`: a wire document whose expression"
        " has one column, `patient_id`.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["title", "protocol", "query"],
                    "properties": {
                        "title": {"type": "string", "minLength": 1, "maxLength": LONGEST_TITLE},
                        "protocol": {"type": "string", "minLength": 1, "maxLength": LONGEST_PROTOCOL},
                        "query": {"type": "object"},
                    },
                    "additionalProperties": False,
                }
            }
        },
    },
}
_PUBLISHED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The statement and its signature (p4dp_sdk.wire.publication).",
        "content": {DOCUMENT_JSON: {"schema": {"type": "object"}}},
    }
}


@dataclass(frozen=True)
class _Request:
    gateway: Gateway
    call: Call


async def _request(request: Request) -> _Request:
    call = Call(
        binding=request.scope[BINDING],
        authorization=request.headers.get("authorization"),
        request_id=request.scope[REQUEST_ID],
    )
    return _Request(request.app.state.gateway, call)


_Asked = Annotated[_Request, Depends(_request)]


def create_app(gateway: Gateway) -> ASGIApp:
    """The application of every workspace socket; `bound` says which workspace."""
    api = _api()
    api.state.gateway = gateway
    return guarded(api)


def openapi_document() -> dict[str, Any]:
    """What the published reference holds."""
    return _api().openapi()


def _api() -> FastAPI:
    api = FastAPI(
        title="P4DP gateway",
        version="1",
        description="What a workspace asks, over its own unix socket, with its own server's bearer token.",
        docs_url=None,
        redoc_url=None,
        responses=PROBLEM,
    )
    refuse_with_problems(api)

    @api.get("/v1/whoami", summary="Who asks, and what the project may see")
    async def whoami(asked: _Asked) -> WhoamiDocument:
        return await actions.whoami(asked.gateway, asked.call)

    @api.get("/v1/catalogue", summary="The granted tables and their code systems")
    async def catalogue(asked: _Asked) -> CatalogueDocument:
        return await actions.catalogue(asked.gateway, asked.call)

    @api.get("/v1/me", summary="As what the person is known, and which tables hold rows of their own")
    async def me(asked: _Asked) -> MeDocument:
        return await own_action.me(asked.gateway, asked.call)

    @api.post(
        "/v1/query",
        summary="Ask a question",
        openapi_extra=_QUERY,
        responses=_ANSWER,
        response_class=Response,
    )
    async def query(asked: _Asked) -> Response:
        return _StreamResponse(asked, actions.query)

    @api.get("/v1/previous", summary="The version before the project's own, and what of it can be compared")
    async def previous(asked: _Asked) -> PreviousDocument:
        return await previous_action.previous(asked.gateway, asked.call)

    @api.post(
        "/v1/previous",
        summary="Count its rows, and those with nothing in a column, by codes and periods",
        openapi_extra=_QUERY,
        responses=_ANSWER,
        response_class=Response,
    )
    async def count_previous(asked: _Asked) -> Response:
        return _StreamResponse(asked, previous_action.count)

    @api.post(
        "/v1/noise",
        summary="Ask a question, answered with calibrated noise from a privacy budget",
        openapi_extra=_NOISE,
        responses=_ANSWER,
        response_class=Response,
    )
    async def noise(asked: _Asked) -> Response:
        return _StreamResponse(asked, noise_action.noise)

    @api.get("/v1/noise", summary="What is left of the privacy budget")
    async def noise_budget(asked: _Asked) -> NoiseBudgetDocument:
        return await noise_action.budget(asked.gateway, asked.call)

    @api.post(
        "/v1/publish",
        summary="Publish a table: exact, protected with all its totals, signed",
        openapi_extra=_PUBLISH,
        responses=_PUBLISHED,
        response_class=Response,
    )
    async def publish(asked: _Asked) -> Response:
        return _PublishResponse(asked.gateway, asked.call)

    @api.get("/v1/publication-key", summary="The public key that verifies published tables")
    async def publication_key(asked: _Asked) -> PublicationKeyDocument:
        return await desk.publication_key(asked.gateway, asked.call)

    @api.post(
        "/v1/recontact",
        summary="Ask that practices tell these patients of a study; answered by a protected number only",
        openapi_extra=_RECONTACT,
    )
    async def recontact(asked: _Asked, request: Request) -> RequestedDocument:
        started = time.monotonic()
        try:
            return await recontact_action.request_recontact(
                asked.gateway, asked.call, Client(request.receive)
            )
        finally:
            await asked.gateway.pace.hold(started)

    @api.get("/v1/recontact", summary="The project's requests of re-contact, and how far each has come")
    async def recontacts(asked: _Asked) -> RecontactsDocument:
        return await recontact_action.recontacts(asked.gateway, asked.call)

    describe_problems(api)
    return api


class _StreamResponse(Response):
    """Runs a use case while its answer is sent: it is never whole in memory."""

    def __init__(self, asked: _Request, use_case: UseCase) -> None:
        super().__init__(media_type=ARROW_STREAM)
        del self.headers["content-length"]
        self._gateway = asked.gateway
        self._call = asked.call
        self._use_case = use_case

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        try:
            async with self._use_case(self._gateway, self._call, Client(receive)) as pieces:
                await self._gateway.pace.hold(started)
                await self._send(pieces, send)
        except Refusal:
            await self._gateway.pace.hold(started)
            raise
        except Stopped:
            return  # nobody listens

    async def _send(self, pieces: actions.Pieces, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _PublishResponse(Response):
    """Computes the table before anything is sent: it is small, and whole or nothing."""

    def __init__(self, gateway: Gateway, call: Call) -> None:
        super().__init__(media_type=DOCUMENT_JSON)
        self._gateway = gateway
        self._call = call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        try:
            body = await desk.publish_table(self._gateway, self._call, Client(receive))
        except Refusal:
            await self._gateway.pace.hold(started)
            raise
        except Stopped:
            return  # nobody listens
        await self._gateway.pace.hold(started)
        await Response(body, media_type=DOCUMENT_JSON)(scope, receive, send)
