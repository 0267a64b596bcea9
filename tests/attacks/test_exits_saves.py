"""The Jupyter server's own ways in and out, tried one by one at the object that answers them.

Each passes at the server's own contents manager, and not at the enclave's. What stays open is said in the
docs: what is typed or pasted comes in, what is on the screen has gone out.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.web import HTTPError

from hub_config.spawner import launcher
from hub_config.spawner.launcher import Meter
from hub_config.spawner.server_config.p4dp_exits import P4DPContents

TEXT = "x = 1\n"
BYTES = base64.b64encode(b"x" * 100).decode()
MEGABYTES = "v" * 3_000_000
Manager = AsyncLargeFileManager


def notebook(outputs: list[dict[str, Any]] | None = None, **cell: Any) -> dict[str, Any]:
    source = {"cell_type": "code", "id": "a", "source": "", "metadata": {}, "execution_count": 1}
    cells = [{**source, "outputs": outputs or [], **cell}]
    return {
        "type": "notebook",
        "content": {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells},
    }


def text(content: str, **said: Any) -> dict[str, Any]:
    return {"type": "file", "format": "text", "content": content, **said}


def picture() -> dict[str, Any]:
    attached = {"a.png": {"image/png": MEGABYTES}}
    cell = {"cell_type": "markdown", "id": "a", "source": "", "metadata": {}, "attachments": attached}
    made = notebook()
    made["content"]["cells"] = [cell]
    return made


def widgets() -> dict[str, Any]:
    made = notebook()
    made["content"]["metadata"] = {"widgets": {"application/vnd.jupyter.widget-state+json": {"a": MEGABYTES}}}
    return made


WAYS_IN: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "a new file": ("new.py", lambda: text(TEXT)),
    "a new notebook": ("new.ipynb", notebook),
    "bytes": ("new.bin", lambda: text(BYTES, format="base64")),
    "bytes over a source": ("mine.py", lambda: text(BYTES, format="base64")),
    "pieces of a new file": ("new.py", lambda: text(TEXT, chunk=1)),
    "pieces over a source": ("mine.py", lambda: text(TEXT, chunk=1)),
    "the last piece over a source": ("mine.py", lambda: text(TEXT, chunk=-1)),
    "a long text over a source": ("mine.py", lambda: text(MEGABYTES)),
    "a picture in a cell": ("mine.ipynb", picture),
    "a widget's state": ("mine.ipynb", widgets),
    "a cell's metadata": ("mine.ipynb", lambda: notebook(metadata={"a": MEGABYTES})),
}


async def put(manager: Manager, path: str, model: dict[str, Any]) -> None:
    """As the handler of PUT does."""
    if await manager.file_exists(path):
        await manager.save(model, path)
    else:
        await manager.new(model, path)


def home(kind: type[Manager], folder: Path) -> Manager:
    (folder / "mine.py").write_text(TEXT)
    (folder / "mine.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    (folder / "cohort.csv").write_text("a,b")
    return kind(root_dir=str(folder))


@pytest.mark.parametrize("way", WAYS_IN)
async def test_no_file_comes_in_by_the_browser(tmp_path: Path, way: str) -> None:
    path, model = WAYS_IN[way]
    (tmp_path / "open").mkdir()
    await put(home(Manager, tmp_path / "open"), path, model())
    (tmp_path / "shut").mkdir()
    manager = home(P4DPContents, tmp_path / "shut")
    before = {each: each.read_bytes() for each in (tmp_path / "shut").iterdir()}
    with pytest.raises(HTTPError, match="sas d'entrée"):
        await put(manager, path, model())
    assert {each: each.read_bytes() for each in (tmp_path / "shut").iterdir() if each.is_file()} == before


async def test_what_is_edited_here_is_saved(tmp_path: Path) -> None:
    manager = home(P4DPContents, tmp_path)
    await put(manager, "mine.py", text("x = 2\n"))
    await put(manager, "mine.ipynb", notebook(source="x"))
    assert (tmp_path / "mine.py").read_text() == "x = 2\n"
    assert (await manager.new_untitled(type="file", ext=".py"))["name"] == "untitled.py"
    assert (await manager.copy("mine.ipynb"))["name"] == "mine-Copy1.ipynb"
    await manager.rename("mine.py", "renamed.py")


@pytest.mark.parametrize("kind", [Manager, P4DPContents])
async def test_a_table_is_not_read_under_a_source_s_name(tmp_path: Path, kind: type[Manager]) -> None:
    manager = home(kind, tmp_path)
    if kind is P4DPContents:
        with pytest.raises(HTTPError, match="que par le sas"):
            await manager.rename("cohort.csv", "cohort.py")
        with pytest.raises(HTTPError, match="que par le sas"):
            await manager.get("cohort.csv")
    else:
        await manager.rename("cohort.csv", "cohort.py")
        assert (await manager.get("cohort.py"))["content"] == "a,b"


def stream(size: int) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": "v" * size}


def shown(size: int) -> dict[str, Any]:
    data = {"text/plain": "x"}
    return {"output_type": "display_data", "data": data, "metadata": {"hidden": "v" * size}}


def lines(size: int) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": "v\n" * (size // 2)}


OUTPUTS = {
    "one": [stream(3_000_000)],
    "many small ones": [stream(10_000) for _ in range(400)],
    "in their metadata": [shown(900_000) for _ in range(5)],
    "in short lines": [lines(250_000) for _ in range(20)],
}


@pytest.mark.parametrize("how", OUTPUTS)
async def test_a_notebook_keeps_no_huge_outputs_and_opens_again(tmp_path: Path, how: str) -> None:
    manager = home(P4DPContents, tmp_path)
    await put(home(Manager, tmp_path), "mine.ipynb", notebook(OUTPUTS[how]))
    most = manager.outputs_bytes + 200_000
    assert (tmp_path / "mine.ipynb").stat().st_size > most
    await put(manager, "mine.ipynb", notebook(OUTPUTS[how], source="s" * 900_000))
    assert (tmp_path / "mine.ipynb").stat().st_size < most + 900_000
    again = await manager.get("mine.ipynb")
    assert "non enregistrée" in str(again["content"]["cells"][0]["outputs"])


def test_a_clock_set_back_gives_no_second_day(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bool] = []
    meter = Meter(1000, lambda sent: said.append(sent.passed))
    for day in ("2036-11-20", "2036-11-19", "2036-11-20"):
        monkeypatch.setattr(launcher, "_day", lambda day=day: day)
        meter.add(400)
    assert said == [True]


def test_who_is_killed_leaves_a_count() -> None:
    said: list[int] = []
    meter = Meter(0, lambda sent: said.append(sent.bytes))
    for _ in range(200):
        meter.add(64 * 1024)
    assert said == [4 * 2**20, 8 * 2**20, 12 * 2**20]
