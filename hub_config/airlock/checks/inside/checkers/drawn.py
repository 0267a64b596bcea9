"""What a drawing may be made of: the elements, attributes and values that matplotlib, R and the like write.

Anything else can hold whatever somebody puts there, and no page shows it. Names and values that tools make up
are known by their form; what is left of them is kept short in all (`Unseen`).
"""

from __future__ import annotations

import re
from typing import Final

ELEMENTS: Final = frozenset(
    {"svg", "g", "defs", "use", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text",
     "tspan", "textpath", "style", "clippath", "image", "symbol", "pattern", "title", "desc", "metadata",
     "lineargradient", "radialgradient", "stop", "marker", "mask", "a", "switch"}
)  # fmt: skip
METADATA: Final = frozenset(
    {"rdf", "work", "type", "format", "creator", "agent", "title", "date", "contributor", "coverage",
     "description", "identifier", "language", "publisher", "relation", "rights", "source", "subject",
     "keywords", "bag", "li"}
)  # fmt: skip
GEOMETRY: Final = frozenset(
    {"d", "points", "transform", "viewbox", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry",
     "dx", "dy", "fx", "fy", "width", "height", "rotate", "textlength", "offset", "refx", "refy",
     "markerwidth", "markerheight", "gradienttransform", "patterntransform", "pathlength"}
)  # fmt: skip
STYLES: Final = frozenset(
    {"fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap",
     "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "opacity", "color",
     "display", "visibility", "overflow", "clip-path", "clip-rule", "mask", "marker", "marker-start",
     "marker-mid", "marker-end", "font", "font-family", "font-size", "font-style", "font-weight",
     "font-variant", "font-stretch", "text-anchor", "text-decoration", "text-rendering", "letter-spacing",
     "word-spacing", "dominant-baseline", "alignment-baseline", "baseline-shift", "shape-rendering",
     "image-rendering", "color-interpolation", "color-rendering", "stop-color", "stop-opacity",
     "vector-effect", "paint-order", "mix-blend-mode", "isolation", "enable-background", "white-space",
     "writing-mode", "direction", "kerning", "pointer-events", "line-height"}
)  # fmt: skip
NAMES: Final = frozenset({"id", "class", "href"})
_FIXED: Final = frozenset(
    {"version", "baseprofile", "space", "preserveaspectratio", "lengthadjust", "gradientunits",
     "patternunits", "patterncontentunits", "clippathunits", "maskunits", "maskcontentunits", "markerunits",
     "spreadmethod", "orient", "type", "lang", "method", "spacing", "zoomandpan", "contentstyletype",
     "role", "resource", "about", "standalone", "schemalocation"}
)  # fmt: skip
ATTRIBUTES: Final = GEOMETRY | STYLES | NAMES | _FIXED | {"style"}

_PATH: Final = re.compile(
    r"(?:[MmZzLlHhVvCcSsQqTtAa\s,.()%+-]|[\d.]+(?:[eE][+-]?\d{1,3}(?!\d))?|px|pt|em|cm|mm|in|auto|"
    r"matrix|translate|scale|rotate|skewX|skewY)*"
)
_TOOL_NAME: Final = re.compile(
    r"#?(?:(?:figure|axes|patch|line2d|text|xtick|ytick|ztick|legend|matplotlib\.axis|PathCollection|"
    r"LineCollection|PolyCollection|FillBetweenPolyCollection|QuadMesh|QuadContourSet|Quiver|table|image|"
    r"Poly3DCollection|CircleCollection|PatchCollection|glyph|clip|surface|pattern|mask|source|linear|radial)"
    r"[-_]?\d{0,4}(?:-\d{1,4})?|[mpCDhi][0-9a-f]{10}|[A-Za-z]{2,40}-[0-9a-f]{1,5}|[A-Za-z]{2,40}|"
    r"C\d{1,3}_\d{1,3}_[0-9a-f]{10}|image[0-9a-f]{10}|cp[A-Za-z0-9+/]{12,80}={0,2})"
)
_PLAIN: Final = re.compile(
    r"(?:#[0-9a-fA-F]{3,8}|rgba?\([\d.,%\s]{1,30}\)|url\(#[\w.=+/-]{1,90}\)|[a-zA-Z-]{1,24}|"
    r"[-+]?[\d.]{1,12}(?:e-?\d{1,3})?(?:px|pt|em|%)?|[\d.,\s]{1,24}|)"
)
_ADDRESS: Final = re.compile(
    r"http://purl\.org/dc/dcmitype/StillImage|http://www\.w3\.org/[\w/.-]{1,40}|text/css|image/svg\+xml|"
    r"xM(?:id|in|ax)YM(?:id|in|ax)(?: meet| slice)?|\d\.\d|text/ecmascript"
)
_FONT: Final = re.compile(r"(?:[1-9]00|\d{1,3}(?:\.\d{1,6})?(?:px|pt)|[A-Za-z ,\"'-]|/)+")
_MOST_UNSEEN: Final = 300  # characters of all names and values that no tool writes, each told once
_MOST_FONTS: Final = 1_500


def is_font(value: str) -> bool:
    """Families, a size, a weight."""
    return bool(_FONT.fullmatch(value))


class Unseen:
    """What stands in a drawing's attributes and styles and isn't drawn, and whether it could hold data."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._fonts: set[str] = set()

    @property
    def too_much(self) -> bool:
        return sum(map(len, self._told)) > _MOST_UNSEEN or sum(map(len, self._fonts)) > _MOST_FONTS

    def attribute(self, name: str, value: str) -> None:
        """Of a name in `ATTRIBUTES`."""
        if name == "style":
            self.style(value)
        elif name == "class" or name in NAMES:
            self._told |= {each for each in value.split() if not _TOOL_NAME.fullmatch(each)}
        elif name in GEOMETRY:
            if not _PATH.fullmatch(value):
                self._told.add(value)
        else:
            self._value(name, value)

    def style(self, declarations: str) -> None:
        for declaration in declarations.split(";"):
            name, _, value = declaration.partition(":")
            if name.strip().lower() in STYLES:
                self._value(name.strip().lower(), value)
            else:
                self._told.add(declaration.strip())

    def sheet(self, css: str) -> None:
        """A `style` element without its comments."""
        for rule in css.split("}"):
            selector, _, declarations = rule.partition("{")
            names = re.split(r"[\s,.#*>:()]+", selector)
            self._told |= {each for each in names if not _TOOL_NAME.fullmatch(each) and each.strip()}
            self.style(declarations)

    def _value(self, name: str, value: str) -> None:
        bare = value.replace("!important", "").strip()
        if name.startswith("font") and is_font(bare):
            self._fonts.add(bare)
        elif not _PLAIN.fullmatch(bare) and not _ADDRESS.fullmatch(bare):
            self._told.add(bare)
