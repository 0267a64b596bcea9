"""The risk-model notebook is right: its predictors know nothing of what came after, its numbers are those of
computations written apart, and it runs headless. On preset A at a half: it takes about fifty cases."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hub_config.gateway.engine import EngineLimits
from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from tests.services.gateway.peer_enclave import demonstration
from tests.services.sdk.conftest import listening

from .notebooks import PARAMETERS, TEMPLATES, read
from .test_templates import MANY, in_a_workspace, outputs, run, said

__all__ = ["in_a_workspace"]  # a fixture

DRAWS = 8
TABLES = (
    "biometrics", "lab_results", "prescriptions", "diagnoses", "history", "observation_periods", "patients"
)  # fmt: skip

pytestmark = [
    pytest.mark.timeout(900),  # a busy machine; alone it takes one minute in all
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # papermill's and Jupyter's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Rachid's workspace, in the environment."""
    directory = tmp_path_factory.mktemp("half")
    (directory / "warehouse").mkdir()
    synthesise(directory / "warehouse", preset=Preset.A, scale=0.5)
    limits = EngineLimits(memory_bytes=1024**3, threads=2)
    with demonstration(directory / "warehouse", directory, limits) as enclave:
        opened = enclave.workspace("rachid", "modeles-rachid")
        with listening(opened) as socket, pytest.MonkeyPatch.context() as env:
            env.setenv("P4DP_LANG", "fr")
            env.setenv("P4DP_GATEWAY_SOCKET", str(socket))
            env.setenv("P4DP_TOKEN", opened.token)
            yield


def execute(**parameters: Any) -> dict[str, Any]:
    """What the notebook computes, cell by cell in this process; what it prints is under `said`."""
    found: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()) as told:
        for cell in (cell for cell in read(TEMPLATES / f"{MANY}.ipynb") if cell.is_code):
            exec(compile(cell.text, f"{MANY}:{cell.id}", "exec"), found)  # noqa: S102 - our own notebook
            if PARAMETERS in cell.tags:
                found.update(parameters)
    return {**found, "said": told.getvalue()}


@pytest.fixture(scope="module")
def names(workspace: None) -> Iterator[dict[str, Any]]:
    matplotlib.use("agg")
    found = execute(tirages=DRAWS)
    yield found
    plt.close("all")
    found["ws"].close()


