"""Files that people rightly take out: a blocking finding on one of them wastes a physician's time."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from p4dp_sdk.cohorts.results.latex import latex
from p4dp_sdk.cohorts.results.sheet import Line, Sheet
from p4dp_sdk.cohorts.results.word import write_word
from tests.corpus.cases import Case, safe
from tests.corpus.tables import FORMS, SAFE, code_cell, notebook, page_of, result

_TEMPLATES: Final = Path(__file__).parents[2] / "templates_notebooks"
_SHEET: Final = Sheet(
    title="Table 1. New type 2 diabetes",
    headers=("", "Women (N = 2,104)", "Men (N = 1,987)", "SMD"),
    lines=(
        Line("Age, years, mean (SD)", ("61.2 (11.4)", "59.8 (11.9)", "0.12")),
        Line("Smoking", ("", "", "0.28")),
        Line("current", ("322 (15.3 %)", "512 (25.8 %)", ""), depth=1),
        Line("not recorded", ("411 (19.5 %)", "390 (19.6 %)", ""), depth=1),
        Line("Lupus", ("•", "•", "")),
    ),
    notes=("• fewer than 11 patients, or fewer than 3 physicians: withheld.", "Snapshot 3, 2020-12-31."),
)


def cases() -> tuple[Case, ...]:
    return (*_tables(), *_of_the_sdk(), *_figures(), *_models(), *_texts(), *_notebooks())


def _tables() -> Iterator[Case]:
    for name, table in SAFE.items():
        for form, write in FORMS.items():
            yield safe(f"{name}.{form}", partial(write, table), f"a table of results: {table.title}")


def _of_the_sdk() -> Iterator[Case]:
    yield safe("table-1-sdk.docx", _word, "Table 1 as the SDK writes it for Word")
    yield safe("table-1-sdk.tex", lambda: latex(_SHEET).encode(), "Table 1 as the SDK writes it in LaTeX")
    yield safe("table-1-sdk.html", lambda: page_of(_SHEET.html), "Table 1 as a notebook shows it")
    yield safe("table-1-sdk.txt", lambda: _SHEET.text.encode(), "Table 1 as a terminal shows it")


def _word() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        return write_word(_SHEET, Path(directory) / "table.docx").read_bytes()


# --- figures -----------------------------------------------------------------------------------------------


def _figures() -> Iterator[Case]:
    for form in ("png", "svg", "pdf", "jpg"):
        yield safe(f"barres.{form}", partial(_bars, form), "a bar chart of protected counts")
        yield safe(f"courbe.{form}", partial(_line, form), "a weekly series")
    yield safe("barres-texte.svg", partial(_bars, "svg", as_text=True), "a bar chart whose texts are texts")


def _bars(form: str, *, as_text: bool = False) -> bytes:
    figure, axes = _figure()
    axes.bar(["K86", "R74", "R78", "L03"], [3934, 3553, 2564, 2397])
    axes.set_title("Diagnostics les plus fréquents")
    return saved(figure, form, as_text=as_text)


def _line(form: str) -> bytes:
    figure, axes = _figure()
    axes.plot(range(1, 53), [600 + 40 * (week % 9) for week in range(52)])
    axes.set_ylabel("pour 100 000 consultations")
    return saved(figure, form)


def _figure() -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3))
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def saved(figure: Any, form: str, *, as_text: bool = False) -> bytes:
    from matplotlib import rc_context

    out = io.BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
    with rc_context({"svg.hashsalt": "corpus", "svg.fonttype": "none" if as_text else "path"}):
        figure.savefig(out, format=form, metadata=undated)
    return out.getvalue()


# --- models, texts, notebooks ------------------------------------------------------------------------------

COX: Final = {
    "model": "cox",
    "coefficients": {"age": 0.034, "male": 0.48, "current smoking": 0.63, "systolic pressure": 0.009},
    "standard_errors": {"age": 0.004, "male": 0.11, "current smoking": 0.14, "systolic pressure": 0.003},
    "n": 4210,
    "events": 311,
    "df_residual": 4206,
    "concordance": 0.71,
}
LOGISTIC: Final = {
    "coef_": [[0.41, -0.22, 0.09]],
    "intercept_": [-2.3],
    "feature_names_in_": ["age", "sex", "bmi"],
    "classes_": ["no", "yes"],
    "n_obs": 5120,
    "events": 812,
}
TREES: Final = {
    "n": 5120,
    "trees": [
        {
            "children_left": [1, -1, -1],
            "children_right": [2, -1, -1],
            "feature": [0, -2, -2],
            "threshold": [61.5, -2.0, -2.0],
            "n_node_samples": [5120, 2301, 2819],
            "value": [0.16, 0.09, 0.22],
        }
    ],
}


def _models() -> Iterator[Case]:
    for name, model in (("cox", COX), ("logistique", LOGISTIC), ("arbres", TREES)):
        yield safe(f"{name}.json", partial(_json, model), "a model with the counts it stands on")
    survival = {**COX, "baseline_survival": {str(month): 1 - month / 900 for month in range(0, 61, 12)}}
    yield safe("cox-survie.json", partial(_json, survival), "a model with a yearly baseline survival")
    factors = {**COX, "term_counts": {"male": 1987, "current smoking": 834}}
    yield safe("cox-effectifs.json", partial(_json, factors), "a model with the people behind each term")


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _texts() -> Iterator[Case]:
    yield safe(
        "README.md",
        lambda: (
            b"# Th\xc3\xa8se\n\nLes tableaux viennent de la version fig\xc3\xa9e 3. Voir `motifs.csv`.\n\n"
            b"- effectifs sous 11 masqu\xc3\xa9s\n- 4 091 patients inclus en 2019\n"
        ),
        "what the files are",
    )
    yield safe(
        "resume.txt",
        lambda: b"Parmi 4 091 patients inclus, 1 211 femmes (57,6 %) avaient une hypertension.\n",
        "an abstract",
    )
    yield safe(
        "analyse.py",
        lambda: (
            b"import p4dp_sdk as p4dp\n\nws = p4dp.connect()\nseuil = 5\nn = 3\n"
            b"top = ws.tables.diagnoses.group_by('cisp2').agg(n=1).limit(10)\n"
        ),
        "code without data",
    )
    yield safe(
        "analyse.sql",
        lambda: b"SELECT cisp2, COUNT(DISTINCT patient_id) FROM diagnoses GROUP BY 1;\n",
        "a query",
    )
    yield safe(
        "codes.csv",
        lambda: "systeme,code,libelle\ncisp2,T90,Diabète\ncisp2,K86,Hypertension\n".encode(),
        "a list of codes",
    )


def _notebooks() -> Iterator[Case]:
    for name in ("these", "modele-de-risque", "tableau-inr", "tableau-motifs", "prise-en-main"):
        yield safe(f"{name}.ipynb", partial(_template, name), "a template notebook without outputs")
    yield safe("execute.ipynb", _executed, "a notebook with a figure, a table and a text")


def _template(name: str) -> bytes:
    return (_TEMPLATES / f"{name}.ipynb").read_bytes()


def _executed() -> bytes:
    import base64

    figure = base64.b64encode(_bars("png")).decode()
    return notebook(
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Motifs\n\nVersion figée 3."},
        code_cell("ws.publish(top).plot.bar()", result({"image/png": figure, "text/plain": "<Figure>"})),
        code_cell("print(total)", {"output_type": "stream", "name": "stdout", "text": "4 091 patients\n"}),
    )
