"""Asking for files to leave from a workspace: draft, files, findings, submit; and who is turned away."""

from __future__ import annotations

import json

import httpx
import pytest

from p4dp_sdk.figures.sheets import csv_of
from p4dp_sdk.tables.safe import SafeTable
from tests.services.airlock.domain.house import INES
from tests.services.airlock.intake.conftest import WORDS, Door, published

SMALL = b"sexe;patients\r\nF;312\r\nM;4\r\n"


async def begun(client: httpx.AsyncClient) -> str:
    answer = await client.post("/v1/requests", json=WORDS)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_table_and_a_figure_go_their_way(ines: httpx.AsyncClient, door: Door) -> None:
    request = await begun(ines)
    document = published()
    table = await ines.put(f"/v1/requests/{request}/files?name=table.csv", content=document.to_json())
    assert table.status_code == 200, table.text
    assert table.json()["output_class"] == "born-safe" and table.json()["kind"] == "publication"
    assert door.house.shelf.read(table.json()["sha256"]) == csv_of(document.statement)
    figure = SafeTable(document).plot.bar(titled=False).proof.to_json()
    drawn = (await ines.put(f"/v1/requests/{request}/files?name=figure.png", content=figure)).json()
    assert drawn["output_class"] == "born-safe" and drawn["kind"] == "figure-spec"
    assert door.house.shelf.read(drawn["sha256"]).startswith(b"\x89PNG")
    sent = await ines.post(f"/v1/requests/{request}/submit")
    assert sent.status_code == 200, sent.text
    assert sent.json()["state"] == "submitted" and sent.json()["looks"] == 1
    assert door.house.facts(request).requester == INES.username
    assert sent.json()["page"].endswith(f"/demandes/{request}")


async def test_findings_come_back_with_what_why_and_remedy(ines: httpx.AsyncClient) -> None:
    request = await begun(ines)
    file = (await ines.put(f"/v1/requests/{request}/files?name=table.csv", content=SMALL)).json()
    assert file["output_class"] == "unverified" and file["checked"] == "checked"
    small = next(found for found in file["findings"] if found["rule"] == "small-count")
    assert small["what"] and small["why"] and small["remedy"] and "ligne" in small["where"]
    english = await ines.get(f"/v1/requests/{request}", headers={"Accept-Language": "en"})
    assert "row" in json.dumps(english.json()["listed"][0]["findings"])
    assert '"4"' not in json.dumps(file["findings"]), "no value of the file is told"


async def test_context_and_controls_are_mandatory_to_submit(ines: httpx.AsyncClient) -> None:
    answer = await ines.post("/v1/requests", json={"title": "Sans contexte"})
    request = answer.json()["id"]
    assert answer.json()["missing"] == ["purpose", "context", "controls", "files"]
    await ines.put(f"/v1/requests/{request}/files?name=table.csv", content=published().to_json())
    refused = await ines.post(f"/v1/requests/{request}/submit")
    assert refused.status_code == 409 and refused.json()["code"] == "words-missing"
    await ines.put(f"/v1/requests/{request}", json=WORDS)
    assert (await ines.post(f"/v1/requests/{request}/submit")).json()["state"] == "submitted"


async def test_a_request_is_listed_changed_and_taken_back(ines: httpx.AsyncClient) -> None:
    request = await begun(ines)
    await ines.put(f"/v1/requests/{request}/files?name=a.csv", content=published().to_json())
    await ines.put(f"/v1/requests/{request}/files?name=a.csv", content=published(title="Autre").to_json())
    (listed,) = (await ines.get("/v1/requests")).json()["requests"]
    assert listed["files"] == 1 and listed["state"] == "draft", "the same name replaces"
    emptied = await ines.delete(f"/v1/requests/{request}/files/1")
    assert emptied.json()["listed"] == []
    assert (await ines.delete(f"/v1/requests/{request}")).json()["state"] == "withdrawn"


async def test_nobody_else_and_no_other_project_knows_of_it(door: Door, ines: httpx.AsyncClient) -> None:
    request = await begun(ines)
    door.house.project("autre", INES)
    elsewhere, rachid = door.of("ines", "autre"), door.of("rachid", "modeles-rachid")
    for client in (elsewhere, rachid):
        assert (await client.get(f"/v1/requests/{request}")).status_code == 404
        for ask in (client.post(f"/v1/requests/{request}/submit"), client.delete(f"/v1/requests/{request}")):
            assert (await ask).json()["code"] == "unknown-request"
        put = await client.put(f"/v1/requests/{request}/files?name=a.csv", content=SMALL)
        assert put.status_code == 404
        assert (await client.get("/v1/requests")).json() == {"requests": []}


