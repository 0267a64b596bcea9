"""The root of `p4dp-enclave`: quick to start, every command reachable, every exception one message."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hub_config import cli
from hub_config.cli import COMMANDS, SPOKEN, Lazy, explain, main
from p4dp_sdk.wire.errors import ErrorCode, Refusal

ROOT = Path(__file__).parents[3]
HEAVY = {
    "ibis",
    "duckdb",
    "pandas",
    "pyarrow",
    "sqlalchemy",
    "alembic",
    "pydantic",
    "cryptography",
    "jupyterhub",
    "rich",
}


def test_help_imports_nothing_heavy() -> None:
    program = "import json, sys; from hub_config.cli import main; main(['--help'], standalone_mode=False); "
    program += "print('MODULES', json.dumps(list(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    modules = set(json.loads(run.stdout.split("MODULES ")[1]))
    assert "click" in modules
    assert HEAVY & modules == set()


def test_help_names_every_command_and_what_it_does() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    for name, lazy in COMMANDS.items():
        assert name in shown
        assert lazy.summary in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says_and_has_help(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"Usage: main {name}" in result.output


@pytest.mark.parametrize("name", sorted(SPOKEN | {cli.REFUSAL}))
def test_every_exception_that_speaks_for_itself_exists(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert issubclass(getattr(import_module(module), attribute), Exception)


def failing_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    @click.command()
    def fail() -> None:
        raise error

    monkeypatch.setitem(COMMANDS, "fail", Lazy(__name__, "fail", "Fail."))  # type: ignore[arg-type]
    monkeypatch.setattr(sys.modules[__name__], "fail", fail, raising=False)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    return CliRunner()


def from_governance() -> Exception:
    from hub_config.governance.problems import UnknownProject

    return UnknownProject("these", ["these-lea"])


SAID = [
    (from_governance(), "There is no project 'these'. Did you mean 'these-lea'?"),
    (Refusal(ErrorCode.GRANT_EXPIRED, expired_on="2026-01-01"), "expired on 2026-01-01"),
    (FileNotFoundError(2, "No such file or directory", "/there"), "/there: No such file or directory."),
    (PermissionError(13, "Permission denied"), "Permission denied."),
]


@pytest.mark.parametrize(("error", "said"), SAID)
def test_what_is_foreseen_is_one_message_and_exit_code_2(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("P4DP_DEBUG", raising=False)
    result = failing_with(error, monkeypatch).invoke(main, ["fail"])
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_what_is_not_foreseen_says_where_and_not_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("P4DP_DEBUG", raising=False)
    secret = ValueError("could not convert 'patient 42' to a number")
    result = failing_with(secret, monkeypatch).invoke(main, ["fail"])
    assert result.exit_code == 2
    assert "Unforeseen ValueError at " in result.output
    assert "patient 42" not in result.output


def test_a_developer_may_see_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_DEBUG", "1")
    result = failing_with(ValueError("x"), monkeypatch).invoke(main, ["fail"])
    assert isinstance(result.exception, ValueError)


def test_an_unknown_command_is_said() -> None:
    result = CliRunner().invoke(main, ["projcet"])
    assert result.exit_code == 2
    assert "No such command 'projcet'" in result.output


def test_explaining_needs_no_trace() -> None:
    assert explain(ValueError("42")).startswith("Unforeseen ValueError. ")


def test_a_reader_that_has_seen_enough_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    result = failing_with(BrokenPipeError(32, "Broken pipe"), monkeypatch).invoke(main, ["fail"])
    assert result.exit_code == 1
    assert "Error" not in result.output
