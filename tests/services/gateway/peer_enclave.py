"""A small real enclave without its hub: a snapshot, a governance store, an audit chain; and a peer that
plays the hub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import ibis
import numpy as np
import pyarrow as pa
from starlette.types import ASGIApp

from hub_config.gateway.actions import Gateway
from hub_config.gateway.app import create_app
from hub_config.gateway.assembly import protection
from hub_config.gateway.engine import EngineLimits, Engines, Opener
from hub_config.gateway.governance import StoredGovernance
from hub_config.gateway.pace import Pace
from hub_config.gateway.protection import Masks
from hub_config.gateway.recontact.stored import StoredRecontacts
from hub_config.gateway.rules.cells import Cells, Floats
from hub_config.gateway.slots import Slots
from hub_config.governance import actions as governance_actions
from hub_config.governance.audit import read_records
from hub_config.governance.audit.record import Record
from hub_config.governance.bindings import Binding
from hub_config.governance.budgets import Budgets
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.store import Store, open_store
from hub_config.governance.terms import SnapshotTerms, Terms, every_table
from hub_config.sections import PolicySettings
from hub_config.settings import Settings
from hub_config.sockets.doors import bound
from hub_config.sockets.hub import HubClient
from hub_config.warehouse.snapshot import Building
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Role
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.secondary import suppress
from p4dp_sdk.wire.graph import encode
from p4dp_sdk.wire.protocol import METADATA_KEY, Disclosure, Limits
from tests.services.gateway.forgetful import Forgetful

PLANTED_TEXT = "PLANTED-71f3"  # stands in raw columns: no error may ever quote it
PLANTED_NUMBER = 271.828182
_SEEN = (Role.PATIENT, Role.EVENT, Role.CODE, Role.DATE, Role.NUMERIC)
MASTER_KEY = bytes(range(32))

PATIENTS = 600
OBJECTING_PATIENT, OBJECTING_PHYSICIAN = (
    7,
    11,
)  # in the snapshot's own table; physician 11 has patients 11, 23, 35…


def fill(building: Building) -> None:
    """600 patients of 12 GPs in 3 centres; two diagnoses, one biometry and one claim each."""
    run = building.connection.execute
    run(
        "INSERT INTO centres (centre_id, region, label) VALUES"
        " ('C1', 'R1', 'Un'), ('C2', 'R1', 'Deux'), ('C3', 'R2', 'Trois')"
    )
    run(
        "INSERT INTO physicians BY NAME SELECT range AS physician_no, 'C' || (range % 3 + 1) AS centre_id,"
        " 'F' AS sex, '40-49' AS age_band FROM range(12)"
    )
    person = "range AS patient_no, range % 12 AS physician_no, 'C' || (range % 12 % 3 + 1) AS centre_id"
    run(
        f"INSERT INTO patients BY NAME SELECT {person}, CASE WHEN range % 2 = 0 THEN 'F' ELSE 'M' END AS sex,"
        " DATE '1960-01-01' AS birth_month, 60 AS age, '60-69' AS age_band FROM range(600)"
    )
    for index, (one, other) in enumerate((("K86", "R74"), ("T90", "L03"))):
        run(
            f"INSERT INTO diagnoses BY NAME SELECT {person}, range * 2 + {index} AS consultation_id,"
            f" DATE '20{15 + index}-06-01' AS date, 'manual' AS coding_source,"
            f" CASE WHEN range < 5 THEN 'A62' WHEN range // 12 % 2 = 0 THEN '{one}' ELSE '{other}' END"
            " AS cisp2 FROM range(600)"
        )
    run(
        f"INSERT INTO biometrics BY NAME SELECT {person}, DATE '2016-01-01' AS date, 'weight' AS measure,"
        f" {PLANTED_NUMBER} AS value, 'kg' AS unit, 'ok' AS dq_code,"
        f" '{PLANTED_TEXT}' AS value_raw, 'kg' AS unit_raw FROM range(600)"
    )
    run(
        f"INSERT INTO snds_claims BY NAME SELECT {person}, DATE '2016-01-01' AS date, 'A10BA02' AS atc"
        " FROM range(600)"
    )
    run(f"INSERT INTO objections VALUES ({OBJECTING_PATIENT}, NULL, DATE '2020-01-01')")
    run(f"INSERT INTO objections VALUES (NULL, {OBJECTING_PHYSICIAN}, DATE '2020-01-01')")
    building.finish(date(2020, 12, 31), date(2015, 1, 1), date(2020, 12, 31))


@dataclass
class HubPeer:
    """The hub's `GET /user`, as JupyterHub 6 answers it: an ASGI application with tokens in a dict."""

    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    silent: bool = False
    asked: int = 0
    replies: httpx.Response | None = None  # what it says to everybody, whatever they ask

    def give(
        self, token: str, user: str, server: str, *, kind: str = "user", scopes: list[str] | None = None
    ) -> str:
        wanted = [f"custom:p4dp:query!server={user}/{server}"] if scopes is None else scopes
        self.tokens[token] = {"name": user, "kind": kind, "scopes": wanted, "admin": False}
        return token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        if self.silent:
            raise httpx.ConnectError("connection refused")
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode()
        model = self.tokens.get(authorization.removeprefix("token "))
        found = scope["path"] == "/hub/api/user" and model is not None
        response = self.replies or httpx.Response(200 if found else 403, json=model or {"status": 403})
        await send({"type": "http.response.start", "status": response.status_code, "headers": []})
        await send({"type": "http.response.body", "body": response.content})


