"""`ws.quality.changes` through the real gateway: what a load did to the data is found, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import p4dp_sdk as p4dp
from hub_config.gateway.engine import EngineLimits
from hub_config.gateway.keyring import Keyring
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.snapshot import build_snapshot, open_snapshot
from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from p4dp_sdk.errors import EnclaveError, UnknownNameError
from p4dp_sdk.quality import Quality
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import Enclave, add_project, charter, demonstration
from tests.services.sdk.conftest import Connect

_DERIVED = ("observation_periods", "body_mass", "objections")
_LOADED = (
    "UPDATE biometrics SET value = NULL, value_raw = NULL WHERE centre_id = 'CLF' AND patient_no % 3 < 2",
    "UPDATE lab_results SET value_raw = 1e6, value = 1e6 WHERE patient_no % 12 = 0",
    "DELETE FROM vaccinations WHERE centre_id = 'STE'",
)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions: then a centre lost two thirds of its weights, one laboratory wrote nonsense, and one
    centre's vaccinations were not exported."""
    directory = tmp_path_factory.mktemp("warehouse")
    synthesise(directory, preset=Preset.A, scale=0.2)
    add_version(directory, *_LOADED)
    return directory


def add_version(warehouse: Path, *changes: str) -> None:
    """The first once more, after `changes`."""
    first = open_snapshot(warehouse, 1)
    source = first.manifest.source
    with build_snapshot(warehouse, source=source, synthetic=True, public=False) as building:
        run = building.connection.execute
        run(f"ATTACH '{first.database}' AS first (READ_ONLY)")
        for name in building.catalogue.tables:
            if name not in _DERIVED:
                run(f'INSERT INTO "{name}" BY NAME SELECT * FROM first."{name}"')
        run("DETACH first")
        for change in changes:
            run(change)
        dates = first.manifest
        building.finish(dates.reference_date, dates.first_date, dates.last_date)


@pytest.fixture
def enclave(warehouse: Path, tmp_path: Path) -> Iterator[Enclave]:
    """With the same secrets each time: which numbers are withheld is drawn from them."""
    with demonstration(warehouse, tmp_path, EngineLimits(memory_bytes=1024**3, threads=2)) as made:
        yield made.with_gateway(guard=replace(made.gateway.guard, keyring=Keyring(bytes(32))))


@pytest.fixture
def ws(enclave: Enclave, connect: Connect) -> p4dp.Workspace:
    add_project(enclave, charter("suivi", AccessLevel.AGGREGATE, "lea", snapshot=2))
    return connect("lea", "suivi")


def test_what_a_load_did_is_found(ws: p4dp.Workspace) -> None:
    found = ws.quality.changes()
    assert list(found.frame.columns) == ["table", "what", "name", "before", "after", "moved", "unit"]
    said = {(row.table, row.name): row for row in found.frame.itertuples() if row.what == "rempli (%)"}
    assert set(said) == {("Examens", "Valeur harmonisée"), ("Biométries", "Valeur harmonisée")}
    examens = said["Examens", "Valeur harmonisée"]
    assert (examens.before, examens.after, examens.unit) == (
        pytest.approx(99.8, abs=0.2),
        pytest.approx(91.4, abs=2),
        "points",
    )
    rule = found.frame[found.frame["name"] == "Valeur hors bornes, écartée"]
    assert rule["moved"].tolist() == [pytest.approx(8.4, abs=2)]
    assert found.frame["moved"].abs().is_monotonic_decreasing


def test_where_it_happened(ws: p4dp.Workspace) -> None:
    found = ws.quality.changes(by="centre_id").frame
    emptied = found[(found["table"] == "Biométries") & (found["what"] == "rempli (%)")]
    assert emptied["centre_id"].tolist() == ["CLF"]
    assert emptied["moved"].tolist() == [pytest.approx(-67, abs=5)]
    gone = found[(found["table"] == "Vaccinations") & (found["centre_id"] == "STE")]
    assert gone["what"].tolist() == ["nombre de lignes"]
    assert gone["after"].isna().all()


