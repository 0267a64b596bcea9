"""Answers and refusals of queries leave at whole steps of time."""

from __future__ import annotations

import time

import pytest

from hub_config.gateway.pace import Pace
from p4dp_sdk.wire.graph import encode
from tests.services.gateway.peer_enclave import Enclave, table


@pytest.mark.parametrize(("elapsed", "expected"), [(0.001, 0.05), (0.05, 0.05), (0.051, 0.1), (0.12, 0.15)])
async def test_what_is_left_of_a_step_is_waited_for(elapsed: float, expected: float) -> None:
    started = time.monotonic() - elapsed
    await Pace(0.05).hold(started)
    assert time.monotonic() - started >= expected - 0.002


async def test_no_step_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio.sleep", lambda seconds: pytest.fail(f"waits {seconds} s"))
    await Pace(0).hold(time.monotonic() - 0.02)


@pytest.mark.parametrize("body", [encode(table("patients").count()), b"nonsense"], ids=["answer", "refusal"])
async def test_a_query_is_held_to_the_step(enclave: Enclave, body: bytes) -> None:
    slow = enclave.with_gateway(pace=Pace(1.5)).workspace("ines", "these-ines")
    started = time.monotonic()
    await slow.post(body)
    assert time.monotonic() - started >= 1.5
