"""The program of a run's box: executes one notebook with papermill, and turns it into HTML without its code.

Mounted read-only, started by `python -I` in the workspaces' environment; imports nothing of ours. Reads the
job on stdin. The token goes into the kernel's environment and nowhere else; where a cell prints it, it is
blotted out. Everything here may be replaced by what the notebook runs: nobody outside believes more of it
than that these are bytes.

In the home, when it ends: `progress` (one JSON line a step), `report.ipynb`, `report.html` (a fragment),
and in `work/sorties` what the notebook wrote there.
Exit code: 0 done, 1 a cell failed, anything else is ours.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BLOT = "••••••••"
INJECTED = "injected-parameters"
PAPERMILL_ERRORS = ("papermill-error-cell-tag", "papermill-error-cell")


def main() -> int:
    job = json.loads(sys.stdin.buffer.read())
    home = Path.home()
    progress = Progress(home / "progress")
    notebook, failed = execute(job, home, progress)
    (home / "report.html").write_text(as_html(notebook), encoding="utf-8")
    return 1 if failed else 0


class Progress:
    """Numbers of code cells as the template counts them, from 0: all that is told of them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def say(self, state: str, cell: int) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"state": state, "cell": cell}) + "\n")


def execute(job: Mapping[str, Any], home: Path, progress: Progress) -> tuple[Any, bool]:
    """The executed notebook, and whether one of its cells failed."""
    import nbformat
    import papermill
    from papermill.engines import papermill_engines

    work, output = home / "work", home / "report.ipynb"
    (work / "sorties").mkdir(parents=True)
    papermill_engines.register("p4dp", engine(job["token"], progress))
    try:
        papermill.execute_notebook(
            nbformat.reads(job["notebook"], as_version=4),
            str(output),
            parameters=job["parameters"],
            engine_name="p4dp",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            autosave_cell_every=0,
            cwd=str(work),
        )
        failed = False
    except papermill.PapermillExecutionError:
        failed = True
    return nbformat.read(output, as_version=4), failed


def engine(token: str, progress: Progress) -> type:
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import Engine
    from traitlets.config import Config

    class KernelWithToken(Engine):  # type: ignore[misc]  # untyped upstream
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> Any:
            numbers = code_cells(nb_man.nb)

            def started(cell: Any, cell_index: int, **_: Any) -> None:
                if cell_index in numbers:
                    progress.say("running", numbers[cell_index])

            def executed(cell: Any, cell_index: int, execute_reply: Any, **_: Any) -> None:
                blot_out(cell, token)
                if cell_index in numbers:
                    ok = execute_reply["content"]["status"] == "ok"
                    progress.say("done" if ok else "failed", numbers[cell_index])

            client = PapermillNotebookClient(
                nb_man,
                kernel_name=kernel_name,
                timeout=None,
                startup_timeout=120,
                on_cell_execute=started,
                on_cell_executed=executed,
                config=Config({"KernelManager": {"transport": "ipc"}}),
            )
            return client.execute(env={**os.environ, "P4DP_TOKEN": token})

    return KernelWithToken


def code_cells(notebook: Any) -> dict[int, int]:
    """Where each code cell of the template now stands: papermill has put one of its own among them."""
    ours = [
        place
        for place, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and INJECTED not in cell.metadata.get("tags", ())
    ]
    return {place: number for number, place in enumerate(ours)}


def blot_out(cell: Any, token: str) -> None:
    """A cell that prints its environment prints no token. Against accidents: what means to can spell it."""
    from nbformat import from_dict

    text = json.dumps(cell.outputs)
    if token in text:
        cell.outputs = [from_dict(output) for output in json.loads(text.replace(token, BLOT))]


def as_html(notebook: Any) -> str:
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    hidden = {INJECTED, *PAPERMILL_ERRORS}
    notebook.cells = [cell for cell in notebook.cells if not hidden & set(cell.metadata.get("tags", ()))]
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            draw_as_image(output.get("data", {}))
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        config=Config({"HTMLExporter": {"embed_images": False}}),
    )
    return str(exporter.from_notebook_node(notebook)[0])


def draw_as_image(data: Any) -> None:
    """Drawings as pictures: a drawing within the page could carry more than lines."""
    svg = data.get("image/svg+xml")
    if svg is not None:
        encoded = base64.b64encode(str(svg).encode()).decode()
        data.clear()
        data["text/html"] = f'<img alt="" src="data:image/svg+xml;base64,{encoded}">'


if __name__ == "__main__":
    sys.exit(main())
