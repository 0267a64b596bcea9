"""The quality of a snapshot as a page: what is missing and which rules fired, by table, centre and month.

One HTML file with its figures in it, readable offline. For operators: it holds small numbers, and never
leaves the enclave. Nothing in it is a row or a value.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hub_config.warehouse.quality.compare import Move
from hub_config.warehouse.quality.profile import Counts, Profile, TableProfile
from hub_config.warehouse.quality.words import label_of, share, told

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE: Final = "quality.html"
_MONTHS_SHOWN: Final = 60
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}
th,td{padding:.2rem .8rem;border-bottom:1px solid #ddd;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}img{max-width:100%}</style></head><body>
<h1>{{ title }}</h1>
<p>For operators: small numbers are not hidden here. Don't take this page out of the enclave.</p>
<p>Patients who may stand under two sources: {{ twins }} (counted, never joined).</p>
<h2>What moved</h2>
{% if compared_with is none %}<p>No earlier snapshot of this population to compare with.</p>
{% elif not moves %}<p>Nothing moved beyond the tolerance since snapshot {{ compared_with }}.</p>
{% else %}<p>Since snapshot {{ compared_with }}:</p>
<ul>{% for move in moves %}<li>{{ move }}</li>{% endfor %}</ul>
{% endif %}
{% for table in tables %}<h2 id="{{ table.name }}">{{ table.name }}</h2><p>{{ table.rows }} rows.</p>
{% if table.rules %}<table><tr><th>rule</th><th>what it means</th><th>rows</th><th>share</th></tr>
{% for rule in table.rules %}<tr><td>{{ rule.0 }}</td><td>{{ rule.1 }}</td><td class="n">{{ rule.2 }}</td>
<td class="n">{{ rule.3 }}</td></tr>{% endfor %}</table>{% endif %}
<table><tr><th>column</th><th>filled</th></tr>{% for name, filled in table.columns %}<tr><td>{{ name }}</td>
<td class="n">{{ filled }}</td></tr>{% endfor %}</table>
{% for alt, image in table.figures %}<img alt="{{ alt }}" src="data:image/png;base64,{{ image }}">{% endfor %}
{% endfor %}</body></html>
"""


@dataclass(frozen=True)
class Since:
    """The snapshot compared with, and what moved since."""

    number: int
    moves: Sequence[Move]


def write_report(profile: Profile, number: int, since: Since | None, directory: Path) -> Path:
    """Writes the page and its figures (PNG) into `directory`, which is made if need be; gives the page."""
    from jinja2 import Environment

    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)  # whoever made it: small numbers are shown here
    tables = [_section(name, table, directory) for name, table in profile.tables.items()]
    text = (
        Environment(autoescape=True)
        .from_string(_PAGE)
        .render(
            title=f"Quality of snapshot {number}",
            twins=profile.twins,
            compared_with=since.number if since else None,
            moves=[told(move) for move in since.moves] if since else [],
            tables=tables,
        )
    )
    page = directory / PAGE
    page.write_text(text, encoding="utf-8")
    return page


def _section(name: str, table: TableProfile, directory: Path) -> dict[str, object]:
    counts = table.all
    figures = [
        (f"{what} of {name}, by {by}", _saved(figure, directory / f"{name}-{what}-{by}.png"))
        for what, by, figure in _figures(name, table)
    ]
    return {
        "name": name,
        "rows": f"{counts.rows:,}",
        "rules": [
            (rule, label_of(rule), f"{rows:,}", share(counts.share_fired(rule)))
            for rule, rows in sorted(counts.rules.items(), key=lambda each: -each[1])
        ],
        "columns": [(column, share(counts.share_filled(column))) for column in sorted(counts.filled)],
        "figures": figures,
    }


def _figures(name: str, table: TableProfile) -> list[tuple[str, str, Figure]]:
    """Heat maps of what varies: columns not always filled, and rules, by centre and by month."""
    missing = [c for c in sorted(table.all.filled) if table.all.filled[c] < table.all.rows]
    rules = sorted(table.all.rules)
    drawn = []
    for by, groups in (("centre", table.centres), ("month", _recent(table.months))):
        if missing and len(groups) > 1:
            cells = [[100 * group.share_filled(c) for group in groups.values()] for c in missing]
            drawn.append(("completeness", by, _heat(f"{name}: filled (%)", missing, list(groups), cells)))
        if rules and len(groups) > 1:
            cells = [[1000 * group.share_fired(r) for group in groups.values()] for r in rules]
            drawn.append(("rules", by, _heat(f"{name}: rules, of 1,000 rows", rules, list(groups), cells)))
    return drawn


def _recent(months: Mapping[str, Counts]) -> dict[str, Counts]:
    return dict(sorted(months.items())[-_MONTHS_SHOWN:])


def _heat(
    title: str, rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[float]]
) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(min(4 + 0.22 * len(columns), 16), 1.5 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(cells, aspect="auto", cmap="cividis")
    every = max(1, len(columns) // 30)
    axes.set_xticks(range(0, len(columns), every), list(columns)[::every], rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), list(rows), fontsize=8)
    axes.set_title(title, fontsize=10)
    figure.colorbar(image, ax=axes)
    return figure


def _saved(figure: Figure, path: Path) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    path.write_bytes(buffer.getvalue())
    return base64.b64encode(buffer.getvalue()).decode()
