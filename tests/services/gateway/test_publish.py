"""POST /v1/publish, over HTTP, on the real parts but the ledger: exact, protected with its totals, signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pytest

from hub_config.gateway.engine import EngineLimits
from hub_config.governance import actions as governance
from hub_config.governance.audit import AuditFailure
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.snapshot import build_snapshot
from p4dp_sdk.wire.publication import Document, Lineage, Statement, verify
from tests.services.gateway.peer_enclave import Enclave, Workspace, add_project, charter, demonstration, table
from tests.services.gateway.publishing import (
    OLDEST,
    PATIENTS,
    UNKNOWN_SEX,
    Recollection,
    fill,
    post,
    publish,
    published,
    refused,
    remembering,
)

P = table("patients")
D = table("diagnoses")
B = table("biometrics")
BY_SEX = P.group_by("sex").agg(patients=P.patient_id.nunique())
BY_BAND = P.group_by("age_band").agg(patients=P.patient_id.nunique())


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("warehouse")
    with build_snapshot(directory, source="test", synthetic=True, public=False) as building:
        fill(building)
    return directory


@pytest.fixture
def memory() -> Recollection:
    return Recollection()


@pytest.fixture
def enclave(warehouse: Path, tmp_path: Path, memory: Recollection) -> Iterator[Enclave]:
    with demonstration(warehouse, tmp_path, EngineLimits(memory_bytes=512 * 1024**2, threads=1)) as made:
        yield remembering(made, memory)


@pytest.fixture
def ines(enclave: Enclave) -> Workspace:
    return enclave.workspace("ines", "these-ines")


def numbers(statement: Statement, column: str = "patients") -> dict[Any, Any]:
    """The column's cells by their labels."""
    keys = [at for at, one in enumerate(statement.columns) if not one.protected]
    at = next(i for i, one in enumerate(statement.columns) if one.name == column)
    return {tuple(row[i] for i in keys) if len(keys) > 1 else row[keys[0]]: row[at] for row in statement.rows}


# --- what comes out ----------------------------------------------------------------------------------------


async def test_numbers_are_exact_and_signed(enclave: Enclave, ines: Workspace) -> None:
    response = await publish(ines, BY_SEX, "Patients par sexe")
    document = Document.from_json(response.content)
    async with ines.client() as client:
        key = (await client.get("/v1/publication-key")).json()
    statement = verify(document, key["public_key"])
    assert document.signature.key == key["key"] == enclave.gateway.press.signer.name
    assert numbers(statement) == {"F": 1_560 - UNKNOWN_SEX, "M": 1_440}
    assert (statement.project, statement.snapshot, statement.title) == ("these-ines", 1, "Patients par sexe")
    assert statement.synthetic and statement.access == "aggregate" and statement.unverified == ()
    assert "SELECT" in statement.definition and statement.policy["min_patients"] == 11
    assert statement.date == "2024-01-01T12:00:00+00:00" and (statement.shown, statement.withheld) == (2, 0)


async def test_the_unknown_few_are_in_no_total(ines: Workspace) -> None:
    statement = await published(ines, BY_SEX)
    assert statement.total == (None, PATIENTS - UNKNOWN_SEX) and statement.left_out == ("sex",)


async def test_a_small_cell_is_withheld_with_another(ines: Workspace) -> None:
    shown = numbers(await published(ines, BY_BAND))
    assert shown["90+"] is None and shown["60-69"] is not None
    gone = [band for band, value in shown.items() if value is None]
    empty = {"00-09", "10-19", "20-29", "30-39", "80-89", "90+"}
    assert set(gone) > empty - {"90+"}, "zero and 1 to 10 look alike"
    assert not {0, *range(1, 11)} & set(shown.values())


def feasible(statement: Statement, hidden: list[str]) -> int:
    """What the withheld groups add up to, as anybody can work out from the total."""
    shown = numbers(statement)
    total = statement.total[1] if statement.total else None
    assert isinstance(total, int)
    return total - sum(v for k, v in shown.items() if k not in hidden)


async def test_the_withheld_cell_is_not_the_rest_of_the_total(ines: Workspace) -> None:
    statement = await published(ines, BY_BAND)
    hidden = [band for band, value in numbers(statement).items() if value is None]
    if statement.total and statement.total[1] is not None:
        assert feasible(statement, hidden) >= 11 > OLDEST


