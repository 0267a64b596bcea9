"""Figures as files, the same bytes each time: no date, no name of a program or a machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p4dp_sdk.figures.errors import UnknownFormatError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SALT = "p4dp"  # of the names inside an SVG
_DPI = 300  # of a PNG, as journals ask
_METADATA: Mapping[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".png": {"Software": None},
}


def save(drawn: Axes | Figure, path: str | Path) -> Path:
    """Write the figure of `drawn` as SVG, PDF or PNG, by the ending of `path`; returns the path.

    Equal figures give equal files, on the same version of matplotlib. Texts of an SVG are drawn as shapes, so
    that it looks the same everywhere. Raises UnknownFormatError for another ending.
    """
    import matplotlib as mpl

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _METADATA:
        raise UnknownFormatError(path.suffix, tuple(_METADATA))
    figure: Any = getattr(drawn, "figure", drawn)
    with mpl.rc_context({"svg.hashsalt": _SALT, "svg.fonttype": "path", "pdf.fonttype": 42}):
        figure.draw_without_rendering()  # the layout settles before anything is measured
        figure.savefig(path, dpi=_DPI, bbox_inches="tight", metadata=_METADATA[suffix])
    return path
