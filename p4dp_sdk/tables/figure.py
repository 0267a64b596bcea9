"""`SafeFigure`: a figure of a publication table, born safe as the table is. What `table.plot.bar()` gives.

It is the signed table and a closed specification, and is drawn from these each time. The airlock draws it
again the same way, so what is seen in the notebook is what leaves. `axes` are matplotlib's, to go on by hand:
what comes of them is a figure of one's own, which a physician looks at before it leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from p4dp_sdk.figures.errors import NotBornSafeError, OnAxesError, UnknownFormatError
from p4dp_sdk.figures.proof import MIME, Proof
from p4dp_sdk.figures.spec import BadSpec, Spec, check_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from p4dp_sdk.tables.safe import SafeTable

_RECORD_SUFFIX = ".json"


@dataclass(frozen=True, repr=False)
class SafeFigure:
    """A figure of `table`, by `spec`. Changing one means asking the table for another."""

    table: SafeTable
    spec: Spec

    def __post_init__(self) -> None:
        try:
            check_table(self.spec, self.table.statement)
        except BadSpec as problem:
            raise NotBornSafeError(str(problem)) from None

    @property
    def proof(self) -> Proof:
        """What the airlock draws it from."""
        return Proof(self.table.document, self.spec)

    @cached_property
    def axes(self) -> Axes:
        """Matplotlib's Axes, the same each time, to go on with. What is changed there stays there: this
        figure is drawn, saved and released as it was."""
        from p4dp_sdk.figures.drawing import axes

        return axes(self.spec, self.table.document)

    def save(self, path: str | Path) -> Path:
        """Write the figure as PNG, SVG or PDF, by the ending of `path`, and its record beside it
        (`figure.png.json`), from which the airlock draws it. Returns the path of the figure."""
        from p4dp_sdk.figures.drawing import Format, draw

        path = Path(path)
        wanted = path.suffix.lower().removeprefix(".")
        if wanted not in set(Format):
            raise UnknownFormatError(path.suffix, tuple(f".{known.value}" for known in Format))
        path.write_bytes(draw(self.spec, self.table.document, Format(wanted)))
        path.with_name(path.name + _RECORD_SUFFIX).write_bytes(self.proof.to_json())
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from p4dp_sdk.figures.drawing import Format, draw

        image = draw(self.spec, self.table.document, Format.PNG, dots=_ON_SCREEN)
        return {"image/png": image, "text/plain": repr(self), MIME: self.proof.content}

    def __repr__(self) -> str:
        return f"{self.table.title} ({self.spec.kind.value})"

    def __getattr__(self, name: str) -> NoReturn:
        """Newcomers go on with the figure as with matplotlib's: told where that is."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise OnAxesError(name)


_ON_SCREEN = 100  # dots per inch of what a notebook shows
