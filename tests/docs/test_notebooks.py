"""Template notebooks before they run: their form on disk, how they address their reader, what they may
name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.governance.report_runs.parameters import parse

from . import notebooks
from .markdown import ROOT
from .notebooks import PARAMETERS, TEMPLATES, Cell, from_script, named, normal, normalised, read, to_script

ALL = sorted(TEMPLATES.glob("*.ipynb"))
LOCK = ROOT / "images" / "workspace" / "requirements.txt"
IMPORTED_AS = {"scikit-learn": "sklearn", "python-docx": "docx", "ibis-framework": "ibis"}
FORBIDDEN = {"os", "sys", "subprocess", "socket", "shutil", "requests", "httpx"}
A_BARE_CODE = re.compile(r"^[A-Z]\d{2}(\.\d+|[A-Z]{2}\d{0,2}\*?|\*)?$")

each = pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)


def code(path: Path) -> list[Cell]:
    return [cell for cell in read(path) if cell.is_code]


def text(path: Path) -> str:
    return "\n".join(cell.text for cell in read(path) if not cell.is_code)


# -- form -------------------------------------------------------------------------------------------------


@each
def test_it_is_in_its_normal_form_without_outputs(path: Path) -> None:
    assert path.read_text("utf-8") == normalised(path), "run: PYTHONPATH=tests/docs python -m notebooks fix"
    ids = [cell.id for cell in read(path)]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", each) for each in ids)


def test_another_form_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "one.ipynb"
    good = normal(named([Cell("x = 1")]))
    for bad in (
        good.rstrip("\n"),
        good.replace(
            '"outputs": []', '"outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}]'
        ),
        good.replace('"execution_count": null', '"execution_count": 3'),
        good.replace('"python3"', '"xpython"'),
    ):
        path.write_text(bad, "utf-8")
        assert normalised(path) == good != bad


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20)
lines = words.map(str.strip).filter(lambda line: line and not line.startswith(("#", "%")))
cells = st.builds(
    lambda some, is_code: Cell("\n".join(some), is_code),
    st.lists(lines, min_size=1, max_size=3),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(cells, max_size=6))
def test_a_script_is_the_notebook(made: list[Cell]) -> None:
    assert [cell.content for cell in from_script(to_script(made))] == [cell.content for cell in made]


@settings(max_examples=60, deadline=None)
@given(st.lists(cells, min_size=1, max_size=6), st.integers(0, 6), cells)
def test_cells_keep_their_ids_when_another_comes_between(made: list[Cell], at: int, new: Cell) -> None:
    before = named(made)
    after = named([*before[:at], new, *before[at:]], before)
    assert len({cell.id for cell in after}) == len(after)
    contents = [cell.content for cell in made]
    if len(set(contents)) == len(contents) and new.content not in contents:
        assert {cell.id for cell in before} <= {cell.id for cell in after}


def test_a_notebook_goes_to_a_script_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = ALL[0]
    assert notebooks.main(["show", str(path)]) == 0
    script, target = tmp_path / "script.py", tmp_path / path.name
    script.write_text(capsys.readouterr().out, "utf-8")
    target.write_bytes(path.read_bytes())
    assert notebooks.main(["write", str(script), str(target)]) == 0
    assert target.read_bytes() == path.read_bytes()
    assert notebooks.main([]) == 2


# -- reader -----------------------------------------------------------------------------------------------


@each
def test_it_opens_with_what_for_whom_and_how(path: Path) -> None:
    first = read(path)[0]
    assert not first.is_code and first.text.startswith("# ")
    for said in ("**Pour qui ?**", "**Ce qu", "**Comment faire ?**"):
        assert said in first.text


@each
def test_its_parameters_are_typed_and_explained(path: Path) -> None:
    (tagged,) = [cell for cell in code(path) if PARAMETERS in cell.tags]
    for statement in ast.parse(tagged.text).body:
        assert isinstance(statement, ast.AnnAssign), "name: type = value  # aide"
    for parameter in parse(tagged.text):
        assert parameter.help, f"{parameter.name}: say what it is"
        assert not parameter.required, "it also runs by hand"
        assert not parameter.choices or parameter.default in (*parameter.choices, None)


@each
def test_it_speaks_french(path: Path) -> None:
    found = re.findall(r"\b(?:the|and|of|with|this|vous|les|des|est|pour|une)\b", text(path).lower())
    french = sum(word in ("vous", "les", "des", "est", "pour", "une") for word in found)
    assert french > 10 * (len(found) - french)


# -- code -------------------------------------------------------------------------------------------------


def imports(path: Path) -> Iterator[str]:
    for node in (node for cell in code(path) for node in ast.walk(ast.parse(cell.text))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def in_the_workspace() -> set[str]:
    locked = re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==", LOCK.read_text("utf-8"), re.M)
    return {IMPORTED_AS.get(name, name.replace("-", "_")) for name in locked} | {"p4dp_sdk"}


@each
def test_it_imports_only_what_a_workspace_has(path: Path) -> None:
    from sys import stdlib_module_names

    assert set(imports(path)) <= in_the_workspace() | set(stdlib_module_names)
    assert not set(imports(path)) & FORBIDDEN


def test_the_workspace_has_what_models_need_and_no_enclave() -> None:
    found = in_the_workspace()
    assert {"pandas", "numpy", "sklearn", "lifelines", "ibis", "matplotlib"} <= found
    assert "hub_config" not in found


def bare_codes(source: str) -> list[str]:
    """Codes of a code list that don't say their system: `CodeList(codes=["A10"])`, `codes("T90")`."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = [k.value for k in call.keywords if k.arg == "codes"] if called == "CodeList" else call.args
        if called in ("CodeList", "codes"):
            constants = [each for one in given if not isinstance(one, ast.Dict) for each in ast.walk(one)]
            texts = [each.value for each in constants if isinstance(each, ast.Constant)]
            found += [each for each in texts if isinstance(each, str) and A_BARE_CODE.match(each)]
    return found


@each
def test_codes_say_their_system(path: Path) -> None:
    assert not [found for cell in code(path) for found in bare_codes(cell.text)]


def test_a_bare_code_is_noticed() -> None:
    assert bare_codes('p4dp.CodeList(id="x", codes=["A10"])') == ["A10"]
    assert bare_codes('p4dp.codes("T90")') == ["T90"]
    assert bare_codes('p4dp.CodeList(codes={"atc": ("A10B*",)}); p4dp.codes("diabète")') == []


@each
def test_nothing_is_asked_by_sql_or_shell(path: Path) -> None:
    for cell in code(path):
        assert not re.search(r"^\s*[!%]|\.sql\(|raw_sql", cell.text, re.M)


FREEZING = [path for path in ALL if "publish(" in path.read_text("utf-8")]


@pytest.mark.parametrize("path", FREEZING, ids=lambda path: path.stem)
def test_what_is_frozen_can_be_asked_for_and_is_not_by_itself(path: Path) -> None:
    written = "\n".join(cell.text for cell in code(path))
    (asking,) = (cell.text for cell in code(path) if "ws.request_release(" in cell.text)
    first = asking.splitlines()[0]
    assert first.startswith("if ") and first.endswith("demander_la_sortie:")
    assert "demander_la_sortie: bool = False  # " in written
    assert ".send()" not in written
