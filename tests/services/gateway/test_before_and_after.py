"""The very next question after an objection, wherever it is asked: rows, lists, cohorts, what models are
trained on, new aggregates, one's own rows, a report's run; in an old snapshot and the newest, in a workspace
that was open all the time, on every engine.

A new engine is one more line in `ELSEWHERE`. Spark is in `test_before_and_after_on_spark`, since what stands
on it shares one cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from hub_config.gateway.engine import EngineLimits, Opener
from hub_config.gateway.pseudonyms import ProjectKey
from hub_config.governance.facts import AccessLevel
from hub_config.governance.objections.actions import add_objection, lift
from hub_config.governance.objections.facts import ObjectionScope
from hub_config.governance.persons.facts import Standing
from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.postgresql import Place, publish
from hub_config.warehouse.snapshot import build_snapshot, open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from tests.postgresql_server import READER, running
from tests.services.gateway.own_world import link, mine
from tests.services.gateway.peer_enclave import (
    MASTER_KEY,
    Enclave,
    Workspace,
    add_project,
    charter,
    demonstration,
    fill,
    table,
)
from tests.services.gateway.test_engines import postgresql

SOURCE = "preset A"
VICTIM, GP = 100, 4  # patient 100 is physician 4's; seen in 2015 (K86 or R74) and 2016
OLD, NEW = 1, 2
EARLY, BETWEEN = date(2014, 1, 1), date(2015, 12, 31)
LIMITS = EngineLimits(memory_bytes=512 * 1024**2, threads=1)
PROJECTS = {OLD: "lignes-anciennes", NEW: "lignes-nouvelles"}
ALL, FUTURE = ObjectionScope.ALL, ObjectionScope.FUTURE


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("before-and-after")
    for _ in (OLD, NEW):
        with build_snapshot(directory, source=SOURCE, synthetic=True, public=False) as building:
            fill(building)
    return directory


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with running() as address:
        yield address


def on_duckdb(_request: pytest.FixtureRequest, _warehouse: Path) -> None:
    return None


def on_postgresql(request: pytest.FixtureRequest, warehouse: Path) -> Opener:
    address = request.getfixturevalue("server")
    for number in (OLD, NEW):
        publish(open_snapshot(warehouse, number), load_catalogue(), Place(address, READER))
    return postgresql(address)


ELSEWHERE: dict[str, Callable[[pytest.FixtureRequest, Path], Opener | None]] = {
    "duckdb": on_duckdb,
    "postgresql": on_postgresql,
}


@pytest.fixture(scope="module", params=list(ELSEWHERE))
def opener(request: pytest.FixtureRequest, warehouse: Path) -> Opener | None:
    return ELSEWHERE[request.param](request, warehouse)


@pytest.fixture
def enclave(opener: Opener | None, warehouse: Path, tmp_path: Path) -> Iterator[Enclave]:
    with demonstration(warehouse, tmp_path, LIMITS, opener) as made:
        for snapshot, slug in PROJECTS.items():
            add_project(made, charter(slug, AccessLevel.MICRODATA, "rachid", snapshot=snapshot))
        yield made


def object_(enclave: Enclave, scope: ObjectionScope = ALL, on: date = EARLY, **who: int) -> None:
    enclave.govern(add_objection, **who, numbering=SOURCE, scope=scope, on=on)


# --- what is asked: each shows patients by their pseudonyms -------------------------------------------------


def rows() -> ibis.Table:
    return table("patients", "patient_id", "sex")


def events() -> ibis.Table:
    return table("diagnoses", "patient_id", "date", "cisp2")


def cohort() -> ibis.Table:
    """Whoever has a biometry after a first diagnosis, by the day of it."""
    d, b = table("diagnoses"), table("biometrics")
    first = d.group_by("patient_id").agg(index_date=d.date.min())
    later = b.join(first, "patient_id").filter(b.date > first.index_date)
    return first.semi_join(later, "patient_id")


def features() -> ibis.Table:
    """What a model is trained on: one row a patient."""
    p, d, b = table("patients", "patient_id", "sex"), table("diagnoses"), table("biometrics")
    visits = d.group_by("patient_id").agg(visits=d.count(), ill=(d.cisp2 == "K86").sum())
    weight = b.group_by("patient_id").agg(weight=b.value.mean())
    return p.left_join(visits, "patient_id").drop("patient_id_right").join(weight, "patient_id")


def own() -> ibis.Table:
    return mine("diagnoses").select("patient_id", "cisp2")


ASKED = {"rows": rows, "events": events, "cohort": cohort, "features": features, "own": own}


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """What is asked before and after, of `ASKED`."""
    return list(ASKED)


async def people(workspace: Workspace, asked: ibis.Table) -> pa.Table:
    found, _ = await workspace.answer(asked)
    return found


def theirs(slug: str, answer: pa.Table, number: int = VICTIM) -> int:
    pseudonym = ProjectKey.derive(MASTER_KEY, slug).pseudonym("patient_id", number)
    return answer.column("patient_id").to_pylist().count(pseudonym)


@pytest.mark.parametrize("who", [{"patient_no": VICTIM}, {"physician_no": GP}], ids=["patient", "physician"])
async def test_nothing_shows_them_at_the_next_question(
    enclave: Enclave, asked: list[str], who: dict[str, int]
) -> None:
    """In the old snapshot and the newest, in workspaces that stay open; and nobody else goes."""
    link(enclave, "rachid", Standing.PHYSICIAN, GP, source=SOURCE)
    spaces = {slug: enclave.workspace("rachid", slug) for slug in PROJECTS.values()}
    before = {
        (slug, name): await people(space, ASKED[name]()) for slug, space in spaces.items() for name in asked
    }
    object_(enclave, **who)
    gone = 1 if "patient_no" in who else 50
    for (slug, name), earlier in before.items():
        now = await people(spaces[slug], ASKED[name]())
        assert theirs(slug, earlier) > 0, "it was shown"
        assert theirs(slug, now) == 0, (slug, name)
        assert len(set(now["patient_id"].to_pylist())) == len(set(earlier["patient_id"].to_pylist())) - gone


async def test_what_is_later_is_gone_and_what_is_earlier_stays(enclave: Enclave) -> None:
    slug = PROJECTS[OLD]
    rachid = enclave.workspace("rachid", slug)
    counted = {
        name: theirs(slug, await people(rachid, ASKED[name]())) for name in ("rows", "events", "cohort")
    }
    object_(enclave, FUTURE, BETWEEN, patient_no=VICTIM)
    after = {name: theirs(slug, await people(rachid, ASKED[name]())) for name in counted}
    assert counted == {"rows": 1, "events": 2, "cohort": 1}
    assert after == {"rows": 1, "events": 1, "cohort": 0}, "the biometry of 2016 is theirs no more"


async def test_an_objection_that_is_lifted_hides_nobody(enclave: Enclave) -> None:
    slug = PROJECTS[NEW]
    rachid = enclave.workspace("rachid", slug)
    object_(enclave, patient_no=VICTIM)
    assert theirs(slug, await people(rachid, rows())) == 0
    enclave.govern(lift, 1, reason="recorded by error", on=date(2024, 1, 1))
    assert theirs(slug, await people(rachid, rows())) == 1


@pytest.mark.parametrize("user", ["ines", "svc-these-ines"], ids=["a person", "a report's run"])
async def test_new_aggregates_count_without_them(enclave: Enclave, user: str) -> None:
    """A report that runs again, and whoever asks anew, are given what is counted now. What was shown before
    keeps its dated value: tests/attacks/test_objection.py."""
    workspace = enclave.exact().workspace(user, "these-ines")
    d = table("diagnoses")
    asked = d.filter(d.cisp2 != "A62").group_by("centre_id").agg(n=d.patient_id.nunique())

    async def total() -> float:
        return sum((await people(workspace, asked))["n"].to_pylist())

    before = await total()
    object_(enclave, patient_no=VICTIM)
    assert await total() == before - 1
    object_(enclave, FUTURE, EARLY, patient_no=VICTIM + 1)
    assert await total() == before - 2, "nothing of theirs is earlier"


# --- what was shown before ---------------------------------------------------------------------------------


def by_sex() -> ibis.Table:
    p = table("patients")
    return p.group_by("sex").agg(n=p.patient_id.nunique())


def by_code() -> ibis.Table:
    d = table("diagnoses")
    return d.group_by("cisp2", year=d.date.year()).agg(rows=d.count(), n=d.patient_id.nunique())


def of_the_ill() -> ibis.Table:
    p, d = table("patients"), table("diagnoses")
    ill = p.semi_join(d.filter(d.cisp2 == "K86"), "patient_id")
    return ill.group_by("centre_id").agg(n=ill.patient_id.nunique(), men=ill.count(where=ill.sex == "M"))


def of_what_each_has() -> ibis.Table:
    """Features of patients, as means, sums and a median."""
    p, d = table("patients"), table("diagnoses")
    each = d.group_by("patient_id").agg(visits=d.count())
    joined = p.left_join(each, "patient_id").drop("patient_id_right")
    return joined.group_by("sex").agg(
        visits=joined.visits.sum(), age=joined.age.mean(), median=joined.age.median()
    )


DRAFTS = {"a key": by_sex, "open keys": by_code, "a cohort": of_the_ill, "features": of_what_each_has}


def as_shown(answer: pa.Table) -> list[dict[str, object]]:
    return sorted(answer.to_pylist(), key=repr)


@pytest.mark.parametrize("draft", list(DRAFTS.values()), ids=list(DRAFTS))
async def test_the_same_draft_shows_equal_cells_after_a_practice_withdrew(
    enclave: Enclave, draft: Callable[[], ibis.Table]
) -> None:
    """ADR 0039: 50 of 550 patients go with their GP."""
    ines = enclave.workspace("ines", "these-ines")
    first = as_shown(await people(ines, draft()))
    assert any(value is not None for row in first for value in row.values() if isinstance(value, float | int))
    object_(enclave, physician_no=GP)
    assert as_shown(await people(ines, draft())) == first
    assert as_shown(await people(ines, draft())) == first


async def test_a_draft_given_again_says_of_when_it_is(enclave: Enclave) -> None:
    """And says the same when nobody withdrew."""
    ines = enclave.workspace("ines", "these-ines")
    said = [(await ines.answer(by_sex()))[1].measures["n"].given_again for _ in range(2)]
    object_(enclave, physician_no=GP)
    said.append((await ines.answer(by_sex()))[1].measures["n"].given_again)
    assert said[0] == ()
    assert said[1] == said[2]
    assert len(said[1]) == 1, "a day"


async def test_said_in_other_words_it_is_the_same_draft(enclave: Enclave) -> None:
    """Other names, a filter for a key, columns that nobody needs: what decides is the graph, as decoded."""
    ines, p = enclave.workspace("ines", "these-ines"), table("patients")
    shown = {row["sex"]: row["n"] for row in as_shown(await people(ines, by_sex()))}
    object_(enclave, physician_no=GP)
    women = p.rename(s="sex").mutate(x=ibis.literal(1)).filter(ibis._.s == "F")
    assert as_shown(await people(ines, women.agg(many=women.patient_id.nunique()))) == [{"many": shown["F"]}]


async def test_another_draft_about_them_goes_dark(enclave: Enclave) -> None:
    """It was never asked: what one practice, of women, tells from an answer shown is withheld."""
    ines, p = enclave.workspace("ines", "these-ines"), table("patients")
    await people(ines, by_sex())
    object_(enclave, physician_no=GP)
    older = p.filter(p.age >= 20)
    other = older.group_by("sex").agg(n=older.patient_id.nunique())
    assert [row["n"] is None for row in as_shown(await people(ines, other))] == [True, False]
