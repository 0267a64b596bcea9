"""Rows and pseudonyms where a format keeps what it doesn't show: found by an attacker who read the checks. Each
kind with neighbours: what tools write in the same places, which leaves rightly.
"""

# ruff: noqa: E501  (the texts of files, as tools write them)

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from hub_config.governance.releases.findings import Rule
from tests.corpus.cases import Case, Make, safe, unsafe
from tests.corpus.hostile_documents import with_part
from tests.corpus.tables import PSEUDONYMS, SAFE, as_docx, code_cell, html_table, notebook, page_of

ONE: Final = PSEUDONYMS[29]
ROWS: Final = tuple(
    f"{20 + 7 * n % 60};{'MF'[n % 2]};201{n % 10}-{1 + n % 12:02}-{1 + 11 * n % 28:02};{('B90', 'T90')[n % 2]}"
    for n in range(40)
)
_LINE: Final = "|".join(ROWS)
_HIDDEN: Final = Rule.HIDDEN_CONTENT


def cases() -> Iterator[Case]:
    yield from _texts()
    yield from _drawings()
    yield from _pages()
    yield from _portable()
    yield from _documents()
    yield from _notebooks()
    yield from _json()


def _fixed(content: str | bytes) -> Make:
    return partial(bytes, content.encode() if isinstance(content, str) else content)


# --- letters that nobody reads -----------------------------------------------------------------------------


def _texts() -> Iterator[Case]:
    table = base64.b64encode(_LINE.encode()).decode()
    two = base64.b64encode(PSEUDONYMS[3].to_bytes(8) + ONE.to_bytes(8)).decode()
    yield unsafe("base64.txt", _fixed(f"Annexe {table}\n"), "rows in base64", _HIDDEN)
    yield unsafe("base64.csv", _fixed(f"note;n\n{table};100\n"), "rows in base64 in a cell", _HIDDEN)
    yield unsafe("base32.txt", _fixed(base64.b32encode(ONE.to_bytes(8))), "in base32", Rule.PSEUDONYM)
    yield unsafe("seize-octets.txt", _fixed(f"Réf. {two}\n"), "two in base64", Rule.PSEUDONYM)
    shape = f"{ONE:016x}"
    uuid = f"{shape[:8]}-{shape[8:12]}-{shape[12:]}-0000-000000000000"
    yield unsafe("uuid.txt", _fixed(f"Session {uuid}\n"), "in the form of a UUID", Rule.PSEUDONYM)
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    yield safe("empreintes.txt", _fixed(f"motifs.csv  sha256:{digest}\n"), "the hash of a file")
    note = "Les effectifs de moins de onze patients sont masqués, comme ceux qui permettraient de les retrouver. "
    yield safe(
        "longue-note.csv", _fixed(f"code;note\nT90;{note * 12}\nK86;id.\n"), "a note of a thousand letters"
    )


# --- drawings ----------------------------------------------------------------------------------------------

