"""Figures that are born safe: a closed specification and a signed table, drawn the same everywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.figures.drawing import Format, draw
from p4dp_sdk.figures.errors import NotBornSafeError, OnAxesError
from p4dp_sdk.figures.proof import MIME, Proof
from p4dp_sdk.figures.spec import FORMS, BadSpec, Choice, Kind, Part, Spec, check_table
from p4dp_sdk.wire.publication import Column, Lineage, NotGenuine, Shape
from tests.unit.sdk.signed_tables import signed, table

BAR = {"category": ["age_band"], "values": ["patients"]}


def spec(**changes: Any) -> dict[str, Any]:
    content = {"version": 1, "kind": "bar", "columns": BAR, "choices": [], "language": "fr"}
    return content | changes


REFUSED: dict[str, dict[str, Any]] = {
    "another version": spec(version=2),
    "a word of one's own": spec(title="<b>Ines Martin</b>"),
    "an annotation": spec(annotations=[{"text": "M. Dupont", "x": 1}]),
    "a kind there is not": spec(kind="pie"),
    "a part of another kind": spec(columns={**BAR, "sex": ["age_band"]}),
    "a part that lacks": spec(columns={"category": ["age_band"]}),
    "no column": spec(columns={**BAR, "values": []}),
    "twice the same": spec(columns={**BAR, "values": ["patients", "patients"]}),
    "as many as one likes": spec(columns={**BAR, "values": [f"c{n}" for n in range(7)]}),
    "a choice of another kind": spec(choices=["log"]),
    "a choice there is not": spec(choices=["annotated"]),
    "a language there is not": spec(language="de"),
    "names that are no texts": spec(columns={**BAR, "values": [1]}),
    "columns that are none": spec(columns=["patients"]),
}


@pytest.mark.parametrize("case", REFUSED, ids=list(REFUSED))
def test_a_specification_is_exactly_of_its_form(case: str) -> None:
    with pytest.raises(BadSpec):
        Spec.from_json(json.dumps(REFUSED[case]))
    assert Spec.from_json(json.dumps(spec())).kind is Kind.BAR, "the same without what is wrong"


@pytest.mark.parametrize("document", ["", "[]", "null", "[" * 100_000, '{"version": 1}', "x" * 20_000])
def test_what_is_no_specification_is_refused(document: str) -> None:
    with pytest.raises(BadSpec):
        Spec.from_json(document)


def test_a_specification_reads_back() -> None:
    made = Spec(Kind.BAR, {Part.CATEGORY: ("age_band",), Part.VALUES: ("patients",)}, frozenset(Choice) & {
        Choice.HORIZONTAL
    })  # fmt: skip
    assert Spec.from_json(made.to_json()) == made
    assert set(FORMS) == set(Kind)


@pytest.mark.parametrize(
    "columns",
    [{**BAR, "values": ["elsewhere"]}, {**BAR, "values": ["age_band"]}],
    ids=["unknown", "no number"],
)
def test_only_columns_of_the_table_are_drawn(columns: dict[str, list[str]]) -> None:
    made = Spec.from_content(spec(columns=columns))
    with pytest.raises(BadSpec):
        check_table(made, signed().statement)


def test_a_label_can_t_make_a_figure_endless() -> None:
    endless = signed(rows=(("x" * 100_000, 12, 0.5),), total=None)
    with pytest.raises(BadSpec):
        draw(Spec.from_content(spec()), endless, Format.PNG)


def test_two_thousand_rows_are_an_image_of_bounded_size() -> None:
    rows = tuple((f"{n}", n, 0.5) for n in range(2000))
    content = draw(Spec.from_content(spec(choices=["horizontal"])), signed(rows=rows, total=None), Format.PNG)
    wide, high = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    assert wide * high < 60_000_000 and high < 35_000


@pytest.mark.parametrize("wanted", Format)
def test_a_figure_has_the_same_bytes_whatever_the_style_of_the_notebook(wanted: Format) -> None:
    made = Spec.from_content(spec())
    once = draw(made, signed(), wanted)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 10, "text.usetex": False}):
        plt.rcParams["axes.titlesize"] = 40
        assert draw(made, signed(), wanted) == once
    assert not plt.get_fignums(), "and leaves no figure open"


def test_another_process_draws_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_bytes(Proof(signed(), Spec.from_content(spec())).to_json())
    code = (
        "import sys, hashlib\nfrom p4dp_sdk.figures.proof import Proof\n"
        "from p4dp_sdk.figures.drawing import Format, draw\n"
        "proof = Proof.from_json(open(sys.argv[1], 'rb').read())\n"
        "print(hashlib.sha256(draw(proof.spec, proof.document, Format.PNG)).hexdigest())\n"
        "print({n.split('.')[1] for n in sys.modules if n.startswith('p4dp_sdk.')})"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "proof.json")],
        capture_output=True, text=True, check=True, env={"P4DP_LANG": "en", "PATH": "", "MPLBACKEND": "agg"},
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    import hashlib

    digest, floors = answer.stdout.splitlines()
    assert digest == hashlib.sha256(draw(Spec.from_content(spec()), signed(), Format.PNG)).hexdigest()
    floors = {name.strip("{}' ") for name in floors.split(",")}
    assert floors <= {"figures", "wire", "locale", "disclosure"}, "nothing above floor 0 was needed"


def test_the_words_of_a_figure_are_in_the_language_it_was_made_in() -> None:
    texts = {}
    for language in ("fr", "en"):
        from p4dp_sdk.figures.drawing import axes

        drawn = axes(Spec.from_content(spec(language=language)), signed())
        texts[language] = " ".join(t.get_text() for t in drawn.get_legend().get_texts())  # type: ignore[union-attr]
        plt.close("all")
    assert "masqué" in texts["fr"] and "withheld" in texts["en"]


def test_a_figure_of_a_table_shows_itself_with_its_proof() -> None:
    figure = table().plot.bar()
    bundle = figure._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG") and table().title in bundle["text/plain"]
    proof = Proof.from_content(bundle[MIME])
    assert proof.document == table().document and proof.spec == figure.spec
    assert Proof.from_content(table()._repr_mimebundle_()[MIME]) == Proof(table().document)


def test_a_figure_is_saved_with_its_record(tmp_path: Path) -> None:
    figure = table().plot.bar(values="patients", horizontal=True, titled=False)
    path = figure.save(tmp_path / "figure.svg")
    proof = Proof.from_json((tmp_path / "figure.svg.json").read_bytes())
    assert draw(proof.spec, proof.document, Format.SVG) == path.read_bytes()  # type: ignore[arg-type]
    with pytest.raises(p4dp.P4DPError, match="PNG"):
        figure.save(tmp_path / "figure.gif")


def test_words_of_one_s_own_are_refused_and_axes_offered(english: None) -> None:
    with pytest.raises(NotBornSafeError, match=r"figure\.axes"):
        table().plot.bar(title="Mine")
    with pytest.raises(OnAxesError, match=r"figure\.axes\.set_title"):
        table().plot.bar().set_title("Mine")
    figure = table().plot.bar()
    figure.axes.set_title("Mine")
    assert figure.axes.get_title() == "Mine"
    again = Proof.from_content(figure._repr_mimebundle_()[MIME])
    assert again.spec == figure.spec, "what was written on the axes is in no proof"
    plt.close("all")


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "en")


CURVE = (
    Column("time", Shape.INTEGER, Lineage.KEY),
    *(Column(name, Shape.NUMBER, Lineage.DERIVED, protected=True) for name in ("survival", "low", "high")),
)
FORESTED = (
    Column("label", Shape.TEXT, Lineage.KEY),
    *(Column(name, Shape.NUMBER, Lineage.DERIVED, protected=True) for name in ("estimate", "low", "high")),
)
FLOW = (
    Column("step", Shape.TEXT, Lineage.KEY),
    *(Column(name, Shape.INTEGER, Lineage.MEASURE, protected=True) for name in ("n", "excluded")),
)


def test_study_figures_are_drawn_of_signed_tables_too() -> None:
    curve = table(columns=CURVE, rows=((0, 1.0, 1.0, 1.0), (12, 0.9, 0.8, 0.95)), total=None)
    trees = table(columns=FORESTED, rows=(("F", 1.2, 0.9, 1.5), ("M", None, None, None)), total=None)
    flow = table(columns=FLOW, rows=(("all", 1000, 0), ("adults", 800, 200)), total=None)
    made = (curve.plot.kaplan_meier(rising=False), trees.plot.forest(log=True), flow.plot.flow_chart())
    kinds = [(each.spec.kind, draw(each.spec, each.table.document, Format.SVG)[:5]) for each in made]
    assert kinds == [(k, b"<?xml") for k in (Kind.KAPLAN_MEIER, Kind.FOREST, Kind.FLOW_CHART)]


@pytest.mark.parametrize("content", [None, [], {}, {"spec": {}, "document": {}}, {"spec": spec()}])
def test_a_proof_that_is_none_is_refused(content: Any) -> None:
    with pytest.raises(NotGenuine):
        Proof.from_content(content)
