"""The DPO keeps the log of rights requests: each has its month, may take two more, and ends with a word."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from hub_config.governance.audit import read_records
from hub_config.governance.rights.facts import Right
from hub_config.governance.roles import Role
from hub_config.settings import Settings
from tests.pages import Visit, visiting

TODAY = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
def dora(app: FastAPI) -> Visit:
    app.state.desk.clock = lambda: TODAY
    return visiting(app, "dora", Role.DPO)


def opened(client: Visit, right: Right = Right.ACCESS, received: str = "2026-11-02", **said: str) -> str:
    answer = client.post("/droits", {"droit": right.value, "reference": "L-14", "recue": received, **said})
    assert answer.status_code == 303, answer.text
    return re.findall(r"(?<![\w-])D-[2-9a-z]{10}(?![\w-])", client.follow(answer).text)[0]


def step(client: Visit, number: str, wanted: str, **said: str) -> int:
    return client.post(f"/droits/{number}", {"etape": wanted, **said}).status_code


def test_a_request_from_its_reception_to_its_answer(dora: Visit, settings: Settings) -> None:
    number = opened(dora)
    assert "02/12/2026" in dora.get("/droits").text
    assert step(dora, number, "take") == 303
    assert step(dora, number, "extend", motifs="Plusieurs sources à interroger.") == 303
    assert "02/02/2027" in dora.get("/droits").text
    assert step(dora, number, "answer") == 303
    assert step(dora, number, "refuse", motifs="trop tard") == 422, "it is closed"
    events = list(read_records(settings.audit_dir, settings.keys_dir))
    assert [e.details.get("after") for e in events] == [None, "in-hand", "extended", "answered"]
    assert all("Plusieurs" not in event.line.decode() for event in events), "reasons stay out of the log"


@pytest.mark.parametrize("wanted", ["extend", "refuse"])
def test_reasons_are_owed(dora: Visit, wanted: str) -> None:
    number = opened(dora)
    step(dora, number, "take")
    assert step(dora, number, wanted, motifs="  ") == 422


def test_no_extension_after_the_first_month(app: FastAPI, dora: Visit) -> None:
    number = opened(dora)
    app.state.desk.clock = lambda: TODAY + timedelta(days=30)
    assert step(dora, number, "extend", motifs="Trop tard.") == 422
    assert "en retard" in dora.get("/droits").text


def test_the_week_before_reminds(app: FastAPI, dora: Visit) -> None:
    opened(dora)
    assert "dans les délais" in dora.get("/droits").text
    app.state.desk.clock = lambda: TODAY + timedelta(days=6)
    assert "à répondre cette semaine" in dora.get("/droits").text


@pytest.mark.parametrize(
    "said",
    [{"reference": "M. Dupont, né en 1950"}, {"recue": "2027-01-01"}, {"recue": "hier"}, {"reference": ""}],
)
def test_no_identity_and_no_day_to_come(dora: Visit, said: dict[str, str]) -> None:
    fields = {"droit": "access", "reference": "L-14", "recue": "2026-11-02", **said}
    assert dora.post("/droits", fields).status_code == 422


def test_an_unknown_request_step_or_receipt_is_told(dora: Visit) -> None:
    number = opened(dora, Right.OBJECTION)
    assert step(dora, "D-nothing", "take") == 404
    assert step(dora, number, "sing") == 422
    assert step(dora, number, "take", recepisse="R-nothing") == 404


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DPO}))
def test_nobody_else_sees_or_changes_them(app: FastAPI, dora: Visit, role: Role) -> None:
    number = opened(dora)
    client = visiting(app, "x", role)
    assert client.get("/droits").status_code == 403
    for path in ("/droits", f"/droits/{number}", "/droits/export"):
        assert client.post(path, {"etape": "take"}).status_code == 403


def test_the_export_is_a_table_and_an_event(dora: Visit, settings: Settings) -> None:
    number = opened(dora)
    step(dora, number, "take", motifs="=cmd|' /c calc'!A1")
    answer = dora.post("/droits/export")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["numéro"], row["droit"], row["article du RGPD"]) == (number, "Accès", "15")
    assert row["motifs"].startswith("'=")
    *_, last = read_records(settings.audit_dir, settings.keys_dir)
    assert last.what == "rights.export"
