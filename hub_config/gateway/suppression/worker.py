"""The worker: `python -m hub_config.gateway.suppression.worker MEMORY CPU_SECONDS`, a socket as its standard
input. It bounds itself, reads one problem, says when τ-ARGUS is through, answers with a proof or a refusal,
and ends. It holds no secret, no file and no key; the numbers it gets are a table that nobody may see yet.

Whoever started it believes nothing it says (`secondary.conclude`), so a solver that corrupts this process
can cost a table, never a patient.
"""

from __future__ import annotations

import resource
import socket
import sys
from typing import Any

from hub_config.gateway.suppression import argus, codec, framing
from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Limits
from p4dp_sdk.disclosure.secondary import solve
from p4dp_sdk.wire.errors import Refusal


def main(memory: int, cpu_seconds: int) -> None:
    bound(memory, cpu_seconds)
    with socket.socket(fileno=0) as line:
        head, arrays = codec.unpack(framing.receive(line))
        framing.send(line, codec.pack(*answer(head, arrays, line)))


def bound(memory: int, cpu_seconds: int) -> None:
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def answer(
    head: dict[str, Any], arrays: codec.Arrays, line: socket.socket
) -> tuple[dict[str, Any], codec.Arrays]:
    problem, limits = codec.to_problem(head, arrays)

    def propose(system: System, limits: Limits) -> Flags | None:
        proposed = _proposed(system, limits) if head["argus"] else None
        framing.send(line, codec.pack({"said": "proposed"}, {}))
        return proposed

    try:
        return {"said": "proof"}, codec.of_proof(solve(problem, limits, propose))
    except Refusal as refusal:
        return {"said": "refusal", "code": refusal.code.value, "params": dict(refusal.params)}, {}


def _proposed(system: System, limits: Limits) -> Flags | None:
    """Of a table of thousands of slots none: what the optimiser's heuristic finds takes longer to prove than
    what boxes find, and withholds no less."""
    try:
        return argus.propose(system, limits) if len(system.values) <= argus.MOST else None
    except argus.ArgusFailed:
        return None


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