async def test_several_measures_are_protected_together(ines: Workspace) -> None:
    asked = D.filter(D.cisp2.isin(["K86", "K74", "K77", "R74"]))
    asked = asked.group_by("cisp2").agg(patients=ibis._.patient_id.nunique(), rows=ibis._.count())
    statement = await published(ines, asked)
    assert numbers(statement)["K77"] is None and numbers(statement, "rows")["K77"] is None
    assert numbers(statement)["R74"] == numbers(statement, "rows")["R74"] == 1_500


async def test_two_groups_with_their_margins(ines: Workspace) -> None:
    asked = P.group_by("centre_id", "sex").agg(patients=P.patient_id.nunique(), n=P.count())
    statement = await published(ines, asked)
    shown = numbers(statement)
    assert len(shown) == 8 and shown["C1", "F"] == numbers(statement, "n")["C1", "F"]
    assert sum(value or 0 for value in shown.values()) == PATIENTS - UNKNOWN_SEX
    assert statement.total == (None, None, PATIENTS - UNKNOWN_SEX, PATIENTS - UNKNOWN_SEX)


async def test_means_and_shares_come_from_published_parts(ines: Workspace) -> None:
    weighed = B.filter(B.measure == "weight")
    measures = {"n": ibis._.patient_id.nunique(), "mean": ibis._.value.mean(), "sd": ibis._.value.std()}
    statement = await published(ines, weighed.group_by("centre_id").agg(**measures))
    assert statement.columns[-1].lineage is Lineage.DERIVED and statement.columns[-1].protected
    means = numbers(statement, "mean")
    assert means["C1"] == pytest.approx(np.mean([50 + i % 50 for i in range(PATIENTS) if i % 4 == 0]))
    assert statement.total and statement.total[2] == pytest.approx(74.5)


async def test_what_follows_is_done_on_the_protected_table(ines: Workspace) -> None:
    ranked = BY_BAND.order_by(ibis.desc("patients")).limit(2).rename(effectif="patients")
    statement = await published(ines, ranked)
    assert [row[0] for row in statement.rows] == ["60-69", "50-59"] or statement.rows[0][1] is not None
    assert [column.name for column in statement.columns] == ["age_band", "effectif"]
    large = await published(ines, BY_BAND.filter(ibis._.patients > 600))
    assert all(row[1] > 600 for row in large.rows)  # type: ignore[operator]
    share = await published(ines, BY_SEX.mutate(part=ibis._.patients / 3_000.0))
    assert share.columns[2].lineage is Lineage.DERIVED and share.unverified == ()


async def test_years_and_chapters_are_totals_too(ines: Workspace, memory: Recollection) -> None:
    """Chapter K and each year are settled, though nobody asked."""
    recorded: list[Any] = []
    memory.record = recorded.extend  # type: ignore[method-assign, assignment]
    by_month = D.group_by("cisp2", mois=D.date.truncate("M")).agg(patients=ibis._.patient_id.nunique())
    await published(
        ines, by_month.filter(ibis._.patients > 0) if False else by_month.limit(5)
    ) if False else None
    codes = D.filter(D.cisp2.isin(["K86", "K74", "R74"]))
    await published(ines, codes.group_by("cisp2", mois=codes.date.truncate("M")).agg(n=ibis._.count()))
    names = {batch.release for batch in recorded}
    assert len(names) == 9, "code, chapter or all × month, year or all"
    sizes = sorted(len(batch.values) for batch in recorded)
    assert sizes[0] == 1 and 4 in sizes, "2 chapters × 2 years"


# --- whose words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "unverified"),
    [
        (BY_SEX.rename(dupont="patients"), ("dupont",)),
        (BY_SEX.mutate(constante=ibis.literal(3)), ("constante",)),
        (
            P.mutate(groupe=ibis.cases((P.sex == "F", "voisine de Mme X"), else_="autres"))
            .group_by("groupe")
            .agg(patients=ibis._.patient_id.nunique()),
            ("groupe",),
        ),
        (
            BY_SEX.join(ibis.memtable({"sex": ["F", "M"], "label": ["femme", "homme"]}), "sex"),
            ("sex", "label"),
        ),
        (P.group_by("sex").agg(n=P.count()).rename(effectif="n"), ()),
        (P.group_by("sex").agg(numerator=P.count(), denominator=P.patient_id.nunique()), ()),
    ],
    ids=["alias", "literal", "own classes", "own table", "usual words", "an indicator's"],
)
async def test_own_words_make_a_table_unverified(
    ines: Workspace, expression: ibis.Table, unverified: tuple[str, ...]
) -> None:
    statement = await published(ines, expression)
    assert set(statement.unverified) <= set(unverified) and bool(statement.unverified) == bool(unverified)


