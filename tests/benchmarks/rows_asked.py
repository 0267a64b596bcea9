"""One large question for rows, to a gateway in a process of its own: its seconds, memory, bytes, as JSON."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis

from hub_config.gateway.engine import EngineLimits
from hub_config.gateway.engines import in_place
from hub_config.sockets.doors import bound
from p4dp_sdk.wire.graph import encode
from p4dp_sdk.wire.protocol import Limits
from tests.services.gateway import peer_enclave

D = peer_enclave.table("diagnoses", "patient_id", "date", "cisp2", "centre_id")
P = peer_enclave.table("patients", "patient_id", "sex", "birth_month")
ASKED: Mapping[str, ibis.Table] = {
    "every diagnosis": D,
    "with sex and month of birth": D.left_join(P, "patient_id").drop("patient_id_right"),
    "those of one chapter": D.filter(D.cisp2.like("K%")),
    "how many of each patient": D.group_by("patient_id").agg(n=D.count()),
    "the last thousand": D.order_by(D.date.desc()).limit(1000),
}


async def asked(workspace: peer_enclave.Workspace, question: ibis.Table) -> tuple[int, int, float]:
    """Status, bytes, and seconds to the first of them; nothing of the answer is kept."""
    app, body = bound(workspace.enclave.app, workspace.binding), encode(question)
    began, found, waiting = time.perf_counter(), [0, 0, 0.0], [body]

    async def receive() -> dict[str, Any]:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            found[0], found[2] = message["status"], time.perf_counter() - began
        found[1] += len(message.get("body", b""))

    headers = [(b"authorization", f"Bearer {workspace.token}".encode())]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/v1/query", "headers": headers}
    scope |= {"query_string": b"", "http_version": "1.1", "scheme": "http", "asgi": {"version": "3.0"}}
    await app(scope, receive, send)
    return found[0], found[1], found[2]


def main(warehouse: str, question: str, megabytes: int, how: str) -> None:
    """`how`: "now", or "before", where whole tables are sorted."""
    if how == "before":
        in_place.placed = lambda _: None  # type: ignore[assignment]
    limits = EngineLimits(megabytes * 1024**2, 2)
    with (
        tempfile.TemporaryDirectory() as home,
        peer_enclave.demonstration(Path(warehouse), Path(home), limits) as enclave,
    ):
        workspace = enclave.with_gateway(limits=Limits(seconds=900.0)).workspace("rachid", "modeles-rachid")
        asyncio.run(asked(workspace, P.limit(1)))
        before, began, used = _peak(), time.perf_counter(), time.process_time()
        status, size, first = asyncio.run(asked(workspace, ASKED[question]))
        took = {"seconds": time.perf_counter() - began, "processor": time.process_time() - used}
        found = {"status": status, "bytes": size, "first": first, "before": before, "peak": _peak(), **took}
        sys.stdout.write(json.dumps(found) + "\n")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
