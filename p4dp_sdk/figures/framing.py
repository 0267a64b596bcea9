"""A signed table as pandas, the same on both sides of the wall: what is shown, saved and drawn is made
from the document, each time anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from p4dp_sdk.figures.attached import Protection, attach
from p4dp_sdk.wire.protocol import Disclosure, MeasureSummary
from p4dp_sdk.wire.publication import Document, Row, Shape, Statement

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {
    Shape.INTEGER: "Int64",
    Shape.NUMBER: "Float64",
    Shape.TEXT: "string",
    Shape.BOOLEAN: "boolean",
    Shape.DATE: "datetime64[s]",
    Shape.TIMESTAMP: "datetime64[us]",
}


def frame_of(document: Document, rows: Sequence[Row]) -> pd.DataFrame:
    """`rows` of the table of `document`: withheld cells are `<NA>`, `.attrs["p4dp"]` says what was done."""
    import pandas as pd
    from pandas.api.types import pandas_dtype

    columns = document.statement.columns
    series = [
        pd.Series([row[at] for row in rows], dtype=object).astype(pandas_dtype(_DTYPES[column.shape]))
        for at, column in enumerate(columns)
    ]
    frame = pd.concat(series, axis=1) if series else pd.DataFrame()
    frame.columns = pd.Index([column.name for column in columns])
    return attach(frame, disclosure_of(document))


def disclosure_of(document: Document) -> Disclosure:
    """The record of a signed table in the form that every answer has."""
    said, policy = document.statement, document.statement.policy
    return Disclosure(
        request_id=said.request_id,
        project=said.project,
        snapshot=said.snapshot,
        protection=Protection.PUBLICATION.value,
        min_patients=int(policy["min_patients"]),
        min_physicians=int(policy["min_physicians"]),
        measures=_measures(said),
        reasons=said.reasons,
        definition=said.definition,
        key_columns=tuple(column.name for column in said.columns if not column.protected),
        title=said.title,
        signature=asdict(document.signature),
    )


def _measures(statement: Statement) -> dict[str, MeasureSummary]:
    cells = {
        column.name: [row[at] for row in statement.rows]
        for at, column in enumerate(statement.columns)
        if column.protected
    }
    return {
        name: MeasureSummary(sum(v is not None for v in values), sum(v is None for v in values))
        for name, values in cells.items()
    }
