"""The order into the box, and the answer out of it: one line of JSON and the file's bytes in, one JSON out.

The answer comes from a process that a hostile file may have taken over. So it is read as closely as a
stranger's: closed vocabularies, exact keys, bounded numbers and lengths; anything else is `BadAnswer`. The
same words keep findings and previews on record (`finding_document`, `preview_document`).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from hub_config.airlock.checks.inside.found import (
    MOST_CANDIDATES,
    MOST_FINDINGS,
    Context,
    Found,
    Order,
    Sizes,
)
from hub_config.airlock.checks.inside.preview import (
    BLOCKS_SHOWN,
    CELL_SHOWN,
    COLUMNS_SHOWN,
    HIGHLIGHTS,
    IMAGE_BYTES,
    LINE_SHOWN,
    LINES_SHOWN,
    ROWS_SHOWN,
    Block,
    Highlight,
    ImageBlock,
    NoteBlock,
    Preview,
    TableBlock,
    TextBlock,
    shows,
)
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import LONGEST_WORD, Finding, Place, Rule, Severity

_HIGHEST: Final = 2**53
_HIGHEST_CANDIDATE: Final = 2**128
_MOST_PARAMS: Final = 12
_VISIBLE_GROWTH: Final = 10  # a character that doesn't show takes up to so many
_PNG: Final = b"\x89PNG\r\n\x1a\n"

T = TypeVar("T")


class BadAnswer(Exception):
    """The box answered something that no checker answers."""


@dataclass(frozen=True)
class Answer:
    """Of one process: what it found, or why it stopped."""

    found: Found
    stopped: Reason | None = None


def write_order(order: Order, limits: Mapping[str, int]) -> bytes:
    document = {
        "name": order.name,
        "kind": order.kind.value,
        "context": asdict(order.context),
        "sizes": asdict(order.sizes),
        "limits": dict(limits),
    }
    return json.dumps(document).encode() + b"\n"


def read_order(line: bytes) -> tuple[Order, dict[str, int]]:
    told = json.loads(line)
    order = Order(told["name"], FileKind(told["kind"]), Context(**told["context"]), Sizes(**told["sizes"]))
    return order, told["limits"]


def write_answer(answer: Answer) -> bytes:
    document = {
        "stopped": answer.stopped.value if answer.stopped else None,
        "findings": [finding_document(each) for each in answer.found.findings[:MOST_FINDINGS]],
        "preview": preview_document(Preview(answer.found.blocks[:BLOCKS_SHOWN])),
        "candidates": [str(each) for each in answer.found.candidates[:MOST_CANDIDATES]],
        "anew": base64.b64encode(answer.found.anew).decode(),
    }
    return json.dumps(document, ensure_ascii=True).encode()


def read_answer(document: bytes) -> Answer:
    """Raises BadAnswer."""
    try:
        told = _keys(json.loads(document), {"stopped", "findings", "preview", "candidates", "anew"})
        found = Found(
            findings=_list(told["findings"], read_finding, MOST_FINDINGS),
            blocks=read_preview(told["preview"]).blocks,
            candidates=_list(told["candidates"], _candidate, MOST_CANDIDATES),
            anew=base64.b64decode(told["anew"], validate=True),
        )
        return Answer(found, None if told["stopped"] is None else Reason(told["stopped"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error) as error:
        raise BadAnswer(type(error).__name__) from None


# findings, as they are kept


def finding_document(finding: Finding) -> dict[str, Any]:
    place = None if finding.place is None else {k: v for k, v in asdict(finding.place).items() if v}
    return {
        "rule": finding.rule.value,
        "severity": finding.severity.value,
        "place": place,
        "params": dict(finding.params),
    }


def read_finding(document: Any) -> Finding:
    """Raises BadAnswer, or what a document of another shape raises."""
    told = _keys(document, {"rule", "severity", "place", "params"})
    params = told["params"]
    if not isinstance(params, dict) or len(params) > _MOST_PARAMS:
        raise BadAnswer("params")
    return Finding(
        Rule(told["rule"]),
        Severity(told["severity"]),
        None if told["place"] is None else _place(told["place"]),
        {_word(name): _param(value) for name, value in params.items()},
    )


def _place(told: Any) -> Place:
    if not isinstance(told, dict):
        raise BadAnswer("place")
    numbers = {name: _number(value) for name, value in told.items() if name != "what"}
    return Place(**numbers, what=_word(told.get("what", "")))


def _param(value: Any) -> str | int:
    return _word(value) if isinstance(value, str) else _number(value, lowest=-_HIGHEST)


# previews, as they are kept


def preview_document(preview: Preview) -> dict[str, Any]:
    return {"blocks": [_block_document(block) for block in preview.blocks]}


def read_preview(document: Any) -> Preview:
    """Raises BadAnswer, or what a document of another shape raises."""
    told = _keys(document, {"blocks"})
    return Preview(_list(told["blocks"], _block, BLOCKS_SHOWN))


def _block_document(block: Block) -> dict[str, Any]:
    match block:
        case TableBlock():
            return {"block": "table", **asdict(block)}
        case TextBlock():
            return {"block": "text", **asdict(block)}
        case ImageBlock():
            return {"block": "image", **asdict(block), "png": base64.b64encode(block.png).decode()}
        case NoteBlock():
            return {"block": "note", "finding": finding_document(block.finding)}


def _block(told: Any) -> Block:
    match told:
        case {"block": "table", **rest}:
            return _table(_keys(rest, set(TableBlock.__dataclass_fields__)))
        case {"block": "text", **rest}:
            return _text(_keys(rest, set(TextBlock.__dataclass_fields__)))
        case {"block": "image", **rest}:
            return _image(_keys(rest, set(ImageBlock.__dataclass_fields__)))
        case {"block": "note", **rest}:
            return NoteBlock(read_finding(_keys(rest, {"finding"})["finding"]))
        case _:
            raise BadAnswer("block")


def _table(told: Mapping[str, Any]) -> TableBlock:
    return TableBlock(
        title=_shown(told["title"], CELL_SHOWN),
        header=_cells(told["header"]),
        rows=_list(told["rows"], _cells, ROWS_SHOWN),
        highlights=_list(told["highlights"], _highlight, HIGHLIGHTS),
        total_rows=_number(told["total_rows"]),
        total_columns=_number(told["total_columns"]),
        sheet=None if told["sheet"] is None else _number(told["sheet"]),
        first_row=_number(told["first_row"]),
    )


def _text(told: Mapping[str, Any]) -> TextBlock:
    return TextBlock(
        lines=_list(told["lines"], lambda line: _shown(line, LINE_SHOWN), LINES_SHOWN),
        highlights=_list(told["highlights"], _highlight, HIGHLIGHTS),
        total_lines=_number(told["total_lines"]),
        title=_shown(told["title"], CELL_SHOWN),
    )


def _image(told: Mapping[str, Any]) -> ImageBlock:
    png = base64.b64decode(told["png"], validate=True)
    if len(png) > IMAGE_BYTES or not png.startswith(_PNG):
        raise BadAnswer("image")
    return ImageBlock(png, _shown(told["alt"], CELL_SHOWN), _number(told["width"]), _number(told["height"]))


def _highlight(told: Any) -> Highlight:
    fields = _keys(told, {"row", "column", "rule"})
    return Highlight(
        _number(fields["row"], lowest=-1), _number(fields["column"], lowest=-1), Rule(fields["rule"])
    )


def _cells(told: Any) -> tuple[str, ...]:
    return _list(told, lambda cell: _shown(cell, CELL_SHOWN), COLUMNS_SHOWN)


# bounded words and numbers


def _shown(told: Any, most: int) -> str:
    """A text that `visible` can have made. Raises BadAnswer."""
    if not isinstance(told, str) or len(told) > most * _VISIBLE_GROWTH or not all(map(shows, told)):
        raise BadAnswer("text")
    return told


def _word(told: Any) -> str:
    return _shown(told, LONGEST_WORD)


def _number(told: Any, *, lowest: int = 0) -> int:
    if not isinstance(told, int) or isinstance(told, bool) or not lowest <= told <= _HIGHEST:
        raise BadAnswer("number")
    return told


def _candidate(told: Any) -> int:
    if not isinstance(told, str) or len(told) > 40 or not told.isdecimal() or not told.isascii():
        raise BadAnswer("candidate")
    if (value := int(told)) > _HIGHEST_CANDIDATE:
        raise BadAnswer("candidate")
    return value


def _keys(told: Any, expected: set[str]) -> dict[str, Any]:
    if not isinstance(told, dict) or set(told) != expected:
        raise BadAnswer("keys")
    return told


def _list(told: Any, read: Callable[[Any], T], most: int) -> tuple[T, ...]:
    if not isinstance(told, Sequence) or isinstance(told, str) or len(told) > most:
        raise BadAnswer("list")
    return tuple(read(each) for each in told)
