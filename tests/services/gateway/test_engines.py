"""The same answers to the last cell, whether DuckDB reads the snapshot or PostgreSQL holds it: drafts with
their blur, rows with their pseudonyms, one's own, publications, what is withheld and what is refused.

Two enclaves with the same keys are asked the same, one beside the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from hub_config.gateway.engine import EngineLimits, Opener
from hub_config.gateway.engines.postgresql import Postgresql
from hub_config.governance.facts import AccessLevel
from hub_config.governance.objections import actions as objections
from hub_config.governance.objections.facts import ObjectionScope
from hub_config.governance.persons.facts import Standing
from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import manifest_hash
from hub_config.warehouse.engines.postgresql import Place, publish
from hub_config.warehouse.snapshot import build_snapshot, open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.wire.errors import ErrorCode
from tests.postgresql_server import READER, reader, running
from tests.services.gateway import own_world, peer_enclave, publishing
from tests.services.gateway.peer_enclave import Enclave, add_project, charter, demonstration, table
from tests.services.gateway.publishing import published

LIMITS = EngineLimits(512 * 1024**2, 1)
WORLDS = (("test", peer_enclave.fill), (own_world.SOURCE, own_world.fill), ("published", publishing.fill))
PEOPLE, OWN, PUBLISHED = 1, 2, 3


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with running() as address:
        yield address


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, server: Address) -> Path:
    """Three snapshots, and copies of them."""
    directory = tmp_path_factory.mktemp("published")
    for source, fill in WORLDS:
        with build_snapshot(directory, source=source, synthetic=True, public=False) as building:
            fill(building)
    for number in (PEOPLE, OWN, PUBLISHED):
        publish(
            open_snapshot(directory, number), load_catalogue(), Place(server, READER, partitioned_from=500)
        )
    return directory


def postgresql(address: Address, seconds: float = 60.0) -> Opener:
    def opened(number: int, database: Path) -> Postgresql:
        return Postgresql(reader(address), number, manifest_hash(database.parent), seconds)

    return opened


@dataclass(frozen=True)
class Both:
    """The same enclave twice. What is done is done to both."""

    here: Enclave
    there: Enclave

    def each(self, act: Callable[[Enclave], object]) -> None:
        for enclave in (self.here, self.there):
            act(enclave)

    async def same(self, user: str, project: str, asked: ibis.Expr) -> pa.Table:
        """What both answer, which is the same to the last bit, order aside."""
        answers = [
            await enclave.workspace(user, project).answer(asked) for enclave in (self.here, self.there)
        ]
        (one, said), (other, also_said) = answers
        assert in_order(other).equals(in_order(one))
        assert (also_said.measures, also_said.reasons) == (said.measures, said.reasons)
        return one

    async def refused(self, user: str, project: str, asked: ibis.Expr) -> str:
        responses = [await each.workspace(user, project).ask(asked) for each in (self.here, self.there)]
        (code,) = {response.json()["code"] for response in responses}
        return str(code)


def in_order(answer: pa.Table) -> pa.Table:
    plain = answer.replace_schema_metadata()
    return plain.sort_by([(name, "ascending") for name in plain.column_names]) if plain.num_columns else plain


@pytest.fixture(scope="module")
def both(warehouse: Path, server: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Asked one question after the other: what both remember is part of what has to be the same."""
    home = tmp_path_factory.mktemp("both")
    with ExitStack() as stack:
        made = [
            stack.enter_context(demonstration(warehouse, home / name, LIMITS, elsewhere))
            for name, elsewhere in (("here", None), ("there", postgresql(server)))
        ]
        yield Both(*made)


# --- the same answers --------------------------------------------------------------------------------------


def drafts() -> dict[str, ibis.Table]:
    d, p, b = table("diagnoses"), table("patients"), table("biometrics")
    joined = d.join(p, "patient_id").filter(p.sex == "F", d.cisp2 != "A62")
    first = d.group_by("patient_id").agg(first=d.date.min(), visits=d.count())
    late = d.join(first, "patient_id").filter(d.date > first.first + ibis.interval(days=30))
    chosen = p.semi_join(d.filter(d.cisp2 == "T90"), "patient_id")
    own = ibis.memtable({"cisp2": ["K86", "T90"], "chapter": ["heart", "sugar"]})
    n = ibis._.count()
    return {
        "counts": d.group_by("cisp2").agg(patients=d.patient_id.nunique(), n=n),
        "by sex, joined": joined.group_by("cisp2", "sex").agg(n=n),
        "years": d.group_by(year=d.date.year()).agg(n=d.patient_id.nunique()),
        "sum and mean": b.group_by("centre_id").agg(total=b.value.sum(), mean=b.value.mean()),
        "median": b.group_by("centre_id").agg(median=b.value.median()),
        "per patient": first.group_by(year=first.first.year()).agg(n=n),
        "after the first": late.group_by("cisp2").agg(n=ibis._.patient_id.nunique()),
        "chosen by others": chosen.group_by("sex").agg(n=n),
        "of a table of one's own": d.join(own, "cisp2")
        .group_by("chapter")
        .agg(n=ibis._.patient_id.nunique()),
        "text": d.filter(d.cisp2.like("%8%")).group_by("cisp2").agg(n=n),
        "share": d.group_by("centre_id").agg(share=(d.cisp2 == "K86").mean()),
    }


