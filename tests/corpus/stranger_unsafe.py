"""Thirty files that must be stopped, written by somebody who had not read the checks."""

# ruff: noqa: E501  (the texts of files, as people write them)

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from hub_config.governance.releases.findings import Rule
from tests.corpus.cases import Case, unsafe
from tests.corpus.tables import PSEUDONYMS, code_cell, notebook, result

_DRAW: Final = random.Random(412)  # noqa: S311
_PEOPLE: Final = tuple(
    (_DRAW.randint(19, 91), _DRAW.choice("HF"), round(_DRAW.gauss(27, 4), 1), round(_DRAW.gauss(7.1, 1), 2))
    for _ in range(48)
)

TEXTS: Final = {
    "effectifs-par-sexe.csv": (
        "Caractéristique;Hommes;Femmes;Ensemble\n"
        "Effectif;1\u202f214;1\u202f377;2\u202f591\n"
        "Âge moyen (ET);61,2 (14,8);63,9 (15,1);62,6 (15,0)\n"
        "Sous méthotrexate;6;1\u202f031;1\u202f037\n"
    ),
    "couverture-vaccinale.csv": (
        "Cabinet;Patients éligibles;Vaccinés;Couverture (%)\n"
        "Groupe A;412;261;63,3\nGroupe B;187;129;69,0\nGroupe C;46;43;93,5\n"
    ),
    "mtx.md": (
        "# Résultats\n\nParmi les 1 032 patients suivis, 412 avaient une polyarthrite. Les patients sous"
        " rituximab (n = 7) étaient plus âgés (68,4 ans) que les autres (n = 405).\n"
    ),
    "resume-congres.txt": (
        "Introduction. Le dépistage du cancer colorectal est insuffisant.\nRésultats. Sur 120 patients"
        " invités, une coloscopie a été faite chez 7/120 (5,8 %) ; un cancer a été trouvé chez 2 d'entre"
        " eux.\nConclusion. À confirmer.\n"
    ),
    "complications.csv": (
        "Intervention;Nombre de patients;Complications (%)\nInfiltration;412;4,1\n"
        "Suture;120;2,5\nAblation;233;9,0\n"
    ),
    "describe.csv": (
        ",age,imc,hba1c\ncount,412.0,398.0,377.0\nmean,61.24,27.93,7.12\nstd,15.02,4.81,1.13\n"
        "min,18.0,15.2,4.9\n25%,51.0,24.4,6.3\n50%,63.0,27.3,6.9\n75%,73.0,30.9,7.7\nmax,101.0,58.7,14.6\n"
    ),
    "table-r.txt": (
        "> table(d$sexe, d$bpco)\n   \n      non  oui\n  F  1203    8\n  H   988  112\n"
        "> prop.table(table(d$sexe, d$bpco), 1)\n   \n          non        oui\n  F 0.9933939 0.00660611\n"
        "  H 0.8981818 0.10181818\n"
    ),
    "marges.csv": (
        "Antécédent;Oui;Non;Total\nInfarctus;138;1\u00a0096;1\u00a0234\nAVC;<11;1\u00a0226;1\u00a0234\n"
        "Diabète;241;993;1\u00a0234\n"
    ),
    "a-risque.csv": "Temps (mois);0;6;12;18;24;30\nTraités;214;187;122;61;19;3\nNon traités;198;170;131;77;34;12\n",
    "tableau-2.tex": (
        "\\begin{tabular}{lrr}\n\\toprule\n & \\multicolumn{2}{c}{Patients} \\\\\n\\cmidrule(lr){2-3}\n"
        "Motif & n & \\% \\\\\n\\midrule\nToux & 1\\,204 & 61{,}2 \\\\\nVertige & 5 & 0{,}3 \\\\\n"
        "Fatigue & 758 & 38{,}5 \\\\\n\\bottomrule\n\\end{tabular}\n"
    ),
    "mesures-long.tsv": "sujet\tdate\tmesure\tvaleur\n" + "".join(
        f"S{number:02}\t{1 + number % 28:02}/03/2023\t{what}\t{value}\n"
        for number in range(1, 16)
        for what, value in (("PAS", 118 + 3 * number % 47), ("PAD", 64 + 5 * number % 29))
    ),
    "cohorte.jsonl": "".join(
        json.dumps({"age": age, "sexe": sex, "imc": bmi, "hba1c": hba1c}) + "\n"
        for age, sex, bmi, hba1c in _PEOPLE
    ),
    "residus.csv": "ajusté;résidu\n" + "".join(
        f"{6.2 + number / 37:.4f};{_DRAW.gauss(0, 1):.6f}\n" for number in range(60)
    ).replace(".", ","),
}  # fmt: skip

