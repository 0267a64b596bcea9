"""What the dashboards' notebooks show, held to what is counted apart: numbers are the right ones, withheld
ones stay withheld, and frozen ones are exact."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import p4dp_sdk as p4dp
from hub_config.warehouse.snapshot import open_snapshot
from p4dp_sdk.indicators.registry import dashboards
from tests.benchmarks.usability import truth_of
from tests.services.sdk.conftest import Connect, connect, enclave, warehouse

from .notebooks import TEMPLATES, read

__all__ = ["connect", "enclave", "warehouse"]  # fixtures

# of preset A (1.0), before objections, as the published dashboard shows them
PUBLISHED = {
    "K86": 3934, "R74": 3553, "SC": 2587, "R78": 2564, "L03": 2397, "T90": 2253, "A62": 2047, "R05": 1990,
    "P76": 1917, "P06": 1889, "A44": 1642, "A50": 1639, "L86": 1517, "R75": 1443, "R76": 1403, "L99": 1268,
    "T93": 1237, "L15": 1206, "L87": 1178, "U71": 1135,
}  # fmt: skip
EVER = ("2000-01-01", "2022-12-31")


@pytest.fixture
def ws(connect: Connect) -> p4dp.Workspace:
    return connect("ines", "these-ines")


def cells(name: str) -> list[str]:
    return [cell.text for cell in read(TEMPLATES / f"{name}.ipynb") if cell.is_code]


def test_each_dashboard_has_its_notebook() -> None:
    written = {path.stem for path in TEMPLATES.glob("*.ipynb")}
    assert {"carnet-de-l-interne"} | {f"tableau-{name}" for name in set(dashboards()) - {"carnet"}} <= written


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("tableau-*.ipynb")), ids=lambda path: path.stem)
def test_a_dashboard_is_short_and_freezes_only_when_told(path: Path) -> None:
    code = cells(path.stem)
    questions = [cell for cell in code[1:] if "ws.request_release(" not in cell]
    assert all(len(cell.splitlines()) <= 5 for cell in questions)
    assert (
        [cell for cell in code if "publish(" in cell] == [c for c in code if c.startswith("if figer:")] != []
    )


def counted(snapshot: Any) -> Counter[str]:
    """Diagnosis rows by code, of everybody who did not object."""
    with truth_of(snapshot) as backend:
        found = backend.table("diagnoses").group_by("cisp2").agg(n=lambda t: t.count()).execute()
    return Counter(dict(zip(found["cisp2"].fillna("SC"), found["n"], strict=True)))


def test_the_frozen_ranking_is_the_published_one(ws: p4dp.Workspace, warehouse: Path) -> None:
    """A tenth of each published number; who objected is not in what is shown, and nobody is added."""
    exact = ws.indicators["diagnostics"].top(20, between=EVER).publish("Les 20 diagnostics").frame
    shown = exact.dropna(subset=["rows"]).set_index("cisp2")["rows"]
    truth = counted(open_snapshot(warehouse, 1))
    assert len(shown) >= 8 and set(shown.index[:10]) <= set(PUBLISHED)
    assert {code: int(number) for code, number in shown.items()} == {
        code: truth[code] for code in shown.index
    }
    for code in shown.index.intersection(list(PUBLISHED)):
        before = PUBLISHED[code] / 10
        assert 0.95 * before - 1 <= shown[code] <= before + 1, (
            f"{code}: a few percent object, nobody is added"
        )


def test_a_rounded_numerator_is_not_read_as_everybody(ws: p4dp.Workspace) -> None:
    """Where nearly all are up to date, a draft gives both numbers as one: 100 % would be a lie."""
    result = ws.indicators["vaccination_dtp"].measure("age_band", ages=[25, 45, 65])
    frame = result.frame.dropna(subset=["numerator", "denominator"])
    same = frame[(frame["denominator"] > 0) & (frame["numerator"] >= frame["denominator"])]
    rounded = {label[0] for m in result.counts.attrs["p4dp"].measures.values() for label in m.snapped_labels}
    assert same[same["age_band"].isin(rounded)]["share"].isna().all()


def test_years_until_a_day_are_whole() -> None:
    years = p4dp.indicators.years_until
    assert years("2022-12-31", 5) == (date(2018, 1, 1), date(2022, 12, 31))
    assert years("2022-12-30", 2) == (date(2020, 1, 1), date(2021, 12, 31))


def test_boards_give_all_their_shares_at_once(ws: p4dp.Workspace) -> None:
    made = ws.indicators.dashboard("diabete").known().measure()
    assert isinstance(made.frame, pd.DataFrame) and made.plot()
    assert "Diabète : HbA1c deux fois par an" in made.frame["label"].tolist()
    assert "Médecins participants" in ws.indicators.dashboard("general").measure()._repr_html_()
