"""Where lists are found: those that ship with the SDK, and those that operators share among all projects.

Shared lists are mounted read-only, in the folder that `P4DP_CODELISTS` names: `<id>/<version>.toml`. A list
of one's own is a file that `read` reads, or a `CodeList` in the notebook.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from p4dp_sdk.catalogue.code_lists import BadCodeList, Codebooks, Flaw, ListDocument, Place, parse_document
from p4dp_sdk.catalogue.code_lists.document import MAX_BYTES, placed, version_order
from p4dp_sdk.codelists.errors import CodeListError, CodeListWarning, UnknownCodeListError, in_words
from p4dp_sdk.codelists.model import CodeList
from p4dp_sdk.codelists.systems import books_in_force
from p4dp_sdk.granted import plain
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "P4DP_CODELISTS"


class Library:
    """`p4dp.codes`: call it with a name or a label."""

    def __call__(self, name: str, *, version: str | None = None) -> CodeList:
        """The list called `name`: its id, or its French or English label, accents and capitals aside. The
        newest version unless one is named.

        Raises UnknownCodeListError, which says what may have been meant.
        """
        lists = [one for one in _every_version() if version in (None, one.version)]
        found = [one for one in lists if one.id == name] or [one for one in lists if _called(one, name)]
        ids = {one.id for one in found}
        if len(ids) > 1:
            raise UnknownCodeListError(name, ids, several=True)
        if not found:
            raise UnknownCodeListError(name, (word for one in lists for word in (one.id, *_names(one))))
        return max(found, key=lambda one: version_order(one.version))

    def all(self) -> tuple[str, ...]:
        """The names of all lists, in order."""
        return tuple(one.id for one in _newest())

    def versions(self, name: str) -> tuple[str, ...]:
        """The versions of the list called `name`, oldest first."""
        one = self(name)
        return tuple(
            sorted((each.version for each in _every_version() if each.id == one.id), key=version_order)
        )

    def search(self, words: str) -> pd.DataFrame:
        """Lists whose name, labels, synonyms or codes hold every word, accents and capitals aside."""
        from p4dp_sdk.listing import Listing

        wanted = _words(words)
        found = [one for one in _newest() if _holds(one, wanted)]
        rows = [(one.id, one.label, _codes(one), one.version, one.source) for one in found]
        return Listing(rows, columns=["name", "label", "codes", "version", "source"])

    def read(self, path: str | Path) -> CodeList:
        """The list in a file. Raises CodeListError, which names file, line and field."""
        return _read(Path(path))

    def __iter__(self) -> Iterator[str]:
        return iter(self.all())

    def __repr__(self) -> str:
        return "\n".join(f"{one.id:<32} {one.label}" for one in _newest())


codes = Library()


def _newest() -> list[CodeList]:
    """Every list in its newest version, by name."""
    lists = sorted(_every_version(), key=lambda one: version_order(one.version))
    return [one for _, one in sorted({one.id: one for one in lists}.items())]


def _every_version() -> list[CodeList]:
    return [*_starter(), *_shared()]


def _starter() -> tuple[CodeList, ...]:
    return _starter_in(books_in_force())


@cache
def _documents() -> tuple[ListDocument, ...]:
    folder = files(__package__).joinpath("starter")
    paths = sorted((path for path in folder.iterdir() if path.name.endswith(".toml")), key=lambda p: p.name)
    return tuple(parse_document(path.read_bytes(), path.name) for path in paths)


@lru_cache(maxsize=1)
def _starter_in(books: Codebooks) -> tuple[CodeList, ...]:
    """The lists that ship, as these code systems let them be."""
    return tuple(CodeList.of_document(document, trusted=True) for document in _documents())


def _shared() -> tuple[CodeList, ...]:
    """Operators' lists. One that can't be used any more is left out, and told."""
    folder = Path(os.environ.get(VARIABLE) or os.devnull)
    found = []
    for path in sorted(folder.glob("*/*.toml")):
        try:
            found.append(_read(path, trusted=True))
        except CodeListError as error:
            warnings.warn(_("A shared code list can't be used. {why}").format(why=error), CodeListWarning, 4)
    return tuple(found)


def _read(path: Path, *, trusted: bool = False) -> CodeList:
    data = _bytes(path)
    with in_words():
        document = parse_document(data, path.name)
    try:
        return CodeList.of_document(document, trusted=trusted)
    except CodeListError as error:
        raise CodeListError(placed(error.bad, data, path.name)) from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        bad = BadCodeList(Flaw.UNREADABLE, place=Place(path.name), detail=error.strerror or "")
        raise CodeListError(bad) from None


def _called(one: CodeList, name: str) -> bool:
    return _words(name) in map(_words, (one.id, *_names(one)))


def _names(one: CodeList) -> tuple[str, ...]:
    return tuple(filter(None, (one.label_fr, one.label_en, *one.synonyms)))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", plain(text))


def _holds(one: CodeList, wanted: list[str]) -> bool:
    words = " ".join(_words(" ".join((one.id, *_names(one)))))
    codes = {plain(code) for system in one.systems for code in (*one.codes[system], *one._worked_out(system))}
    return all(word in words or word in codes for word in wanted)


def _codes(one: CodeList) -> str:
    return "; ".join(f"{system}: {', '.join(one.codes[system])}" for system in one.systems)
