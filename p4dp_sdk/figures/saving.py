"""Figures as files, the same bytes each time: no date, no name of a program or a machine."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from p4dp_sdk.figures.errors import UnknownFormatError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SALT = "p4dp"  # of the names inside an SVG
_DPI = 300  # of a PNG, as journals ask
_MOST_DOTS = 40_000_000  # of a PNG, in all
_LONGEST_SIDE = 30_000  # in dots
_METADATA: Mapping[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


def save(drawn: Axes | Figure, path: str | Path) -> Path:
    """Write the figure of `drawn` as SVG, PDF or PNG, by the ending of `path`; returns the path.

    Equal figures give equal files, on the same version of matplotlib. Texts of an SVG are drawn as shapes, so
    that it looks the same everywhere. Raises UnknownFormatError for another ending.
    """
    path = Path(path)
    wanted = path.suffix.lower().removeprefix(".")
    if wanted not in _METADATA:
        raise UnknownFormatError(path.suffix, tuple(f".{known}" for known in _METADATA))
    content = io.BytesIO()
    write(drawn, content, wanted)
    path.write_bytes(content.getvalue())
    return path


def write(drawn: Axes | Figure, file: IO[bytes], wanted: str, dots: int | None = None) -> None:
    """Write the figure of `drawn` to `file` as "svg", "pdf" or "png", this of `dots` per inch."""
    import matplotlib as mpl

    figure: Any = getattr(drawn, "figure", drawn)
    with mpl.rc_context({"svg.hashsalt": _SALT, "svg.fonttype": "path", "pdf.fonttype": 42}):
        figure.draw_without_rendering()  # the layout settles before anything is measured
        how = {"format": wanted, "dpi": _dpi(figure, dots or _DPI), "bbox_inches": "tight"}
        figure.savefig(file, metadata=_METADATA[wanted], **how)


def _dpi(figure: Figure, wanted: int) -> int:
    """Dots per inch; fewer where the image would be larger than anybody opens."""
    wide, high = (float(side) + 2 for side in figure.get_size_inches())
    return max(
        20, min(wanted, int((_MOST_DOTS / (wide * high)) ** 0.5), int(_LONGEST_SIDE / max(wide, high)))
    )
