"""The code systems in force: the catalogue's, with the tables that the site loaded.

Operators' tables are mounted read-only into the workspace, in the folder that `P4DP_CODES` names. They are
read once and again when they change; they add codes and labels, and take none away.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from p4dp_sdk.catalogue.code_lists.patterns import SHIPPED_IN_PART, Codebooks
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.overlay import OverlayError, extended, parse_overlay
from p4dp_sdk.locale import Language, language

VARIABLE = "P4DP_CODES"


def books_in_force() -> Codebooks:
    """The systems whose codes a list is checked against."""
    return _books(_tables())


def label_of(system: str, code: str) -> str:
    """What the code is called, in the person's language; empty where it is not known."""
    return _labels(_tables(), system, language()).get(code, "")


@cache
def system_of_column(name: str) -> str | None:
    """The system of the catalogue's columns called `name`, if they all have the same."""
    tables = load_catalogue().tables.values()
    systems = {column.codes for table in tables for column in table.columns if column.name == name}
    return systems.pop() if len(systems) == 1 else None


Tables = tuple[tuple[str, str, int], ...]  # system, path, time of its last change


def _tables() -> Tables:
    folder = os.environ.get(VARIABLE)
    if not folder or not Path(folder).is_dir():
        return ()
    return tuple(
        (path.stem, str(path), path.stat().st_mtime_ns) for path in sorted(Path(folder).glob("*.csv"))
    )


@cache
def _books(tables: Tables) -> Codebooks:
    catalogue = load_catalogue()
    loaded = []
    for system, path, _changed in tables:
        try:
            loaded.append(parse_overlay(system, Path(path).read_text(encoding="utf-8")))
        except (OverlayError, OSError, UnicodeDecodeError):
            continue  # what can't be read adds nothing: its codes are told to be unknown
    whole = {overlay.system for overlay in loaded}
    return Codebooks(extended(catalogue, loaded).code_systems, SHIPPED_IN_PART - whole)


@cache
def _labels(tables: Tables, system: str, said_in: Language) -> dict[str, str]:
    book = _books(tables).of(system)
    if book is None:
        return {}
    english = said_in is Language.ENGLISH
    return {code.code: code.label_en if english else code.label_fr for code in book.system.codes}