@pytest.fixture(scope="module")
def raw(names: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """The tables' rows, as pandas, to compute everything again by other means."""
    found = {}
    for name in TABLES:
        table = names["t"][name]
        if name == "biometrics":
            table = table.filter(table.measure.isin(["weight", "height", "sbp"]))
        if name == "lab_results":
            table = table.filter(table.analyte == "glucose")
        frame = table.execute()
        for column in ("date", "start_date", "end_date", "birth_month", "death_month"):
            if column in frame:
                frame[column] = pd.to_datetime(frame[column])
        found[name] = frame
    return found


def starts(codes: pd.Series[Any], *prefixes: str) -> pd.Series[Any]:
    return codes.fillna("").str.startswith(prefixes)


def diabetes_dates(raw: dict[str, pd.DataFrame], people: pd.Index[Any]) -> pd.DataFrame:
    """Codes, or the third date (second of large packs) of a drug for diabetes within 365 days, person by
    person."""
    d, h, rx = raw["diagnoses"], raw["history"], raw["prescriptions"]
    coded = [d[d.cisp2.isin(["T89", "T90"])], h[h.cisp2.isin(["T89", "T90"]) & (h.kind == "medical")]]
    rx = rx[rx.patient_id.isin(people) & starts(rx.atc, "A10") & ~starts(rx.atc, "A10BJ", "A10BK")]
    confirmed = []
    for person, theirs in rx.groupby("patient_id"):
        days = sorted(theirs.date.unique())
        large = [bool((theirs[theirs.date == day].pack_size == "large").any()) for day in days]
        for at, day in enumerate(days):
            third = at >= 2 and (day - days[at - 2]).days <= 365
            second = at >= 1 and large[at] and large[at - 1] and (day - days[at - 1]).days <= 365
            if third or second:
                confirmed.append((person, day))
    treated = pd.DataFrame(confirmed, columns=["patient_id", "date"])
    return pd.concat([*coded, treated])[["patient_id", "date"]]


# -- who, when, what --------------------------------------------------------------------------------------


def test_each_patient_is_there_once_on_a_day_that_fulfils_all(
    names: dict[str, Any], raw: dict[str, pd.DataFrame]
) -> None:
    """A sample of patients, by a walk through their own rows."""
    chosen = names["patients"].set_index("patient_id")
    assert chosen.index.is_unique
    weighed = raw["biometrics"].query("measure == 'weight' and value.notna()")
    weighed = weighed[weighed.date.between(names["debut"], names["fin"])]
    d, h, rx = raw["diagnoses"], raw["history"], raw["prescriptions"]
    known = pd.concat(
        [d[d.cisp2.isin(["T89", "T90"])], h[h.cisp2.isin(["T89", "T90"]) & (h.kind == "medical")],
         rx[starts(rx.atc, "A10")]]
    ).groupby("patient_id").date.min()  # fmt: skip
    people = raw["patients"].set_index("patient_id")
    periods = dict(list(raw["observation_periods"].groupby("patient_id")))
    groups = dict(list(weighed.groupby("patient_id")))
    for person in sorted(people.index)[::7]:
        days = sorted(groups[person].date.unique()) if person in groups else []
        birth = people.loc[person, "birth_month"]
        expected = [
            day for day in days
            if names["age_min"] <= day.year - birth.year - (day.month < birth.month) <= names["age_max"]
            and (person not in known or day < known[person])
            and _observed_a_year(day, periods[person])
        ]  # fmt: skip
        found = chosen.index_date.get(person)
        assert (pd.Timestamp(found) if found is not None else None) == (expected[0] if expected else None)


def _observed_a_year(day: pd.Timestamp, periods: pd.DataFrame) -> bool:
    there = ((periods.start_date <= day) & (day <= periods.end_date)).any()
    last_start = periods.start_date[periods.start_date <= day].max()
    return bool(there and last_start <= day - pd.DateOffset(months=12))


def recent(rows: pd.DataFrame, months: int) -> pd.Series[Any]:
    return rows.date >= rows.t0.map({t0: t0 - pd.DateOffset(months=months) for t0 in rows.t0.unique()})


def test_predictors_use_only_what_was_known_on_the_day(
    names: dict[str, Any], raw: dict[str, pd.DataFrame]
) -> None:
    """Each, computed again from tables that end on the index date, is the same: nothing later is in it."""
    patients = names["patients"].set_index("patient_id")
    day = pd.to_datetime(patients.index_date)
    cut = {}
    for name, frame in raw.items():
        if "date" in frame:
            both = frame[frame.patient_id.isin(day.index)].assign(t0=lambda f: f.patient_id.map(day))
            cut[name] = both[both.date <= both.t0]
    b, g, rx, h, d = (cut[n] for n in ("biometrics", "lab_results", "prescriptions", "history", "diagnoses"))

    def last(rows: pd.DataFrame, months: int | None) -> pd.Series[Any]:
        rows = rows[rows.value.notna()]
        if months:
            rows = rows[recent(rows, months)]
        daily = rows.groupby(["patient_id", "date"]).value.mean().reset_index()
        return daily.sort_values("date").groupby("patient_id").value.last().reindex(patients.index)

    for name, rows, months in (
        ("poids", b[b.measure == "weight"], 1),
        ("taille", b[b.measure == "height"], None),
        ("pas", b[b.measure == "sbp"], 24),
        ("glycemie", g, 24),
    ):
        pd.testing.assert_series_equal(
            patients[name].astype(float), last(rows, months).astype(float), check_names=False
        )
    lately = rx[recent(rx, 12)]
    sure = h[h.date_precision.isin(["day", "month"])]
    pressure = starts(d.cisp2, "K86", "K87"), starts(sure.cisp2, "K86", "K87") & (sure.kind == "medical")
    for name, holders in (
        ("statine", lately[starts(lately.atc, "C10AA", "C10BA", "C10BX")].patient_id),
        ("heredite", sure[sure.cisp2.isin(["T89", "T90"]) & (sure.kind == "family")].patient_id),
        ("hypertension", pd.concat([d[pressure[0]], sure[pressure[1]]]).patient_id),
    ):
        assert set(patients.index[patients[name].astype(bool)]) == set(holders), name


def test_the_outcome_is_the_first_day_the_definition_is_met(
    names: dict[str, Any], raw: dict[str, pd.DataFrame]
) -> None:
    patients = names["patients"].set_index("patient_id")
    dates = diabetes_dates(raw, patients.index).merge(patients[["index_date", "exit_date"]], on="patient_id")
    held = dates[(dates.date > dates.index_date) & (dates.date <= dates.exit_date)]
    expected = held.groupby("patient_id").date.min().to_dict()
    assert pd.to_datetime(patients.date_diabete.dropna()).to_dict() == expected
    assert len(expected) > 30
    follow_up = (pd.to_datetime(patients.exit_date) - pd.to_datetime(patients.index_date)).dt.days
    assert follow_up.between(0, 1827).all()


def test_the_split_is_by_time(names: dict[str, Any]) -> None:
    built, checked = names["construction"], names["validation"]
    assert built.annee.max() < names["validation_depuis"] <= checked.annee.min()
    assert len(built) + len(checked) == len(names["patients"])


# -- numbers ----------------------------------------------------------------------------------------------


def weights(part: pd.DataFrame, horizon: float) -> np.ndarray[Any, Any]:
    """Inverse of the product-limit of censoring, just before each one's time, by hand."""
    times, lost = np.minimum(part.jours, horizon).to_numpy(), (part.issue == "perdu de vue").to_numpy()
    seen = np.ones(len(part))
    for moment in np.unique(times[lost]):
        at_risk, gone = (times >= moment).sum(), (lost & (times == moment)).sum()
        seen[times > moment] *= 1 - gone / at_risk
    return np.where(lost, 0.0, 1 / seen)


def newton(x: Any, y: Any, w: Any) -> tuple[Any, Any]:
    """Weighted logistic regression by Newton's method, and its sandwich errors."""
    beta = np.zeros(x.shape[1])
    for _step in range(60):
        p = 1 / (1 + np.exp(-x @ beta))
        hessian = x.T @ (x * (w * p * (1 - p))[:, None])
        beta = beta + np.linalg.solve(hessian, x.T @ (w * (y - p)))
    meat = x.T @ (x * ((w * (y - p)) ** 2)[:, None])
    inverse = np.linalg.inv(hessian)
    return beta, np.sqrt(np.diag(inverse @ meat @ inverse))


def test_the_logistic_regression_is_the_maximum_with_robust_errors(names: dict[str, Any]) -> None:
    built = names["construction"]
    w = weights(built, names["JOURS"])
    assert names["poids_construction"] == pytest.approx(w)
    known = w > 0
    x = np.column_stack([np.ones(known.sum()), names["X"].to_numpy()])
    beta, errors = newton(x, built.diabete.to_numpy()[known], w[known])
    assert names["odds"]["coefficient"].to_numpy() == pytest.approx(beta, abs=2e-3)
    assert names["odds"]["erreur type"].to_numpy() == pytest.approx(errors, rel=5e-3)
    assert f"{known.sum() - len(beta)} degrés de liberté" in names["said"]


def test_imputation_learns_from_the_building_part_only(names: dict[str, Any]) -> None:
    imputer = names["preparation"].named_transformers_["continus"]
    columns = [name for name in names["gardes"] if name in names["CONTINUS"]]
    known = names["construction"][names["poids_construction"] > 0]
    assert imputer.statistics_ == pytest.approx(known[columns].median().to_numpy())


def test_cox_is_at_the_maximum_of_efrons_likelihood(names: dict[str, Any]) -> None:
    """The gradient of Efron's partial likelihood, summed by hand, is nil at the coefficients found."""
    frame = names["pour_cox"](names["construction"])
    x = frame[names["cox"].params_.index].to_numpy(float)
    times, events = frame.jours.to_numpy(), frame.diabete.to_numpy() == 1
    risk = np.exp(x @ names["cox"].params_.to_numpy())
    gradient = np.zeros(x.shape[1])
    for moment in np.unique(times[events]):
        tied, there = events & (times == moment), times >= moment
        for rank in range(tied.sum()):
            share = rank / tied.sum()
            whole = risk[there].sum() - share * risk[tied].sum()
            gradient -= ((risk[there] @ x[there]) - share * (risk[tied] @ x[tied])) / whole
        gradient += x[tied].sum(axis=0)
    assert gradient == pytest.approx(0, abs=0.05)


def test_discrimination_and_brier_by_pairs_and_by_sums(names: dict[str, Any]) -> None:
    part, told = names["validation"], names["performances"]
    w, y = weights(part, names["JOURS"]), part.diabete.to_numpy()
    for risk in names["risques"](part).values():
        found = told(part, risk, w)
        case, other = np.flatnonzero((y == 1) & (w > 0)), np.flatnonzero((y == 0) & (w > 0))
        wins = (risk[case][:, None] > risk[other]) + 0.5 * (risk[case][:, None] == risk[other])
        pairs = w[case][:, None] * w[other]
        assert found["AUC à l'horizon"] == pytest.approx((wins * pairs).sum() / pairs.sum())
        assert found["Brier"] == pytest.approx((w * (y - risk) ** 2).sum() / w.sum())
        times = part.jours.to_numpy()
        after = times[:, None] < times
        usable = after & (y == 1)[:, None]
        tied = (times[:, None] == times) & (y == 1)[:, None] & (y == 0)
        usable |= tied
        agree = (risk[:, None] > risk) + 0.5 * (risk[:, None] == risk)
        assert found["C de Harrell"] == pytest.approx((agree * usable).sum() / usable.sum(), abs=1e-9)


def test_calibration_groups_are_equal_and_their_intervals_wilsons(names: dict[str, Any]) -> None:
    low, high = names["wilson"](0.1, 50)
    assert (low, high) == pytest.approx((0.0434762, 0.2136021), abs=1e-5)  # Newcombe 1998's formula, by hand
    for group in names["points"].values():
        assert group["n"].max() - group["n"].min() <= 1
        assert group["prédit"].is_monotonic_increasing
        assert (group["IC bas"] <= group["observé"]).all() and (group["observé"] <= group["IC haut"]).all()
        assert group["diabètes"].sum() == names["validation"]["diabete"].sum()


def test_what_it_finds_is_plausible(names: dict[str, Any]) -> None:
    """The synthetic people's diabetes comes with age; nothing predicts it perfectly, nor should."""
    for risk in names["risques"](names["construction"]).values():
        found = names["performances"](names["construction"], risk, names["poids_construction"])
        assert 0.5 < found["AUC à l'horizon"] < 0.9
        assert found["observé / attendu"] == pytest.approx(1, abs=0.1)
    assert 0.002 < names["donnees"].diabete.mean() < 0.15


# -- as a report ------------------------------------------------------------------------------------------


def test_it_runs_headless(tmp_path: Path) -> None:
    notebook = run(MANY, tmp_path, tirages=DRAWS)
    assert "Warning" not in "".join(o.get("text", "") for o in outputs(notebook) if o.get("name") == "stderr")
    assert sum("image/png" in o.get("data", {}) for o in outputs(notebook)) == 4
    assert "degrés de liberté résiduels" in said(notebook)


def test_too_few_cases_are_told() -> None:
    with pytest.raises(ValueError, match="Trop peu de diabètes"):
        execute(debut="2016-01-01", validation_depuis=2017)
