"""What a file is, told from its bytes. The name only decides between kinds that look the same (CSV, text).

Nothing is parsed here: signatures and searches, so that the airlock's own process may ask too.
"""

from __future__ import annotations

import re
from typing import Final

from hub_config.governance.releases.facts import FileKind

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (b"\xff\xd8\xff", FileKind.JPEG),
    (b"%PDF-", FileKind.PDF),
    (b"PAR1", FileKind.PARQUET),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind.OFFICE),
    (b"\x1f\x8b", FileKind.ARCHIVE),
    (b"BZh", FileKind.ARCHIVE),
    (b"\xfd7zXZ\x00", FileKind.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", FileKind.ARCHIVE),
    (b"Rar!\x1a\x07", FileKind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", FileKind.ARCHIVE),
    (b"\x04\x22\x4d\x18", FileKind.ARCHIVE),
)
_TAR: Final = (257, b"ustar")
_PICKLE: Final = re.compile(rb"\x80[\x02-\x05]")
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_ZIP_END: Final = b"PK\x05\x06"
_FAR: Final = 66_000  # bytes before the end in which a zip's directory must end
_NEAR: Final = 1_024  # bytes from the start in which a PDF's header may lie
_OFFICE: Final = re.compile(rb"(word|ppt)/[a-z]|mimetypeapplication/vnd\.oasis|xl/workbook\.bin")
_SVG: Final = re.compile(r"<(!doctype\s+svg\b|(\w{1,20}:)?svg\b)", re.I)
_HTML: Final = re.compile(
    r"<(!doctype\s+html|html|head|body|table|div|p|script|style|h[1-6]|iframe|img|meta|link|form)\b", re.I
)
_NOTEBOOK: Final = re.compile(rb'"nbformat"\s*:\s*\d')
_MODEL: Final = re.compile(
    rb'"(coefficients|coef_?|intercept_?|baseline_(hazard|survival)|trees|tree_structure|feature_importances_?)"\s*:',
    re.I,
)
_HEAD: Final = 20_000

_OF_EXTENSION: Final = {
    "csv": FileKind.CSV, "tsv": FileKind.TSV, "tab": FileKind.TSV, "xlsx": FileKind.XLSX,
    "xlsm": FileKind.XLSX, "xltx": FileKind.XLSX, "xltm": FileKind.XLSX,
    "parquet": FileKind.PARQUET, "pq": FileKind.PARQUET, "json": FileKind.JSON,
    "jsonl": FileKind.JSON, "ndjson": FileKind.JSON, "txt": FileKind.TEXT,
    "log": FileKind.TEXT, "tex": FileKind.TEXT, "bib": FileKind.TEXT, "py": FileKind.TEXT, "r": FileKind.TEXT,
    "sql": FileKind.TEXT, "toml": FileKind.TEXT, "yml": FileKind.TEXT, "yaml": FileKind.TEXT,
    "md": FileKind.MARKDOWN, "markdown": FileKind.MARKDOWN, "html": FileKind.HTML,
    "htm": FileKind.HTML, "xhtml": FileKind.HTML, "ipynb": FileKind.NOTEBOOK, "png": FileKind.PNG,
    "jpg": FileKind.JPEG, "jpeg": FileKind.JPEG, "svg": FileKind.SVG, "pdf": FileKind.PDF,
    "zip": FileKind.ARCHIVE, "gz": FileKind.ARCHIVE, "tgz": FileKind.ARCHIVE, "bz2": FileKind.ARCHIVE,
    "xz": FileKind.ARCHIVE, "7z": FileKind.ARCHIVE, "rar": FileKind.ARCHIVE, "tar": FileKind.ARCHIVE,
    "zst": FileKind.ARCHIVE, "pkl": FileKind.PICKLE, "pickle": FileKind.PICKLE, "joblib": FileKind.PICKLE,
    "docx": FileKind.OFFICE, "doc": FileKind.OFFICE, "xls": FileKind.OFFICE, "xlsb": FileKind.OFFICE,
    "pptx": FileKind.OFFICE, "ppt": FileKind.OFFICE, "odt": FileKind.OFFICE, "ods": FileKind.OFFICE,
    "odp": FileKind.OFFICE,
}  # fmt: skip
_TEXTS: Final = frozenset({FileKind.CSV, FileKind.TSV, FileKind.TEXT, FileKind.MARKDOWN})
_BY_NAME: Final = {
    FileKind.JSON: frozenset(
        {FileKind.JSON, FileKind.NOTEBOOK, FileKind.MODEL_JSON, FileKind.PUBLICATION, FileKind.FIGURE_SPEC}
    ),
    FileKind.TSV: frozenset({FileKind.TSV, FileKind.CSV, FileKind.TEXT}),
    FileKind.MARKDOWN: frozenset({FileKind.MARKDOWN, FileKind.HTML}),
    FileKind.TEXT: frozenset({FileKind.TEXT, FileKind.CSV, FileKind.TSV, FileKind.JSON, FileKind.MODEL_JSON}),
}
"""What else a name may stand for than the kind of its extension."""


def kind_of(content: bytes, name: str) -> FileKind:
    """UNKNOWN where nothing is certain."""
    return _binary_kind(content) or _text_kind(content, name)


def extension_of(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else ""


def named_kind(name: str) -> FileKind | None:
    return _OF_EXTENSION.get(extension_of(name))


def is_known_extension(word: str) -> bool:
    return word.lower() in _OF_EXTENSION or word.lower() in {"exe", "js", "vbs", "bat", "lnk", "py", "sh"}


def agrees(name: str, kind: FileKind) -> bool:
    """Whether the name says what the bytes say."""
    said = named_kind(name)
    return said is not None and kind in _BY_NAME.get(said, frozenset({said}))


def also_looks_like(content: bytes, kind: FileKind) -> FileKind | None:
    """A second kind that a reader might take the same bytes for: a polyglot."""
    if kind not in _ZIPPED and _ends_as_zip(content):
        return FileKind.ARCHIVE
    if kind is not FileKind.PDF and b"%PDF-" in content[:_NEAR]:
        return FileKind.PDF
    return None


_ZIPPED: Final = frozenset({FileKind.XLSX, FileKind.ARCHIVE, FileKind.OFFICE, FileKind.PICKLE})


def _ends_as_zip(content: bytes) -> bool:
    return _ZIP_END in content[-_FAR:] and b"PK\x01\x02" in content


def _binary_kind(content: bytes) -> FileKind | None:
    if content.startswith(_ZIP):
        return _zip_kind(content)
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            return kind
    at, word = _TAR
    if content[at : at + len(word)] == word:
        return FileKind.ARCHIVE
    if _PICKLE.match(content) and content.rstrip(b"\n").endswith(b"."):
        return FileKind.PICKLE
    return None


def _zip_kind(content: bytes) -> FileKind:
    if b"xl/workbook.xml" in content:
        return FileKind.XLSX
    return FileKind.OFFICE if _OFFICE.search(content) else FileKind.ARCHIVE


def _text_kind(content: bytes, name: str) -> FileKind:
    head = _head(content)
    if head is None:
        return FileKind.UNKNOWN
    said, start = named_kind(name), _after_prologue(head)
    if _SVG.match(start):
        return FileKind.SVG
    if _HTML.match(start) or (said is FileKind.HTML and "<" in head):
        return FileKind.HTML
    if start[:1] in ("{", "[") and said not in (
        FileKind.CSV,
        FileKind.TSV,
        FileKind.MARKDOWN,
    ):
        return _json_kind(content, said)
    if said in _TEXTS:
        return said
    return FileKind.TEXT


def _json_kind(content: bytes, said: FileKind | None) -> FileKind:
    if said is FileKind.NOTEBOOK or _NOTEBOOK.search(content):
        return FileKind.NOTEBOOK
    return FileKind.MODEL_JSON if _MODEL.search(content) else FileKind.JSON


def _head(content: bytes) -> str | None:
    """The beginning as text; None where it is none."""
    piece = content[:_HEAD]
    if piece.startswith((b"\xff\xfe", b"\xfe\xff")):
        return piece.decode("utf-16", errors="replace")
    if b"\x00" in piece:
        return None
    return piece.decode("utf-8", errors="replace")


def _after_prologue(head: str) -> str:
    """What follows white space, XML declarations and comments."""
    start = head.lstrip("\ufeff \t\r\n")
    for opening, closing in (("<?", "?>"), ("<!--", "-->")) * 20:
        if start.startswith(opening):
            start = start.partition(closing)[2].lstrip()
    return start
