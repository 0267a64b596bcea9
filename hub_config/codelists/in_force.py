"""The catalogue in force at this site: the one that ships, with the tables that operators loaded.

Gateway, loader and `codelist add` take it from here. Without tables it is the shipped one itself.
"""

from __future__ import annotations

from pathlib import Path

from hub_config.codelists.problems import CodeListProblem
from hub_config.settings import Settings
from p4dp_sdk.catalogue.code_lists import Codebooks
from p4dp_sdk.catalogue.code_lists.patterns import SHIPPED_IN_PART
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Catalogue
from p4dp_sdk.catalogue.overlay import Overlay, OverlayError, extended, parse_overlay


def site_catalogue(codes: Path) -> Catalogue:
    """The catalogue with the tables in the folder `codes`, of the systems that columns are coded in. Raises
    CodeListProblem for a table that broke: leaving it out would silently take codes away."""
    shipped = load_catalogue()
    return extended(shipped, [one for one in loaded_tables(codes) if one.system in shipped.code_systems])


def loaded_tables(codes: Path) -> list[Overlay]:
    """What operators loaded, by system."""
    return [_table(path) for path in sorted(codes.glob("*.csv"))]


def books(settings: Settings) -> Codebooks:
    """The code systems of this site, to check a list against."""
    tables = loaded_tables(settings.codes_dir)
    whole = {table.system for table in tables}
    return Codebooks(extended(load_catalogue(), tables).code_systems, SHIPPED_IN_PART - whole)


def _table(path: Path) -> Overlay:
    try:
        return parse_overlay(path.stem, path.read_text(encoding="utf-8"))
    except (OverlayError, UnicodeDecodeError) as error:
        raise CodeListProblem(
            f"{path} can't be read ({error}). Put it back from a backup, or load the table again."
        ) from None