@dataclass
class Enclave:
    """A gateway on real parts, and what a test does to them."""

    gateway: Gateway
    hub: HubPeer
    store: Store
    settings: Settings
    _made: tuple[Gateway, ASGIApp] | None = field(default=None, init=False, repr=False)

    def workspace(self, user: str, project: str, token: str | None = None) -> Workspace:
        """One running workspace: its binding and the token of its own server."""
        token = token or self.hub.give(f"token-{user}-{project}", user, project)
        return Workspace(self, Binding(f"b-{user}-{project}", user, project, project), token)

    @property
    def app(self) -> ASGIApp:
        """The gateway's application. Made once a gateway: its routes take longer than a small question."""
        if self._made is None or self._made[0] is not self.gateway:
            self._made = (self.gateway, create_app(self.gateway))
        return self._made[1]

    def with_gateway(self, **changes: Any) -> Enclave:
        return replace(self, gateway=replace(self.gateway, **changes))

    def exact(self) -> Enclave:
        """With noise taken out and nothing remembered: for tests of what is counted, not of how it is
        shown."""
        return self.with_gateway(guard=replace(self.gateway.guard, memory=Forgetful(), propose=as_counted))

    def govern(self, action: Callable[..., object], *arguments: Any, **named: Any) -> None:
        with self.store.change() as session:
            action(session, *arguments, **named, audit=self.store.recorder("admin"))

    def events(self) -> list[Record]:
        return list(read_records(self.settings.audit_dir, self.settings.keys_dir))

    def asked(self) -> list[Record]:
        """The gateway's own events."""
        return [event for event in self.events() if event.what.startswith("gateway.")]


@dataclass
class Workspace:
    enclave: Enclave
    binding: Binding
    token: str

    def client(self) -> httpx.AsyncClient:
        app = bound(self.enclave.app, self.binding)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://gateway",
            headers={"Authorization": f"Bearer {self.token}"},
        )

    async def get(self, path: str) -> httpx.Response:
        async with self.client() as client:
            return await client.get(path)

    async def post(self, content: bytes, path: str = "/v1/query") -> httpx.Response:
        async with self.client() as client:
            return await client.post(path, content=content)

    async def ask(self, expression: ibis.Expr, path: str = "/v1/query") -> httpx.Response:
        return await self.post(encode(expression), path)

    async def answer(self, expression: ibis.Expr) -> tuple[pa.Table, Disclosure]:
        response = await self.ask(expression)
        assert response.status_code == 200, response.text
        return opened(response.content)


def table(name: str, *columns: str) -> ibis.Table:
    """A catalogue table as a notebook has it; of `columns` only, if given."""
    known = load_catalogue().tables[name].columns
    wanted = columns or [column.name for column in known if column.role in _SEEN]
    return ibis.table({column.name: column.dtype for column in known if column.name in wanted}, name=name)


