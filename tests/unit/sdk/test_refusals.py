"""What a person sees when the enclave says no: never a stack trace, always what, why and what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import ibis
import pyarrow as pa
import pytest
from IPython.core.interactiveshell import InteractiveShell

import p4dp_sdk as p4dp
from p4dp_sdk.errors import NotInWorkspaceError, UnknownNameError
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.unit.sdk.peer import Peer, arrow, disclosure, refused


def test_rows_say_which_grant_is_missing_and_who_gives_it(workspace: p4dp.Workspace) -> None:
    with pytest.raises(p4dp.EnclaveError) as caught:
        workspace.tables.diagnoses.execute()
    assert caught.value.code is ErrorCode.ROW_LEVEL
    for words in ("données individuelles", "microdata", "CSE", "médecin DIM", "r-42"):
        assert words in str(caught.value)


def test_every_part_is_in_the_chosen_language(workspace: p4dp.Workspace) -> None:
    with pytest.raises(p4dp.EnclaveError) as caught:
        workspace.tables.diagnoses.execute()
    assert "Que faire :" in str(caught.value)
    p4dp.language("en")
    assert "What to do:" in str(caught.value)
    assert "individual data" in str(caught.value)


def test_a_notebook_displays_what_was_caught(workspace: p4dp.Workspace) -> None:
    with pytest.raises(p4dp.EnclaveError) as caught:
        workspace.tables.diagnoses.execute()
    drawn = caught.value._repr_html_()
    assert "données individuelles" in drawn and "Que faire" in drawn and "CSE" in drawn
    assert "&quot;cisp2&quot;" in drawn


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_notebook_shows_no_stack_trace(workspace: p4dp.Workspace, shell: InteractiveShell) -> None:
    with pytest.raises(p4dp.EnclaveError) as caught:
        workspace.tables.diagnoses.execute()
    lines = caught.value._render_traceback_()
    shown = "\n".join(lines)
    assert "Traceback" not in shown
    assert "File " not in shown
    assert len(lines) == 4


def test_what_is_said_is_broken_between_words(
    monkeypatch: pytest.MonkeyPatch, workspace: p4dp.Workspace
) -> None:
    """A notebook breaks long lines anywhere, in the middle of a word too."""
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(p4dp.EnclaveError) as caught:
        workspace.tables.diagnoses.execute()
    first = caught.value._render_traceback_()[0].splitlines()
    assert len(first) > 1 and not any(line.endswith("«") for line in first)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(caught.value._render_traceback_()))
    assert all(len(line) <= 60 or " " not in line for line in shown.splitlines())
    assert shown.split() == str(caught.value).split()


def test_a_stack_trace_can_be_asked_for(monkeypatch: pytest.MonkeyPatch, workspace: p4dp.Workspace) -> None:
    monkeypatch.setenv("P4DP_TRACEBACK", "1")
    with pytest.raises(p4dp.EnclaveError) as caught:
        workspace.tables.diagnoses.execute()
    assert "Traceback" in "".join(caught.value._render_traceback_())


def test_interactive_repr_of_rows_shows_the_error(
    workspace: p4dp.Workspace, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    ibis.options.interactive = True
    try:
        shell.user_ns["table"] = workspace.tables.diagnoses
        shell.run_cell("table")
    finally:
        ibis.options.interactive = False
    shown = capsys.readouterr()
    assert "données individuelles" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err


def test_interactive_repr_of_counts_shows_them(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(
        pa.table({"cisp2": ["K86"], "n": pa.array([4711], pa.int64())}), disclosure()
    )
    d = workspace.tables.diagnoses
    ibis.options.interactive = True
    try:
        assert "4711" in repr(d.group_by("cisp2").agg(n=d.count()))
    finally:
        ibis.options.interactive = False


def test_plain_python_shows_no_stack_trace(peer: Peer) -> None:
    session = "import p4dp_sdk as p4dp\nws = p4dp.connect()\nws.tables.diagnoses.execute()\n"
    done = subprocess.run(
        [sys.executable, "-i", "-q"], input=session, capture_output=True, text=True, timeout=200
    )
    assert "données individuelles" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("variable", ["P4DP_GATEWAY_SOCKET", "P4DP_TOKEN"])
def test_outside_of_the_enclave(peer: Peer, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv(variable)
    with pytest.raises(NotInWorkspaceError, match=variable):
        p4dp.connect()


def test_dead_gateway(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_GATEWAY_SOCKET", str(peer.directory / "nobody.sock"))
    with pytest.raises(p4dp.EnclaveError) as caught:
        p4dp.connect()
    assert caught.value.code is ErrorCode.GATEWAY_UNREACHABLE
    assert caught.value.__suppress_context__


def test_gateway_that_dies_in_the_middle_of_an_answer(peer: Peer, workspace: p4dp.Workspace) -> None:
    table = pa.table({"cisp2": [f"K{i}" for i in range(5000)]})
    status, kind, body = arrow(table, disclosure())
    peer.query = lambda expr: (status, kind, body[: len(body) // 2])
    peer.promise = len(body)
    with pytest.raises(p4dp.EnclaveError) as caught:
        workspace.tables.diagnoses.execute()
    assert caught.value.code is ErrorCode.GATEWAY_UNREACHABLE


@pytest.mark.parametrize(
    ("status", "kind", "body", "code"),
    [
        (502, "text/html", b"<html>Bad gateway</html>", ErrorCode.GATEWAY_UNREACHABLE),
        (500, "application/problem+json", b'{"code": "unheard-of"}', ErrorCode.INTERNAL),
        (500, "application/problem+json", b"[]", ErrorCode.INTERNAL),
        (200, "application/vnd.apache.arrow.stream", b"not arrow", ErrorCode.INTERNAL),
    ],
)
def test_answers_that_are_none(
    peer: Peer, workspace: p4dp.Workspace, status: int, kind: str, body: bytes, code: ErrorCode
) -> None:
    peer.query = lambda expr: (status, kind, body)
    with pytest.raises(p4dp.EnclaveError) as caught:
        workspace.tables.diagnoses.execute()
    assert caught.value.code is code


def test_an_answer_that_does_not_say_what_was_done_is_refused(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(pa.table({"n": pa.array([1], pa.int64())}), None)
    with pytest.raises(p4dp.EnclaveError):
        workspace.tables.diagnoses.count().execute()


@pytest.mark.parametrize("answer", ["whoami", "catalogue"])
def test_an_answer_of_another_version(peer: Peer, answer: str) -> None:
    setattr(peer, answer, {"protocol": 2, "tables": 4})
    with pytest.raises(p4dp.EnclaveError) as caught:
        list(p4dp.connect().tables)
    assert caught.value.code is ErrorCode.PROTOCOL_VERSION


def test_what_has_no_word_on_the_wire_is_refused_here(peer: Peer, workspace: p4dp.Workspace) -> None:
    with pytest.raises(p4dp.EnclaveError) as caught:
        workspace.tables.diagnoses.mutate(x=ibis.random()).count().execute()
    assert caught.value.code is ErrorCode.UNKNOWN_OPERATION
    assert not peer.asked


def test_names_of_the_refusal_reach_the_person(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: refused(Refusal(ErrorCode.GRANT_EXPIRED, expired_on="2025-01-31"))
    with pytest.raises(p4dp.EnclaveError, match="a expiré le 2025-01-31"):
        workspace.tables.diagnoses.count().execute()


def test_unknown_table_names_the_nearest(workspace: p4dp.Workspace) -> None:
    with pytest.raises(UnknownNameError, match="« diagnoses »"):
        _ = workspace.tables.diagnose
    with pytest.raises(KeyError):
        _ = workspace.tables["diagnose"]
    assert not hasattr(workspace.tables, "diagnose")
    assert "diagnose" not in workspace.tables
    assert workspace.tables.get("diagnose") is None
