"""Python examples run in a workspace of an aggregate project, on the real gateway; TOML examples are read by
what they configure.

The blocks of a page share their names, as the cells of a notebook do. `# refused: <code>` (French: `refusé`)
after a statement says that the gateway refuses it, with that code; nothing else may fail.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import p4dp_sdk as p4dp
from hub_config.governance.grant_file import parse_grant
from hub_config.settings import Settings
from hub_config.warehouse.loader.mapping import VendorMapping, read_mapping

from .markdown import ROOT, Block, blocks, pages

_REFUSED = re.compile(r"# refus(?:ed|é) ?: ([a-z-]+)")


def with_blocks(language: str) -> list[Path]:
    return [page for page in pages() if blocks(page, language)]


def statements(block: Block) -> Iterator[tuple[str, str | None]]:
    """Each statement of the block, and the code of the refusal it announces."""
    lines = block.text.splitlines()
    for node in ast.parse(block.text).body:
        last = node.end_lineno or node.lineno
        announced = _REFUSED.search(lines[last - 1])
        yield "\n".join(lines[node.lineno - 1 : last]), announced[1] if announced else None


def run(block: Block, names: dict[str, Any]) -> None:
    for statement, refused in statements(block):
        program = compile(textwrap.dedent(statement), block.where, "exec")
        if refused is None:
            exec(program, names)  # noqa: S102 - the documentation's own examples
            continue
        with pytest.raises(p4dp.EnclaveError) as refusal:
            exec(program, names)  # noqa: S102
        assert refusal.value.code.value == refused, f"{block.where}\n{statement}"


@pytest.mark.parametrize("page", with_blocks("python"), ids=lambda page: page.stem)
@pytest.mark.usefixtures("workspace")
def test_the_python_of_a_page_runs(page: Path) -> None:
    names: dict[str, Any] = {}
    for block in blocks(page, "python"):
        run(block, names)
    names["ws"].close()


@pytest.mark.usefixtures("workspace")
def test_an_example_that_is_wrong_is_noticed() -> None:
    start = "import p4dp_sdk as p4dp\nws = p4dp.connect()\np = ws.tables.patients\n"
    names: dict[str, Any] = {}
    for wrong, problem in (
        ("p.count().execute()  # refused: row-level", pytest.fail.Exception),
        ("p.execute()  # refused: value-rule", AssertionError),
        ("p.execute()", p4dp.EnclaveError),
    ):
        with pytest.raises(problem):
            run(Block(ROOT / "README.md", 1, "python", start + wrong), names)
        names["ws"].close()


def test_pages_that_must_have_examples_have_them() -> None:
    found = {page.stem for page in with_blocks("python")}
    assert {"README", "prise-en-main", "what-is-protected", "cellules-masquees"} <= found


def merged(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    deeper = {key: merged(whole[key], part[key]) for key in whole if isinstance(part.get(key), dict)}
    return {**whole, **part, **deeper}


@pytest.mark.parametrize("page", with_blocks("toml"), ids=lambda page: page.stem)
def test_the_toml_of_a_page_is_accepted(page: Path, tmp_path: Path) -> None:
    """Each block by what reads it: a mapping has a [source], a part of one only keys of mappings (it
    belongs to the page's whole one), a grant has an `access`, settings neither."""
    whole: dict[str, Any] = {}
    for block in blocks(page, "toml"):
        document = tomllib.loads(block.text)
        if "source" in document:
            whole = document
            (tmp_path / "mapping.toml").write_text(block.text, encoding="utf-8")
            read_mapping(tmp_path / "mapping.toml")
        elif whole and set(document) <= set(VendorMapping.model_fields):
            VendorMapping.model_validate(merged(whole, document))
        elif "access" in document:
            parse_grant(document)
        else:
            Settings(home=tmp_path, **document)
