"""Tables as people publish them, tables that must not leave, and every form they come in."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub_config.gateway.pseudonyms import ProjectKey
from hub_config.governance.releases.findings import Rule

PROJECT: Final = "these-ines"
KEY: Final = ProjectKey.derive(b"corpus".ljust(32, b"."), PROJECT)
PSEUDONYMS: Final = tuple(KEY.pseudonym("patient_id", number) for number in range(600))
PHYSICIANS: Final = tuple(KEY.pseudonym("physician_id", number) for number in range(40))


@dataclass(frozen=True)
class Table:
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rules: frozenset[Rule] = frozenset()


def _table(title: str, header: str, *rows: str, rules: Sequence[Rule] = ()) -> Table:
    cut = tuple(tuple(cell.strip() for cell in row.split("|")) for row in rows)
    return Table(title, tuple(cell.strip() for cell in header.split("|")), cut, frozenset(rules))


SAFE: Final[Mapping[str, Table]] = {
    "motifs": _table(
        "Les dix diagnostics les plus fréquents",
        "cisp2 | libelle | patients",
        "K86 | Hypertension non compliquée | 3934",
        "R74 | Infection aiguë des voies respiratoires supérieures | 3553",
        "R78 | Bronchite aiguë | 2564",
        "L03 | Symptômes du dos | 2397",
        "T90 | Diabète non insulinodépendant | 2253",
        "A62 | Procédure administrative | 2047",
        "P76 | Dépression | 1917",
        "L86 | Syndrome dorsal | 1517",
    ),
    "par-annee": _table(
        "Consultations par an",
        "annee | consultations | patients",
        "2016 | 51230 | 12044",
        "2017 | 54118 | 12590",
        "2018 | 58310 | 13122",
        "2019 | 60122 | 13544",
    ),
    "tableau-1": _table(
        "Table 1. Baseline characteristics",
        "variable | Women (N = 2104) | Men (N = 1987)",
        "Age, mean (SD) | 61.2 (11.4) | 59.8 (11.9)",
        "Hypertension, n (%) | 1211 (57.6 %) | 1180 (59.4 %)",
        "Tobacco, current, n (%) | 322 (15.3 %) | 512 (25.8 %)",
        "BMI, mean (SD) | 28.4 (5.1) | 27.9 (4.6)",
    ),
    "masque": _table(
        "Patients par classe d'âge, effectifs masqués",
        "classe d'âge | patients",
        "0-15 | 412",
        "16-39 | 1204",
        "40-64 | 2411",
        "65-84 | 1100",
        "85 et plus | < 11",
    ),
    "incidence": _table(
        "Incidence hebdomadaire pour 100 000 consultations",
        "semaine | numerateur | denominateur | taux",
        "2019-S01 | 311 | 45120 | 689.3",
        "2019-S02 | 402 | 45871 | 876.4",
        "2019-S03 | 455 | 46002 | 989.1",
        "2019-S04 | 361 | 45660 | 790.6",
    ),
    "regression": _table(
        "Cox model, new cardiovascular event (N = 4210, 311 events, residual df = 4203)",
        "term | HR | 95% CI | p",
        "age (10 years) | 1.41 | 1.29-1.54 | <0.001",
        "sex: male | 1.62 | 1.31-2.01 | <0.001",
        "current smoking | 1.88 | 1.44-2.45 | <0.001",
        "systolic pressure (10 mmHg) | 1.09 | 1.03-1.15 | 0.002",
    ),
}

UNSAFE: Final[Mapping[str, Table]] = {
    "petits-effectifs": _table(
        "Patients par diagnostic rare",
        "cisp2 | libelle | patients",
        "B72 | Lymphome | 45",
        "N74 | Tumeur maligne du système nerveux | 3",
        "W71 | Infection compliquant une grossesse | 2",
        "Y78 | Autre tumeur maligne de l'homme | 27",
        rules=[Rule.SMALL_COUNT],
    ),
    "lignes": Table(
        "Patients inclus",
        ("patient", "age", "sexe", "date_inclusion", "hba1c"),
        tuple(
            (f"P{n:04d}", f"{40 + n % 37}", "FM"[n % 2], f"2019-{n % 12 + 1:02d}-{n % 28 + 1:02d}", "7.1")
            for n in range(60)
        ),
        frozenset({Rule.ROW_LEVEL}),
    ),
    "pseudonymes": Table(
        "Extrait",
        ("patient_id", "consultations"),
        tuple((str(name), str(12 + n % 30)) for n, name in enumerate(PSEUDONYMS[:40])),
        frozenset({Rule.PSEUDONYM}),
    ),
    "n-et-pourcentage": _table(
        "Table 1",
        "variable | n (%)",
        "Hypertension | 211 (52.1 %)",
        "Lupus | 4 (1.0 %)",
        "Diabetes | 93 (23.0 %)",
        rules=[Rule.SMALL_COUNT],
    ),
    "identifiants": _table(
        "Contacts",
        "effectif | note",
        "120 | à rappeler au 06 12 34 56 78",
        "140 | jeanne.dupont@example.org",
        rules=[Rule.PERSONAL_PATTERN],
    ),
}  # fmt: skip


def as_csv(table: Table, separator: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows([table.header, *table.rows])
    return out.getvalue().encode()


def as_json(table: Table) -> bytes:
    records = [dict(zip(table.header, map(_typed, row), strict=True)) for row in table.rows]
    return json.dumps(records, ensure_ascii=False).encode()


def as_xlsx(table: Table) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    book.properties.creator = ""
    for row in (table.header, *table.rows):
        sheet.append([_typed(cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_parquet(table: Table) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: [_typed(row[n]) for row in table.rows] for n, name in enumerate(table.header)}
    columns = {
        name: values if len({type(v) for v in values}) == 1 else [str(v) for v in values]
        for name, values in columns.items()
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def html_table(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.header)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows
    )
    return f'<table border="1" class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def page_of(*pieces: str, head: str = "") -> bytes:
    return (
        f"<!DOCTYPE html><html lang='fr'><head><meta charset='utf-8'><title>Résultats</title>{head}</head>"
        f"<body>{''.join(pieces)}</body></html>"
    ).encode()


def as_html(table: Table) -> bytes:
    return page_of(f"<h1>{html.escape(table.title)}</h1>", html_table(table))


def as_markdown(table: Table) -> bytes:
    lines = [table.header, ["---"] * len(table.header), *table.rows]
    body = "".join(f"| {' | '.join(row)} |\n" for row in lines)
    return f"# {table.title}\n\n{body}".encode()


def as_docx(table: Table, *paragraphs: str) -> bytes:
    from docx import Document

    document = Document()
    document.core_properties.author = "P4DP"
    document.core_properties.comments = ""
    for text in (table.title, *paragraphs):
        document.add_paragraph(text)
    drawn = document.add_table(rows=0, cols=len(table.header))
    for row in (table.header, *table.rows):
        for cell, text in zip(drawn.add_row().cells, row, strict=True):
            cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def as_tex(table: Table) -> bytes:
    rows = "".join(" & ".join(row).replace("%", r"\%") + " \\\\\n" for row in (table.header, *table.rows))
    return (
        f"\\begin{{table}}\n\\caption{{{table.title}}}\n\\begin{{tabular}}{{{'l' * len(table.header)}}}\n"
        f"{rows}\\end{{tabular}}\n\\end{{table}}\n"
    ).encode()


def as_pdf(table: Table) -> bytes:
    return text_pdf([table.title, "   ".join(table.header), *("   ".join(row) for row in table.rows)])


def text_pdf(lines: Sequence[str], **metadata: str) -> bytes:
    """A page of text, as matplotlib writes it."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 11))
    FigureCanvasPdf(figure)
    for number, line in enumerate(lines):
        figure.text(0.05, 0.95 - 0.02 * number, line.replace("$", r"\$"), fontsize=7)
    out = io.BytesIO()
    figure.savefig(out, format="pdf", metadata={"CreationDate": None, **metadata})
    return out.getvalue()


def code_cell(source: str, *outputs: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "id": "c", "metadata": metadata, "source": source, "outputs": list(outputs),
            "execution_count": 1}  # fmt: skip


def result(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"output_type": "execute_result", "metadata": {}, "execution_count": 1, "data": dict(data)}


def notebook(*cells: Mapping[str, Any], **metadata: Any) -> bytes:
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python", "version": "3.11.2"},
            **metadata,
        },
        "cells": list(cells),
    }
    return json.dumps(document, ensure_ascii=False).encode()


def as_notebook(table: Table) -> bytes:
    plain = "\n".join("  ".join(row) for row in (table.header, *table.rows))
    return notebook(
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": f"# {table.title}"},
        code_cell(
            "top.execute()", result({"text/html": f"<div>{html_table(table)}</div>", "text/plain": plain})
        ),
    )


FORMS: Final = {
    "csv": as_csv,
    "tsv": lambda table: as_csv(table, "\t"),
    "json": as_json,
    "xlsx": as_xlsx,
    "parquet": as_parquet,
    "html": as_html,
    "md": as_markdown,
    "docx": as_docx,
    "tex": as_tex,
    "pdf": as_pdf,
    "ipynb": as_notebook,
}


def _typed(cell: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
