"""HTTP of a workspace's socket, whatever the service behind it: which workspace the socket stands for, the
number of a request, and every refusal as a problem document.

Nothing in a request says whose it is: the binding comes with the socket. No exception gets out.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import MutableMapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub_config.governance.bindings import Binding
from hub_config.sockets.problems import ProblemDocument, problem_response, unexpected
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import PROBLEM_JSON

BINDING: Final = "p4dp.binding"
REQUEST_ID: Final = "p4dp.request_id"

PROBLEM: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "A refusal: what, why, what to do next. Never a value of the data.",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }
}


def bound(app: ASGIApp, binding: Binding) -> ASGIApp:
    """`app` as one workspace's socket serves it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, BINDING: binding}, receive, send)

    return serve


def describe_problems(api: FastAPI) -> None:
    """FastAPI describes the errors of its own validation; ours are problems, and every address needs the
    server's token."""
    generate = api.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document["components"]["schemas"]
        schemas["ProblemDocument"] = ProblemDocument.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        document["components"]["securitySchemes"] = {"serverToken": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"serverToken": []}]
        return document

    api.openapi = openapi  # type: ignore[method-assign]


def refuse_with_problems(api: FastAPI) -> None:
    """Whatever Starlette or FastAPI would answer by itself is a problem document too."""

    async def refused(request: Request, error: Exception) -> Response:
        return problem_response(_as_refusal(error), request.scope[REQUEST_ID])

    async def not_found(request: Request, error: Exception) -> Response:
        status, headers = (
            (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
        )
        refusal = Refusal(ErrorCode.MALFORMED, problem="no such address or method")
        return problem_response(refusal, request.scope[REQUEST_ID], status, headers)

    async def unexpected_one(request: Request, _: Exception) -> Response:
        return problem_response(Refusal(ErrorCode.INTERNAL), request.scope[REQUEST_ID])  # `guarded` logs it

    api.add_exception_handler(Refusal, refused)
    api.add_exception_handler(Exception, unexpected_one)
    api.add_exception_handler(RequestValidationError, refused)
    api.add_exception_handler(HTTPException, not_found)


def _as_refusal(error: Exception) -> Refusal:
    return error if isinstance(error, Refusal) else Refusal(ErrorCode.MALFORMED)


def guarded(app: ASGIApp) -> ASGIApp:
    """Number each request, and let no exception out: an unexpected one is INTERNAL, or ends an answer
    already begun.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        numbered: MutableMapping[str, Any] = {**scope, REQUEST_ID: secrets.token_hex(8)}
        begun = False

        async def watched_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(numbered, receive, watched_send)
            return
        except asyncio.CancelledError:  # the gateway stops: the last thing it says is that
            refusal = Refusal(ErrorCode.GATEWAY_UNREACHABLE)
        except Exception as error:
            refusal = error if isinstance(error, Refusal) else unexpected(error, numbered[REQUEST_ID])
        if not begun:  # otherwise the stream ends here, incomplete, which its reader notices
            await problem_response(refusal, numbered[REQUEST_ID])(scope, receive, send)

    return serve
