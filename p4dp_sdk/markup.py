"""Small pieces of HTML for notebooks. Everything that is put in is escaped, `names` between backticks are set
as code; nothing here fetches, links or runs anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from p4dp_sdk.wire.explained import in_html

_CELL = "text-align:left;vertical-align:top"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A plain table; JupyterLab styles it as it does pandas frames."""
    head = "".join(f'<th style="{_CELL}">{in_html(header)}</th>' for header in headers)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{in_html(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def heading(text: str) -> str:
    return f"<p><strong>{in_html(text)}</strong></p>"


def paragraph(text: str) -> str:
    return f"<p>{in_html(text)}</p>"


def notes(lines: Iterable[str]) -> str:
    """Remarks under a table."""
    items = "<br>".join(in_html(line) for line in lines)
    return (
        f'<p style="color:var(--jp-ui-font-color2,#555);font-size:90%;margin-top:.3em">{items}</p>'
        if items
        else ""
    )
