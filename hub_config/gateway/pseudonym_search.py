"""`POST /v1/pseudonyms` of the control socket: the airlock asks which numbers of a file name somebody.

Only the enclave's own user reaches that socket. The answer holds places in the question and no number; no
number is logged. The recogniser may fail: then the answer is a problem, and nothing was searched.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from hub_config.gateway.recognising import Recogniser, Whose
from hub_config.warehouse.snapshot import ProblemKind, SnapshotProblem
from p4dp_sdk.wire.errors import ErrorCode, Refusal

MOST_CANDIDATES: Final = 100_000


class SearchDocument(BaseModel):
    """Numbers out of a file, and the project and snapshot whose pseudonyms they may be."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    project: Annotated[str, Field(min_length=1, max_length=100)]
    snapshot: Annotated[int, Field(ge=0)]
    candidates: Annotated[list[int], Field(max_length=MOST_CANDIDATES)]


class RecognisedDocument(BaseModel):
    """Which of them are, by index from 0, and whose; whose pseudonyms could not be searched."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    found: dict[int, Whose]
    unsearched: tuple[Whose, ...]


def pseudonym_search(recogniser: Recogniser) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/pseudonyms")
    async def pseudonyms(asked: SearchDocument) -> RecognisedDocument:
        return await run_in_threadpool(_recognised, recogniser, asked)

    return router


def _recognised(recogniser: Recogniser, asked: SearchDocument) -> RecognisedDocument:
    try:
        recognised = recogniser.recognise(asked.project, asked.snapshot, asked.candidates)
    except SnapshotProblem as problem:
        missing = problem.kind is ProblemKind.MISSING
        code = ErrorCode.SNAPSHOT_MISSING if missing else ErrorCode.SNAPSHOT_CORRUPT
        raise Refusal(code, snapshot=asked.snapshot) from None
    except OSError:
        raise Refusal(ErrorCode.SNAPSHOT_CORRUPT, snapshot=asked.snapshot) from None
    return RecognisedDocument(found=dict(recognised.found), unsearched=recognised.unsearched)