async def test_age_bands_are_no_words_of_ones_own(ines: Workspace) -> None:
    band = ibis.cases((P.age < 50, "00-49"), (P.age.notnull(), "50+"), else_="non renseigné")
    statement = await published(ines, P.group_by(classe=band).agg(patients=ibis._.patient_id.nunique()))
    assert statement.unverified == () and statement.columns[0].lineage is Lineage.KEY


async def test_withheld_numbers_order_and_choose_no_rows(ines: Workspace) -> None:
    """They are empty before anything is sorted: the same come in the same order, up and down."""
    kept = {}
    for name, key in {"up": ibis._.patients.asc(), "down": ibis._.patients.desc()}.items():
        statement = await published(ines, BY_BAND.order_by(key))
        kept[name] = [band for band, number in numbers(statement).items() if number is None]
        shown = [number for number in numbers(statement).values() if number is not None]
        assert shown == sorted(shown, reverse=name == "down")
    assert len(kept["up"]) > 1 and kept["up"] == kept["down"]
    few = await published(ines, BY_BAND.filter(ibis._.patients < 11))
    assert few.rows == ()


# --- who publishes -----------------------------------------------------------------------------------------


async def test_the_sandbox_learns_and_is_not_remembered(enclave: Enclave, memory: Recollection) -> None:
    statement = await published(enclave.workspace("paul", "bac-a-sable"), BY_BAND)
    assert statement.access == "sandbox" and statement.synthetic and numbers(statement)["90+"] is None
    assert memory.tables == 0


async def test_who_sees_rows_needs_a_physicians_look(enclave: Enclave, memory: Recollection) -> None:
    statement = await published(enclave.workspace("rachid", "modeles-rachid"), BY_BAND)
    assert statement.unverified == ("rows-held",) and numbers(statement)["90+"] is None
    assert memory.tables == 1


async def test_a_stranger_and_a_dead_token_publish_nothing(enclave: Enclave) -> None:
    for workspace in (
        enclave.workspace("paul", "these-ines"),
        enclave.workspace("ines", "these-ines", token="another"),
    ):
        assert (await refused(workspace, BY_SEX))[0] in {"not-a-member", "not-authenticated"}
        async with workspace.client() as client:
            assert (await client.get("/v1/publication-key")).status_code in (401, 403)


@pytest.mark.parametrize(
    ("closed", "code"),
    [
        (lambda enclave: enclave.govern(governance.suspend, "these-ines"), "project-not-active"),
        (lambda enclave: enclave.govern(governance.remove_member, "these-ines", "ines"), "not-a-member"),
    ],
)
async def test_a_closed_project_and_who_left_it_publish_nothing(
    enclave: Enclave, ines: Workspace, memory: Recollection, closed: Any, code: str
) -> None:
    await published(ines, BY_SEX)
    closed(enclave)
    assert (await refused(ines, BY_BAND))[0] == code
    async with ines.client() as client:
        key = await client.get("/v1/publication-key")
    assert key.json()["code"] == code and memory.tables == 1


async def test_an_expired_grant_publishes_nothing(enclave: Enclave, memory: Recollection) -> None:
    add_project(enclave, charter("etude-2024", AccessLevel.AGGREGATE, "ines", expires_on=date(2024, 6, 30)))
    late = enclave.with_gateway(today=lambda: date(2024, 7, 1)).workspace("ines", "etude-2024")
    assert (await refused(late, BY_SEX))[0] == "grant-expired" and memory.tables == 0


# --- what was published before -----------------------------------------------------------------------------


async def test_the_same_table_again_shows_the_same(ines: Workspace) -> None:
    first, second = await published(ines, BY_BAND), await published(ines, BY_BAND)
    assert first.rows == second.rows


