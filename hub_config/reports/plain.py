"""An executed notebook as it is kept: its texts, its code and what its outputs show, and nothing that
does not meet the eye. Pure.

The box's notebook is hostile, and carries what nobody reads: times and copies of the template in its
metadata, machine-readable twins of outputs. A reviewer must see all there is, so all else is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_SHOWN: Final = ("text/html", "image/png", "image/jpeg", "text/plain")
_METADATA: Final = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def plain(notebook: Mapping[str, Any]) -> bytes:
    """The notebook in canonical JSON: of equal cells, equal bytes."""
    cells = [_cell(number, cell) for number, cell in enumerate(notebook["cells"]) if isinstance(cell, dict)]
    kept = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False).encode(errors="replace") + b"\n"


def _cell(number: int, cell: Mapping[str, Any]) -> dict[str, Any]:
    common = {"id": f"cell-{number}", "metadata": {}, "source": _text(cell.get("source"))}
    if cell.get("cell_type") != "code":
        return {"cell_type": "markdown", **common}
    outputs = cell.get("outputs")
    shown = [*_outputs(outputs if isinstance(outputs, list) else [])]
    return {"cell_type": "code", "execution_count": None, "outputs": shown, **common}


def _outputs(outputs: list[Any]) -> Iterator[dict[str, Any]]:
    for output in outputs:
        match output:
            case {"output_type": "stream", "text": text}:
                yield {"output_type": "stream", "name": "stdout", "text": _text(text)}
            case {"output_type": "error"}:
                said = {name: _text(output.get(name)) for name in ("ename", "evalue")}
                yield {"output_type": "error", **said, "traceback": []}
            case {"output_type": "display_data" | "execute_result", "data": dict(data)}:
                kept = {kind: _text(data[kind]) for kind in _SHOWN if kind in data}
                yield {"output_type": "display_data", "data": kept, "metadata": {}}
            case _:
                pass


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(each for each in value if isinstance(each, str))
    return value if isinstance(value, str) else ""
