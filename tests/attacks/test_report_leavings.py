"""What a run leaves is copied out by the operators' command, which may read everything: have it copy a key,
wait for ever, or fill the disk; and write on the operator's terminal.

The files are made as the kernel of a hostile notebook can make them in its home.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hub_config.reports import collecting
from hub_config.reports.collecting import (
    NotUsable,
    Step,
    failure,
    opened,
    parsed,
    progress,
    read_file,
    remove,
)

SECRET = b"the operators' key"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "key").write_bytes(SECRET)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def taken(home: Path, name: str, limit: int = 100) -> bytes | None:
    with opened(home) as folder:
        return read_file(folder, name, limit)


def test_a_link_is_not_followed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "report.ipynb").symlink_to(home.parent / "key")
    with pytest.raises(NotUsable):
        taken(home, "report.ipynb")
    monkeypatch.setattr(collecting, "_FLAGS", collecting._FLAGS & ~os.O_NOFOLLOW)
    assert taken(home, "report.ipynb") == SECRET, "undefended, the attack succeeds"


def test_a_home_that_is_a_link_is_not_entered(home: Path) -> None:
    (home.parent / "run").symlink_to(home.parent)
    with pytest.raises(OSError, match="run"), opened(home.parent / "run"):
        pass


def test_a_pipe_is_not_waited_for(home: Path) -> None:
    os.mkfifo(home / "report.html")
    with pytest.raises(NotUsable):
        taken(home, "report.html")


def test_a_folder_is_no_report(home: Path) -> None:
    (home / "report.html").mkdir()
    with pytest.raises(NotUsable):
        taken(home, "report.html")


def test_what_is_too_big_is_not_read_whole(home: Path) -> None:
    with (home / "report.ipynb").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(NotUsable, match="too big"):
        taken(home, "report.ipynb")
    assert taken(home, "nothing") is None


def test_what_is_told_of_progress_are_the_templates_own_steps(home: Path) -> None:
    lines = [
        '{"state": "running", "cell": 0}',
        '{"state": "running", "cell": 99}',
        '{"state": "\\u001b[2J", "cell": 0}',
        '{"state": "running", "cell": true}',
        '{"state": "running", "cell": "../../key"}',
        '{"cell": 0}',
        "[" * 100_000,
        "7",
        '{"state": "done", "cell": 0}',
        "unfinished",
    ]
    (home / "progress").write_text("\n".join(lines))
    with opened(home) as folder:
        found, seen = progress(folder, 0, 3)
        assert list(found) == [Step("running", 0), Step("done", 0)]
        assert progress(folder, seen, 3) == ((), seen)
        (home / "progress").unlink()
        (home / "progress").symlink_to(home.parent / "key")
        assert progress(folder, 0, 3) == ((), 0)


def test_what_a_cell_said_cannot_drive_a_terminal() -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "\x1b]0;x\x07\x1b[2Jnon\nsuite" + "é" * 10_000}
    cells = [
        {"cell_type": "code", "metadata": {"tags": ["injected-parameters"]}, "outputs": []},
        {"cell_type": "code", "metadata": {}, "outputs": []},
        {"cell_type": "code", "metadata": {}, "outputs": [error]},
    ]
    number, said = failure({"cells": cells})
    assert number == 1 and "non\nsuite" in said and len(said) <= 2_000
    assert not {"\x1b", "\x07"} & set(said)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"[" * 200_000, b'{"cells": {}}', b"\xff\xfe", json.dumps([{"cells": []}]).encode()],
)
def test_what_is_no_notebook_is_not_taken(content: bytes) -> None:
    with pytest.raises(NotUsable):
        parsed(content)


@pytest.mark.parametrize("cell", [None, 7, {}, {"cell_type": "code", "outputs": [None, 3], "metadata": None}])
def test_odd_cells_are_passed_over(cell: object) -> None:
    assert failure({"cells": [cell]}) is None


def test_removing_a_home_follows_no_link(home: Path) -> None:
    (home / "out").symlink_to(home.parent)
    remove(home)
    assert not home.exists() and (home.parent / "key").read_bytes() == SECRET
