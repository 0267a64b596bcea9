"""The gateway, as seen from a workspace: HTTP over one unix socket, with the token of this server.

Knows of no Ibis and no pandas. Every failure becomes an `EnclaveError`: a refusal keeps its code, names and
request number; a connection that fails, breaks or ends early is GATEWAY_UNREACHABLE. Nothing is retried: a
question is asked once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NoReturn

import httpx

from p4dp_sdk.backend.door import Door, socket_and_token
from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.protocol import ARROW_STREAM

_SECONDS = 600.0  # the gateway's own limit (120 s by default) comes first
_JSON = {"Content-Type": "application/json"}


def _unreachable() -> EnclaveError:
    return EnclaveError(ErrorCode.GATEWAY_UNREACHABLE)


class Gateway:
    """One workspace's connection. Opens nothing until asked; keeps no idle connection, so a restart goes
    unnoticed."""

    def __init__(self, path: str, token: str) -> None:
        self.socket = path
        self._door = Door(path, token, "gateway", _SECONDS, _unreachable)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Gateway:
        """The gateway of the workspace this runs in. Raises NotInWorkspaceError where there is none."""
        return cls(*socket_and_token(environ))

    def whoami(self) -> dict[str, Any]:
        return self._get("/v1/whoami")

    def catalogue(self) -> dict[str, Any]:
        return self._get("/v1/catalogue")

    def me(self) -> dict[str, Any]:
        return self._get("/v1/me")

    def noise_budget(self) -> dict[str, Any]:
        return self._get("/v1/noise")

    def query(self, document: bytes) -> AbstractContextManager[httpx.Response]:
        """The answer to a wire document, its body not yet read. Leaving the block early cancels the query."""
        return self._answer("/v1/query", document)

    def previous(self) -> dict[str, Any]:
        """Which the version before is, and what of it can be compared."""
        return self._get("/v1/previous")

    def count_previous(self, document: bytes) -> AbstractContextManager[httpx.Response]:
        """The answer to a wire document, as for `query`, of that version: counts only."""
        return self._answer("/v1/previous", document)

    def noise(
        self, document: bytes, epsilon: float, contributions: int
    ) -> AbstractContextManager[httpx.Response]:
        """The same with noise, for which `epsilon` is spent."""
        price = json.dumps({"epsilon": epsilon, "contributions": contributions})
        return self._answer("/v1/noise", b'%s, "query": %s}' % (price[:-1].encode(), document))

    @contextmanager
    def _answer(self, address: str, body: bytes) -> Iterator[httpx.Response]:
        with self._door.open() as http:
            request = http.build_request(
                "POST", address, content=body, headers={**_JSON, "Accept": ARROW_STREAM}
            )
            response = http.send(request, stream=True)
            try:
                _refuse_problems(response)
                yield response
            finally:
                response.close()

    def publish(self, title: str, document: bytes) -> bytes:
        """The signed document of a table: `document` is a wire document, as for `query`."""
        body = b'{"title":' + json.dumps(title).encode() + b',"query":' + document + b"}"
        with self._door.open() as http:
            response = http.post("/v1/publish", content=body, headers=_JSON)
            _refuse_problems(response)
            return response.content

    def request_recontact(self, title: str, protocol: str, document: bytes) -> dict[str, Any]:
        """A request of re-contact, as it was put on record: `document` has one column, `patient_id`."""
        said = json.dumps({"title": title, "protocol": protocol})
        body = b'%s, "query": %s}' % (said[:-1].encode(), document)
        with self._door.open() as http:
            response = http.post("/v1/recontact", content=body, headers=_JSON)
            return _answered(response)

    def recontacts(self) -> dict[str, Any]:
        return self._get("/v1/recontact")

    def publication_key(self) -> dict[str, Any]:
        return self._get("/v1/publication-key")

    def close(self) -> None:
        self._door.close()

    def _get(self, path: str) -> dict[str, Any]:
        with self._door.open() as http:
            return _answered(http.get(path))


def _answered(response: httpx.Response) -> dict[str, Any]:
    _refuse_problems(response)
    answer = response.json()
    return answer if isinstance(answer, dict) else _not_ours(response)


def _refuse_problems(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    try:
        problem = response.json()
        code = ErrorCode(problem["code"])
    except (ValueError, KeyError, TypeError):
        _not_ours(response)
    raise EnclaveError(code, problem.get("params"), request_id=problem.get("request_id"))


def _not_ours(response: httpx.Response) -> NoReturn:
    """Not an answer of the gateway's: the proxy or the service behind it failed."""
    code = ErrorCode.GATEWAY_UNREACHABLE if response.status_code in (502, 503, 504) else ErrorCode.INTERNAL
    raise EnclaveError(code) from None
