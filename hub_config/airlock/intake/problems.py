"""What the airlock refuses, as the door's problem documents."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from starlette.responses import Response

from hub_config.airlock.intake.words import told
from hub_config.airlock.texts import AirlockProblem, Denied, Problem
from hub_config.sockets.doors import REQUEST_ID
from hub_config.sockets.problems import ProblemDocument
from p4dp_sdk.wire.protocol import PROBLEM_JSON

_STATUS: Final = {
    Problem.UNKNOWN_REQUEST: 404,
    Problem.UNKNOWN_FILE: 404,
    Problem.FILE_TOO_BIG: 413,
    Problem.TOO_MANY_BYTES: 413,
    Problem.TOO_MANY_BYTES_TODAY: 429,
    Problem.TOO_FAST: 429,
}


async def refused(request: Request, error: Exception) -> Response:
    """An AirlockProblem as a problem document, in the language asked for."""
    if not isinstance(error, AirlockProblem):
        raise error
    english = request.headers.get("accept-language", "").lower().startswith("en")
    status = _STATUS.get(error.problem, 403 if isinstance(error, Denied) else 409)
    document = ProblemDocument(
        type=f"urn:p4dp:problem:airlock:{error.problem.value}",
        title=told(error, "en" if english else "fr"),
        status=status,
        code=error.problem.value,
        params=dict(error.blanks),
        detail="",
        request_id=request.scope[REQUEST_ID],
    )
    return Response(document.model_dump_json(), status, media_type=PROBLEM_JSON)
