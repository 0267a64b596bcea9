"""`SafeTable`: a publication table, as the enclave signed it. What `ws.publish` gives.

Everything in it is made from the signed document, each time anew: a frame that is changed changes no table.
It shows itself in a notebook, draws itself, and is saved with its record as CSV, Excel, Arrow or Parquet;
`SafeTable.read` takes it back, and refuses a file whose numbers are no longer those that were signed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p4dp_sdk import markup
from p4dp_sdk.errors import NotGenuineError
from p4dp_sdk.figures.framing import disclosure_of, frame_of
from p4dp_sdk.figures.proof import MIME, Proof
from p4dp_sdk.locale import translate as _
from p4dp_sdk.tables.safe_remarks import remarks_on
from p4dp_sdk.wire.protocol import Disclosure
from p4dp_sdk.wire.publication import Document, NotGenuine, Statement, verify

if TYPE_CHECKING:
    import pandas as pd

    from p4dp_sdk.tables.drawn import Plots


@dataclass(frozen=True)
class SafeTable:
    """A table with exact numbers, protected and signed. `document` is what the signature covers."""

    document: Document

    @classmethod
    def from_json(cls, document: bytes | str) -> SafeTable:
        """The table of a signed document. Raises NotGenuineError if it is none; verifies nothing."""
        try:
            return cls(Document.from_json(document))
        except NotGenuine as problem:
            raise NotGenuineError(str(problem)) from None

    @classmethod
    def read(cls, path: str | Path) -> SafeTable:
        """The table of a file that `to_csv`, `to_excel`, `to_arrow` or `to_parquet` wrote.

        Raises NotGenuineError if the file holds no signed table, or its numbers were changed since. Whether
        the enclave signed it, `verify` tells.
        """
        from p4dp_sdk.tables.files import read

        return cls.from_json(read(Path(path)))

    # what it says

    @property
    def statement(self) -> Statement:
        return self.document.statement

    @property
    def title(self) -> str:
        return self.statement.title

    @property
    def frame(self) -> pd.DataFrame:
        """The table as pandas, a new one each time: withheld cells are `<NA>`, `.attrs["p4dp"]` says what was
        done."""
        return frame_of(self.document, self.statement.rows)

    @property
    def total(self) -> pd.DataFrame | None:
        """The row of all groups together, with no labels; None where the question leaves none."""
        row = self.statement.total
        return None if row is None else frame_of(self.document, [row])

    @property
    def record(self) -> dict[str, Any]:
        """The disclosure record: what a reviewer or a journal needs to know, without the cells."""
        said = asdict(self.statement)
        for cells in ("rows", "total"):
            del said[cells]
        return {**said, "kept": round(self.statement.kept, 4), "signature": asdict(self.document.signature)}

    @property
    def disclosure(self) -> Disclosure:
        """The record in the form that every answer has."""
        return disclosure_of(self.document)

    def verify(self, public_key: str | bytes) -> bool:
        """True if the enclave with this public key (PEM, see `ws.publication_key()`) signed exactly this
        table; raises NotGenuineError, which says what is wrong, if not."""
        try:
            verify(self.document, public_key)
        except NotGenuine as problem:
            raise NotGenuineError(str(problem)) from None
        return True

    # how it is shown

    @property
    def plot(self) -> Plots:
        """`table.plot.bar()`: the figures a table can draw of itself, born safe as it is."""
        from p4dp_sdk.tables.drawn import Plots

        return Plots(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The proof, beside what is shown: a notebook that leaves says itself which cells are genuine."""
        return {MIME: Proof(self.document).content}

    def _repr_html_(self) -> str:
        drawn = self.drawn().to_html(index=False, border=0, escape=True, max_rows=None, na_rep="")
        return markup.heading(self.title) + str(drawn) + markup.notes(remarks_on(self))

    def __repr__(self) -> str:
        drawn = self.drawn().to_string(index=False, max_rows=60, na_rep="")
        return "\n".join([self.title, "", drawn, "", *remarks_on(self)])

    def drawn(self) -> pd.DataFrame:
        """Texts, as the table is shown: marks for withheld cells, and the row of all groups at the end."""
        import pandas as pd

        from p4dp_sdk.tables.display import drawable

        disclosure = self.disclosure
        rows = drawable(self.frame, disclosure)
        if self.total is None:
            return rows
        last = drawable(self.total, disclosure)
        labels = [name for name in disclosure.key_columns if name in last.columns]
        for position, name in enumerate(labels):
            last[name] = "" if position else _("Total")
        return pd.concat([rows, last], ignore_index=True)

    # how it is kept

    def to_csv(self, path: str | Path) -> Path:
        """Write the table for a French spreadsheet (UTF-8 with a mark, `;`, decimal comma), and its record
        beside it: `table.csv` and `table.csv.json`. In pandas: `read_csv(path, sep=";", decimal=",",
        na_values="•")`."""
        from p4dp_sdk.tables.files import write_csv

        return write_csv(self, Path(path))

    def to_excel(self, path: str | Path) -> Path:
        """Write a workbook: the table with its legend, its record on a second sheet."""
        from p4dp_sdk.tables.excel import write_excel

        return write_excel(self, Path(path))

    def to_arrow(self, path: str | Path) -> Path:
        """Write an Arrow file (Feather); the signed document is in the schema's metadata."""
        from p4dp_sdk.tables.files import write_arrow

        return write_arrow(self, Path(path))

    def to_parquet(self, path: str | Path) -> Path:
        """Write a Parquet file; the signed document is in the schema's metadata."""
        from p4dp_sdk.tables.files import write_parquet

        return write_parquet(self, Path(path))
