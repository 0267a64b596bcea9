"""What is registered of a notebook is its cells' text; what a run may see and leave is what it declared."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.airlock.rules.code_signs import Sign, signs, signs_of_text
from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts, ProjectStatus
from hub_config.governance.notebooks.cells import cells_alone
from hub_config.governance.notebooks.facts import (
    OPEN,
    TRANSITIONS,
    NotebookState,
    NotebookStep,
    OutputKind,
    Registration,
    read_outputs,
    sees,
)
from hub_config.governance.notebooks.problems import BadNotebook, Why

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = Registration(
    "n-1", "these-ines", "these-hta", "a" * 64, "p", AccessLevel.MICRODATA, (),
    NotebookState.APPROVED, "ines", NOON, "diane", NOON,
)  # fmt: skip
GRANT = Grant(AccessLevel.MICRODATA, {"patients": None}, legal_basis="MR-004")
PROJECT = ProjectFacts("these-ines", "Thèse", "p", ProjectStatus.APPROVED, 3, GRANT, frozenset())
TEXTS = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs")), max_size=30)
JUNK = st.dictionaries(TEXTS, TEXTS, max_size=3)


def notebook(cells: list[Any], **more: Any) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | more).encode()


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=4), JUNK, st.lists(JUNK, max_size=2))
def test_equal_cells_are_equal_bytes_whatever_else_the_file_carries(
    sources: list[str], metadata: dict[str, str], outputs: list[dict[str, str]]
) -> None:
    bare = notebook([{"cell_type": "code", "source": each} for each in sources])
    laden = [
        {
            "cell_type": "code", "source": [each], "outputs": outputs, "metadata": metadata, "id": "x",
            "attachments": metadata, "execution_count": 3,
        }
        for each in sources
    ]  # fmt: skip
    content = cells_alone(bare)
    assert content == cells_alone(notebook(laden, nbformat_minor=2)) == cells_alone(content)
    read = json.loads(content)["cells"]
    assert [cell["source"] for cell in read] == sources
    assert all(cell["outputs"] == [] and cell["metadata"] == {} for cell in read)


@pytest.mark.parametrize(
    "file",
    [
        b"", b"[" * 100_000, b"[]", b'{"cells": {}}', notebook([]), notebook([7]),
        notebook([{"cell_type": "markdown", "source": "x"}]),
        notebook([{"cell_type": "code", "source": 7}]),
        notebook([{"cell_type": "code", "source": ["x", 7]}]),
        notebook([{"cell_type": "code", "source": "x"}], nbformat=3),
        notebook([{"cell_type": "code", "source": "x"}], metadata={"kernelspec": {"language": "R"}}),
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_refused(file: bytes) -> None:
    with pytest.raises(BadNotebook) as refused:
        cells_alone(file)
    assert refused.value.why is Why.NOT_A_NOTEBOOK


@pytest.mark.parametrize(
    "sign",
    [
        *("\u202e", "\u200b", "\ufeff", "\x00", "\x1b", "\x0c", "\u2028", "\ue000"),
        *("\ufe00", "\ufe0f", "\U000e0100", "\U000e01ef", "\u034f", "\u115f", "\u1160", "\u3164", "\uffa0"),
        *("\u180b", "\u180f", "\u2060", "\u2064", "\u2065", "\u2800", "\u17b4"),
    ],
)
def test_no_character_hides_from_who_reads(sign: str) -> None:
    with pytest.raises(BadNotebook) as refused:
        cells_alone(notebook([{"cell_type": "code", "source": f"x = 1{sign}"}]))
    assert (refused.value.why, refused.value.line) == (Why.HIDDEN, 1)


def test_declared_outputs_are_names_with_a_sentence() -> None:
    found = read_outputs("a.csv : effectifs : par âge\n\n  b-2.png :la courbe entière  ")
    assert [(each.name, each.kind, each.told) for each in found] == [
        ("a.csv", OutputKind.CSV, "effectifs : par âge"),
        ("b-2.png", OutputKind.PNG, "la courbe entière"),
    ]
    for wrong in (
        "a.csv", "a.csv : court", "A.csv : effectifs par âge", "../a.csv : effectifs par âge",
        ".csv : effectifs par âge", "a.csv.pkl : effectifs par âge", "a/b.csv : effectifs par âge",
        "page.html : effectifs par âge", "manifest.json : effectifs par âge",
        "a.csv : effectifs par âge\x1b[2J", "\n".join(f"a{n}.csv : effectifs par âge" for n in range(21)),
    ):  # fmt: skip
        with pytest.raises(BadNotebook):
            read_outputs(wrong)


def test_rows_are_seen_where_grant_and_registration_say_so() -> None:
    narrow = replace(PROJECT, grant=replace(GRANT, access=AccessLevel.AGGREGATE))
    sandbox = replace(PROJECT, grant=replace(GRANT, access=AccessLevel.SANDBOX))
    asks_less = replace(ONE, access=AccessLevel.AGGREGATE)
    assert sees(PROJECT, ONE) is AccessLevel.MICRODATA
    for facts, registration in ((PROJECT, None), (PROJECT, asks_less), (narrow, ONE), (sandbox, ONE)):
        assert sees(facts, registration) is AccessLevel.AGGREGATE


def test_only_what_an_outsider_approved_stands() -> None:
    assert ONE.stands({"ines"})
    assert not ONE.stands({"ines", "diane"})
    assert not any(replace(ONE, state=each).stands(()) for each in NotebookState if each != ONE.state)


def test_every_state_has_its_steps_and_an_end_has_none() -> None:
    assert set(TRANSITIONS) == set(NotebookState)
    assert {NotebookState.ASKED, NotebookState.APPROVED} == OPEN
    assert {step for steps in TRANSITIONS.values() for step in steps} == set(NotebookStep)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("table = rows.groupby('sex').size()", ()),
        ("exec('x')", (Sign.RUNS_TEXT,)),
        ("𝐞𝐱𝐞𝐜('x')", (Sign.RUNS_TEXT, Sign.FOREIGN)),
        ("().__class__", (Sign.RUNS_TEXT,)),
        ("import os.path", (Sign.SYSTEM,)),
        ("from base64 import b64decode", (Sign.PACKED,)),
        ("!cat /etc/passwd\nx = 1", (Sign.COMMAND,)),
        ("get_ipython().system('ls')", (Sign.COMMAND,)),
        ("x = 1\n" * 80, (Sign.DATA,)),
        ("x = '" + "a" * 400 + "'", (Sign.LONG,)),
        ("pаtients = 1", (Sign.FOREIGN,)),
        ("effectif_α = 1", (Sign.FOREIGN,)),
        ("def f(*, ν=1): ...", (Sign.FOREIGN,)),
        ("# le seuil α\nseuil = 'α'", ()),
        ("x = 1" + "\n" * 21 + "y = 2", ()),
        ("x = 1" + "\n" * 22 + "y = 2", (Sign.LONG,)),
        ("\n" * 21 + "y = 2", (Sign.LONG,)),
        ("x = 1;" + " " * 40 + "y = 2", (Sign.LONG,)),
        ("x = 1" + "\xa0" * 40 + "#", (Sign.LONG, Sign.UNREADABLE)),
        ("pass\n" * 301, (Sign.LONG,)),
        ("x = '" + "12," * 60 + "1'", (Sign.DATA,)),
        ("x = b'" + "ab" * 61 + "'", (Sign.DATA,)),
        ("x = 0x" + "1f" * 60, (Sign.DATA,)),
        ("codes = ['K86', 'T90', 'R05']", ()),
        ("pd.read_pickle('a')", (Sign.PACKED,)),
        ("bytes.fromhex('a0')", (Sign.PACKED,)),
        ("def (", (Sign.UNREADABLE,)),
    ],
)
def test_what_asks_for_a_second_look_is_marked(code: str, found: tuple[Sign, ...]) -> None:
    assert signs(code) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# Mes patients\n\n" + "Un long paragraphe. " * 40, ()),
        ("# Vu" + "\n" * 40 + "caché", (Sign.LONG,)),
        ("Vu." + " " * 60 + "Caché.", (Sign.LONG,)),
        ("a" * 400, (Sign.LONG,)),
        ("Les pаtients, de coefficient β", (Sign.FOREIGN,)),
    ],
)
def test_so_is_what_a_text_hides(text: str, found: tuple[Sign, ...]) -> None:
    assert signs_of_text(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "![vu](data:image/png;base64,iVBORw0KGgo=)",
        "<img src='DATA:image/svg+xml,x'>",
        "<img src='&#100;ata:image/png;base64,x'>",
        "![vu](data\\:image/png;base64,x)",
        "<img src='da\nta:text/html;base64,x'>",
        "![vu](data:;base64,x)",
    ],
)
def test_no_text_brings_a_picture_along_as_letters(text: str) -> None:
    cells = [{"cell_type": "code", "source": "1"}, {"cell_type": "markdown", "source": text}]
    with pytest.raises(BadNotebook) as refused:
        cells_alone(notebook(cells))
    assert (refused.value.why, refused.value.line) == (Why.DATA_ADDRESS, 2)


def test_text_about_data_is_text() -> None:
    text = "Les data : 12 ; data: voir [le code](https://exemple.fr/data:1)"
    cells = [{"cell_type": "code", "source": "1"}, {"cell_type": "markdown", "source": text}]
    assert cells_alone(notebook(cells))