async def test_nearly_the_same_table_gives_nobody_away(enclave: Enclave, ines: Workspace) -> None:
    """All patients, then all but the four oldest: the totals would differ by four people."""
    everybody = P.group_by("centre_id").agg(patients=P.patient_id.nunique())
    most = P.filter(P.age_band != "90+").group_by("centre_id").agg(patients=ibis._.patient_id.nunique())
    first = numbers(await published(ines, everybody))
    add_project(enclave, charter("autre", AccessLevel.AGGREGATE, "rachid"))
    second = numbers(await published(enclave.workspace("rachid", "autre"), most))
    known = {centre: (first[centre], second[centre]) for centre in first}
    differences = [a - b for a, b in known.values() if a is not None and b is not None]
    assert None not in first.values() and all(value is None for value in second.values())
    assert not [d for d in differences if 0 < d < 11]


async def test_what_clashes_meanwhile_is_protected_anew(ines: Workspace, memory: Recollection) -> None:
    asked: list[int] = []

    def somebody_publishes(batches: tuple[Any, ...]) -> None:
        """One of the cells, withheld, while this table is being made."""
        asked.append(1)
        leaf = max(batches, key=lambda batch: len(batch.values))
        memory.cells.append((leaf.family, leaf.vectors.by_patient[0].copy(), False))

    memory.meanwhile.append(somebody_publishes)
    statement = await published(ines, P.group_by("centre_id").agg(patients=P.patient_id.nunique()))
    assert asked and memory.tables == 1
    assert sum(value is None for value in numbers(statement).values()) >= 1


async def test_a_ledger_that_always_clashes_publishes_nothing(enclave: Enclave, memory: Recollection) -> None:
    for _ in range(5):
        memory.meanwhile.append(
            lambda batches: memory.cells.append(("count", batches[-1].vectors.by_patient[0], False))
        )

    class Blind(Recollection):
        def known(self, asker: Any, batches: Any, policy: Any) -> Any:
            told = memory.known(asker, batches, policy)
            return told if memory.cells and self.tables else tuple(t * 0 for t in told)

        def settle(self, asker: Any, batches: Any, policy: Any, *, exact: bool = False) -> Any:
            return memory.settle(asker, batches, policy, exact=exact)

    blind = remembering(enclave, Blind()).workspace("ines", "these-ines")
    assert (await refused(blind, BY_SEX))[0] == "ledger-failed"
    assert memory.tables == 0


# --- the record --------------------------------------------------------------------------------------------


async def test_a_table_is_recorded_before_it_leaves(enclave: Enclave, ines: Workspace) -> None:
    document = Document.from_json((await publish(ines, BY_SEX, "Titre")).content)
    event = enclave.asked()[-1]
    assert (event.what, event.decision, event.details["title"]) == ("gateway.publish", "allowed", "Titre")
    assert event.details["signature"] == document.signature.value
    assert event.details["request_id"] == document.statement.request_id
    await refused(ines, P.group_by("age").agg(n=P.count()))
    assert enclave.asked()[-1].details["code"] == "not-publishable"


async def test_what_can_t_be_recorded_does_not_leave(enclave: Enclave, memory: Recollection) -> None:
    class Broken:
        def append(self, event: object) -> str:
            raise AuditFailure("no")

    broken = enclave.with_gateway(audit=Broken()).workspace("ines", "these-ines")
    assert (await refused(broken, BY_SEX))[0] == "audit-failed"


# --- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (P.group_by("birth_month").agg(n=P.count()), "groups whose list is not known beforehand"),
        (P.group_by("age").agg(n=P.count()), "groups whose list is not known beforehand"),
        (
            P.group_by("sex", "centre_id", "age_band", "registration", "dq_code", a=P.age > 60).agg(
                n=P.count()
            ),
            "more than five groups",
        ),
        (
            BY_SEX.join(P.group_by("sex").agg(n=P.count()), "sex"),
            "several grouped tables: publish them one by one",
        ),
        (BY_SEX.agg(total=ibis._.patients.sum()), "only choosing, ordering and arithmetic after agg"),
        (
            BY_SEX.mutate(part=ibis._.patients / ibis._.patients.sum()),
            "only choosing, ordering and arithmetic after agg",
        ),
        (BY_SEX.fill_null({"patients": 0}), "only choosing, ordering and arithmetic after agg"),
        (
            BY_SEX.mutate(n=ibis.coalesce(ibis._.patients, 0)),
            "a condition on a number that may be withheld",
        ),
        (
            BY_SEX.mutate(n=ibis.ifelse(ibis._.patients > 5, 1, 0)),
            "a condition on a number that may be withheld",
        ),
        (BY_SEX.select("sex"), "no protected numbers in it"),
        (BY_SEX.union(BY_SEX), "only choosing, ordering and arithmetic after agg"),
        (table("centres").group_by("region").agg(n=ibis._.count()), "no protected numbers in it"),
    ],
)  # fmt: skip
async def test_what_can_t_be_published_says_why(ines: Workspace, expression: ibis.Table, why: str) -> None:
    assert await refused(ines, expression) == ("not-publishable", why)


