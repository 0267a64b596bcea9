"""Notebooks: every output of every cell by what it is, and what a notebook keeps beside its cells.

Code is shown and searched, never run, and its numbers are not taken for counts. Outputs that no check
reads (interactive figures, widgets) block: they hold their data.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from hub_config.airlock.checks.inside.checkers.gathering import Gathering, repeats
from hub_config.airlock.checks.inside.checkers.hypertext import page
from hub_config.airlock.checks.inside.checkers.images import picture
from hub_config.airlock.checks.inside.checkers.kept import Kept
from hub_config.airlock.checks.inside.checkers.structured import document_found, parsed
from hub_config.airlock.checks.inside.checkers.svg import drawing
from hub_config.airlock.checks.inside.decoding import decoded
from hub_config.airlock.checks.inside.found import CannotRead, Found, Notes, Order, Reason
from hub_config.governance.releases.findings import Place, Rule, Severity

MOST_CELLS: Final = 1_000
_PARTS: Final = frozenset({"cells", "metadata", "nbformat", "nbformat_minor"})
_CELL: Final = frozenset(
    {"cell_type", "id", "metadata", "source", "outputs", "execution_count", "attachments"}
)
_KNOWN_METADATA: Final = frozenset({"kernelspec", "language_info", "widgets", "authors", "title"})
_KNOWN_CELL_METADATA: Final = frozenset(
    {"collapsed", "scrolled", "tags", "execution", "jupyter", "editable", "deletable", "slideshow", "trusted",
     "id", "name"}
)  # fmt: skip
_OUTPUT: Final = frozenset(
    {"output_type", "name", "text", "data", "metadata", "execution_count", "ename", "evalue", "traceback"}
)
_UNSEEN: Final = frozenset({"name", "metadata", "execution_count", "ename"})
_TEXTS: Final = ("text/markdown", "text/latex")
_MOST_LITERALS: Final = 200
_LITERAL: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_SHORT: Final = 300
_OF_A_CELL: Final = 600  # the moments of a run, tags, an id
_OF_A_NOTEBOOK: Final = 2_000  # its kernel and language


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    notes = Notes()
    text = decoded(content, notes)
    document = parsed(text)
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise CannotRead(Reason.DAMAGED)
    if len(document["cells"]) > MOST_CELLS:
        raise CannotRead(Reason.TOO_MUCH)
    gathering = Gathering(order)
    if repeats(document):
        gathering.block(Rule.HIDDEN_CONTENT, "a key that stands twice")
        gathering.search(text)
    kept = Kept()
    _judge_metadata(gathering, document)
    kept.add([document.get("metadata"), document.get("nbformat")])
    for number, cell in enumerate(document["cells"], 1):
        if not isinstance(cell, dict):
            raise CannotRead(Reason.DAMAGED)
        _read_cell(gathering, cell, Place(cell=number))
        kept.add([cell.get("metadata"), cell.get("id")])
    if kept.too_much:
        gathering.block(Rule.HIDDEN_CONTENT, "other properties")
    return Found(notes.findings()) + gathering.found()


def _judge_metadata(gathering: Gathering, document: Mapping[str, Any]) -> None:
    for key in document.keys() - _PARTS:
        _hidden(gathering, document[key], Place(), "unknown part")
    metadata = _mapping(document.get("metadata"))
    if metadata.get("widgets"):
        _hidden(gathering, metadata["widgets"], Place(), "state of widgets")
    if metadata.get("authors"):
        gathering.warn(Rule.DOCUMENT_METADATA, "author")
    for key in metadata.keys() - _KNOWN_METADATA:
        _beside(gathering, metadata[key], Place())
    known = {key: metadata[key] for key in metadata.keys() & (_KNOWN_METADATA - {"widgets"})}
    _unseen(
        gathering, [known, document.get("nbformat"), document.get("nbformat_minor")], Place(), _OF_A_NOTEBOOK
    )


def _beside(gathering: Gathering, value: Any, place: Place) -> None:
    """What an editor or a run wrote beside the cells: short, it is told; long, it could hold anything."""
    said = json.dumps(value, ensure_ascii=False)
    gathering.search(said)
    if len(said) > _SHORT:
        gathering.block(Rule.HIDDEN_CONTENT, "other properties", place)
    elif value:
        gathering.warn(Rule.DOCUMENT_METADATA, "other properties", place)


def _unseen(gathering: Gathering, value: Any, place: Place, most: int) -> None:
    """What every notebook has and no reader looks at: too short to hold a table, or blocked."""
    said = json.dumps(value, ensure_ascii=False)
    gathering.search(said)
    if len(said) > most:
        gathering.block(Rule.HIDDEN_CONTENT, "other properties", place)


def _hidden(gathering: Gathering, value: Any, place: Place, what: str) -> None:
    gathering.search(json.dumps(value, ensure_ascii=False))
    gathering.block(Rule.HIDDEN_CONTENT, what, place)


# --- cells -------------------------------------------------------------------------------------------------


def _read_cell(gathering: Gathering, cell: Mapping[str, Any], place: Place) -> None:
    for key in cell.keys() - _CELL:
        _hidden(gathering, cell[key], place, "unknown part")
    metadata = _mapping(cell.get("metadata"))
    for key in metadata.keys() - _KNOWN_CELL_METADATA:
        _beside(gathering, metadata[key], place)
    known = {key: metadata[key] for key in metadata.keys() & _KNOWN_CELL_METADATA}
    _unseen(gathering, [known, cell.get("id"), cell.get("execution_count")], place, _OF_A_CELL)
    source = _joined(cell.get("source", ""))
    match cell.get("cell_type"):
        case "code":
            _read_code(gathering, source, place)
        case "markdown" | "raw":
            gathering.lines(f"[{place.cell}]", source.splitlines(), place)
        case _:
            _hidden(gathering, source, place, "unknown part")
    _read_attachments(gathering, cell, source, place)
    for output in _listed(cell.get("outputs", [])):
        _read_output(gathering, _mapping(output), place)


def _read_code(gathering: Gathering, source: str, place: Place) -> None:
    if source.strip():
        gathering.words(f"[{place.cell}]", source)
    if len(_LITERAL.findall(source)) > _MOST_LITERALS:
        gathering.add(Rule.ROW_LEVEL, Severity.WARNING, place)


def _read_attachments(gathering: Gathering, cell: Mapping[str, Any], source: str, place: Place) -> None:
    for name, bundle in _mapping(cell.get("attachments", {})).items():
        if f"attachment:{name}" not in source:
            gathering.block(Rule.HIDDEN_CONTENT, "attachment that isn't shown", place)
        for kind, content in _mapping(bundle).items():
            if kind in ("image/png", "image/jpeg"):
                picture(gathering, _unpacked(content), name, place)
            else:
                gathering.block(Rule.EMBEDDED_OBJECT, "other file", place)


def _read_output(gathering: Gathering, output: Mapping[str, Any], place: Place) -> None:
    match output.get("output_type"):
        case "stream":
            gathering.lines("", _joined(output.get("text", "")).splitlines(), place)
        case "error":
            said = [str(output.get("evalue", "")), *map(str, _listed(output.get("traceback", [])))]
            gathering.add(Rule.ERROR_OUTPUT, Severity.BLOCKING, place)
            gathering.lines("(error)", "\n".join(map(_without_colours, said)).splitlines(), place)
        case "display_data" | "execute_result":
            _read_bundle(gathering, _mapping(output.get("data", {})), place)
        case _:
            gathering.block(Rule.UNREAD_OUTPUT, "unknown", place)
            gathering.search(json.dumps(dict(output)))
    for key in output.keys() - _OUTPUT:
        _hidden(gathering, output[key], place, "unknown part")
    _unseen(gathering, {key: output[key] for key in output.keys() & _UNSEEN}, place, _SHORT)


def _read_bundle(gathering: Gathering, data: Mapping[str, Any], place: Place) -> None:
    """The same output in several forms: a reader shows one of them, so each is checked."""
    said: set[str] = set()
    for kind, value in data.items():
        if kind == "text/html":
            told = _joined(value)
            said |= set(_words(told))
            page(gathering, told, place)
        elif kind in ("image/png", "image/jpeg"):
            picture(gathering, _unpacked(value), f"[{place.cell}]", place)
        elif kind == "image/svg+xml":
            drawing(gathering, _joined(value).encode(), place)
        elif kind in _TEXTS:
            said |= set(_words(_joined(value)))
            gathering.lines("", _joined(value).splitlines(), place)
        elif kind == "application/json":
            notes = Notes()
            gathering.take(document_found(value, gathering.order, notes), place)
        elif kind != "text/plain":
            _unread(gathering, kind, value, place)
    _read_plain(gathering, _joined(data.get("text/plain", "")), said, place)


def _read_plain(gathering: Gathering, plain: str, said: set[str], place: Place) -> None:
    """Plain text repeats what another form shows; what it adds is checked as a text of its own."""
    gathering.search(plain)
    numbers = {word for word in _words(plain) if any(sign.isdigit() for sign in word)}
    if not said or not numbers <= said:
        gathering.lines("", plain.splitlines(), place)


def _unread(gathering: Gathering, kind: str, value: Any, place: Place) -> None:
    gathering.search(json.dumps(value))
    if "javascript" in kind:
        gathering.block(Rule.ACTIVE_CONTENT, "program", place)
    else:
        gathering.block(
            Rule.UNREAD_OUTPUT, kind if re.fullmatch(r"[a-z0-9./+-]{1,80}", kind) else "unknown", place
        )


# --- pieces ------------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return re.findall(r"[\w.,%()-]+", re.sub(r"<[^>]{0,2000}>", " ", text))


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _mapping(value: Any) -> Mapping[str, Any]:
    """Raises CannotRead where a notebook has something else in that place."""
    if not isinstance(value, dict):
        raise CannotRead(Reason.DAMAGED)
    return value


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise CannotRead(Reason.DAMAGED)
    return value


def _joined(value: Any) -> str:
    """A text, or the lines of one. Raises CannotRead."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    raise CannotRead(Reason.DAMAGED)


def _unpacked(value: Any) -> bytes:
    try:
        return base64.b64decode("".join(_joined(value).split()), validate=True)
    except (binascii.Error, ValueError):
        raise CannotRead(Reason.DAMAGED) from None
