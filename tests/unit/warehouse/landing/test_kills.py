"""A load killed at any moment leaves the landing as it was, and goes on where it was when it is begun
again."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

import hub_config.warehouse.loader.staging as staging
from hub_config.warehouse.landing import Landing
from hub_config.warehouse.loader.load import Places, land, load
from hub_config.warehouse.loader.mapping import read_mapping
from hub_config.warehouse.snapshot import check_snapshot, list_snapshots
from tests.unit.warehouse.conftest import EVENTS, MAPPING, PEOPLE, RESULTS

MORE_RESULTS = RESULTS + "ZQX-3,700,hdl,0.6\nZQX-3,701,hdl,0.6\nZQX-3,702,hdl,bad\nZQX-7,703,chol,6\n"
MORE_PEOPLE = (
    PEOPLE.replace("ZQX-3,f,1970-12-31,,GPB", "ZQX-3,f,1970-12-31,,GPA") + "ZQX-7,m,1990-01-01,,GPB,one\n"
)
MORE = (MORE_PEOPLE, MORE_RESULTS, EVENTS + "ZQX-4,2018-02-03,R05\n")
# (moment, how many times it passes first, whether the load is landed then)
MOMENTS = [
    ("hashes", 0, False),
    ("people.csv", 1, False),
    ("results.csv", 1, False),
    ("events.csv", 0, False),
    ("landing", 0, False),
    ("in the transaction", 0, False),
    ("landed", 0, True),
    ("patients", 0, True),  # the snapshot is being frozen
]


@dataclass(frozen=True)
class Site:
    directory: Path

    @property
    def files(self) -> Path:
        return self.directory / "files"

    @property
    def home(self) -> Path:
        return self.directory / "home"

    def write(self, people: str, results: str, events: str = EVENTS) -> None:
        for name, text in (("people.csv", people), ("results.csv", results), ("events.csv", events)):
            (self.files / name).write_text(text, encoding="utf-8")

    def load(self, told: list[str] | None = None, *, frozen: bool = False) -> object:
        def report(step: str, share: float | None = None, rows: int | None = None) -> None:
            if told is not None:
                told.append(step)

        mapping = read_mapping(self.home / "vendor.toml")
        places = Places(self.files, self.home / "warehouse", self.home / "keys")
        return (load if frozen else land)("vendor.toml", mapping, places, own_uids=True, report=report)

    def landed(self) -> dict[str, list[tuple[object, ...]]]:
        tables = ("patients", "lab_results", "diagnoses", "physicians", "loads", "files", "rejected")
        without = {"loads": 'EXCLUDE ("at")'}
        with Landing.of(self.home / "landing", "vendor").reading() as connection:
            return {
                name: connection.execute(
                    f"SELECT * {without.get(name, '')} FROM {name} ORDER BY ALL"
                ).fetchall()
                for name in tables
            }


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One load is landed and frozen."""
    site = Site(tmp_path_factory.mktemp("before"))
    site.files.mkdir()
    site.home.mkdir()
    (site.home / "vendor.toml").write_text(MAPPING, encoding="utf-8")
    site.write(PEOPLE, RESULTS)
    site.load(frozen=True)
    return site


@pytest.fixture(scope="module")
def killed(before: Site, tmp_path_factory: pytest.TempPathFactory) -> list[Site]:
    """For each moment a copy of the site whose second load was killed then."""
    sites, plan = [], []
    for number, (moment, after, _) in enumerate(MOMENTS):
        site = Site(tmp_path_factory.mktemp("killed") / str(number))
        shutil.copytree(before.directory, site.directory)
        site.write(*MORE)
        sites.append(site)
        plan.append({"moment": moment, "after": after, "home": str(site.home), "files": str(site.files)})
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    script = Path(__file__).with_name("killed.py")
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, str(script), str(path)],
        check=True, capture_output=True, text=True, env={"PYTHONPATH": str(root), "PATH": ""}, timeout=300,
    )  # fmt: skip
    deaths = [json.loads(line) for line in done.stdout.splitlines()]
    assert deaths == [[moment, signal.SIGKILL] for moment, *_ in MOMENTS]
    return sites


@pytest.fixture(scope="module")
def reference(before: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The same second load, whole."""
    site = Site(tmp_path_factory.mktemp("reference") / "site")
    shutil.copytree(before.directory, site.directory)
    site.write(*MORE)
    site.load()
    return site


@pytest.mark.parametrize(
    "number", range(len(MOMENTS)), ids=[f"{moment} {after}" for moment, after, _ in MOMENTS]
)
def test_a_kill_loses_nothing_and_half_applies_nothing(
    killed: list[Site], before: Site, reference: Site, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, (_, _, is_landed) = killed[number], MOMENTS[number]
    (snapshot,) = list_snapshots(site.home / "warehouse")
    check_snapshot(snapshot)
    assert site.landed() == (reference if is_landed else before).landed()
    monkeypatch.setattr(staging, "BATCH", 4)
    site.load(frozen=is_landed)  # what is to be frozen was landed by the killed load
    assert site.landed() == reference.landed()
    assert len(list_snapshots(site.home / "warehouse")) == 1 + is_landed
    assert not list((site.home / "landing").rglob("stage.duckdb*"))
    told = json.loads((site.home / "landing/vendor/loads/000002/report.json").read_text())
    assert (told["outcome"], told["tables"]["lab_results"]["added"]) == ("landed", 3)


def test_a_load_goes_on_behind_its_last_batch(
    before: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path / "site")
    shutil.copytree(before.directory, site.directory)
    site.write(*MORE)
    monkeypatch.setattr(staging, "BATCH", 4)
    with monkeypatch.context() as broken:
        broken.setattr("hub_config.warehouse.loader.load.load_facts", _fails)
        with pytest.raises(RuntimeError, match="the power went"):
            site.load()
    told: list[str] = []
    site.load(told)
    assert "people.csv" not in told
    assert "results.csv" in told


def _fails(_: object) -> None:
    raise RuntimeError("the power went")


def test_another_file_in_between_begins_anew(
    before: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was staged of one export is never mixed with another."""
    site = Site(tmp_path / "site")
    shutil.copytree(before.directory, site.directory)
    site.write(*MORE)
    with monkeypatch.context() as broken:
        broken.setattr("hub_config.warehouse.loader.load.load_facts", _fails)
        with pytest.raises(RuntimeError, match="the power went"):
            site.load()
    site.write(PEOPLE.replace("ZQX-1,f", "ZQX-1,m"), RESULTS)
    site.load()
    assert Counter(row[3] for row in site.landed()["patients"]) == {"M": 4, "F": 2}


def test_duckdb_is_on_disk_when_a_batch_is_done(before: Site) -> None:
    """The journal tells the truth: the database can be opened by another process."""
    with duckdb.connect(
        str(before.home / "landing" / "vendor" / "landing.duckdb"), read_only=True
    ) as connection:
        assert connection.execute("SELECT max(load) FROM loads").fetchone() == (1,)
