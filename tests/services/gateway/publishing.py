"""A warehouse to publish from, and what publishing is asked in tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import httpx
import ibis
import numpy as np

from hub_config.gateway.rules.memory import Asker, Batch, Known, Proposal, Settled, Settlement
from hub_config.warehouse.snapshot import Building
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.graph import encode
from p4dp_sdk.wire.publication import Document, Statement
from tests.services.gateway.peer_enclave import Enclave, Workspace

FEW = 10
PATIENTS, PHYSICIANS, OLDEST = 3_000, 20, 4
UNKNOWN_SEX = 3

_GP = f"range % {PHYSICIANS}"
_PERSON = f"range AS patient_no, {_GP} AS physician_no, 'C' || ({_GP} % 4 + 1) AS centre_id"
_CODES = {
    "K86": "range % 3 = 0",
    "K74": "range % 5 = 1",
    "K77": "range % 430 = 7",
    "R74": "range % 2 = 0",
    "T90": "true",
}
_BAND = "CASE WHEN b < 2 THEN '40-49' WHEN b < 5 THEN '50-59' WHEN b < 9 THEN '60-69' ELSE '70-79' END"


def fill(building: Building) -> None:
    """3,000 patients of 20 GPs in 4 centres and 2 regions; 4 patients over 90, 3 of unknown sex. Diagnoses in
    2015 and 2016: K86 (every 3rd patient), K74 (every 5th), K77 (7 patients), R74 (every 2nd), T90 (all)."""
    run = building.connection.execute
    run(
        "INSERT INTO centres (centre_id, region, label) VALUES ('C1', 'R1', 'Un'), ('C2', 'R1', 'Deux'),"
        " ('C3', 'R2', 'Trois'), ('C4', 'R2', 'Quatre')"
    )
    run(
        "INSERT INTO physicians BY NAME SELECT range AS physician_no, 'C' || (range % 4 + 1) AS centre_id,"
        f" 'F' AS sex, '40-49' AS age_band FROM range({PHYSICIANS})"
    )
    run(
        f"INSERT INTO patients BY NAME SELECT {_PERSON}, DATE '1960-01-01' AS birth_month, 60 AS age,"
        f" CASE WHEN range < {UNKNOWN_SEX} THEN NULL WHEN range // 240 % 2 = 0 THEN 'F' ELSE 'M' END AS sex,"
        f" CASE WHEN range < {OLDEST} THEN '90+' ELSE {_BAND} END AS age_band"
        f" FROM (SELECT range, range // 20 % 12 AS b FROM range({PATIENTS}))"
    )
    for index, (code, chosen) in enumerate(_CODES.items()):
        run(
            f"INSERT INTO diagnoses BY NAME SELECT {_PERSON}, range * 10 + {index} AS consultation_id,"
            " CASE WHEN range % 7 < 3 THEN DATE '2015-06-01' ELSE DATE '2016-03-01' END AS date,"
            f" 'manual' AS coding_source, '{code}' AS cisp2 FROM range({PATIENTS}) WHERE {chosen}"
        )
    run(
        f"INSERT INTO biometrics BY NAME SELECT {_PERSON}, DATE '2016-01-01' AS date, 'weight' AS measure,"
        f" 50.0 + range % 50 AS value, 'kg' AS unit, 'ok' AS dq_code FROM range({PATIENTS})"
    )
    building.finish(date(2020, 12, 31), date(2015, 1, 1), date(2016, 12, 31))


@dataclass
class Recollection:
    """A ledger in memory: cells by their sketch. Pairs only; `tables` counts what was recorded."""

    cells: list[tuple[str, Any, bool]] = field(default_factory=list)
    tables: int = 0
    meanwhile: list[Any] = field(default_factory=list)  # called at `settle`, before it compares

    def again(self, definitions: frozenset[int]) -> None:
        return None

    def sums(self, *_: object) -> tuple[()]:
        return ()

    def known(self, asker: Asker, batches: tuple[Batch, ...], policy: Policy) -> tuple[Any, ...]:
        return tuple(np.array([self._known(batch, i) for i in range(len(batch.values))]) for batch in batches)

    def settle(
        self, asker: Asker, batches: tuple[Batch, ...], policy: Policy, *, exact: bool = False
    ) -> tuple[Settled, ...]:
        assert exact
        if self.meanwhile:
            self.meanwhile.pop()(batches)
        now = self.known(asker, batches, policy)
        shown = [batch.proposals == Proposal.SHOW for batch in batches]
        clashes = [(told == Known.WITHHELD) & show for told, show in zip(now, shown, strict=True)]
        if not any(clash.any() for clash in clashes):
            self.record(batches)
        return tuple(
            Settled(
                batch.values, np.where(show & ~clash, Settlement.SHOWN, Settlement.WITHHELD).astype(np.int8)
            )
            for batch, show, clash in zip(batches, shown, clashes, strict=True)
        )

    def record(self, batches: tuple[Batch, ...]) -> None:
        self.tables += 1
        for batch in batches:
            shown = batch.proposals == Proposal.SHOW
            assert np.isnan(batch.values[~shown]).all(), "a withheld number is written down"
            sketches = batch.vectors.by_patient
            self.cells += [(batch.family, sketches[i].copy(), bool(shown[i])) for i in range(len(shown))]

    def _known(self, batch: Batch, i: int) -> Known:
        mine, near = batch.vectors.by_patient[i], False
        for family, other, shown in self.cells:
            differing = int((mine != other).sum()) if family == batch.family else FEW + 1
            if differing == 0:
                return Known.SHOWN if shown else Known.WITHHELD
            near |= shown and differing <= FEW
        return Known.WITHHELD if near else Known.NEW


def remembering(enclave: Enclave, memory: Any, **changes: Any) -> Enclave:
    """`enclave` with another ledger for its publications."""
    return enclave.with_gateway(press=replace(enclave.gateway.press, memory=memory, **changes))


async def publish(workspace: Workspace, expression: ibis.Expr, title: str = "Essai") -> httpx.Response:
    return await post(workspace, b'{"title": "%s", "query": %s}' % (title.encode(), encode(expression)))


async def post(workspace: Workspace, content: bytes) -> httpx.Response:
    async with workspace.client() as client:
        return await client.post("/v1/publish", content=content)


async def published(workspace: Workspace, expression: ibis.Expr, title: str = "Essai") -> Statement:
    response = await publish(workspace, expression, title)
    assert response.status_code == 200, response.text
    return Document.from_json(response.content).statement


async def refused(workspace: Workspace, expression: ibis.Expr, title: str = "Essai") -> tuple[str, str]:
    """The code of the refusal, and the reason it gives."""
    response = await publish(workspace, expression, title)
    problem = response.json()
    assert response.status_code >= 400, problem
    return problem["code"], str(problem["params"].get("why", ""))
