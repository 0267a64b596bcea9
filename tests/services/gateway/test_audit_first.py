"""No answer without its event: one event a request, on disk before the first byte; if it can't be written,
nothing leaves.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hub_config.gateway.app import create_app
from hub_config.governance.audit import AuditChain, AuditDiskFull, AuditEvent, AuditFailure, verify
from hub_config.sockets.doors import bound
from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.graph import encode
from tests.services.gateway.peer_enclave import Enclave, Workspace, table


@dataclass
class Witness:
    """An audit that notes when it is asked, among what is sent."""

    chain: AuditChain
    seen: list[str] = field(default_factory=list)

    def append(self, event: AuditEvent) -> str:
        written = self.chain.append(event)
        self.seen.append(f"recorded {event.what} {event.decision.value}")
        return written


async def send_and_note(workspace: Workspace, method: str, path: str, body: bytes, seen: list[str]) -> None:
    """Ask as an ASGI server would, noting each thing that leaves."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        await never()
        raise AssertionError

    async def send(message: Any) -> None:
        seen.append(message["type"])

    headers = [(b"authorization", f"Bearer {workspace.token}".encode())]
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
    await bound(create_app(workspace.enclave.gateway), workspace.binding)(scope, receive, send)


async def never() -> None:
    import asyncio

    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/v1/whoami", b"", "recorded gateway.whoami allowed"),
        ("GET", "/v1/catalogue", b"", "recorded gateway.catalogue allowed"),
        ("POST", "/v1/query", encode(table("patients").count()), "recorded gateway.query allowed"),
        ("POST", "/v1/query", b"nonsense", "recorded gateway.query refused"),
    ],
    ids=["whoami", "catalogue", "query", "refusal"],
)
async def test_the_event_is_written_before_anything_leaves(
    enclave: Enclave, method: str, path: str, body: bytes, expected: str
) -> None:
    witness = Witness(enclave.store.audit)
    workspace = enclave.with_gateway(audit=witness).workspace("ines", "these-ines")
    await send_and_note(workspace, method, path, body, witness.seen)
    assert witness.seen[0] == expected
    assert [line for line in witness.seen if line.startswith("recorded")] == [expected]
    assert witness.seen[1] == "http.response.start"


@dataclass
class Refusing:
    error: Exception

    def append(self, _: AuditEvent) -> str:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AuditDiskFull("full"), ErrorCode.DISK_FULL),
        (AuditFailure("broken"), ErrorCode.AUDIT_FAILED),
        (OSError(errno.EIO, "I/O"), ErrorCode.AUDIT_FAILED),
        (RuntimeError("anything"), ErrorCode.AUDIT_FAILED),
    ],
)
async def test_without_its_event_nothing_leaves(enclave: Enclave, error: Exception, code: str) -> None:
    workspace = enclave.with_gateway(audit=Refusing(error)).workspace("ines", "these-ines")
    responses = [
        await workspace.get("/v1/whoami"),
        await workspace.get("/v1/catalogue"),
        await workspace.ask(table("patients").count()),
        await workspace.post(b"nonsense"),
    ]
    assert [response.json()["code"] for response in responses] == [code] * 4
    assert not any("these-ines" in response.text for response in responses)


async def test_an_audit_directory_on_a_full_disk_refuses(
    enclave: Enclave, fill_disk: Callable[[Path], None]
) -> None:
    """The real chain, on a disk that takes no more."""
    fill_disk(enclave.settings.audit_dir)
    response = await enclave.workspace("ines", "these-ines").ask(table("patients").count())
    assert response.json()["code"] == ErrorCode.DISK_FULL


@pytest.fixture
def fill_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    import os

    real = os.pwrite

    def full(directory: Path) -> None:
        def pwrite(descriptor: int, content: bytes, offset: int) -> int:
            if Path(f"/proc/self/fd/{descriptor}").readlink().is_relative_to(directory.resolve()):
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(descriptor, content, offset)

        monkeypatch.setattr(os, "pwrite", pwrite)

    return full


async def test_each_request_has_one_event_that_says_who_what_and_how(
    enclave: Enclave, ines: Workspace
) -> None:
    await ines.get("/v1/whoami")
    await ines.ask(table("patients").count())
    await ines.ask(table("patients"))
    await enclave.workspace("rachid", "these-ines").get("/v1/catalogue")
    events = enclave.asked()
    assert [(e.who, e.what, e.project, e.decision) for e in events] == [
        ("ines", "gateway.whoami", "these-ines", "allowed"),
        ("ines", "gateway.query", "these-ines", "allowed"),
        ("ines", "gateway.query", "these-ines", "refused"),
        ("rachid", "gateway.catalogue", "these-ines", "refused"),
    ]
    assert "COUNT(*)" in str(events[1].details["sql"])
    assert events[1].details["tables"] == "patients"
    assert events[2].details["code"] == "row-level"
    assert 'FROM "patients"' in str(events[2].details["sql"])
    assert verify(enclave.settings.audit_dir, enclave.settings.keys_dir).intact


async def test_the_event_carries_the_number_the_person_is_told(enclave: Enclave, ines: Workspace) -> None:
    refused = await ines.post(b"nonsense")
    assert enclave.asked()[-1].details["request_id"] == refused.json()["request_id"]
    _, said = await ines.answer(table("patients").count())
    assert enclave.asked()[-1].details["request_id"] == said.request_id
