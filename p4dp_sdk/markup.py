"""Small pieces of HTML for notebooks. Everything that is put in is escaped, `names` between backticks are set
as code; nothing here fetches or runs anything, and only `link` leads somewhere."""

from __future__ import annotations

import html
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


def link(label: str, address: str) -> str:
    """A page of the enclave's, opened beside the notebook. An address that is not a web page's stays text."""
    if not address.startswith(("http://", "https://")):
        return paragraph(f"{label} {address}")
    shown = html.escape(address, quote=True)
    opened = 'target="_blank" rel="noopener noreferrer"'
    return f'<p>{in_html(label)} <a href="{shown}" {opened}>{shown}</a></p>'


def notes(lines: Iterable[str]) -> str:
    """Remarks under a table."""
    items = "<br>".join(in_html(line) for line in lines)
    return (
        f'<p style="color:var(--jp-ui-font-color2,#555);font-size:90%;margin-top:.3em">{items}</p>'
        if items
        else ""
    )