async def test_rows_and_minima_are_refused_as_ever(enclave: Enclave, ines: Workspace) -> None:
    assert (await refused(ines, P.filter(P.sex == "F")))[0] == "row-level"
    assert (await refused(ines, P.group_by("sex").agg(n=P.age.min())))[0] == "measure-not-releasable"
    assert (await refused(enclave.workspace("paul", "bac-a-sable"), P))[0] == "row-level"


async def test_too_many_cells(ines: Workspace) -> None:
    many = ibis.memtable({"sex": ["F"] * 2_001, "mot": [str(i) for i in range(2_001)]})
    assert (await refused(ines, BY_SEX.join(many, "sex")))[0] == "too-many-cells"
    assert (await refused(ines, D.group_by("cisp2", "centre_id").agg(n=D.count())))[0] == "too-many-cells"


@pytest.mark.parametrize("title", ["", " ", "x" * 121, "x" * 10_000, "a\\nb", "a\\u0000b", "\\u202eabc"])
async def test_a_title_is_one_readable_line(ines: Workspace, title: str) -> None:
    code, why = await refused(ines, BY_SEX, title)
    assert (code, why) == ("not-publishable", "a title is one line of 1 to 120 characters")


@pytest.mark.parametrize("strange", ["\u202egpj.exe", "a\x00b", "a\x1b[31m", "a\nb", "a\u200bb", "a\u2028b"])
async def test_names_and_labels_are_readable_too(ines: Workspace, strange: str) -> None:
    labels = ibis.memtable({"sex": ["F", "M"], "word": [strange, "M"]})
    assert (await refused(ines, BY_SEX.rename({strange: "patients"})))[0] in ("malformed", "not-publishable")
    for expression in (
        BY_SEX.join(labels, "sex"),
        BY_SEX.mutate(word=ibis.literal(strange)),
        P.group_by(word=ibis.ifelse(P.sex == "F", strange, "M")).agg(n=P.count()),
    ):
        why = "a name or label with characters that are not seen"
        assert await refused(ines, expression) == ("not-publishable", why)


async def test_unicode_titles_are_kept(ines: Workspace) -> None:
    assert (await published(ines, BY_SEX, "Œdèmes & <b>ß</b> 糖尿病")).title == "Œdèmes & <b>ß</b> 糖尿病"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"title": "a"}',
        b'{"title": 1, "query": {}}',
        b'{"title": "a", "query": []}',
        b"[" * 9_999,
        b'{"title": "a", "query": {}, "more": 1}',
        b'{"title": "a", "query": {"protocol": 1, "nodes": []}}',
    ],
)
async def test_bodies_of_another_form_are_malformed(ines: Workspace, content: bytes) -> None:
    response = await post(ines, content)
    assert (response.status_code, response.json()["code"]) == (422, "malformed")


async def test_all_cells_small(ines: Workspace) -> None:
    rare = D.filter(D.cisp2 == "K77")
    statement = await published(ines, rare.group_by("centre_id").agg(patients=ibis._.patient_id.nunique()))
    assert statement.shown == 0 and statement.withheld == 4 and statement.total in ((None, None), None)
    assert statement.reasons and statement.kept == 0


async def test_a_hierarchy_with_holes(ines: Workspace) -> None:
    """SC has no chapter; codes of one chapter only; a class of the person's own beside the codes."""
    codes = D.filter(D.cisp2.isin(["K86", "K74", "SC", "R74"]))
    group = ibis.cases((codes.cisp2.isin(["K86", "R74"]), "40-49"), else_="50+")
    statement = await published(
        ines, codes.group_by("cisp2", classe=group).agg(patients=ibis._.patient_id.nunique())
    )
    shown = numbers(statement)
    assert shown["SC", "50+"] is None and shown["R74", "40-49"] in (None, 1_500)
    assert len(shown) == 4