_TABLE_1: Final = """<table border="1" class="dataframe"><thead><tr><th rowspan="2"></th>
<th colspan="2">Exposés</th><th colspan="2">Non exposés</th></tr><tr><th>n (%)</th><th>p</th><th>n (%)</th>
<th>p</th></tr></thead><tbody><tr><th>Femmes</th><td>118 (52,0&nbsp;%)</td><td>0,31</td>
<td>1&#8239;204 (54,1&nbsp;%)</td><td></td></tr><tr><th>Tabac actif</th><td>12 (5,3&nbsp;%)</td><td>0,04</td>
<td>151 (6,8&nbsp;%)</td><td></td></tr><tr><th>Grossesse</th><td>4 (1,8&nbsp;%)</td><td>0,62</td>
<td>37 (1,7&nbsp;%)</td><td></td></tr></tbody></table>"""

_LIFELINES: Final = """<lifelines.CoxPHFitter: fitted with 64 total observations, 59 right-censored observations>
             duration col = 'duree'
                event col = 'deces'
   number of observations = 64
number of events observed = 5
---
            coef  exp(coef)   se(coef)      z      p
covariate
age         0.04       1.04       0.02   2.00   0.05
sexe_F     -0.31       0.73       0.22  -1.41   0.16
---
Concordance = 0.61
"""

_EVENT_TABLE: Final = """          removed  observed  censored  entrance  at_risk
event_at
0.0             0         0         0        52       52
3.0             1         1         0         0       52
5.0             2         1         1         0       51
9.0             1         0         1         0       49
14.0            3         2         1         0       48
"""

_COUNTS: Final = (
    "diagnostic\nHTA          1204\nDiabète       377\nSclérodermie    3\nName: count, dtype: int64"
)


def cases() -> Iterator[Case]:
    small, rows = Rule.SMALL_COUNT, Rule.ROW_LEVEL
    yield _text("effectifs-par-sexe.csv", "six men in a table of three groups, thin spaces", small)
    yield _text("couverture-vaccinale.csv", "43 of 46 vaccinated: three are not", Rule.SMALL_COMPLEMENT)
    yield _text("mtx.md", "n = 7 in a sentence", small)
    yield _text("resume-congres.txt", "7/120 in an abstract, and two of them", small)
    yield _text("complications.csv", "2.5 % of 120 is three patients", Rule.COUNT_BEHIND_PERCENTAGE)
    yield _text("describe.csv", "pandas' describe(): the youngest, the oldest", Rule.EXTREME_VALUE)
    yield _text("table-r.txt", "R's table() on a terminal", small)
    yield _text("marges.csv", "a withheld count that its row gives back", Rule.RECOMPUTABLE_CELL)
    yield _text("a-risque.csv", "three at risk at the end, times in columns", small)
    yield _text("tableau-2.tex", "five in a LaTeX table with a merged header", small)
    yield _text("mesures-long.tsv", "measures a patient, one a row", rows)
    yield _text("cohorte.jsonl", "a patient a line", rows)
    yield _text("residus.csv", "a model's residuals", Rule.RESIDUALS)
    yield unsafe(
        "table-1-colspan.html", lambda: _TABLE_1.encode(), "four pregnant under a merged header", small
    )
    yield unsafe(
        "cox-sortie.ipynb", partial(_printed, "cph.print_summary()", _LIFELINES), "five events", small
    )
    yield unsafe(
        "kaplan-meier.ipynb",
        partial(_printed, "kmf.event_table.head()", _EVENT_TABLE),
        "an event table",
        small,
    )
    yield unsafe(
        "effectifs.ipynb", partial(_printed, "df.diagnostic.value_counts()", _COUNTS), "value_counts()", small
    )
    yield unsafe("exploration.ipynb", _head, "df.head() left in a notebook", rows)
    yield unsafe("piece-jointe.ipynb", _attached, "rows of patients attached to a cell", Rule.EMBEDDED_OBJECT)
    yield unsafe("deux-entetes.xlsx", _merged, "two header rows with merged cells, four in 2023", small)
    yield unsafe("trois-tableaux.xlsx", _three, "the third table of a sheet", small)
    yield unsafe("tres-cachee.xlsx", _very_hidden, "a very hidden sheet of patients", Rule.HIDDEN_CONTENT)
    yield unsafe("blanc-sur-blanc.xlsx", _white, "a count in white", Rule.HIDDEN_CONTENT)
    yield unsafe("croise-dynamique.xlsx", _pivot, "the records of a pivot table", Rule.EMBEDDED_OBJECT)
    yield unsafe("article.docx", _custom_xml, "rows in a custom XML part of a Word file", Rule.HIDDEN_CONTENT)
    yield unsafe("figure.docx", _alternative, "a count in a figure's alternative text", small)
    yield unsafe("annexe.pdf", _pdf, "a CSV attached to a PDF", Rule.EMBEDDED_OBJECT)
    yield unsafe(f"suivi_{PSEUDONYMS[17]}.csv", lambda: b"mois;patients\njanvier;120\n", "a pseudonym as its name",
                 Rule.PSEUDONYM)  # fmt: skip
    yield unsafe("groupes.svg", _svg, "counts in data- attributes", Rule.HIDDEN_CONTENT)
    yield unsafe("residus.pdf", partial(_residual_plot, "pdf"), "the same as PDF", Rule.POINTS)
    yield unsafe(
        "residus.svg", partial(_residual_plot, "svg"), "a residual plot, a point a patient", Rule.POINTS
    )
    yield unsafe("imbrique.json", _nested, "records of patients by centre", rows)
    yield unsafe("listes.parquet", _parquet, "patients as a list of records a practice", rows)
    yield unsafe(
        "export.csv",
        lambda: gzip.compress(b"age;sexe\n" + b"71;F\n" * 40),
        "gzip by another name",
        Rule.REFUSED_KIND,
    )


