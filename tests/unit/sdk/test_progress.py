"""A sign of life on long questions only, wiped when they end, whatever happens."""

from __future__ import annotations

import re
import sys
import time

import pytest

from p4dp_sdk.backend.progress import progress

LINE = re.compile(r"Calcul en cours sur le serveur… \d+ s")


def _until_shown(shown: list[str]) -> None:
    while not shown:
        time.sleep(0.01)


def test_quick_questions_show_nothing() -> None:
    shown: list[str] = []
    with progress(shown.append, patience=5):
        pass
    assert shown == []


def test_long_questions_show_the_seconds_and_are_wiped() -> None:
    shown: list[str] = []
    with progress(shown.append, patience=0.01):
        _until_shown(shown)
    assert all(LINE.fullmatch(line) for line in shown[:-1]) and shown[-1] == ""


def test_an_interruption_wipes_too() -> None:
    shown: list[str] = []
    with pytest.raises(KeyboardInterrupt), progress(shown.append, patience=0.01):
        _until_shown(shown)
        raise KeyboardInterrupt
    assert shown[-1] == ""


def test_files_are_not_littered(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # another test may have run a notebook
    with progress(patience=0.01):
        time.sleep(0.05)
    assert capsys.readouterr() == ("", "")