_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 576">{}<text x="1" y="2">Motifs</text></svg>'
)
_SVGLITE: Final = """<?xml version='1.0' encoding='UTF-8' ?>
<svg xmlns='http://www.w3.org/2000/svg' class='svglite' width='720.00pt' height='576.00pt' viewBox='0 0 720.00 576.00'>
<defs><style type='text/css'><![CDATA[
  .svglite line, .svglite polyline, .svglite rect { fill: none; stroke: #000000; stroke-miterlimit: 10.00; }
  .svglite text { white-space: pre; }
]]></style></defs>
<rect width='100%' height='100%' style='stroke: none; fill: #FFFFFF;'/>
<defs><clipPath id='cpMC4wMHw3MjAuMDB8MC4wMHw1NzYuMDA='><rect x='0.00' y='0.00' width='720.00' height='576.00' /></clipPath></defs>
<g clip-path='url(#cpMC4wMHw3MjAuMDB8MC4wMHw1NzYuMDA=)'>
<rect x='93.24' y='200.10' width='60.00' height='300.00' style='stroke-width: 1.07; fill: #595959;' />
<polyline points='53.24,522.94 53.24,5.48 ' style='stroke-width: 1.07; stroke: #EBEBEB;' />
<text x='360.00' y='570.00' text-anchor='middle' style='font-size: 11.00px; font-family: "Liberation Sans";' textLength='29.36px' lengthAdjust='spacingAndGlyphs'>Motif</text>
</g></svg>"""
_PLOTLY: Final = """<svg class="main-svg" xmlns="http://www.w3.org/2000/svg" width="700" height="500" viewBox="0 0 700 500">
<defs id="defs-a1b2c3"><g class="clips"><clipPath id="clipa1b2c3xyplot" class="plotclip"><rect width="540" height="320"/></clipPath></g></defs>
<g class="cartesianlayer"><g class="subplot xy"><g class="plot" transform="translate(80,100)" clip-path="url(#clipa1b2c3xyplot)">
<g class="trace bars" style="opacity: 1;"><g class="point"><path d="M18,320V117.33H162V320Z" style="vector-effect: none; fill: rgb(99, 110, 250); stroke-width: 0.5px;"/></g></g></g>
<text text-anchor="middle" x="0" y="433" transform="translate(170,0)" style="font-family: 'Open Sans', verdana, arial, sans-serif; font-size: 12px; white-space: pre;">HTA</text></g></g></svg>"""


def _drawings() -> Iterator[Case]:
    squares = "".join(
        f'<rect x="{40 + 13 * n % 61}.{n}" y="{n * n % 97}.{n}" width="1" height="1"/>' for n in range(40)
    )
    bodies = {
        "metadonnees-csv": (f"<metadata><x>{_LINE.replace(';', ',')}</x></metadata>", _HIDDEN),
        "classes": ("".join(f'<g class="{row}"/>' for row in ROWS), _HIDDEN),
        "noms": ("".join(f'<g id="p{row}"/>' for row in ROWS), _HIDDEN),
        "note": (f'<g note="{_LINE}"/>', _HIDDEN),
        "remarque-css": (f"<style>/* {_LINE} */</style>", _HIDDEN),
        "element": ("".join(f"<x-{row[:2]}/>" for row in ROWS), _HIDDEN),
        "groupe-cache": (f'<g style="display:none"><text>{_LINE}</text></g>', _HIDDEN),
        "carres": (squares, Rule.POINTS),
        "traits": (
            f'<path d="{"".join(f"M{n * 17 % 89} {n * n % 97}h1" for n in range(40))}"/>',
            Rule.POINTS,
        ),
        "trace": (f'<path d="M0 0 L {ONE} 3"/>', Rule.PSEUDONYM),
        "abscisse": (f'<rect x="{ONE}" y="1" width="1" height="1"/>', Rule.PSEUDONYM),
    }
    for name, (body, rule) in bodies.items():
        yield unsafe(f"dessin-{name}.svg", _fixed(_SVG.format(body)), f"a drawing: {name}", rule)
    yield safe("svglite.svg", _fixed(_SVGLITE), "a bar as R's svglite writes it")
    yield safe("plotly.svg", _fixed(_PLOTLY), "a bar as plotly writes it")


# --- pages -------------------------------------------------------------------------------------------------

