"""How many bytes the door holds of a request, and for how long: all that a file may have, of words few."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub_config.airlock.texts import AirlockProblem, Problem
from p4dp_sdk.wire.errors import ErrorCode, Refusal

MOST_WORDS: Final = 256 * 1024  # bytes of a request that is no file
_BODY_SECONDS: Final = 120.0


async def body_of(request: Request, limit: int) -> bytes:
    """The whole body. Raises AirlockProblem beyond `limit`, of which no more is ever held, or if it takes too
    long."""
    held = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for piece in request.stream():
                if len(held) + len(piece) > limit:
                    raise AirlockProblem(Problem.FILE_TOO_BIG, megabytes=limit // 1024**2)
                held += piece
    except TimeoutError:
        raise AirlockProblem(Problem.TOO_FAST) from None
    return bytes(held)


def bounded(api: ASGIApp) -> ASGIApp:
    """Words are short: nothing longer is held, whoever sends it. Files: see `body_of`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith("/files"):
            await api(scope, receive, send)
            return
        held = 0

        async def counted() -> Message:
            nonlocal held
            message = await receive()
            held += len(message.get("body", b""))
            if held > MOST_WORDS:
                raise Refusal(ErrorCode.TOO_LARGE, limit=MOST_WORDS)
            return message

        await api(scope, counted, send)

    return serve
