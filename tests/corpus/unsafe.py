"""What people take out without thinking: small counts, rows, identifiers, models that remember."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from hub_config.governance.releases.findings import Rule
from tests.corpus.cases import Case, unsafe
from tests.corpus.safe import COX, LOGISTIC, saved
from tests.corpus.tables import (
    FORMS,
    PHYSICIANS,
    PSEUDONYMS,
    SAFE,
    UNSAFE,
    Table,
    as_docx,
    as_html,
    code_cell,
    html_table,
    notebook,
    page_of,
    result,
    text_pdf,
)

_SMALL = UNSAFE["petits-effectifs"]
_ONE = PSEUDONYMS[17]


def cases() -> tuple[Case, ...]:
    return (*_tables(), *_written_numbers(), *_notebooks(), *_models(), *_documents())


def _tables() -> Iterator[Case]:
    for name, table in UNSAFE.items():
        for form, write in FORMS.items():
            yield unsafe(f"{name}.{form}", partial(write, table), table.title, *table.rules)


def _written_numbers() -> Iterator[Case]:
    """One pseudonym in a text, in each writing that is searched."""
    number = _ONE
    writings = {
        "decimal": f"{number}",
        "zeros": f"{number:025d}",
        "negatif": f"-{number}",
        "hexadecimal": f"{number:#x}",
        "hexadecimal-nu": f"{number:016X}",
        "virgules": f"{number:,}",
        "espaces": f"{number:,}".replace(",", " "),
        "espaces-fines": f"{number:,}".replace(",", "\u202f"),
        "par-quatre": " ".join(f"{number:020d}"[at : at + 4] for at in range(0, 20, 4)),
        "flottant": f"{float(number)}",
        "scientifique": f"{number:.16e}",
        "tableur": f"{number // 10**4 * 10**4}",
        "base64": base64.b64encode(number.to_bytes(8)).decode(),
        "dans-un-mot": f"patient{number}x",
        "chiffres-arabes": "".join(chr(0x660 + int(digit)) for digit in str(number)),
    }
    for name, written in writings.items():
        text = f"Le dossier {written} a été revu en 2019.\n".encode()
        yield unsafe(f"pseudonyme-{name}.txt", partial(bytes, text), f"a pseudonym: {name}", Rule.PSEUDONYM)
    physician = f"Cabinet {PHYSICIANS[3]}\n".encode()
    yield unsafe(
        "pseudonyme-medecin.txt", partial(bytes, physician), "a physician's pseudonym", Rule.PSEUDONYM
    )


# --- notebooks ---------------------------------------------------------------------------------------------


def _notebooks() -> Iterator[Case]:
    good = code_cell("1", result({"text/plain": "ok"}))
    small = html_table(_SMALL)

    def second(*outputs: Any, source: str = "top", **metadata: Any) -> bytes:
        return notebook(good, code_cell(source, *outputs, **metadata))

    def case(name: str, made: bytes, why: str, *rules: Rule, cell: int | None = 2) -> Case:
        return unsafe(f"carnet-{name}.ipynb", partial(bytes, made), why, *rules, cell=cell)

    yield case("html", second(result({"text/html": small})), "a small count in an output", Rule.SMALL_COUNT)
    text = "cisp2  patients\nK86    3934\nN74    3\n"
    yield case(
        "texte",
        second({"output_type": "stream", "name": "stdout", "text": text}),
        "printed",
        Rule.SMALL_COUNT,
    )
    two = {"text/html": html_table(SAFE["motifs"]), "text/plain": text}
    yield case("deux-formes", second(result(two)), "the plain form shows another table", Rule.SMALL_COUNT)
    error = {
        "output_type": "error",
        "ename": "KeyError",
        "evalue": str(_ONE),
        "traceback": [f"KeyError: {_ONE}"],
    }
    yield case(
        "erreur", second(error), "an error quotes a pseudonym", Rule.ERROR_OUTPUT, Rule.PSEUDONYM, cell=None
    )
    plotly = {"application/vnd.plotly.v1+json": {"data": [{"x": [1, 2], "y": [3, 4]}]}}
    yield case("plotly", second(result(plotly)), "an interactive figure", Rule.UNREAD_OUTPUT)
    program = {"application/javascript": "alert(1)"}
    yield case("programme", second(result(program)), "a program as an output", Rule.ACTIVE_CONTENT)
    yield case(
        "script", second(result({"text/html": "<script>1</script>"})), "a program", Rule.ACTIVE_CONTENT
    )
    drawing = {"image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>'}
    yield case("svg", second(result(drawing)), "a drawing with a program", Rule.ACTIVE_CONTENT)
    markdown = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "Il reste 4 patients."}
    yield case("phrase", notebook(good, markdown), "a small count in a sentence", Rule.SMALL_COUNT)
    attached = {
        **markdown,
        "source": "rien",
        "attachments": {"a.png": {"image/png": base64.b64encode(_dot()).decode()}},
    }
    yield case("piece-jointe", notebook(good, attached), "an attachment nobody sees", Rule.HIDDEN_CONTENT)
    other = {**markdown, "source": "![](attachment:a)", "attachments": {"a": {"text/csv": "1,2"}}}
    yield case("fichier-joint", notebook(good, other), "a file attached", Rule.EMBEDDED_OBJECT)
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {"value": str(_ONE)}}}}
    yield case(
        "widgets", notebook(good, widgets=state), "the state of widgets", Rule.HIDDEN_CONTENT, cell=None
    )
    beside = notebook(good, ma_note={"liste": [str(n) for n in PSEUDONYMS[:30]]})
    yield case("metadonnees", beside, "data beside the cells", Rule.HIDDEN_CONTENT, Rule.PSEUDONYM, cell=None)
    yield case("etiquette", second(tags=[f"p{_ONE}"]), "a pseudonym as a tag", Rule.PSEUDONYM, cell=None)
    code = f"patients = [{_ONE}]"
    yield case("code", second(source=code), "a pseudonym in the code", Rule.PSEUDONYM, cell=None)
    twice = notebook(good)[:-1] + b', "cells": []}'
    yield case("deux-fois", twice, "cells that stand twice", Rule.HIDDEN_CONTENT, cell=None)
    picture = {"image/png": base64.b64encode(_dot() + b"PK\x03\x04").decode()}
    yield case("image", second(result(picture)), "bytes after an image", Rule.TRAILING_BYTES)


def _dot() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(out, "PNG")
    return out.getvalue()


# --- models ------------------------------------------------------------------------------------------------


def _models() -> Iterator[Case]:
    def case(name: str, model: Any, why: str, *rules: Rule) -> Case:
        return unsafe(f"{name}.json", partial(bytes, json.dumps(model).encode()), why, *rules)

    yield case("cox-petit", {**COX, "n": 9, "df_residual": 5}, "nine patients", Rule.SMALL_COUNT)
    yield case("cox-evenements", {**COX, "events": 4}, "four events", Rule.SMALL_COUNT)
    yield case("cox-ddl", {**COX, "df_residual": 6}, "six degrees of freedom", Rule.FEW_DEGREES_OF_FREEDOM)
    yield case("cox-sature", {**COX, "n": 4, "df_residual": 0}, "saturated", Rule.SATURATED_MODEL)
    bare = {key: value for key, value in COX.items() if key in ("model", "coefficients")}
    yield case("cox-sans-effectif", bare, "nobody knows on whom", Rule.MODEL_WITHOUT_COUNTS)
    dummies = {**COX, "coefficients": {**COX["coefficients"], f"C(patient_id)[T.{_ONE}]": 0.3}}  # type: ignore[dict-item]
    yield case("cox-personne", dummies, "a term of one person", Rule.ONE_PERSON_TERM, Rule.PSEUDONYM)
    rare = {**COX, "term_counts": {"male": 1987, "lupus": 2}}
    yield case("cox-terme-rare", rare, "a term two people carry", Rule.ONE_PERSON_TERM)
    curve = {str(day): 1 - day / 99_999 for day in range(1, 4_000, 7)}
    yield case("cox-courbe", {**COX, "baseline_survival_": curve}, "a curve to the day", Rule.TRAINING_ROWS)
    vectors = {**LOGISTIC, "support_vectors_": [[61.0, 1.0, 28.4], [44.0, 0.0, 31.0]]}
    yield case("svm", vectors, "support vectors are patients", Rule.TRAINING_ROWS)
    yield case("residus", {**COX, "residuals": [0.1, -0.3, 0.7]}, "residuals", Rule.RESIDUALS)
    yield case("durees", {**COX, "durations": [12, 88, 402, 31]}, "durations", Rule.TRAINING_ROWS)
    rows = [dict(zip(UNSAFE["lignes"].header, row, strict=True)) for row in UNSAFE["lignes"].rows]
    yield case("cox-noeuds", {**COX, "nodes": rows}, "rows called nodes of a tree", Rule.ROW_LEVEL)
    leaf = {"leaf_index": 0, "leaf_value": 0.8, "leaf_count": 2}
    other = {"leaf_index": 1, "leaf_value": 0.1, "leaf_count": 5118}
    node = {"split_feature": 0, "left_child": leaf, "right_child": other}
    forest = {"n": 5120, "tree_info": [{"tree_structure": node}]}
    yield case("lightgbm", forest, "a leaf of two people", Rule.SMALL_LEAF)
    arrays = {"children_left": [1, -1, -1], "n_node_samples": [5120, 3, 5117], "threshold": [1, -2, -2]}
    yield case("sklearn-arbre", {"n": 5120, "trees": [arrays]}, "a leaf of three people", Rule.SMALL_LEAF)
    uncounted = {
        "trees": [{"nodeid": 0, "children": [{"nodeid": 1, "leaf": 0.3}, {"nodeid": 2, "leaf": 0.1}]}]
    }
    yield case("xgboost", uncounted, "leaves without counts", Rule.MODEL_WITHOUT_COUNTS)


# --- documents ---------------------------------------------------------------------------------------------


def _documents() -> Iterator[Case]:
    html = as_html(SAFE["motifs"]).decode()
    hidden = html.replace("</body>", f"<p style='display:none'>{_ONE}</p></body>").encode()
    yield unsafe("cache.html", partial(bytes, hidden), "hidden text", Rule.HIDDEN_CONTENT, Rule.PSEUDONYM)
    remark = html.replace("</body>", "<!-- 3 patients de Rouen --></body>").encode()
    yield unsafe("remarque.html", partial(bytes, remark), "a remark", Rule.HIDDEN_CONTENT)
    said = page_of("<p>On compte 3 patients de plus de 90 ans.</p>")
    yield unsafe("phrase.html", partial(bytes, said), "a small count in a sentence", Rule.SMALL_COUNT)
    nested = page_of(f"<table><tr><td>{html_table(_SMALL)}</td></tr></table>")
    yield unsafe("imbrique.html", partial(bytes, nested), "a table in a table", Rule.SMALL_COUNT)
    data = page_of(f'<div data-rows="{";".join(map(str, PSEUDONYMS[:20]))}">ok</div>')
    yield unsafe("attribut.html", partial(bytes, data), "data in a mark", Rule.HIDDEN_CONTENT, Rule.PSEUDONYM)
    sentence = as_docx(SAFE["motifs"], "Parmi eux, 2 patients sont décédés.")
    yield unsafe("phrase.docx", partial(bytes, sentence), "a small count in a sentence", Rule.SMALL_COUNT)
    pages = text_pdf(["Résultats", "On compte 4 patients de plus de 95 ans."])
    yield unsafe("phrase.pdf", partial(bytes, pages), "a small count in a PDF", Rule.SMALL_COUNT, page=1)
    author = text_pdf(["Résultats"], Author=f"dossier {_ONE}")
    yield unsafe("auteur.pdf", partial(bytes, author), "a pseudonym as the author", Rule.PSEUDONYM)
    yield unsafe("nuage.svg", _scatter, "a point for each person", Rule.POINTS)
    latin = Table("x", ("ville", "patients"), (("Évreux", "3"), ("Rouen", "410")))
    coded = FORMS["csv"](latin).decode().encode("cp1252")
    yield unsafe("latin.csv", partial(bytes, coded), "a small count in Windows-1252", Rule.SMALL_COUNT)


def _scatter() -> bytes:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.add_subplot().plot([n * 7 % 90 for n in range(120)], [n * 13 % 41 for n in range(120)], "o")
    return saved(figure, "svg")
