"""Refusals as problem+json (RFC 9457). What is not a refusal becomes one here, and says nothing of its
cause.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import PROBLEM_JSON
from p4dp_sdk.wire.refusals import explain

_log = logging.getLogger(__name__)


class ProblemDocument(BaseModel):
    """RFC 9457. `code` and `params` are for programs (`p4dp_sdk.wire`), `title` and `detail` for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    title: str
    status: int
    code: str
    params: dict[str, str | int]
    detail: str
    request_id: str


def problem_document(refusal: Refusal, request_id: str, status: int | None = None) -> ProblemDocument:
    """`status` overrides the code's own: an unknown address is 404 whatever its code."""
    text = explain(refusal.code, refusal.params)
    return ProblemDocument(
        type=f"urn:p4dp:problem:{refusal.code.value}",
        title=text.what,
        status=status or refusal.status,
        code=refusal.code.value,
        params=dict(refusal.params),
        detail=f"{text.why} {text.next}",
        request_id=request_id,
    )


def problem_response(
    refusal: Refusal, request_id: str, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    document = problem_document(refusal, request_id, status)
    return Response(
        document.model_dump_json(), document.status, headers=dict(headers or {}), media_type=PROBLEM_JSON
    )


def unexpected(error: BaseException, request_id: str) -> Refusal:
    """INTERNAL. The log gets the place in the code and the kind of error, never its text: it may quote a
    value.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    _log.error("request %s: unexpected %s\n%s", request_id, type(error).__name__, places)
    return Refusal(ErrorCode.INTERNAL)
