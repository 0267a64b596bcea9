"""A project without the SNDS grant compares, byte by byte, what it is told of a linked table with what it is
told of one that no enclave has: at every address of the gateway, and at everything in the SDK that lists,
completes or looks up a name. Lengths count too: the two names have the same number of letters.

What differs from one request to the next whatever is asked (its number) is set aside; nothing else is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import pytest

import p4dp_sdk as p4dp
from hub_config.gateway import actions, authorise
from hub_config.governance.facts import AccessLevel
from p4dp_sdk import cli
from p4dp_sdk.wire.graph import encode
from tests.attacks.test_snds_hidden import CORE, LINKED, SNDS, world
from tests.services.gateway.peer_enclave import Enclave
from tests.services.sdk.conftest import listening

NAMES = [(table.name, "zzzz" + table.name[4:]) for table in LINKED]  # snds_claims and zzzz_claims
ACCESSES = [AccessLevel.AGGREGATE, AccessLevel.MICRODATA]
NUMBER = re.compile(r"\b[0-9a-f]{16}\b")  # of a request
# Whence a death is known: a code of the data model, in every enclave and whatever is linked.
DEATHS = "Code(code='snds', label_fr='SNDS', label_en='SNDS', parent=None)"

Bodies = dict[str, bytes]


@pytest.fixture(scope="module", params=[True, False], ids=["a linkage", "none"])
def enclave(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    yield from world(tmp_path_factory.mktemp("world"), request.param)


def bodies(name: str) -> Bodies:
    """A good body for each address that takes a question."""
    columns = next({c.name: c.dtype for c in t.columns if not c.role.hidden} for t in LINKED)
    rows = ibis.table({"patient_id": "int64", **columns}, name=name)
    counted = json.loads(encode(rows.agg(n=rows.patient_id.nunique())))
    people = json.loads(encode(rows.select("patient_id").distinct()))
    said = {
        "/v1/query": counted,
        "/v1/noise": {"epsilon": 0.5, "query": counted},
        "/v1/publish": {"title": "Essai", "query": counted},
        "/v1/recontact": {"title": "Essai", "protocol": "Un essai.", "query": people},
    }
    return {path: json.dumps(body).encode() for path, body in said.items()}


async def told(enclave: Enclave, project: str, path: str, body: bytes) -> tuple[Any, ...]:
    """Everything of an answer: status, headers, bytes."""
    async with enclave.workspace("rachid", project).client() as client:
        answer = await client.post(path, content=body)
    headers = sorted((name, value) for name, value in answer.headers.raw)
    return answer.status_code, headers, NUMBER.sub("#", answer.text).encode()


async def pairs(enclave: Enclave, project: str) -> list[tuple[Any, Any]]:
    """What is told of a linked table, its name put for the other's, and of the other; and of either what is
    recorded."""
    found = []
    for linked, nowhere in NAMES:
        for path, body in bodies(linked).items():
            before = len(enclave.events())
            status, headers, text = await told(enclave, project, path, body)
            one = status, headers, text.replace(linked.encode(), nowhere.encode())
            other = await told(enclave, project, path, bodies(nowhere)[path])
            recorded = [
                NUMBER.sub("#", json.dumps(event.details, sort_keys=True, default=str)).replace(
                    linked, nowhere
                )
                for event in enclave.events()[before:]
            ]
            half = len(recorded) // 2
            found.append(((one, recorded[:half]), (other, recorded[half:])))
    return found


@pytest.mark.parametrize("access", ACCESSES)
async def test_every_address_answers_with_the_same_bytes(enclave: Enclave, access: AccessLevel) -> None:
    found = await pairs(enclave, f"sans-{access}")
    assert len(found) == 4 * len(LINKED)
    for one, other in found:
        assert one == other


async def test_without_the_check_of_the_grant_they_differ(
    enclave: Enclave, monkeypatch: pytest.MonkeyPatch
) -> None:
    see_everything(monkeypatch)
    found = await pairs(enclave, f"sans-{AccessLevel.MICRODATA}")
    assert any(one != other for one, other in found)


def see_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    visible = authorise.visible_tables
    monkeypatch.setattr(
        actions,
        "visible_tables",
        lambda catalogue, grant: visible(catalogue, replace(grant, tables=CORE | SNDS, snds=True)),
    )


# --- in a workspace ----------------------------------------------------------------------------------------


@pytest.fixture
def opened(enclave: Enclave, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], p4dp.Workspace]]:
    monkeypatch.setenv("P4DP_LANG", "fr")
    with ExitStack() as running:

        def open_(project: str) -> p4dp.Workspace:
            workspace = enclave.workspace("rachid", project)
            monkeypatch.setenv("P4DP_GATEWAY_SOCKET", str(running.enter_context(listening(workspace))))
            monkeypatch.setenv("P4DP_TOKEN", workspace.token)
            connected = p4dp.connect()
            running.callback(connected.close)
            return connected

        yield open_


def listed(ws: p4dp.Workspace, printed: Callable[[], str]) -> str:
    """Everything that names what is there: listings, completions, codes, help, the command."""
    assert cli.main(["tables"]) == 0
    return "\n".join(
        map(str, (
            *(dir(ws), repr(ws), dir(ws.tables), ws.tables._ipython_key_completions_(), repr(ws.tables)),
            *(ws.tables._repr_html_(), repr(ws.catalogue), dir(ws.catalogue), ws.catalogue.code_systems),
            *(ws.backend.list_tables(), repr(ws.quality), ws.quality.explain().frame.to_string()),
            *(repr(ws.indicators), list(ws.indicators), printed()),
        ))
    )  # fmt: skip


def failures(ws: p4dp.Workspace, name: str, printed: Callable[[], str]) -> list[str]:
    """What each way of looking a table up says of one that is not there."""
    asked: list[Callable[[], object]] = [
        lambda: ws.tables[name],
        lambda: getattr(ws.tables, name),
        lambda: ws.catalogue[name],
        lambda: ws.backend.table(name),
        lambda: ws.quality.completeness(name),
        lambda: ws.quality.rules(name),
        lambda: ws.quality.plot(name),
        lambda: cli.main(["tables", name]),
    ]
    said = []
    for ask in asked:
        try:
            said.append(f"answered: {ask()}{printed()}")
        except Exception as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


@pytest.mark.parametrize("access", ACCESSES)
def test_nothing_in_a_workspace_lists_completes_or_explains_them(
    opened: Callable[[str], p4dp.Workspace], access: AccessLevel, capsys: pytest.CaptureFixture[str]
) -> None:
    def printed() -> str:
        return "".join(capsys.readouterr())

    ws = opened(f"sans-{access}")
    everything = listed(ws, printed)
    assert "consultations" in everything
    everything = everything.replace(DEATHS, "")
    hints = re.findall(r".{30}(?:snds|sniiram|pmsi).{30}", everything, re.IGNORECASE)
    assert hints == []
    for linked, nowhere in NAMES:
        here = [each.replace(linked, nowhere) for each in failures(ws, linked, printed)]
        assert here == failures(ws, nowhere, printed)
    granted = listed(opened(f"avec-{access}"), printed)
    assert all(linked in granted for linked, _ in NAMES)


def test_nothing_that_a_workspace_is_given_to_read_tells_of_this_enclave(enclave: Enclave) -> None:
    """The wheel and the notebooks are the same files in every enclave; and no notebook names such a table."""
    root = Path(__file__).parents[2]
    for notebook in sorted((root / "templates_notebooks").glob("*.ipynb")):
        assert not any(linked in notebook.read_text("utf-8") for linked, _ in NAMES), notebook.name