_GT: Final = """<div id="pzkqwlmaxd" style="padding-left:0px;overflow-x:auto;width:auto;height:auto;"><style>
#pzkqwlmaxd table { font-family: system-ui, 'Segoe UI', Roboto, sans-serif; -webkit-font-smoothing: antialiased; }
#pzkqwlmaxd .gt_table { border-collapse: collapse; color: #333333; background-color: #FFFFFF; }
</style><table class="gt_table" data-quarto-disable-processing="false" data-quarto-bootstrap="false"><thead>
<tr class="gt_col_headings"><th class="gt_col_heading gt_left" rowspan="1" colspan="1" scope="col" id="motif">motif</th>
<th class="gt_col_heading gt_right" scope="col" id="patients">patients</th></tr></thead><tbody class="gt_table_body">
<tr><td headers="motif" class="gt_row gt_left">HTA</td><td headers="patients" class="gt_row">3934</td></tr></tbody></table></div>"""
_CALC: Final = """<!DOCTYPE html><html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"/>
<meta name="generator" content="LibreOffice 7.4.7.2 (Linux)"/><style type="text/css">
body,div,table,tr,th,td,p { font-family:"Liberation Sans"; font-size:x-small }</style></head><body>
<table cellspacing="0" border="0"><colgroup width="85"></colgroup><tr><td height="17" align="left">motif</td>
<td align="left">patients</td></tr><tr><td height="17">HTA</td><td align="right" sdval="3934" sdnum="1036;">3934</td></tr>
</table></body></html>"""


def _pages() -> Iterator[Case]:
    table = html_table(SAFE["motifs"])
    bodies = {
        "attributs": "".join(f'<i data-v="{row}">.</i>' for row in ROWS),
        "classes": "".join(f'<i class="{row}">.</i>' for row in ROWS),
        "noms": "".join(f'<i id="{_LINE[at : at + 380]}">.</i>' for at in range(0, len(_LINE), 380)),
        "remarque-css": f"<style>td {{ color: red }} /* {_LINE} */</style>",
        "propriete-css": f"<style>:root {{ --a: '{_LINE}' }}</style>",
        "meta": "".join(f'<meta name="x{n}" content="{row}">' for n, row in enumerate(ROWS)),
        "elements": "".join(f"<x-{row[:4].replace(';', '-')}></x-{row[:1]}>" for row in ROWS),
        "a-droite": f"<p style='position:absolute;left:200vw'>{_LINE}</p>",
        "police-blanche": f"<font color=white>{_LINE}</font>",
    }
    for name, body in bodies.items():
        yield unsafe(f"page-{name}.html", partial(page_of, table, body), f"rows in a page: {name}", _HIDDEN)
    yield safe("gt.html", _fixed(_GT), "a table as R's gt writes it")
    yield safe("calc.html", _fixed(_CALC), "a table as LibreOffice writes it")
    yield safe("styler.html", _styled, "a table as pandas styles it")


def _styled() -> bytes:
    import pandas as pd

    table = SAFE["motifs"]
    frame = pd.DataFrame(table.rows, columns=list(table.header))
    lined = {"selector": "th", "props": "font-weight: bold; border-bottom: 1px solid black;"}
    styled = frame.style.set_caption("Motifs").set_properties(**{"text-align": "right"})
    return str(styled.set_table_styles([lined]).set_uuid("0a1b2").to_html()).encode()


# --- PDF ---------------------------------------------------------------------------------------------------


def _portable() -> Iterator[Case]:
    from pypdf.generic import ArrayObject, NameObject, StreamObject, TextStringObject

    lost = StreamObject()
    lost.set_data(_LINE.encode())
    strings = ArrayObject([TextStringObject(row) for row in ROWS])
    for name, told in (("flux", lost), ("liste", strings)):
        add = lambda w, told=told: w._add_object(told)  # type: ignore[misc]  # noqa: E731
        yield unsafe(f"perdu-{name}.pdf", partial(_written, add), "an object that no page leads to", _HIDDEN)
    key = lambda w: w._root_object.update({NameObject("/X"): TextStringObject(_LINE)})  # noqa: E731
    yield unsafe("clef.pdf", partial(_written, key), "a key of its own", _HIDDEN)
    beside = f"x) Tj ET /Span <</ActualText ({_LINE})>> BDC BT (y) Tj ET EMC BT ("
    yield unsafe("texte-reel.pdf", partial(_written, text=beside), "a text instead of another", _HIDDEN)
    remark = f"x) Tj ET\n%{_LINE}\nBT ("
    yield unsafe("remarque-page.pdf", partial(_written, text=remark), "a remark in a page", _HIDDEN)
    yield unsafe("entre.pdf", lambda: _between(f"%{_LINE}\n"), "remarks between objects", _HIDDEN)
    yield unsafe("octets.pdf", lambda: _between(f"{_LINE}\n"), "bytes between objects", _HIDDEN)
    lying = partial(_written, _lie, text="Deces : 3 patients")
    yield unsafe("menteur.pdf", lying, "digits that read as letters", _HIDDEN)
    titles = partial(_written, partial(_outline, ("Motifs", f"Dossier {ONE}")))
    yield unsafe("signets.pdf", titles, "a pseudonym in an outline", Rule.PSEUDONYM)
    good = partial(_outline, ("Introduction", "Résultats"))
    yield safe("plan.pdf", partial(_written, good), "a document with an outline")