def _text(name: str, why: str, *rules: Rule) -> Case:
    return unsafe(name, lambda: TEXTS[name].encode(), why, *rules)


def _printed(source: str, text: str) -> bytes:
    stream = {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}
    return notebook(code_cell(source, stream))


def _head() -> bytes:
    rows = "".join(
        f"<tr><th>{place}</th><td>{age}</td><td>{sex}</td><td>{bmi}</td><td>{hba1c}</td></tr>"
        for place, (age, sex, bmi, hba1c) in enumerate(_PEOPLE[:5])
    )
    head = "<tr><th></th><th>age</th><th>sexe</th><th>imc</th><th>hba1c</th></tr>"
    table = (
        f'<div><table border="1" class="dataframe"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
    )
    plain = "   age sexe   imc  hba1c\n" + "\n".join(
        f"{place}   {age}    {sex}  {bmi}   {hba1c}"
        for place, (age, sex, bmi, hba1c) in enumerate(_PEOPLE[:5])
    )
    return notebook(code_cell("df.head()", result({"text/html": table, "text/plain": plain})))


def _attached() -> bytes:
    data = base64.b64encode(_csv(_PEOPLE)).decode()
    cell = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "Voir [les données](attachment:a.csv)",
            "attachments": {"a.csv": {"text/csv": data}}}  # fmt: skip
    return notebook(cell)


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    return "".join(
        ";".join(map(str, row)) + "\n" for row in (("age", "sexe", "imc", "hba1c"), *rows)
    ).encode()


def _book(*rows: Sequence[Any], title: str = "Résultats") -> Any:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    return book


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _merged() -> bytes:
    book = _book(
        ["Diagnostic", "2022", None, "2023", None],
        [None, "n", "%", "n", "%"],
        ["Asthme", 214, 12.1, 231, 12.4],
        ["Maladie cœliaque", 13, 0.7, 4, 0.2],
    )
    for cells in ("A1:A2", "B1:C1", "D1:E1"):
        book.active.merge_cells(cells)
    return _saved(book)


