"""Indicators through the real gateway: drafts near the truth, publication tables that hold within their limit
of descriptions, funnels and rates of what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib
import pytest

import p4dp_sdk as p4dp
from hub_config.gateway.publication.selectors import descriptions
from hub_config.governance.persons import actions as persons
from hub_config.governance.persons.facts import Link, Standing
from hub_config.warehouse.snapshot import open_snapshot
from hub_config.warehouse.synthesis.training import PUBLISHED_INTERN
from p4dp_sdk.indicators.indicator import Indicator
from p4dp_sdk.indicators.measure import Measure
from p4dp_sdk.indicators.people import active_list
from p4dp_sdk.indicators.registry import dashboards, measures
from p4dp_sdk.indicators.window import Window
from p4dp_sdk.wire.errors import ErrorCode
from tests.benchmarks.usability import truth_of
from tests.services.gateway.peer_enclave import Enclave
from tests.unit.publication.definitions import asked, seen

from .conftest import Connect

matplotlib.use("Agg")
EVER = {"between": ("2000-01-01", "2022-12-31")}
MINE = tuple(
    name for name in measures() if name.partition("_")[0] in
    {"general", "motifs", "diagnostics", "polymedication", "dependance", "exposition", "activite", "carnet"}
)  # fmt: skip
NOT_GRANTED = {"general_medecins"}  # a project on patients has no table of GPs
DRAFT_ONLY = {"carnet_competences"}  # any of three columns, seven times: 14 alternatives
GROUPS: Mapping[str, str] = {"motifs": "cisp2", "diagnostics": "cisp2", "carnet": "level"}


@pytest.fixture
def ws(connect: Connect) -> p4dp.Workspace:
    return connect("ines", "these-ines")


def group_of(name: str) -> str:
    return GROUPS.get(name, "centre_id" if name.startswith("carnet") else "sex")


def test_every_measure_is_answered(ws: p4dp.Workspace) -> None:
    for name in MINE:
        if name in NOT_GRANTED:
            continue
        result = ws.indicators[name].measure(group_of(name))
        assert len(result.frame) and "p4dp" in result.frame.attrs, name
        assert result._repr_html_() and repr(result), name


def test_drafts_are_near_the_truth(ws: p4dp.Workspace, warehouse: Path) -> None:
    """Each number of patients that is shown is off by no more than blur and a rounding allow."""
    shown = 0
    with truth_of(open_snapshot(warehouse, 1)) as backend:
        tables = SimpleNamespace(**{name: backend.table(name) for name in ("patients", "consultations",
            "observation_periods", "prescriptions", "history")})  # fmt: skip
        for name in (
            "general_file_active",
            "polymedication_cumulee",
            "dependance_mention",
            "exposition_tabac",
        ):
            draft = ws.indicators[name].measure("sex").counts.set_index("sex")
            exact = (
                Indicator(measures()[name], tables, date(2022, 12, 31)).measure("sex").counts.set_index("sex")
            )
            for column in draft:
                for sex in ("F", "M"):
                    if draft.loc[sex, column] is not None and not draft.isna().loc[sex, column]:
                        shown += 1
                        assert abs(int(draft.loc[sex, column]) - int(exact.loc[sex, column])) <= 20, (
                            name,
                            column,
                        )
    assert shown >= 12


def test_a_published_share_is_exact_and_keeps_its_parts(ws: p4dp.Workspace, warehouse: Path) -> None:
    made = ws.indicators["dependance_mention"].publish("sex", title="Mentions au dossier, par sexe")
    assert made.table is not None and made.table.verify(ws.publication_key())
    frame = made.frame.set_index(["sex", "indicator"])
    row = frame.loc[("F", "tabac")]
    with truth_of(open_snapshot(warehouse, 1)) as backend:
        tables = SimpleNamespace(**{name: backend.table(name) for name in
            ("patients", "consultations", "observation_periods", "history")})  # fmt: skip
        exact = Indicator(measures()["dependance_mention"], tables, date(2022, 12, 31)).measure("sex").frame
    truth = exact.set_index(["sex", "indicator"]).loc[("F", "tabac")]
    assert row.tolist() == pytest.approx(truth.tolist())
    assert "figé" in made._repr_html_()


def test_a_draft_is_published_as_it_was_asked(ws: p4dp.Workspace) -> None:
    top = ws.indicators["diagnostics"].top(20, **EVER)
    made = top.publish("Les vingt premiers diagnostics")
    assert len(made.frame) == 20 and made.table is not None
    assert made.frame["cisp2"].iloc[0] == "K86" and "SC" in made.frame["cisp2"].tolist()
    assert made.titled.iloc[0, 0].startswith("K86 ")


def test_ones_own_stands_beside_the_base(ws: p4dp.Workspace) -> None:
    """With the base as one's own: all ratios are 1."""
    made = ws.indicators["diagnostics"].compare(ws.tables, n=5, **EVER)
    assert made.frame["ratio"].tolist() == pytest.approx([1.0] * 5)
    assert made.plot() and "K86" in made._repr_html_()


def test_an_interns_log_beside_everybodys(enclave: Enclave, connect: Connect) -> None:
    person = Link("ines", "preset A × 0.1", Standing.INTERN, PUBLISHED_INTERN)
    enclave.govern(persons.link, person)
    ws = connect("ines", "these-ines")
    log = ws.indicators["carnet"]
    mine = log.on(ws.me).measure("cisp2", **EVER)
    assert mine.frame.set_index("cisp2")["rows"]["R74"] == pytest.approx(51, abs=25)
    made = log.compare(ws.me, n=5, **EVER)
    assert made.frame["cisp2"].iloc[0] == "R74" and len(made.frame) == 5
    assert log.on(ws.me).top(3, **EVER).frame["rows"].notna().all()