def _written(change: Callable[[Any], object] = lambda _: None, text: str = "Patients 3934") -> bytes:
    from pypdf import PdfWriter
    from pypdf.generic import DictionaryObject, NameObject, StreamObject

    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    drawn = StreamObject()
    drawn.set_data(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode())
    names = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    font = DictionaryObject({NameObject(name): NameObject(value) for name, value in names.items()})
    fonts = DictionaryObject({NameObject("/F1"): font})
    page[NameObject("/Contents")] = writer._add_object(drawn)
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _between(told: str) -> bytes:
    return _written().replace(b"\nendobj\n", b"\nendobj\n" + told.encode(), 1)


def _outline(titles: tuple[str, ...], writer: Any) -> None:
    for title in titles:
        writer.add_outline_item(title=title, page_number=0)


def _lie(writer: Any) -> None:
    from pypdf.generic import NameObject, StreamObject

    table = StreamObject()
    table.set_data(b"begincmap 1 beginbfrange <30> <39> <0041> endbfrange endcmap")
    writer.pages[0]["/Resources"]["/Font"]["/F1"][NameObject("/ToUnicode")] = writer._add_object(table)


# --- Word ----------------------------------------------------------------------------------------------------

_W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def _documents() -> Iterator[Case]:
    variables = "".join(f'<w:docVar w:name="v{n}" w:val="{row}"/>' for n, row in enumerate(ROWS))
    fonts = "".join(f'<w:font w:name="{row}"/>' for row in ROWS)
    settings = {
        "variables": ("settings", f"<w:docVars>{variables}</w:docVars>"),
        "polices": ("fontTable", fonts),
        "niveaux": ("numbering", f"<w:x>{_LINE}</w:x>"),
    }
    for name, (part, body) in settings.items():
        content = f'<w:x xmlns:w="{_W}">{body}</w:x>'.replace("w:x ", f"w:{part} ", 1).encode()
        content = content[: -len(b"</w:x>")] + f"</w:{part}>".encode()
        made = partial(with_part, f"word/{part}.xml", content)
        yield unsafe(f"{name}.docx", made, f"rows in a Word part: {part}", _HIDDEN)
    marks = "".join(f'<w:bookmarkStart w:id="{n}" w:name="{row}"/>' for n, row in enumerate(ROWS))
    faint = f'<w:r><w:rPr><w:color w:val="FDFDFD"/></w:rPr><w:t>{_LINE}</w:t></w:r>'
    paper = faint.replace('w:val="FDFDFD"', 'w:val="auto" w:themeColor="background1"')
    field = f'<w:r><w:fldChar w:fldCharType="begin"><w:fldData>{base64.b64encode(_LINE.encode()).decode()}</w:fldData></w:fldChar></w:r>'
    bodies = {
        "signets-mots": f"<w:p>{marks}</w:p>",
        "revisions": "".join(f'<w:p w:rsidR="{row}"/>' for row in ROWS),
        "champ-donnees": f"<w:p>{field}</w:p>",
        "element-inconnu": f"<w:p><w:r><w:foo>{_LINE}</w:foo></w:r></w:p>",
        "presque-blanc": f"<w:p>{faint}</w:p>",
        "couleur-papier": f"<w:p>{paper}</w:p>",
    }
    for name, body in bodies.items():
        yield unsafe(f"{name}.docx", partial(inserted, body), f"rows in a Word file: {name}", _HIDDEN)
    word = (
        '<w:p w:rsidR="00AB12CD" w:rsidRDefault="00AB12CD"><w:bookmarkStart w:id="0" w:name="_Toc123456789"/><w:pPr>'
        '<w:pStyle w:val="Titre1"/><w:rPr><w:lang w:val="fr-FR"/></w:rPr></w:pPr><w:r w:rsidRPr="00EF4567">'
        '<w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:cs="Times New Roman"/><w:color w:val="1F3864"'
        ' w:themeColor="accent1" w:themeShade="80"/></w:rPr><w:t>Résultats</w:t></w:r><w:bookmarkEnd w:id="0"/></w:p>'
    )
    yield safe("comme-word.docx", partial(inserted, word), "a paragraph as Word writes it")


