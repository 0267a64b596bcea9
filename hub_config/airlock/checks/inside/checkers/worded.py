"""What the parts of a Word document may be made of, besides their words: names and values as Word,
LibreOffice and python-docx write them, told from names and values that could hold anything.

What no program writes is shown on no page; it is kept short in all (`Unseen`).
"""

from __future__ import annotations

import re
from typing import Any, Final

TEXTS: Final = frozenset({"t", "delText", "instrText", "delInstrText"})
_SIZES: Final = frozenset(
    {"posOffset", "align", "pctWidth", "pctHeight", "pctPosHOffset", "pctPosVOffset", "posOffsetH", "pos"}
)
_SIZE: Final = re.compile(r"-?\d{1,9}|[a-z]{1,12}")
_NAMESPACES: Final = re.compile(
    r"http://(?:schemas\.openxmlformats\.org|schemas\.microsoft\.com|purl\.oclc\.org|purl\.org/dc|"
    r"www\.w3\.org)/[\w./-]{1,120}|urn:schemas-microsoft-com:[\w:]{1,30}|"
    r"http://(?:opendope|schemas\.libreoffice|loext|openoffice)[\w./-]{0,60}"
)
_ELEMENT: Final = re.compile(r"[A-Za-z]{1,40}\d{0,2}(?:[A-Za-z]{1,20})?")
_MOST_ELEMENTS: Final = 400  # kinds of them
_KEPT_FOR_PROGRAMS: Final = frozenset(
    {"docVars", "docVar", "fldData", "customXml", "customXmlPr", "smartTag", "smartTagPr", "placeholder",
     "dataBinding", "mailMerge", "attachedSchema", "printerSettings", "binData", "movie", "tag"}
)  # fmt: skip
_NAMED: Final = frozenset(
    {"name", "styleId", "typeface", "val", "script", "ascii", "hAnsi", "cs", "eastAsia", "uri", "aliases"}
)
_SHOWN_ELSEWHERE: Final = frozenset({"descr", "title"})
_PLAIN_VALUE: Final = re.compile(
    r"-?\d{1,8}(?:\.\d{1,6})?(?:pt|px|in|cm|mm|pct|%)?|[A-Fa-f0-9]{1,8}|[A-Za-z]{1,40}|rId\d{1,4}|"
    r"\{?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}?|[a-z]{2,3}(?:-[A-Za-z]{2,8}){1,2}|"
    r"(?:(?:application|image|text)/[\w.+-]{1,100})|"
)
_SIGNATURE: Final = re.compile(r"[0-9A-Fa-f]{20}")  # of a font, its panose
_LIST: Final = re.compile(
    r"[A-Za-z]{1,6}\d{0,2}(?:[A-Za-z]{1,6})?(?: [A-Za-z]{1,6}\d{0,2}(?:[A-Za-z0-9]{1,6})?){0,30}"
)
_NAME: Final = re.compile(
    r"(?:[^\W\d_]|[ ()/,.&;_'-]){1,60}(?:\d{1,2}(?:[^\W\d_]|[ ()/,._-]){0,30}){0,3}|"
    r"_(?:GoBack|Toc\d{6,9}|Ref\d{6,9}|Hlk\d{6,9})|(?:%\d|[^\w]){1,20}"
)
_MOST_UNSEEN: Final = 300


class Unseen:
    """What stands in a document's parts and isn't shown, and whether it could hold data."""

    def __init__(self, parts: frozenset[str]) -> None:
        self._paths = {name.rpartition("/")[2] for name in parts}
        self._told: set[str] = set()
        self._kinds: set[str] = set()
        self.for_programs = False

    @property
    def too_much(self) -> bool:
        return sum(map(len, self._told)) > _MOST_UNSEEN or len(self._kinds) > _MOST_ELEMENTS

    def told(self) -> tuple[str, ...]:
        return (*self._told, *self._kinds)

    def element(self, element: Any) -> None:
        space, _, name = str(element.tag).rpartition("}")
        if not _NAMESPACES.fullmatch(space.lstrip("{")) or not _ELEMENT.fullmatch(name):
            self._told.add(str(element.tag))
        self._kinds.add(name)
        self.for_programs = self.for_programs or name in _KEPT_FOR_PROGRAMS
        for text in (element.text, element.tail):
            self._text(name if text is element.text else "", (text or "").strip())
        for key, value in element.attrib.items():
            self._attribute(key.rpartition("}")[2], value)

    def _text(self, name: str, text: str) -> None:
        if text and name not in TEXTS and not (name in _SIZES and _SIZE.fullmatch(text)):
            self._told.add(text)

    def _attribute(self, name: str, value: str) -> None:
        if name in _SHOWN_ELSEWHERE or self._is_plain(value):
            return
        if name in _NAMED and (_NAME.fullmatch(value) or _SIGNATURE.fullmatch(value)):
            return
        self._told |= {name, value} if not name.isalpha() else {value}

    def _is_plain(self, value: str) -> bool:
        return (
            any(form.fullmatch(value) for form in (_PLAIN_VALUE, _LIST, _NAMESPACES))
            or value.rpartition("/")[2] in self._paths
        )
