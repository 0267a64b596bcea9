"""The Jupyter server's own ways out, closed: converting, terminals, raw files, big or unknown files through
the contents API; and its way in, uploads. Huge outputs of cells are not kept in notebooks, nor more text than
a person writes.

Friction and a trail, not a boundary: until a kernel has its own box it can replace this server, and what the
browser shows has left in any case. What is typed or pasted comes in, as small pieces of it do by anything the
browser may save. Imported by the Jupyter server inside the box; never by the enclave.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyterhub.singleuser.extension import JupyterHubAuthorizer
from tornado import web
from traitlets import Integer

CLOSED_RESOURCES = frozenset({"nbconvert", "terminals"})
READABLE = frozenset({".ipynb", ".py", ".r", ".sql", ".md"})
NO_UPLOAD = (
    "P4DP : un fichier n'entre que par le sas d'entrée du registre. / "
    "A file comes in through the inbound airlock only."
)
LEFT_OUT = (
    "P4DP : sortie de %s octets non enregistrée, plus de %s. Résumez-la. / "
    "Output of %s bytes not kept, over %s."
)
TOO_MUCH = (
    "P4DP : %s octets de texte, pièces jointes comprises : plus que %s. Retirez les pièces jointes ; un "
    "fichier n'entre que par le sas d'entrée. / %s bytes of text, attachments included: over %s. Take the "
    "attachments out; a file comes in through the inbound airlock only."
)
REFUSAL = "P4DP : ce fichier ne sort que par le sas. / This file leaves through the airlock only."


class P4DPAuthorizer(JupyterHubAuthorizer):  # type: ignore[misc]
    """The hub's own check of who may enter, and no one may convert a notebook or open a terminal."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return resource not in CLOSED_RESOURCES and bool(
            super().is_authorized(handler, user, action, resource)
        )


class P4DPContents(AsyncLargeFileManager):  # type: ignore[misc]
    """Opens notebooks and sources up to `max_bytes` in the browser; lists other files, never reads them."""

    max_bytes = Integer(4 * 1024**2, config=True, help="Largest file the browser may open.")
    output_bytes = Integer(1024**2, config=True, help="Largest output of one cell that a notebook keeps.")
    outputs_bytes = Integer(2 * 1024**2, config=True, help="Outputs of all cells that a notebook keeps.")
    written_bytes = Integer(1024**2, config=True, help="Text of a source, or of a notebook without outputs.")

    async def new(self, model: Any = None, path: str = "") -> Any:
        """An empty notebook or source. With a content it is an upload, or "save as": the browser's, so
        refused. (A copy and a rename are the server's own, and go on.)"""
        if model is not None and model.get("content") is not None:
            self.log.warning("P4DP: upload refused")
            raise web.HTTPError(403, NO_UPLOAD)
        return await super().new(model, path)

    async def save(self, model: Any, path: str = "") -> Any:
        """What was edited here: text or a notebook. Bytes, or pieces of a file, are an upload over it."""
        if model.get("chunk") is not None or model.get("format") == "base64":
            self.log.warning("P4DP: upload refused")
            raise web.HTTPError(403, NO_UPLOAD)
        if model.get("type") == "notebook" and model.get("content") is not None:
            self._leave_out(model["content"])
        self._refuse_too_much(model.get("content"))
        return await super().save(model, path)

    async def rename_file(self, old_path: str, new_path: str) -> None:
        """A table does not become a source by its name."""
        if _is_readable(new_path) and not _is_readable(old_path):
            self.log.warning("P4DP: renaming refused")
            raise web.HTTPError(403, REFUSAL)
        await super().rename_file(old_path, new_path)

    def _refuse_too_much(self, content: Any) -> None:
        """Cells' attachments, a widget's state, a text: what is saved and no cell's output."""
        size = _size(content) - sum(_size(outputs[place]) for outputs, place in _outputs(content))
        if size > self.written_bytes:
            self.log.warning("P4DP: saving refused (%d bytes)", size)
            raise web.HTTPError(403, TOO_MUCH % ((size, self.written_bytes) * 2))

    def _leave_out(self, notebook: Any) -> None:
        """Put a line of words in place of each output that is too large."""
        kept = 0
        for outputs, place in _outputs(notebook):
            size = _size(outputs[place])
            if size > self.output_bytes or kept + size > self.outputs_bytes:
                most = self.output_bytes if size > self.output_bytes else self.outputs_bytes
                words = LEFT_OUT % (size, most, size, most)
                outputs[place] = {"output_type": "stream", "name": "stderr", "text": words}
                size = len(words)
            kept += size

    async def get(self, path: str, content: bool = True, **options: Any) -> Any:
        if content:
            entry = await super().get(path, content=False, **options)
            if entry["type"] != "directory":
                self._refuse_unreadable(path, entry.get("size") or 0)
        return await super().get(path, content=content, **options)

    def _refuse_unreadable(self, path: str, size: int) -> None:
        if not _is_readable(path) or size > self.max_bytes:
            self.log.warning("P4DP: reading refused (%d bytes)", size)
            raise web.HTTPError(403, REFUSAL)


def _is_readable(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in READABLE


def _size(content: Any) -> int:
    """Bytes on the disk, where a notebook has each line of a text on a line of its own."""
    written = json.dumps(content)
    return len(written) + 8 * written.count("\\n")


def _outputs(notebook: Any) -> Iterator[tuple[Any, int]]:
    """Each output as its list and its place in it; whatever has another shape is the server's to judge."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    for cell in cells if isinstance(cells, list) else ():
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        yield from ((outputs, place) for place in range(len(outputs))) if isinstance(outputs, list) else ()