def recorded(column: str) -> Measure:
    """One numerator of the recording of tobacco, alcohol and drugs."""
    return replace(measures()["dependance_mention"], numerators={column: column})


def test_a_funnel_between_centres(ws: p4dp.Workspace) -> None:
    funnel = ws.indicators.of(recorded("tobacco")).funnel()
    shown = funnel.frame.dropna()
    assert len(shown) >= 4 and shown["target"].between(0.05, 0.4).all()
    assert (shown["low_99_8"] < shown["low_95"]).all() and (shown["high_95"] < shown["high_99_8"]).all()
    assert funnel.plot() is not None and "hasard" in funnel._repr_html_()
    with pytest.raises(p4dp.P4DPError, match="il n'y a pas de part"):
        ws.indicators["general_file_active"].funnel()


def with_diagnosis(tables: Any, window: Window) -> Any:
    patients, diagnoses = active_list(tables, window.end), tables.diagnoses
    recent = diagnoses.filter(window.holds(diagnoses.date))
    return patients.mutate(coded=patients.patient_id.isin(recent.patient_id))


CODED = replace(
    measures()["general_file_active"], id="codes", population=with_diagnosis, numerators={"coded": "coded"}
)


@pytest.mark.parametrize("standard", ["base", "esp2013"])
def test_rates_are_standardised_from_what_is_shown(standard: str, ws: p4dp.Workspace) -> None:
    """About half of all have a diagnosis: cells of a centre, a sex and half of life are large enough."""
    made = ws.indicators.of(CODED).standardised(standard=standard, ages=[50])
    known = made.frame.dropna(subset=["share"])
    assert len(known) >= 3 and (known["covered"] >= 0.9).all()
    assert (known["low"] < known["share"]).all() and (known["share"] < known["high"]).all()
    assert "Fay" in made._repr_html_()


def test_rates_that_rest_on_withheld_cells_are_not_given(ws: p4dp.Workspace) -> None:
    made = ws.indicators["dependance_mention"].only("tabac").standardised(ages=[50])
    assert made.frame["share"].isna().any() and "•" in made._repr_html_() and made.plot()


def test_a_series_of_dates(ws: p4dp.Workspace) -> None:
    result = ws.indicators["general_file_active"].measure(every="year", between=("2018-01-01", "2022-12-31"))
    assert result.frame["at"].tolist() == [f"{year}-12-31" for year in range(2018, 2023)]
    assert result.plot() is not None


@pytest.mark.parametrize("by", [(), ("sex",), ("sex", "age_band")], ids=["whole", "by sex", "by sex and age"])
@pytest.mark.parametrize("name", [name for name in MINE if name not in DRAFT_ONLY])
def test_a_publication_table_can_hold_its_definition(name: str, by: tuple[str, ...]) -> None:
    """At most the 24 descriptions of ADR 0015, also with classes of age on another day."""
    tables = SimpleNamespace(**{table: seen(table) for table in _names()})
    indicator = Indicator(measures()[name], tables, date(2022, 12, 31))
    keys = () if name == "general_medecins" else by
    for when in ({}, {"at": "2021-06-30"}):
        assert descriptions(asked(indicator.expr(keys, **when))) <= 24


def test_what_can_only_be_a_draft_says_so(ws: p4dp.Workspace) -> None:
    with pytest.raises(p4dp.EnclaveError) as refusal:
        ws.indicators["carnet_competences"].publish(title="Compétences")
    assert refusal.value.code is ErrorCode.NOT_PUBLISHABLE


def _names() -> list[str]:
    from p4dp_sdk.catalogue.load import load_catalogue

    return [name for name in load_catalogue().tables if not name.startswith(("snds", "objections"))]


def test_mistakes_are_said_in_french(ws: p4dp.Workspace) -> None:
    for wrong, hint in (
        (lambda: ws.indicators["polymedication_continu"], "polymedication_continue"),
        (lambda: ws.indicators.dashboard("diabète"), "diabete"),
        (lambda: ws.indicators["dependance_mention"].measure("sexe"), "sex"),
        (lambda: ws.indicators["motifs"].measure(at="2023-02-01"), "2022-12-31"),
        (lambda: ws.indicators["motifs"].measure(between=("2022-02-01", "2022-01-01")), "between="),
    ):
        with pytest.raises(p4dp.P4DPError) as refusal:
            wrong()
        assert "Que faire" in str(refusal.value) and hint in str(refusal.value)


def test_dashboards_are_listed(ws: p4dp.Workspace) -> None:
    assert [each.id for each in ws.indicators.dashboard("polymedication")] == [
        f"polymedication_{name}" for name in ("simultanee", "cumulee", "continue")
    ]
    page = ws.indicators._repr_html_()
    assert all(board.label_fr in page for board in dashboards().values())
    assert p4dp.indicators.measures()["motifs"].label_fr == "Motifs les plus fréquents"


def test_without_the_grant_the_table_is_named(ws: p4dp.Workspace) -> None:
    with pytest.raises(p4dp.P4DPError) as refusal:
        ws.indicators["general_medecins"].measure("sex")
    assert "physicians" in str(refusal.value)
