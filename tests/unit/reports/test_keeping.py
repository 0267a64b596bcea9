"""What a run leaves to its readers: whole or not at all, and never over something else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts, ProjectStatus
from hub_config.governance.report_runs.templates import Template
from hub_config.reports import keeping
from hub_config.reports.keeping import Done, FolderTaken, Leaving, keep, refuse_taken

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTEBOOK = {"cells": [{"cell_type": "markdown", "metadata": {}, "source": "# Mon titre"}]}
GRANT = Grant(AccessLevel.MICRODATA, {"patients": None}, legal_basis="MR-004")
FACTS = ProjectFacts("these-ines", "Thèse", "p", ProjectStatus.APPROVED, 3, GRANT, frozenset())
DONE = Done(
    run="0123456789ab",
    template=Template("essai", json.dumps(NOTEBOOK).encode()),
    facts=FACTS,
    parameters={"centre": "CLF", "strict": False, "codes": ["T90"], "seuil": None},
    began=NOON,
    ended=NOON,
    outcome="done",
    requests=("abc",),
)


def test_a_report_is_whole(tmp_path: Path) -> None:
    keep(tmp_path / "r" / "x", DONE, Leaving(b"{}", "<p>y</p>"), "fr")
    assert sorted(each.name for each in (tmp_path / "r" / "x").iterdir()) == [
        "essai.html", "essai.ipynb", "manifest.json",
    ]  # fmt: skip
    page = (tmp_path / "r" / "x" / "essai.html").read_text()
    for words in ("Mon titre", "Thèse (these-ines)", "instantané n° 3", "strict = non", "seuil = —"):
        assert words in page
    manifest = json.loads((tmp_path / "r" / "x" / "manifest.json").read_text())
    assert (
        manifest["snapshot"] == 3 and manifest["requests"] == ["abc"] and "p4dp-sdk" in manifest["versions"]
    )


def test_without_a_page_the_notebook_is_kept(tmp_path: Path) -> None:
    keep(tmp_path / "x", DONE, Leaving(b"{}", None), "en")
    assert not (tmp_path / "x" / "essai.html").exists()


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        keep(tmp_path / "x", DONE, Leaving(b"{}", None), "fr")
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    for name in ("file", "full", "link"):
        with pytest.raises(FolderTaken):
            refuse_taken(tmp_path / name)
    keep(tmp_path / "empty", DONE, Leaving(b"{}", None), "fr")
    assert (tmp_path / "empty" / "essai.ipynb").exists()
