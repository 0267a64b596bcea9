"""How fast each preset is made, in how much memory; and what a protected answer costs as the data grow.

Times of making are processor seconds of the whole process, over two cores: the machine may have other work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ibis
import pytest

from hub_config.warehouse.snapshot import Snapshot, open_snapshot
from tests.benchmarks.page import in_turn, section, table
from tests.benchmarks.questions import Question, Tables, age_by_code, codes, often, pyramid
from tests.benchmarks.test_scale import ask, refusal, sides

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]
CORES: Final = 2
SIZES: Final = (("A", 1.0), ("B", 1.0), ("D", 0.02), ("D", 0.1))
_PROGRAM: Final = """
import json, resource, sys, time
from pathlib import Path
from hub_config.warehouse.synthesis import Preset, synthesise
made = synthesise(Path(sys.argv[1]), preset=Preset(sys.argv[2]), scale=float(sys.argv[3])).manifest
print(json.dumps({
    "cpu": time.process_time(), "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "rows": sum(made.rows.values()), "bytes": sum(made.bytes.values()),
}))
"""


@dataclass(frozen=True)
class Made:
    snapshot: Snapshot
    rows: int
    cpu: float
    peak: int
    bytes: int

    @property
    def name(self) -> str:
        return self.snapshot.manifest.source.removeprefix("preset ")

    @property
    def rate(self) -> float:
        """Rows a second, were both cores its own."""
        return CORES * self.rows / self.cpu


def make(warehouse: Path, preset: str, scale: float) -> Made:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(warehouse), preset, str(scale)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    return Made(open_snapshot(warehouse, 1), **json.loads(done.stdout))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    return [make(tmp_path_factory.mktemp(preset), preset, scale) for preset, scale in SIZES]


def test_rows_a_second(made: Sequence[Made]) -> None:
    rows = [
        (
            m.name,
            f"{m.rows:,}",
            f"{m.cpu:.0f}",
            f"{m.rate:,.0f}",
            f"{m.peak / 1e9:.1f}",
            f"{m.bytes / 1e6:,.0f}",
        )
        for m in made
    ]
    with section("Synthesis, by preset") as page:
        page += table(("preset", "rows", "processor s", "rows/s on 2 cores", "peak GB", "stored MB"), rows)


def cohort(t: Tables) -> ibis.Expr:
    """New diabetics from 2016 on, without the code before, and who of them came in the year that follows."""
    d, c = t("diagnoses"), t("consultations")
    first = d.filter(d.cisp2 == "T90").group_by("patient_id").agg(entry=d.date.min())
    new = first.filter(first.entry >= ibis.date("2016-01-01"))
    year = c.join(new, "patient_id")
    seen = year.filter((year.date > year.entry) & (year.date < year.entry + ibis.interval(days=365)))
    each = seen.group_by("patient_id").agg(n=seen.count())
    band = ibis.cases((each.n >= 6, "6+"), (each.n >= 3, "3-5"), else_="1-2")
    return each.mutate(band=band).group_by("band").agg(patients=ibis._.patient_id.nunique())


GROWING: Final[tuple[Question, ...]] = (pyramid, codes, often, age_by_code, cohort)


def growth(snapshot: Snapshot, home: Path, turns: int = 3) -> list[tuple[str, str, str, str]]:
    """Each question's seconds: raw, protected, and with the ledger."""
    rows = []
    with sides(snapshot, home) as s:
        for question in GROWING:
            why = refusal(s.forgetful, question)
            assert not why, (question.__name__, why)
            works = [lambda w=w, q=question: ask(w, q) for w in (s.forgetful, s.full)]
            times = in_turn(s.plain(question).to_pyarrow, *works, turns=turns)
            rows.append((question.__name__, *(f"{each:.2f}" for each in times)))
    return rows


def test_answers_as_the_data_grow(made: Sequence[Made], tmp_path: Path) -> None:
    with section("Answers as the data grow") as page:
        for number, each in enumerate(made):
            home = tmp_path / str(number)
            home.mkdir()
            page += [f"{each.name}: {each.rows:,} rows", ""]
            page += table(("question", "raw s", "protected s", "with ledger s"), growth(each.snapshot, home))
