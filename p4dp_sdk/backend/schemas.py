"""The gateway's catalogue answer as catalogue values, and those as Ibis schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any

from p4dp_sdk.catalogue.model import Catalogue, Code, CodeSystem, Column, Role, Table, Unit
from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.wire.errors import ErrorCode

if TYPE_CHECKING:
    import ibis.expr.schema as sch


def read_catalogue(answer: Mapping[str, Any]) -> Catalogue:
    """What this project was granted. Raises EnclaveError when the answer is of an unknown form."""
    try:
        return Catalogue(
            tables={fields["name"]: _table(fields) for fields in answer["tables"]},
            code_systems={fields["name"]: _code_system(fields) for fields in answer["code_systems"]},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise EnclaveError(ErrorCode.PROTOCOL_VERSION) from None


def schemas_of(tables: Mapping[str, Table]) -> dict[str, sch.Schema]:
    import ibis

    return {
        table.name: ibis.schema({column.name: column.dtype for column in table.columns})
        for table in tables.values()
    }


def _table(fields: Mapping[str, Any]) -> Table:
    columns = tuple(_column(column) for column in fields["columns"])
    return Table(**{**_known(Table, fields), "unit": Unit(fields["unit"]), "columns": columns})


def _column(fields: Mapping[str, Any]) -> Column:
    bounds = fields.get("bounds")
    given = {"role": Role(fields["role"]), "bounds": tuple(bounds) if bounds else None}
    return Column(**{**_known(Column, fields), **given})


def _code_system(fields: Mapping[str, Any]) -> CodeSystem:
    codes = tuple(Code(**_known(Code, code)) for code in fields["codes"])
    return CodeSystem(**{**_known(CodeSystem, fields), "codes": codes})


def _known(kind: type[Table | Column | CodeSystem | Code], answer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields this SDK knows: a gateway that says more is still understood."""
    names = {field.name for field in dataclass_fields(kind)}
    return {name: value for name, value in answer.items() if name in names}
