"""What fills the blanks of findings has its French: no word of ours stays English on a French screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hub_config.airlock.checks import inside
from hub_config.airlock.checks.words.params import FRENCH

_INSIDE: Final = Path(inside.__file__).parent
_SAME: Final = frozenset(
    {"csv", "tsv", "xlsx", "parquet", "json", "markdown", "html", "png", "jpeg", "svg", "pdf"}
)
_CALLS: Final = frozenset({"block", "warn", "note"})


def told(tree: ast.AST) -> Iterator[str]:
    """The words that `gathering.block(rule, what)` and `notes.add(…, what=…)` are given as they stand."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = call.args[1:2] if name in _CALLS else []
        given += [
            each.value for each in call.keywords if each.arg in ("what", "word", "unit") and name == "add"
        ]
        for argument in given:
            branches = [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]
            yield from (each.value for each in branches if isinstance(each, ast.Constant) and each.value)


def test_every_word_of_ours_has_its_french() -> None:
    words = {word for path in _INSIDE.rglob("*.py") for word in told(ast.parse(path.read_text("utf-8")))}
    assert len(words) > 40
    assert words - FRENCH.keys() - _SAME == set()


def test_so_have_those_of_pseudonyms_and_of_kinds() -> None:
    from hub_config.airlock import pseudonyms
    from hub_config.governance.releases.facts import FileKind

    assert {*pseudonyms._WHOSE, "everybody", *FileKind} - FRENCH.keys() - _SAME == set()