@pytest.mark.parametrize("token", ["rachid/these-ines", "ines/modeles-rachid", "ines", "ines/these-ines-2"])
async def test_socket_and_token_must_agree(door: Door, token: str) -> None:
    answer = await door.of("ines", "these-ines", token).get("/v1/requests")
    assert answer.status_code in (401, 403)
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_whoever_is_no_member_any_more_asks_for_nothing(door: Door, ines: httpx.AsyncClient) -> None:
    request = await begun(ines)
    door.house.leave("these-ines", INES)
    assert (await ines.post("/v1/requests", json=WORDS)).json()["code"] == "not-a-member"
    answer = await ines.put(f"/v1/requests/{request}/files?name=a.csv", content=SMALL)
    assert answer.status_code == 403 and answer.json()["code"] == "not-a-member"


async def test_what_is_too_large_is_refused_as_it_comes_in(door: Door, ines: httpx.AsyncClient) -> None:
    request = await begun(ines)
    sent = 0

    async def endless():  # type: ignore[no-untyped-def]
        nonlocal sent
        while sent < 100:
            sent += 1
            yield b"x" * 1024**2

    answer = await ines.put(f"/v1/requests/{request}/files?name=a.csv", content=endless())
    assert answer.status_code == 413 and answer.json()["code"] == "file-too-big"
    assert not list(door.house.shelf.held())


async def test_drafts_are_bounded(ines: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub_config.airlock.actions.drafting.MOST_OPEN", 2)
    await begun(ines)
    await begun(ines)
    assert (await ines.post("/v1/requests", json=WORDS)).json()["code"] == "too-many-open"
    monkeypatch.setattr("hub_config.airlock.intake.app.MOST_BYTES", 10)
    (first, *_others) = (await ines.get("/v1/requests")).json()["requests"]
    answer = await ines.put(f"/v1/requests/{first['id']}/files?name=a.csv", content=SMALL)
    assert answer.status_code == 413 and answer.json()["code"] == "too-many-bytes"


async def test_a_workspace_has_its_pace(ines: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub_config.airlock.intake.app._A_MINUTE", 3)
    answers = [await ines.get("/v1/requests") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def notebook(*outputs: dict[str, object]) -> bytes:
    cell = {"cell_type": "code", "source": "…", "metadata": {}, "execution_count": 1, "outputs": outputs}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


async def test_a_notebook_tells_the_class_of_each_output(ines: httpx.AsyncClient, door: Door) -> None:
    request = await begun(ines)
    genuine = SafeTable(published())._repr_mimebundle_() | {"text/html": "<b>7 patients</b>"}
    forged = SafeTable(published(project="autre"))._repr_mimebundle_()
    content = notebook(
        {"output_type": "execute_result", "data": genuine, "metadata": {}, "execution_count": 1},
        {"output_type": "execute_result", "data": forged, "metadata": {}, "execution_count": 1},
        {"output_type": "stream", "name": "stdout", "text": "12 patients"},
    )
    answer = await ines.put(f"/v1/requests/{request}/files?name=these.ipynb", content=content)
    file = answer.json()
    assert file["output_class"] == "unverified" and file["kind"] == "notebook", answer.text
    counted = next(found for found in file["findings"] if found["rule"] == "unproven-outputs")
    assert counted["what"].startswith("1 sortie(s) du notebook portent une preuve, 2")
    kept = door.house.shelf.read(file["sha256"]).decode()
    assert "7 patients" not in kept and "12 patients" in kept, "a proven output shows what was signed"
    proof = door.house.facts(request).files[0].proof or {}
    told = [(each["cell"], each["output"], each["class"]) for each in proof["outputs"]]
    assert told == [(1, 1, "born-safe")]


async def test_what_can_t_be_read_is_put_aside_with_words(ines: httpx.AsyncClient) -> None:
    request = await begun(ines)
    file = (await ines.put(f"/v1/requests/{request}/files?name=a.bin", content=b"\x00\x01\x02" * 50)).json()
    assert file["checked"] == "quarantined" and file["quarantine"]
