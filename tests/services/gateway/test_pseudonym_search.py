"""The airlock's question over a real control socket; and every way of getting no answer blocks the file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio.to_thread
import httpx
import pytest

from hub_config.airlock.pseudonyms import PseudonymSearch, Searched
from hub_config.gateway.pseudonym_search import pseudonym_search
from hub_config.gateway.pseudonyms import ProjectKey
from hub_config.gateway.recognising import Recogniser
from hub_config.governance.releases.findings import Rule, Severity
from hub_config.sockets.control import create_control_app
from hub_config.sockets.listeners import Listener, Listeners
from tests.services.gateway.peer_enclave import MASTER_KEY, Enclave

PROJECT = "modeles-rachid"
KEY = ProjectKey.derive(MASTER_KEY, PROJECT)


@pytest.fixture
async def socket(enclave: Enclave) -> AsyncIterator[Path]:
    with TemporaryDirectory() as place:
        path = Path(place) / "control.sock"
        recogniser = Recogniser(enclave.gateway.engines, enclave.gateway.warehouse_dir, MASTER_KEY)
        listeners = Listeners(enclave.app, Path(place), Path(place))
        app = create_control_app(listeners, "gateway", pseudonym_search(recogniser))
        control = await Listener.open(path, 0o600, app)
        yield path
        await control.close()


async def _search(socket: Path, *numbers: int, snapshot: int = 1) -> Searched:
    return await anyio.to_thread.run_sync(lambda: PseudonymSearch(socket)(PROJECT, snapshot, numbers))


async def test_pseudonyms_block_and_say_whose_they_are(socket: Path) -> None:
    patients = [KEY.pseudonym("patient_id", number) for number in (3, 4)]
    told = await _search(socket, 10**15, *patients, KEY.pseudonym("physician_id", 2))
    assert told.done
    assert [(each.rule, each.severity, dict(each.params)) for each in told.findings] == [
        (Rule.PSEUDONYM, Severity.BLOCKING, {"whose": "patient", "count": 2}),
        (Rule.PSEUDONYM, Severity.BLOCKING, {"whose": "physician", "count": 1}),
    ]


async def test_other_numbers_pass(socket: Path) -> None:
    other = ProjectKey.derive(MASTER_KEY, "these-ines").pseudonym("patient_id", 3)
    assert await _search(socket, 10**15, other) == Searched((), done=True)


async def test_no_candidates_need_no_gateway(tmp_path: Path) -> None:
    assert await _search(tmp_path / "nothing.sock") == Searched((), done=True)


def _blocked(told: Searched) -> bool:
    rules = [(each.rule, each.severity) for each in told.findings]
    return not told.done and rules == [(Rule.PSEUDONYMS_NOT_SEARCHED, Severity.BLOCKING)]


async def test_a_missing_gateway_blocks(tmp_path: Path) -> None:
    assert _blocked(await _search(tmp_path / "nothing.sock", 10**15))


async def test_a_missing_snapshot_blocks(socket: Path) -> None:
    assert _blocked(await _search(socket, 10**15, snapshot=99))


async def test_too_many_numbers_block(socket: Path) -> None:
    assert _blocked(await _search(socket, *([10**15] * 100_001)))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"found": {"7": "patient"}, "unsearched": []}),
        httpx.Response(200, json={"found": {"0": "somebody"}, "unsearched": []}),
        httpx.Response(200, json={"found": {}}),
        httpx.Response(200, json=[]),
        httpx.Response(200, text="fine"),
        httpx.Response(500),
    ],
)
def test_nonsense_blocks(answer: Any, tmp_path: Path) -> None:
    search = PseudonymSearch(tmp_path, httpx.MockTransport(lambda _: answer))
    assert _blocked(search(PROJECT, 1, [10**15]))


@pytest.mark.parametrize(
    ("whose", "severity"), [("patient", Severity.BLOCKING), ("consultation", Severity.WARNING)]
)
def test_what_the_gateway_keeps_no_index_of_is_told(whose: str, severity: Severity, tmp_path: Path) -> None:
    answer = httpx.Response(200, json={"found": {}, "unsearched": [whose]})
    told = PseudonymSearch(tmp_path, httpx.MockTransport(lambda _: answer))(PROJECT, 1, [10**15])
    assert told.done and [(each.rule, each.severity) for each in told.findings] == [
        (Rule.PSEUDONYMS_NOT_SEARCHED, severity)
    ]