async def test_unicode_labels(ines: Workspace) -> None:
    labels = ("=1+1", "École « été »")
    group = ibis.cases((P.sex == "F", labels[0]), else_=labels[1])
    statement = await published(ines, P.group_by(classe=group).agg(patients=ibis._.patient_id.nunique()))
    assert set(numbers(statement)) == set(labels)


def test_the_document_is_json_of_the_reference(warehouse: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/reference/publication-record.md").read_text(encoding="utf-8")
    for name in Statement.__dataclass_fields__:
        assert f"`{name}`" in page, name


async def test_tables_about_physicians_protect_physicians(enclave: Enclave) -> None:
    add_project(enclave, charter("dmg", AccessLevel.AGGREGATE, "rachid", tables={"physicians": None}))
    workspace, practices = enclave.workspace("rachid", "dmg"), table("physicians")
    statement = await published(workspace, practices.group_by("centre_id").agg(medecins=practices.count()))
    assert set(numbers(statement, "medecins").values()) == {None}, "five GPs a centre"
    assert statement.total in ((None, 20), (None, None))


async def test_conditions_are_withheld_together(ines: Workspace) -> None:
    """Two conditions that make up the whole: where one is withheld, the other would be the rest."""
    measures = {
        "n": P.count(),
        "old": P.count(where=P.age_band == "90+"),
        "young": P.count(where=P.age_band != "90+"),
    }
    statement = await published(ines, P.group_by("centre_id").agg(**measures))
    for centre, number in numbers(statement, "n").items():
        assert number == 750
        assert numbers(statement, "old")[centre] is None and numbers(statement, "young")[centre] is None


async def test_conditions_that_have_nothing_to_do_with_each_other(ines: Workspace) -> None:
    """A small one takes none of the others with it."""
    has = {
        code: P.patient_id.isin(D.filter(D.cisp2 == code).patient_id) for code in ("K86", "K74", "R74", "K77")
    }
    measures = {code: P.patient_id.nunique(where=condition) for code, condition in has.items()}
    statement = await published(ines, P.group_by("sex").agg(n=P.patient_id.nunique(), **measures))
    assert set(numbers(statement, "K77").values()) == {None}
    for column in ("n", "K86", "K74", "R74"):
        assert None not in numbers(statement, column).values()


async def test_conditions_that_make_up_a_third_are_protected_with_it(ines: Workspace) -> None:
    """90+ (4 patients) and 60 to 89 are 60 and over: where two are shown, so is the last."""
    bands = {"oldest": ["90+"], "old": ["60-69", "70-79", "80-89"]}
    bands["all"] = [*bands["oldest"], *bands["old"]]
    measures = {name: P.count(where=P.age_band.isin(labels)) for name, labels in bands.items()}
    statement = await published(ines, P.group_by("sex").agg(n=P.count(), **measures))
    shown = [numbers(statement, name) for name in bands]
    for sex in ("F", "M"):
        assert shown[0][sex] is None and (shown[1][sex] is None or shown[2][sex] is None)


async def test_what_is_left_of_three_measures_is_withheld_like_a_fourth(ines: Workspace) -> None:
    """Nobody asked for the 4 over 90; all less the young less the others is what they are."""
    young = P.count(where=P.age_band.isin(["40-49", "50-59"]))
    others = P.count(where=P.age_band.isin(["60-69", "70-79", "80-89"]))
    statement = await published(ines, P.group_by("centre_id").agg(n=P.count(), young=young, others=others))
    for centre in numbers(statement, "n"):
        assert None in [numbers(statement, name)[centre] for name in ("n", "young", "others")]
    assert statement.total and None in statement.total


async def test_a_table_without_groups(ines: Workspace) -> None:
    few, many = P.age_band == "90+", P.age_band == "60-69"
    asked = P.agg(n=P.count(), many=P.count(where=many), few=P.count(where=few))
    statement = await published(ines, asked, "Tous")
    assert statement.rows[0][0] == PATIENTS and statement.rows[0][1] is not None
    assert statement.rows[0][2] is None and statement.total is None
    assert (statement.shown, statement.withheld) == (2, 1)


async def test_three_groups(ines: Workspace) -> None:
    asked = P.group_by("age_band", "sex", "centre_id").agg(patients=P.patient_id.nunique())
    statement = await published(ines, asked)
    shown = numbers(statement)
    assert len(shown) == 10 * 2 * 4 and shown["60-69", "F", "C1"] is not None
    assert all(value is None or value >= 11 for value in shown.values())