def _three() -> bytes:
    return _saved(
        _book(
            ["Tableau 1. Sexe"], ["Sexe", "Patients"], ["F", 1204], ["H", 1187], [], [],
            ["Tableau 2. Âge"], ["Tranche", "Patients"], ["18-64", 1702], ["65 et plus", 689], [],
            ["Tableau 3. Séjours"], ["Type", "Patients"], ["Court", 310], ["Réanimation", 8],
        )
    )  # fmt: skip


def _very_hidden() -> bytes:
    book = _book(["Sexe", "Patients"], ["F", 1204], ["H", 1187])
    hidden = book.create_sheet("brut")
    for row in _PEOPLE:
        hidden.append(row)
    hidden.sheet_state = "veryHidden"
    return _saved(book)


def _white() -> bytes:
    from openpyxl.styles import Font

    book = _book(["Sexe", "Patients"], ["F", 1204], ["H", 1187], [], ["dont SLA : trois, M. D. de Vitré"])
    book.active["A5"].font = Font(color="FFFFFFFF")
    return _saved(book)


def _pivot() -> bytes:
    records = "".join(f'<r><n v="{age}"/><s v="{sex}"/></r>' for age, sex, _, _ in _PEOPLE)
    return _with_parts(
        _saved(_book(["Sexe", "Patients"], ["F", 1204], ["H", 1187])),
        {
            "xl/pivotCache/pivotCacheRecords1.xml": f'<pivotCacheRecords count="48">{records}</pivotCacheRecords>'
        },
    )


def _custom_xml() -> bytes:
    rows = "".join(f"<p age='{age}' sexe='{sex}' hba1c='{hba1c}'/>" for age, sex, _, hba1c in _PEOPLE)
    return _with_parts(_word(), {"customXml/item9.xml": f"<patients>{rows}</patients>"})


def _alternative() -> bytes:
    from docx import Document

    document = Document()
    document.add_paragraph("Figure 1. Évolution de la pression artérielle.")
    document.add_picture(io.BytesIO(_png()))
    document.inline_shapes[0]._inline.docPr.set("descr", "Courbe de suivi, 4 patients exclus (n = 4)")
    return _saved(document)


def _word() -> bytes:
    from docx import Document

    document = Document()
    document.add_paragraph("Nous avons analysé 2 391 patients suivis en 2023.")
    return _saved(document)


def _with_parts(archive: bytes, parts: dict[str, str]) -> bytes:
    out = io.BytesIO(archive)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in parts.items():
            zipped.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return out.getvalue()


def _png() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PNG")
    return out.getvalue()


def _pdf() -> bytes:
    from pypdf import PdfWriter

    from tests.corpus.tables import text_pdf

    writer = PdfWriter(clone_from=io.BytesIO(text_pdf(["Annexe 1", "Motif   Patients", "Toux   1204"])))
    writer.add_attachment("annexe.csv", _csv(_PEOPLE))
    return _saved_pdf(writer)


def _saved_pdf(writer: Any) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _svg() -> bytes:
    bars = "".join(
        f'<rect x="{40 * place}" y="{200 - height}" width="30" height="{height}" data-patients="{count}"/>'
        for place, (count, height) in enumerate(((412, 180), (120, 60), (3, 2)))
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200">{bars}</svg>'.encode()


def _residual_plot(form: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.scatter([bmi for _, _, bmi, _ in _PEOPLE], [hba1c - 7.1 for *_, hba1c in _PEOPLE])
    axes.axhline(0, color="grey")
    axes.set(xlabel="HbA1c prédite", ylabel="Résidu")
    out = io.BytesIO()
    figure.savefig(out, format=form)
    return out.getvalue()


def _nested() -> bytes:
    centres = [
        {"centre": f"C{start // 12 + 1}", "patients": [
            {"age": age, "sexe": sex, "mesures": {"imc": bmi, "hba1c": [hba1c, hba1c + 0.2]}}
            for age, sex, bmi, hba1c in _PEOPLE[start : start + 12]
        ]}
        for start in range(0, 48, 12)
    ]  # fmt: skip
    return json.dumps({"etude": "HbA1c", "centres": centres}).encode()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    people = [{"age": age, "sexe": sex, "hba1c": hba1c} for age, sex, _, hba1c in _PEOPLE]
    out = io.BytesIO()
    pq.write_table(pa.table({"centre": ["A", "B"], "patients": [people[:24], people[24:]]}), out)
    return out.getvalue()