def endless() -> ibis.Expr:
    """Pairs of pairs of patients of one sex: hours of work."""
    one = table("patients", "patient_id", "sex")
    pairs = one
    for index in range(4):
        pairs = pairs.join(one.view(), "sex", rname=f"{{name}}_{index}")
    return pairs.filter(pairs.sex != "X").count()


def as_counted(cells: Cells, withheld: Masks, _policy: Policy, _prf: object) -> dict[str, Floats]:
    """A test double: exact values in place of blurred ones."""
    return {
        column.measure.name: np.where(withheld[column.measure.name], np.nan, column.exact)
        for column in cells.columns
    }


def opened(content: bytes) -> tuple[pa.Table, Disclosure]:
    """The table of an answer, and what the gateway said of it."""
    with pa.ipc.open_stream(content) as reader:
        table = reader.read_all()
    return table, Disclosure.from_json(table.schema.metadata[METADATA_KEY])


def grant(access: AccessLevel, **terms: Any) -> Grant:
    return Grant(**{"access": access, "tables": every_table(), "legal_basis": "MR-004", **terms})


def charter(slug: str, access: AccessLevel, member: str, snapshot: int = 1, **terms: Any) -> Charter:
    return Charter(
        slug=slug,
        title=slug,
        purpose="test",
        snapshot=snapshot,
        grant=grant(access, **terms),
        members={member: MemberRole.CHERCHEUR},
        open_to_all=access is AccessLevel.SANDBOX,
    )


def add_project(enclave: Enclave, project: Charter) -> None:
    terms = Terms(
        SnapshotTerms(
            project.snapshot, synthetic=True, centres=frozenset({"C1", "C2", "C3"}), rolling=project.rolling
        )
    )
    enclave.govern(governance_actions.create_project, project, terms=terms)
    enclave.govern(governance_actions.approve, project.slug)


def make_gateway(
    settings: Settings,
    store: Store,
    hub: HubPeer,
    warehouse: Path,
    engines: Engines,
    workers: ThreadPoolExecutor,
    office: ThreadPoolExecutor,
) -> Gateway:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=hub))
    made = protection(settings, store, MASTER_KEY, ExitStack())  # no worker is started: see `suppress`
    return Gateway(
        hub=HubClient("http://hub/hub/api", client),
        governance=StoredGovernance(store),
        budgets=Budgets(store, total=4.0, each=1.0),
        audit=store.audit,
        catalogue=load_catalogue(),
        engines=engines,
        warehouse_dir=warehouse,
        policy=PolicySettings(),
        limits=Limits(seconds=20.0),
        master_key=MASTER_KEY,
        workers=workers,
        office=office,
        slots=Slots(total=4, each=2, patience_seconds=0.1),
        pace=Pace(step_seconds=0),
        today=lambda: date(2024, 1, 1),
        guard=made.guard,
        press=replace(made.press, suppress=suppress, now=lambda: datetime(2024, 1, 1, 12, tzinfo=UTC)),
        recontacts=StoredRecontacts(store),
    )


@contextmanager
def demonstration(
    warehouse: Path, home: Path, limits: EngineLimits, elsewhere: Opener | None = None
) -> Iterator[Enclave]:
    """Three approved projects: aggregates for ines, rows for rachid, the sandbox for everyone. `elsewhere`
    opens snapshots where they are not read from their own files."""
    settings = Settings(home=home)
    store, hub = open_store(settings), HubPeer()
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(4) as office:
        engines = Engines(limits, elsewhere=elsewhere)
        made = Enclave(
            make_gateway(settings, store, hub, warehouse, engines, workers, office), hub, store, settings
        )
        try:
            for project in (
                charter("these-ines", AccessLevel.AGGREGATE, "ines"),
                charter("modeles-rachid", AccessLevel.MICRODATA, "rachid"),
                charter("bac-a-sable", AccessLevel.SANDBOX, "dora"),
            ):
                add_project(made, project)
            yield made
        finally:
            engines.close()
            store.close()
