"""The catalogue as a person browses it: tables, columns and code lists of this project, searchable without
accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from p4dp_sdk import markup
from p4dp_sdk.catalogue.model import Catalogue, Code, CodeSystem, Column, Table
from p4dp_sdk.errors import UnknownNameError
from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd


def label(thing: Table | Column | Code | CodeSystem) -> str:
    """The label in the person's language."""
    return thing.label_en if language() is Language.ENGLISH else thing.label_fr


def description(table: Table) -> str:
    return table.description_en if language() is Language.ENGLISH else table.description_fr


@dataclass(frozen=True)
class Finding:
    """One line of a search: what was found, where, under which name."""

    kind: str
    where: str
    name: str
    label: str


class GrantedCatalogue:
    """What this project may read. `catalogue["diagnoses"]` shows a table, `.codes("cisp2")` a code list."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.tables = catalogue.tables
        self.code_systems = catalogue.code_systems

    def __getitem__(self, name: str) -> TableSheet:
        if name not in self.tables:
            raise UnknownNameError(name, self.tables)
        return TableSheet(self.tables[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def _ipython_key_completions_(self) -> list[str]:
        return sorted(self.tables)

    def search(self, words: str) -> pd.DataFrame:
        """Tables, columns and codes whose name or label holds every word, accents and capitals aside."""
        from p4dp_sdk.listing import Listing

        wanted = plain(words).split()
        found = [
            line
            for line in self._lines()
            if all(word in plain(f"{line.name} {line.label}") for word in wanted)
        ]
        return Listing(found, columns=["kind", "where", "name", "label"])

    def codes(self, system: str) -> pd.DataFrame:
        """The code list `system`: code, label, parent. Raises UnknownNameError, which lists what there is."""
        from p4dp_sdk.listing import Listing

        rows = [(code.code, label(code), code.parent) for code in self._system(system).codes]
        return Listing(rows, columns=["code", "label", "parent"])

    def labels(self, system: str) -> dict[str, str]:
        """Code → label, to name the rows of a result: frame["cisp2"].map(ws.catalogue.labels("cisp2"))."""
        return {code.code: label(code) for code in self._system(system).codes}

    def _system(self, name: str) -> CodeSystem:
        if name not in self.code_systems:
            raise UnknownNameError(name, self.code_systems)
        return self.code_systems[name]

    def _lines(self) -> Iterator[Finding]:
        for table in self.tables.values():
            yield Finding(_("table"), "", table.name, f"{label(table)} — {description(table)}")
            for column in table.columns:
                yield Finding(_("column"), table.name, column.name, label(column))
        for system in self.code_systems.values():
            for code in system.codes:
                yield Finding(_("code"), system.name, code.code, label(code))

    def __repr__(self) -> str:
        return "\n".join(f"{table.name:<22} {label(table)}" for table in self.tables.values())

    def _repr_html_(self) -> str:
        rows = [(t.name, label(t), description(t), str(len(t.columns))) for t in self.tables.values()]
        body = markup.table([_("Table"), _("Title"), _("Content"), _("Columns")], rows)
        return body + markup.notes(
            [_('See a table’s columns: ws.catalogue["diagnoses"]. Search: ws.catalogue.search("diabetes").')]
        )


class TableSheet:
    """One table's sheet: what it holds, column by column."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        return [(c.name, label(c), c.dtype, c.codes or "", c.unit or "") for c in self.table.columns]

    def __repr__(self) -> str:
        lines = [f"{self.table.name}: {label(self.table)}", description(self.table)]
        return "\n".join([*lines, *(f"  {name:<18} {text}" for name, text, *_rest in self._rows())])

    def _repr_html_(self) -> str:
        headers = [_("Column"), _("Meaning"), _("Type"), _("Code list"), _("Unit")]
        title = markup.heading(f"{self.table.name} — {label(self.table)}")
        return title + markup.paragraph(description(self.table)) + markup.table(headers, self._rows())


def plain(text: str) -> str:
    """`text` without accents or capitals, for searching."""
    letters = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "oe"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
