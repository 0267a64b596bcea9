"""The clinical indicators on a synthetic region: exactly what a reckoning by hand says, and through the
gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from hub_config.gateway.publication.selectors import descriptions
from hub_config.warehouse.snapshot import open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Unit
from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.indicators.clinical import MEASURES
from p4dp_sdk.indicators.compile import Asked, question
from p4dp_sdk.indicators.measure import Measure
from p4dp_sdk.indicators.window import Window
from tests.benchmarks.usability import truth_of
from tests.services.sdk.clinical_by_hand import TABLES, ByHand, Said, plain, wanted
from tests.services.sdk.conftest import Connect
from tests.unit.publication.definitions import asked, seen

REFERENCE = date(2022, 12, 31)
DATES = (REFERENCE, date(2020, 2, 29), date(2016, 6, 15))
DRAFTS_ONLY = {"diabete_oeil", "inr_ttr"}  # their definitions hold more than a publication may
MOST_DESCRIPTIONS = 24
names = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.id)


@pytest.fixture(scope="module")
def tables(warehouse: Path) -> Iterator[Any]:
    with truth_of(open_snapshot(warehouse, 1)) as backend:
        known = [table.name for table in load_catalogue().tables.values() if table.unit is Unit.PERSON]
        yield SimpleNamespace(**{name: backend.table(name) for name in known})


@pytest.fixture(scope="module")
def by_hand(tables: Any) -> dict[date, dict[str, Said]]:
    frames = {name: plain(wanted(getattr(tables, name)).to_pandas()) for name in TABLES}
    return {on: ByHand(frames, on).all() for on in DATES}


@pytest.fixture(scope="module")
def sex_of(tables: Any) -> Mapping[int, str]:
    frame = tables.patients.select("patient_id", "sex").execute()
    return dict(zip(frame.patient_id, frame.sex, strict=True))


@pytest.mark.parametrize("on", DATES, ids=str)
@names
def test_each_patient_as_by_hand(
    measure: Measure, on: date, tables: Any, by_hand: dict[date, dict[str, Said]]
) -> None:
    frame = measure.population(tables, Window.before(on, measure.window)).execute()
    assert frame.patient_id.is_unique
    expected = by_hand[on][measure.id]
    said = {name: set(frame[frame[name]].patient_id) for name in expected if name != "counted"}
    assert {"counted": set(frame.patient_id), **said} == expected


@names
def test_the_reckoning_has_something_to_say(measure: Measure, by_hand: dict[date, dict[str, Said]]) -> None:
    """Each measure counts people, and each condition holds for some of them on one day or another."""
    assert by_hand[REFERENCE][measure.id]["counted"]
    for name in set(by_hand[REFERENCE][measure.id]) - {"unknown"}:
        assert any(by_hand[on][measure.id][name] for on in DATES), name


@names
def test_numerators_and_denominators(
    measure: Measure, tables: Any, by_hand: dict[date, dict[str, Said]], sex_of: Mapping[int, str]
) -> None:
    """By sex, as one question."""
    window = Window.before(REFERENCE, measure.window)
    answer = question(measure, tables, Asked((window,), ("sex",))).execute().set_index("sex")
    said = by_hand[REFERENCE][measure.id]
    inside = said[measure.denominator] if measure.denominator else said["counted"]
    columns = list(measure.numerators.values())
    for name in answer.index:
        here = {who for who in inside if sex_of[who] == name}
        counts = [len(here & said[column]) for column in columns]
        shown = answer.loc[name]
        numerators = [shown["numerator"]] if len(columns) == 1 else [shown[key] for key in measure.numerators]
        assert (shown["denominator"], numerators) == (len(here), counts)


@names
def test_what_a_publication_may_hold(measure: Measure) -> None:
    known = [table.name for table in load_catalogue().tables.values() if table.unit is Unit.PERSON]
    catalogue = SimpleNamespace(**{name: seen(name) for name in known})
    window = Window.before(REFERENCE, measure.window)
    by = Asked((window,), ("sex", "centre_id", "age_band"), reference=REFERENCE)
    said = descriptions(asked(question(measure, catalogue, by)))
    assert (said > MOST_DESCRIPTIONS) is (measure.id in DRAFTS_ONLY), said


@names
def test_through_the_gateway(
    measure: Measure, connect: Connect, by_hand: dict[date, dict[str, Said]], sex_of: Mapping[int, str]
) -> None:
    """A draft by sex, with its remarks; then the publication table, exact where it shows a number."""
    workspace = connect("ines", "these-ines")
    indicator = workspace.indicators[measure.id]
    draft = indicator.measure(by="sex")
    assert {"sex", "denominator", "numerator", "share"} <= set(draft.frame.columns)
    assert measure.label_fr in indicator.explain("fr")
    if measure.id in DRAFTS_ONLY:
        with pytest.raises(EnclaveError):
            indicator.publish(by="sex", title=measure.label_fr)
        return
    published = indicator.publish(by="sex", title=measure.label_fr)
    assert published.table is not None and published.table.verify(workspace.publication_key())
    said = by_hand[REFERENCE][measure.id]
    inside = said[measure.denominator] if measure.denominator else said["counted"]
    exact = pd.Series([sex_of[who] for who in inside]).value_counts()
    shown = published.counts.set_index("sex")["denominator"].dropna()
    parts = [
        part
        for column in measure.numerators.values()
        for part in (inside & said[column], inside - said[column])
    ]
    least = {name: min(sum(sex_of[who] == name for who in part) for part in parts) for name in exact.index}
    assert len(shown) or exact.max() < 40 or max(least.values()) < 11
    assert {name: int(n) for name, n in shown.items()} == {name: int(exact[name]) for name in shown.index}
