"""`ws.quality` through the real gateway: protected as any question, masked where it must be, in French."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.errors import UnknownNameError
from tests.services.sdk.conftest import Connect


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def ws(connect: Connect) -> p4dp.Workspace:
    return connect("ines", "these-ines")


def test_completeness_of_a_table(ws: p4dp.Workspace) -> None:
    found = ws.quality.completeness("lab_results")
    frame = found.frame.set_index("column")
    assert frame.loc["Valeur harmonisée", "percent"] == pytest.approx(99.8, abs=0.1)
    assert pd.isna(frame.loc["Analyse", "missing"])  # none is missing: that is withheld too
    assert "Valeur brute" not in frame.index  # not without the grant on single rows
    assert "% rempli" in found._repr_html_()
    assert "•" in found._repr_html_()


def test_completeness_by_centre_and_month_withholds_what_is_small(ws: p4dp.Workspace) -> None:
    found = ws.quality.completeness("biometrics", by=("centre_id", "month"), columns=["value"])
    frame = found.frame
    assert {"centre_id", "month", "rows", "missing", "percent"} <= set(frame.columns)
    assert frame["month"].str.fullmatch(r"\d{4}-\d{2}").all()
    assert frame["rows"].isna().any()
    assert "•" in found._repr_html_()
    shown = frame["rows"].dropna()
    assert (shown[shown > 0] >= 8).all()  # 11 patients at least, blurred by a few


def test_rules_that_fired_in_words(ws: p4dp.Workspace) -> None:
    frame = ws.quality.rules("vaccinations").frame
    assert "Vaccination vide" in set(frame["rule"])
    assert list(frame.columns) == ["rule", "n"]
    by_centre = ws.quality.rules("lab_results", by="centre_id").frame
    assert pd.api.types.is_integer_dtype(by_centre["n"])
    assert by_centre["n"].isna().any()
    assert "Unité convertie" in set(ws.quality.rules().frame.iloc[:, 0])


@pytest.mark.parametrize("what", ["completeness", "rules"])
def test_either_is_drawn(ws: p4dp.Workspace, what: str) -> None:
    axes = ws.quality.plot("biometrics", what, by="year")
    assert "Biométries" in axes.get_title(loc="left")


def test_what_is_not_there_is_said(ws: p4dp.Workspace) -> None:
    for ask in (
        lambda: ws.quality.completeness("nothing"),
        lambda: ws.quality.completeness("patients", by="month"),
        lambda: ws.quality.completeness("biometrics", columns=["value_raw"]),
        lambda: ws.quality.completeness("biometrics", by="physician_id"),
        lambda: ws.quality.completeness("snds_claims"),
        lambda: ws.quality.rules("consultations"),
        lambda: ws.quality.plot("biometrics", "all"),
    ):
        with pytest.raises(UnknownNameError):
            ask()


def test_every_rule_is_explained_and_the_calls_too(ws: p4dp.Workspace) -> None:
    told = ws.quality.explain().frame
    assert told["dq_code"].nunique() >= 20
    assert "3,58 kg à 6 ans" in " ".join(told.astype(str).to_numpy().ravel())
    assert "ws.quality.completeness" in repr(ws.quality)
    assert "ws.quality.rules" in ws.quality._repr_html_()