def inserted(body: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(as_docx(SAFE["motifs"]))) as whole, zipfile.ZipFile(out, "w") as changed:
        for name in whole.namelist():
            part = whole.read(name)
            if name == "word/document.xml":
                part = part.replace(b"<w:sectPr", body.encode() + b"<w:sectPr", 1)
            changed.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), part)
    return out.getvalue()


# --- notebooks, JSON -----------------------------------------------------------------------------------------


def _notebooks() -> Iterator[Case]:
    tagged = [code_cell("1", tags=[row]) for row in ROWS]
    yield unsafe("etiquettes.ipynb", partial(notebook, *tagged), "rows as tags", _HIDDEN)
    kernel = {"name": "python3", "display_name": _LINE, "language": "python"}
    yield unsafe("noyau.ipynb", partial(notebook, kernelspec=kernel), "rows as a kernel's name", _HIDDEN)
    named = [{**code_cell("1"), "id": row.replace(";", "_")} for row in ROWS]
    yield unsafe("noms-de-cellules.ipynb", partial(notebook, *named), "rows as the names of cells", _HIDDEN)
    moment = {
        f"{what}.{at}": "2026-11-22T10:11:12.123456Z"
        for what in ("iopub", "shell")
        for at in ("execute", "reply")
    }
    run = [
        {**code_cell("1", execution=moment, tags=["parameters"]), "id": f"{n * 7919:08x}"} for n in range(60)
    ]
    language = {
        "name": "python", "version": "3.11.2", "mimetype": "text/x-python", "file_extension": ".py",
        "codemirror_mode": {"name": "ipython", "version": 3}, "pygments_lexer": "ipython3", "nbconvert_exporter": "python",
    }  # fmt: skip
    yield safe(
        "jupyter.ipynb", partial(notebook, *run, language_info=language), "what Jupyter writes of a run"
    )


def _json() -> Iterator[Case]:
    keys = json.dumps(dict.fromkeys(ROWS, 1))
    yield unsafe("clefs.json", _fixed(keys), "rows as keys", Rule.ROW_LEVEL)
    yield unsafe(
        "texte.json", _fixed(json.dumps({"note": "\n".join(ROWS)})), "rows in a text", Rule.ROW_LEVEL
    )
    codes = {"T90": 1204, "K86": 3934, "R74": 3553, "L03": 2397}
    yield safe("effectifs.json", _fixed(json.dumps({"patients": codes})), "counts by code")
    note = {"note": "Effectifs arrondis.\nVersion figée 3.", "motifs": [{"code": "T90", "patients": 1204}]}
    yield safe("note.json", _fixed(json.dumps(note)), "a table with a note of two lines")
