"""Ten questions of theses, asked three times: with the SDK, in plain pandas, in plain SQL. All three give the
same numbers; `make bench` writes docs/reference/dix-questions.md, with what each takes in lines and in time.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from types import ModuleType

import ibis
import pandas as pd
import pytest

import p4dp_sdk as p4dp
from hub_config.gateway.engine import EngineLimits
from hub_config.warehouse.snapshot import Snapshot
from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from tests.benchmarks.page import in_turn, replaced, seconds, table
from tests.benchmarks.thesis import all_ten
from tests.benchmarks.thesis.raw import Raw, raw
from tests.services.gateway.peer_enclave import demonstration
from tests.services.sdk.conftest import listening

PAGE = Path(__file__).parents[2] / "docs/reference/dix-questions.md"
HEAD = """# Dix questions de thèse

Dix questions que posent les internes, écrites comme un débutant les écrirait. Les mêmes ont été écrites en
pandas et en SQL, sur des tables sans protection : les trois donnent **les mêmes nombres**, ce qu'un test
vérifie. Un nombre montré ici est un brouillon protégé : flouté, `•` s'il est masqué.

Page écrite par `make bench` ; le code de chaque question y est exécuté par les tests.

```python
import p4dp_sdk as p4dp

ws = p4dp.connect()
```

"""
COMPARED = "Lignes et temps"
RULE = (
    "Lignes : celles que compte un fichier mis en forme, sans les lignes vides ni les commentaires. Ce que "
    "plusieurs questions ont en commun (période d'observation, fin du suivi) compte à chaque fois : une "
    "thèse se suffit. Temps, rapporté à celui du SQL, sans protection : « moteur », l'expression du SDK une "
    "fois traduite ; « SDK en tout », avec le temps de l'écrire et de la traduire (un dixième de seconde, "
    "quelle que soit la base) ; pandas, tables déjà en mémoire. « Protégé » : par la passerelle, à la "
    "première demande, en secondes."
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    """Preset A at a fifth: 5,225 patients."""
    snapshot = synthesise(tmp_path_factory.mktemp("thesis"), preset=Preset.A, scale=0.2, seed=5)
    with raw(snapshot) as tables:
        yield tables


@pytest.mark.parametrize("question", all_ten.QUESTIONS, ids=all_ten.name)
def test_all_three_give_the_same_numbers(question: ModuleType, opened: Raw) -> None:
    by_sql = all_ten.comparable(opened.sql(question.SQL), question)
    assert by_sql
    assert all_ten.comparable(question.sdk(opened.workspace).execute(), question) == by_sql
    assert all_ten.comparable(question.by_pandas(opened.frames), question) == by_sql


@pytest.mark.parametrize("question", all_ten.QUESTIONS, ids=all_ten.name)
def test_the_page_shows_the_question_that_is_tested(question: ModuleType) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"\n## {question.TITLE}\n" in page
    assert inspect.getdoc(question) is not None
    assert f"\n```python\n{all_ten.on_the_page(question)}```\n" in page


def test_lines_are_counted_without_what_says_nothing() -> None:
    assert all_ten.counted("\n# why\nx = 1\n\n    y = 2  # so\n") == 2


def shown(frame: pd.DataFrame) -> list[str]:
    """The draft as the page shows it."""
    cells = frame.astype(object).where(frame.notna(), "•")
    return table(list(cells), [[str(value) for value in row] for row in cells.itertuples(index=False)])


def _answers(
    snapshot: Snapshot, home: Path, patch: pytest.MonkeyPatch
) -> dict[str, tuple[pd.DataFrame, float]]:
    """What comes back through the gateway, and how long it takes."""
    found = {}
    limits = EngineLimits(memory_bytes=4 * 1024**3, threads=2)
    with demonstration(snapshot.directory.parent, home, limits) as enclave:
        workspace = enclave.workspace("ines", "these-ines")
        with listening(workspace) as socket:
            patch.setenv("P4DP_LANG", "fr")
            patch.setenv("P4DP_GATEWAY_SOCKET", str(socket))
            patch.setenv("P4DP_TOKEN", workspace.token)
            with closing(p4dp.connect()) as ws:
                for question in all_ten.QUESTIONS:
                    answers: list[pd.DataFrame] = []
                    took = seconds(lambda q=question, into=answers: into.append(q.sdk(ws).execute()))
                    found[all_ten.name(question)] = (answers[0], took)
    return found


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_lines_and_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = synthesise(tmp_path / "warehouse", preset=Preset.A)
    answers = _answers(snapshot, tmp_path / "home", monkeypatch)
    rows = []
    with raw(snapshot) as opened:
        frames = opened.frames
        for question in all_ten.QUESTIONS:
            written = str(ibis.to_sql(question.sdk(opened.workspace)))
            engine, sdk, pandas, sql = in_turn(
                lambda text=written: opened.sql(text),
                lambda q=question: q.sdk(opened.workspace).execute(),
                lambda q=question: q.by_pandas(frames),
                lambda q=question: opened.sql(q.SQL),
            )
            answer, protected = answers[all_ten.name(question)]
            lines = all_ten.lines(question)
            ratios = [f"{took / sql:.1f}" for took in (engine, sdk, pandas)]
            rows.append((question.TITLE, *lines, *ratios, f"{protected:.1f}"))
            _write(question.TITLE, _told(question, answer))
            print(rows[-1], flush=True)
    total = tuple(sum(row[at] for row in rows) for at in (1, 2, 3))
    columns = ("question", "SDK", "pandas", "SQL", "moteur", "SDK en tout", "pandas", "protégé, s")
    said = f"{date.today().isoformat()}, {os.cpu_count()} cœurs, {snapshot.manifest.source}. {RULE}"
    _write(COMPARED, [said, "", *table(columns, [*rows, ("**en tout**", *total, "", "", "", "")])])


def _told(question: ModuleType, answer: pd.DataFrame) -> list[str]:
    code = all_ten.on_the_page(question).splitlines()
    return [str(inspect.getdoc(question)), "", "```python", *code, "```", "", *shown(answer)]


def _write(title: str, body: list[str]) -> None:
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    PAGE.write_text(replaced(text, title, "\n".join(body), HEAD), encoding="utf-8")
