"""The airlock, as seen from a workspace: HTTP over its socket, which stands beside the gateway's, with the
same token. Every failure becomes an error with words. Nothing is retried.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import httpx

from p4dp_sdk.backend.door import Door, socket_and_token
from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.locale import language
from p4dp_sdk.releases.errors import AirlockError, AirlockUnreachableError
from p4dp_sdk.wire.errors import ErrorCode

SOCKET_NAME = "airlock.sock"
_SECONDS = 300.0  # a file is checked before the answer comes


class Airlock:
    """One workspace's door to it. Opens nothing until asked; keeps no idle connection."""

    def __init__(self, path: str, token: str) -> None:
        self.socket = path
        self._door = Door(path, token, "airlock", _SECONDS, AirlockUnreachableError)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Airlock:
        """The airlock of the workspace this runs in. Raises NotInWorkspaceError where there is none."""
        path, token = socket_and_token(environ)
        return cls(str(Path(path).with_name(SOCKET_NAME)), token)

    def requests(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self._ask("GET", "/v1/requests")["requests"]
        return listed

    def request(self, number: str) -> dict[str, Any]:
        return self._ask("GET", f"/v1/requests/{_plain(number)}")

    def begin(self, words: Mapping[str, str]) -> dict[str, Any]:
        return self._ask("POST", "/v1/requests", json=dict(words))

    def describe(self, number: str, words: Mapping[str, str]) -> dict[str, Any]:
        return self._ask("PUT", f"/v1/requests/{_plain(number)}", json=dict(words))

    def put_file(self, number: str, name: str, content: bytes) -> dict[str, Any]:
        address = f"/v1/requests/{_plain(number)}/files"
        return self._ask("PUT", address, params={"name": name}, content=content)

    def remove_file(self, number: str, file: int) -> dict[str, Any]:
        return self._ask("DELETE", f"/v1/requests/{_plain(number)}/files/{file}")

    def explain(self, number: str, file: int, finding: int, text: str) -> dict[str, Any]:
        address = f"/v1/requests/{_plain(number)}/files/{int(file)}/findings/{int(finding)}"
        return self._ask("PUT", address, json={"text": text})

    def submit(self, number: str) -> dict[str, Any]:
        return self._ask("POST", f"/v1/requests/{_plain(number)}/submit")

    def withdraw(self, number: str) -> dict[str, Any]:
        return self._ask("DELETE", f"/v1/requests/{_plain(number)}")

    def close(self) -> None:
        self._door.close()

    def _ask(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        with self._door.open() as http:
            response = http.request(method, address, headers={"Accept-Language": language().value}, **more)
        answer = _read(response)
        return answer if response.is_success else _refused(answer)


def _plain(number: str) -> str:
    """A request's number as part of an address: nothing of it leads elsewhere."""
    return "".join(letter for letter in number if letter.isalnum() or letter == "-") or "-"


def _read(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise AirlockUnreachableError from None
    if not isinstance(answer, dict):
        raise AirlockUnreachableError
    return answer


def _refused(problem: dict[str, Any]) -> NoReturn:
    """Socket and token are refused in the enclave's words, the rest in the airlock's own."""
    code, number = str(problem.get("code", "")), str(problem.get("request_id", ""))
    if not str(problem.get("type", "")).startswith("urn:p4dp:problem:airlock:"):
        known = ErrorCode(code) if code in set(ErrorCode) else ErrorCode.INTERNAL
        raise EnclaveError(known, problem.get("params"), request_id=number)
    raise AirlockError(code, str(problem.get("title", "")), request_id=number)