def test_it_is_told_in_words(ws: p4dp.Workspace) -> None:
    found = ws.quality.changes("vaccinations", by="centre_id")
    for told in (repr(found), found._repr_html_()):
        assert "Ce qui a bougé de plus de 5 points depuis la version 1" in told
        assert "masqué, ou a disparu" in told
        assert "•" in told
    assert "changes" in repr(ws.quality)
    many = ws.quality.changes("lab_results", by="month", points=1)
    assert len(many.frame) > 20
    assert f"Et {len(many.frame) - 20} autres" in repr(many)
    assert repr(many).count("points") <= 21


def test_by_centre_and_month(ws: p4dp.Workspace) -> None:
    found = ws.quality.changes("lab_results", by=("centre_id", "month")).frame
    assert {"centre_id", "month"} <= set(found.columns)


def test_where_nothing_moved_it_is_said(ws: p4dp.Workspace) -> None:
    found = ws.quality.changes("diagnoses", by="centre_id")
    assert found.frame.empty
    assert "Rien que l'on puisse dire n'a bougé de plus de 5 points depuis la version 1" in repr(found)
    assert "ni ce qui ne touche qu&#x27;un ou deux cabinets" in found._repr_html_()


def test_it_is_drawn(ws: p4dp.Workspace) -> None:
    axes = ws.quality.plot("biometrics", "changes", by="centre_id")
    assert "remplissage depuis la version 1" in axes.get_title(loc="left")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Valeur harmonisée"]


def test_without_a_version_before_it_is_said(connect: Connect) -> None:
    with pytest.raises(EnclaveError) as refused:
        connect("ines", "these-ines").quality.changes()
    assert refused.value.code is ErrorCode.FIRST_VERSION
    assert "après le prochain chargement" in str(refused.value)


def test_what_is_not_there_is_said(ws: p4dp.Workspace) -> None:
    for ask in (
        lambda: ws.quality.changes("nothing"),
        lambda: ws.quality.changes(ws.tables.biometrics),
        lambda: ws.quality.changes("centres"),
        lambda: ws.quality.changes("patients", by="month"),
        lambda: ws.quality.changes(by="physician_id"),
        lambda: ws.quality.changes(by=("measure", "analyte")),  # no table has both
    ):
        with pytest.raises(UnknownNameError):
            ask()
    with pytest.raises(ValueError, match="points"):
        ws.quality.changes(points="beaucoup")
    twice = ws.quality.changes("biometrics", by=["centre_id", "centre_id"], points="5")
    assert twice.frame["centre_id"].tolist() == ["CLF"]
    narrowed = Quality(ws.tables, ws.catalogue, 2013, 2022)
    with pytest.raises(EnclaveError) as refused:
        narrowed.changes()
    assert refused.value.code is ErrorCode.PREVIOUS_VERSION


def test_a_project_that_was_granted_little_sees_that(enclave: Enclave, connect: Connect) -> None:
    """No dates, no quality codes, nobody's number; of one table nothing but what it is grouped by."""
    tables = {"biometrics": frozenset({"centre_id", "value"}), "lab_results": frozenset({"centre_id"})}
    little = charter("peu", AccessLevel.AGGREGATE, "lea", snapshot=2, tables=tables)
    add_project(enclave, little)
    ws = connect("lea", "peu")
    assert ws.quality.changes(by="centre_id").frame["centre_id"].tolist() == ["CLF"]
    assert ws.quality.changes("lab_results", by="centre_id").frame.empty
    assert len(ws.quality.changes().frame) == 1
    with pytest.raises(UnknownNameError):
        ws.quality.changes(by="month")


def test_in_english(ws: p4dp.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "en")
    told = repr(ws.quality.changes("biometrics", by="centre_id"))
    assert "counts as next to nothing" in told
    assert "Moved by more than 5 points since version 1 (data until 2022-12-31)" in told
    assert "filled (%)" in told
