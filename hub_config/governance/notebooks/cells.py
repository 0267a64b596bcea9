"""A notebook as it is registered: its cells' text, and which one holds the parameters. Pure.

    content = cells_alone(file)    # of equal cells, equal bytes

What a page would not show is not taken along (outputs, attachments, metadata), or stops it (characters that
hide, raw cells, files written into an address): the physician reads all that will run, and all that will
stand in the page it leaves.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from hub_config.governance.notebooks.problems import BadNotebook, Why

MOST_CELLS: Final = 200
MOST_SIGNS: Final = 60_000
_HIDING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_INVISIBLE: Final = frozenset(
    chr(code)
    for first, last in (
        *((0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2060, 0x206F)),
        *((0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0000, 0xE0FFF)),
    )
    for code in range(first, last + 1)
)
"""Letters and marks that show nothing: Unicode's Default_Ignorable_Code_Point, and the empty Braille cell."""
_DATA_ADDRESS: Final = re.compile(r"data:\s*(?:image/|[\w.+-]+/[\w.+-]+[;,]|;|,)", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_METADATA: Final = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
_TAG: Final = "parameters"


def cells_alone(file: bytes) -> bytes:
    """Raises BadNotebook, with the number of the cell from 1."""
    notebook = _parsed(file)
    cells = [_cell(number, cell) for number, cell in enumerate(notebook["cells"], 1)]
    if len(cells) > MOST_CELLS or sum(len(cell["source"]) for cell in cells) > MOST_SIGNS:
        raise BadNotebook(Why.TOO_LONG)
    kept = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _parsed(file: bytes) -> Mapping[str, Any]:
    try:
        notebook = json.loads(file)
    except (ValueError, RecursionError):
        raise BadNotebook(Why.NOT_A_NOTEBOOK) from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise BadNotebook(Why.NOT_A_NOTEBOOK)
    if notebook.get("nbformat") != 4 or not _is_python(notebook.get("metadata")):
        raise BadNotebook(Why.NOT_A_NOTEBOOK)
    if not any(isinstance(cell, dict) and cell.get("cell_type") == "code" for cell in notebook["cells"]):
        raise BadNotebook(Why.NOT_A_NOTEBOOK)
    return notebook


def _is_python(metadata: object) -> bool:
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    return not isinstance(kernel, dict) or kernel.get("language", "python") == "python"


def _cell(number: int, cell: object) -> dict[str, Any]:
    if not isinstance(cell, dict):
        raise BadNotebook(Why.NOT_A_NOTEBOOK, number)
    common = {"id": f"cell-{number}", "source": _source(number, cell.get("source"))}
    match cell.get("cell_type"):
        case "code":
            tags = {"tags": [_TAG]} if _is_tagged(cell.get("metadata")) else {}
            return {"cell_type": "code", "execution_count": None, "metadata": tags, "outputs": [], **common}
        case "markdown":
            if _brings_data(common["source"]):
                raise BadNotebook(Why.DATA_ADDRESS, number)
            return {"cell_type": "markdown", "metadata": {}, **common}
        case _:
            raise BadNotebook(Why.RAW_CELL, number)


def _is_tagged(metadata: object) -> bool:
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return isinstance(tags, list) and _TAG in tags


def _source(number: int, source: object) -> str:
    lines = source if isinstance(source, list) else [source]
    written = [line for line in lines if isinstance(line, str)]
    if len(written) < len(lines):
        raise BadNotebook(Why.NOT_A_NOTEBOOK, number)
    text = "".join(written).replace("\r\n", "\n")
    if any(map(_hides, text)):
        raise BadNotebook(Why.HIDDEN, number)
    return text


def _hides(sign: str) -> bool:
    return sign in _INVISIBLE or (unicodedata.category(sign) in _HIDING and sign not in "\n\t")


def _brings_data(text: str) -> bool:
    """Whether an address in it holds a file itself, as a browser would read it: the page would show it, and
    who reads the cell sees its letters."""
    read = _ESCAPED.sub(r"\1", html.unescape(text).translate({ord("\n"): None, ord("\t"): None}))
    return _DATA_ADDRESS.search(read) is not None
