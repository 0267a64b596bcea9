"""Every way the enclave says no has complete texts, in both languages, that read well whatever params are
given."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import pytest

from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.locale import Language, language, translate
from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.messages import fill
from p4dp_sdk.wire.refusals import MESSAGES, explain
from p4dp_sdk.wire.refusals.access import ACCESS
from p4dp_sdk.wire.refusals.disclosure import DISCLOSURE
from p4dp_sdk.wire.refusals.question import QUESTION
from p4dp_sdk.wire.refusals.reasons import REASONS
from p4dp_sdk.wire.refusals.running import RUNNING

ROOT = Path(__file__).parents[3]


def test_every_code_has_a_message_and_no_other() -> None:
    subjects = (QUESTION, ACCESS, DISCLOSURE, RUNNING)
    assert sorted(code for each in subjects for code in each) == sorted(ErrorCode)
    assert set(MESSAGES) == set(ErrorCode)


@pytest.mark.parametrize("code", ErrorCode)
@pytest.mark.parametrize("chosen", Language)
def test_texts_are_complete_sentences_with_and_without_params(code: ErrorCode, chosen: Language) -> None:
    language(chosen)
    every_blank = {name: f"<{name}>" for name in MESSAGES[code].blanks}
    for params in ({}, every_blank):
        for text in astuple(explain(code, params, translate)):
            assert text[0] in string.ascii_uppercase + "ÀÉÊ", text
            assert text.rstrip(")")[-1] in ".", text
            assert "{" not in text and "  " not in text, text
    filled = " ".join(astuple(explain(code, every_blank, translate)))
    assert all(value in filled for value in every_blank.values())


@pytest.mark.parametrize("code", ErrorCode)
def test_french_is_french(code: ErrorCode) -> None:
    assert astuple(explain(code, {}, translate)) != astuple(explain(code, {}))


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_can_be_shown_to_a_person(code: ErrorCode) -> None:
    assert str(EnclaveError(code, request_id="r-9")).count("\n") == 3


@pytest.mark.parametrize("code", [ErrorCode.ROW_LEVEL, ErrorCode.GRANT_MISSING])
@pytest.mark.parametrize(
    ("chosen", "giver"), [("fr", "comité scientifique et éthique (CSE)"), ("en", "ethics committee (CSE)")]
)
def test_missing_rights_say_who_gives_them(code: ErrorCode, chosen: str, giver: str) -> None:
    language(chosen)
    text = str(explain(code, {}, translate))
    assert giver in text
    assert "DIM" in text


def test_brackets_of_code_examples_stay() -> None:
    assert (
        fill("p4dp.age_bands(p.age, [18, 40])[ (column {column})].", {}) == "p4dp.age_bands(p.age, [18, 40])."
    )


def test_params_are_inserted_as_they_are() -> None:
    assert fill("No table[ {table}].", {"table": "a [b] {c}"}) == "No table a [b] {c}."


def refusals() -> Iterator[tuple[str, ErrorCode, frozenset[str]]]:
    """Every `Refusal(ErrorCode.X, name=…)` written in the code: where, which code, which params."""
    for path in [*(ROOT / "p4dp_sdk").rglob("*.py"), *(ROOT / "hub_config").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal"
            ):
                continue
            match node.args:
                case [ast.Attribute(value=ast.Name(id="ErrorCode"), attr=code)]:
                    names = frozenset(keyword.arg for keyword in node.keywords if keyword.arg)
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", ErrorCode[code], names


def test_what_a_refusal_names_is_told() -> None:
    untold = {where: names - MESSAGES[code].blanks - {"why"} for where, code, names in refusals()}
    assert not {where: names for where, names in untold.items() if names}


def test_the_rules_own_reason_is_told_with_any_message() -> None:
    text = explain(ErrorCode.JOIN_RULE, {"operation": "asof", "why": "unique keys"}).what
    assert text == "This join is not possible: asof (unique keys)."


def test_the_rules_own_reasons_are_told_in_french() -> None:
    assert str(explain(ErrorCode.JOIN_RULE, {"why": "unique keys"}, translate)).startswith(
        "Cette jointure n'est pas possible (clés toutes différentes)."
    )
    written = {
        keyword.value.value
        for path in (ROOT / "hub_config" / "gateway").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "why" and isinstance(keyword.value, ast.Constant)
    }
    assert written - set(REASONS) == set(), (
        "add these to REASONS in p4dp_sdk/wire/refusals/reasons.py, and to p4dp_sdk.po"
    )


def test_a_missing_right_is_always_named() -> None:
    rights = (ErrorCode.ROW_LEVEL, ErrorCode.GRANT_MISSING)
    named = {where: "grant" in names for where, code, names in refusals() if code in rights}
    assert named
    assert all(named.values()), named