@pytest.mark.parametrize("name", list(drafts()))
async def test_drafts(both: Both, name: str) -> None:
    answer = await both.same("ines", "these-ines", drafts()[name])
    assert answer.num_rows


async def test_reference_tables(both: Both) -> None:
    centres = table("centres")
    assert (await both.same("ines", "these-ines", centres.select("centre_id", "region"))).num_rows == 3


async def test_rows_have_the_same_pseudonyms(both: Both) -> None:
    d = table("diagnoses")
    rows = await both.same(
        "rachid", "modeles-rachid", d.filter(d.cisp2 == "K86").select("patient_id", "date")
    )
    assert rows.num_rows > 100 and min(rows["patient_id"].to_pylist()) > 10_000


async def test_what_cannot_be_worked_out_is_missing_on_both(both: Both) -> None:
    """A cast, a division, an overflow, a pattern: NULL, and no error that would be a bit about somebody."""
    d = table("diagnoses")
    big = d.consultation_id.cast("int64") + 2**62
    hard = d.select(
        cast=d.cisp2.cast("int32"),
        day=d.cisp2.cast("date"),
        ratio=1 / (d.consultation_id * 0),
        whole=d.consultation_id // (d.consultation_id - d.consultation_id),
        large=big * 4,
        narrow=d.consultation_id.cast("int8"),
        root=(-d.consultation_id.cast("float64") - 1).sqrt(),
    )
    rows = await both.same("rachid", "modeles-rachid", hard)
    missing = {name: rows[name].null_count == rows.num_rows for name in rows.column_names}
    assert missing["cast"] and missing["day"] and missing["whole"] and missing["large"] and missing["root"]


async def test_the_sandbox(both: Both) -> None:
    await both.same("paul", "bac-a-sable", table("patients", "sex", "age_band"))


async def test_ones_own_rows(both: Both) -> None:
    def prepare(enclave: Enclave) -> None:
        add_project(enclave, charter("own", AccessLevel.AGGREGATE, "ines", snapshot=OWN))
        own_world.link(enclave, "ines", Standing.INTERN, 1)

    both.each(prepare)
    d = own_world.mine("diagnoses")
    answer = await both.same("ines", "own", d.group_by("cisp2").agg(n=d.patient_id.nunique()))
    assert any(n for n in answer["n"].to_pylist())


async def test_sums_means_and_medians(both: Both) -> None:
    both.each(lambda e: add_project(e, charter("sums", AccessLevel.AGGREGATE, "ines", snapshot=OWN)))
    value = table("biometrics", "patient_id", "centre_id", "value").value
    asked = table("biometrics", "patient_id", "centre_id", "value").group_by("centre_id")
    answer = await both.same(
        "ines", "sums", asked.agg(total=value.sum(), mean=value.mean(), middle=value.median())
    )
    assert all(number for name in ("total", "mean", "middle") for number in answer[name].to_pylist())


async def test_a_grants_centres_and_dates(both: Both) -> None:
    terms = {"centres": frozenset({"C1", "C2"}), "date_from": date(2015, 7, 1)}
    both.each(lambda enclave: add_project(enclave, charter("less", AccessLevel.AGGREGATE, "ines", **terms)))
    d = table("diagnoses")
    less = await both.same("ines", "less", d.group_by("centre_id", "cisp2").agg(n=d.count()))
    assert less.num_rows


async def test_refusals(both: Both) -> None:
    assert await both.refused("ines", "these-ines", table("patients")) == ErrorCode.ROW_LEVEL


async def test_publications(both: Both) -> None:
    def prepare(enclave: Enclave) -> None:
        add_project(enclave, charter("publish", AccessLevel.AGGREGATE, "ines", snapshot=PUBLISHED))

    both.each(prepare)
    d = table("diagnoses")
    asked = (
        d.filter(d.cisp2.isin(["K86", "R74", "T90"]))
        .group_by("cisp2", "centre_id")
        .agg(patients=d.patient_id.nunique())
    )
    statements = [
        await published(each.workspace("ines", "publish"), asked) for each in (both.here, both.there)
    ]
    one, other = [(said.columns, said.rows, said.shown, said.withheld) for said in statements]
    assert one == other


@pytest.mark.parametrize(
    ("who", "scope"),
    [
        ({"patient_no": 100}, ObjectionScope.ALL),
        ({"physician_no": 3}, ObjectionScope.ALL),
        ({"patient_no": 101}, ObjectionScope.FUTURE),
        ({"physician_no": 4}, ObjectionScope.FUTURE),
    ],
)
async def test_who_objects_is_gone_at_the_next_question(
    both: Both, who: dict[str, int], scope: ObjectionScope
) -> None:
    """Last, since they stay objected."""
    rows = table("diagnoses", "patient_id", "date", "cisp2")
    before = await both.same("rachid", "modeles-rachid", rows)
    both.each(lambda e: e.govern(objections.add_objection, **who, scope=scope, on=date(2015, 12, 31)))
    after = await both.same("rachid", "modeles-rachid", rows)
    assert 0 < after.num_rows < before.num_rows
    d = table("diagnoses")
    await both.same("ines", "these-ines", d.group_by("cisp2").agg(n=d.patient_id.nunique()))
