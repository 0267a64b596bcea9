"""Whether a package's catalogue says in English all that its pages say in French.

    def test_everything_is_said_in_english(): assert words.unsaid(PACKAGE, "p4dp-airlock") == []
    def test_the_compiled_catalogue_is_current(): assert words.is_compiled(PACKAGE, "p4dp-airlock")

`python tests/words.py hub_config/airlock p4dp-airlock` writes what is missing into the .po (with an empty
translation, to be filled in) and compiles it.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
WEB = ROOT / "hub_config" / "web"


def said_by(package: Path) -> set[str]:
    """Every text that `_()` or `N_()` marks in the package's code and templates."""
    found = extract_from_dir(
        str(package), METHODS, {"**.html": {"encoding": "utf-8"}}, keywords={"_": None, "N_": None}
    )
    return {str(message) for _, _, message, _, _ in found if message}


def unsaid(package: Path, domain: str) -> list[str]:
    """French texts without English, in the package's own catalogue or that of all pages."""
    known = {str(entry.id) for path in (_po(package, domain), _po(WEB, "p4dp-web")) for entry in _read(path)
             if entry.string and not entry.fuzzy}  # fmt: skip
    return sorted(said_by(package) - known)


def is_compiled(package: Path, domain: str) -> bool:
    """Whether the .mo is what the .po gives."""
    return _po(package, domain).with_suffix(".mo").read_bytes() == _compiled(_read(_po(package, domain)))


def complete(package: Path, domain: str) -> list[str]:
    """Add what is missing to the .po and compile it; what still has no English."""
    path = _po(package, domain)
    catalogue = _read(path) if path.exists() else Catalog("en", project="P4DP", charset="utf-8")
    shared = {str(entry.id) for entry in _read(_po(WEB, "p4dp-web"))} if package != WEB else set()
    for text in sorted(said_by(package) - shared):
        catalogue.add(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=100, no_location=True)
    path.with_suffix(".mo").write_bytes(_compiled(_read(path)))
    return unsaid(package, domain)


def _po(package: Path, domain: str) -> Path:
    return package / "locale" / "en" / "LC_MESSAGES" / f"{domain}.po"


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="en")


def _compiled(catalogue: Catalog) -> bytes:
    written = BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


if __name__ == "__main__":
    for text in complete((ROOT / sys.argv[1]).resolve(), sys.argv[2]):
        print("no English yet:", text)
