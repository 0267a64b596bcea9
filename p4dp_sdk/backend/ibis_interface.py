"""Where we lean on Ibis's semi-private interfaces: this file alone, held to them by
`tests/unit/sdk/test_ibis_contract.py`.

An expression on `p4dp` tables is encoded as an operation graph, sent to the gateway, and comes back as Arrow.
Nothing is computed, checked or hidden here that protects anybody: the gateway decides. The warehouse is
read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import httpx
import ibis
import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot
from ibis.backends import BaseBackend, NoExampleLoader, NoUrl
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler
from ibis.common.exceptions import UnsupportedOperationError

from p4dp_sdk.backend.gateway import Gateway
from p4dp_sdk.backend.miswritten import Known, source, warn_of_miswritten
from p4dp_sdk.backend.progress import progress
from p4dp_sdk.backend.results import Protection, attach, protected_frame, protected_scalar
from p4dp_sdk.backend.schemas import read_catalogue, schemas_of
from p4dp_sdk.backend.stream import disclosure_of, open_answer
from p4dp_sdk.errors import EnclaveError, UnknownNameError
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire import graph, vocabulary
from p4dp_sdk.wire.errors import Refusal
from p4dp_sdk.wire.protocol import METADATA_KEY, Disclosure

if TYPE_CHECKING:
    from p4dp_sdk.catalogue.model import Catalogue
    from p4dp_sdk.tables.safe import SafeTable

Params = Mapping[ir.Scalar, Any] | None
Limit = int | str | None
Answer = AbstractContextManager[httpx.Response]


class Backend(BaseBackend, NoExampleLoader, NoUrl):  # type: ignore[misc]
    """Tables of one project, behind the gateway of the workspace this runs in."""

    name: ClassVar[str] = "p4dp"
    dialect = sqlglot.Dialect.get_or_raise("duckdb")
    compiler = DuckDBCompiler()  # for reading SQL only
    supports_temporary_tables = False
    supports_python_udfs = False

    def do_connect(self, gateway: Gateway | None = None, granted: Callable[[], Known] | None = None) -> None:
        """Connect to the gateway named by the workspace's environment.

        `p4dp_sdk.connect()` is what people call; it shares its own connection and catalogue.
        """
        self._gateway = gateway or Gateway.from_environment()
        self._granted = granted or self.catalogue

    @property
    def db_identity(self) -> str:
        """Connections through one socket see one project: their tables may stand in one expression."""
        return f"p4dp:{self._gateway.socket}"

    def disconnect(self) -> None:
        self._gateway.close()

    # what there is

    @property
    def version(self) -> str:
        return str(ibis.__version__)

    def catalogue(self) -> Catalogue:
        """The granted tables and their code systems, as the gateway gives them now."""
        return read_catalogue(self._gateway.catalogue())

    def _schemas(self) -> Mapping[str, sch.Schema]:
        return schemas_of(self._granted().tables)

    def list_tables(
        self, *, like: str | None = None, database: tuple[str, str] | str | None = None
    ) -> list[str]:
        names: list[str] = self._filter_with_like(self._schemas(), like)
        return names

    def table(self, name: str, /, *, database: tuple[str, str] | str | None = None) -> ir.Table:
        schemas = self._schemas()
        if name not in schemas:
            raise UnknownNameError(name, schemas)
        return ops.DatabaseTable(name, schema=schemas[name], source=self).to_expr()

    def own_table(self, name: str) -> ir.Table:
        """The table of one's own rows. In one expression with `table`'s it is refused when asked."""
        return graph.own_table(name, self._schemas()[name], self)

    @classmethod
    def has_operation(cls, operation: type[ops.Value], /) -> bool:
        return operation.__name__ in vocabulary.OPERATIONS

    # asking

    def execute(self, expr: ir.Expr, /, *, params: Params = None, limit: Limit = None, **_kwargs: Any) -> Any:
        """The answer as pandas: a frame, a series or a single value; withheld cells are `<NA>`."""
        return _as_pandas(expr, *self._ask(expr, params, limit))

    def noisy(self, expr: ir.Expr, epsilon: float, contributions: int) -> Any:
        """The same with noise, for which `epsilon` is spent."""
        wanted, question = self._prepare(expr, None, None)
        return _as_pandas(expr, *self._read(wanted, self._gateway.noise(question, epsilon, contributions)))

    def counted_before(self, expr: ir.Expr) -> Any:
        """The same of the version before the project's own, of which there are counts only."""
        wanted, question = self._prepare(expr, None, None)
        return _as_pandas(expr, *self._read(wanted, self._gateway.count_previous(question)))

    def publish(self, expr: ir.Expr, title: str) -> SafeTable:
        """The publication table of `expr`. Raises EnclaveError, which says why there is none."""
        from p4dp_sdk.tables.safe import SafeTable

        warn_of_miswritten(expr, self._granted)
        question = encoded(expr)
        with progress():
            return SafeTable.from_json(self._gateway.publish(title, question))

    def to_pyarrow(
        self, expr: ir.Expr, /, *, params: Params = None, limit: Limit = None, **_kwargs: Any
    ) -> Any:
        """The answer as Arrow: a table (its schema's metadata holds the disclosure), an array or a scalar."""
        table, _disclosure = self._ask(expr, params, limit)
        return table if isinstance(expr, ir.Table) else expr.__pyarrow_result__(table)

    def to_pyarrow_batches(
        self,
        expr: ir.Expr,
        /,
        *,
        params: Params = None,
        limit: Limit = None,
        chunk_size: int = 1_000_000,
        **_kwargs: Any,
    ) -> pa.RecordBatchReader:
        """The answer batch by batch, as it arrives. The question is asked, and refused, at once."""
        wanted, question = self._prepare(expr, params, limit)
        connection = ExitStack()
        reader = connection.enter_context(self._stream(self._gateway.query(question)))
        schema = _with_metadata(wanted, reader.schema)
        return pa.RecordBatchReader.from_batches(schema, _batches(reader, schema, chunk_size, connection))

    def compile(
        self,
        expr: ir.Expr,
        /,
        *,
        limit: Limit = None,
        params: Params = None,
        pretty: bool = False,
        **_kwargs: Any,
    ) -> str:
        """The expression as readable SQL (DuckDB's dialect). For reading only: SQL is never sent."""
        query = self.compiler.to_sqlglot(expr.as_table(), params=params, limit=limit)
        return str(query.sql(dialect="duckdb", pretty=pretty))

    def _prepare(self, expr: ir.Expr, params: Params, limit: Limit) -> tuple[pa.Schema, bytes]:
        """The Arrow schema that is expected, and the wire document that asks for it."""
        warn_of_miswritten(expr, self._granted)
        table = _limited(expr.as_table(), params, limit)
        return table.schema().to_pyarrow(), encoded(table)

    def _ask(self, expr: ir.Expr, params: Params, limit: Limit) -> tuple[pa.Table, Disclosure]:
        wanted, question = self._prepare(expr, params, limit)
        return self._read(wanted, self._gateway.query(question))

    def _read(self, wanted: pa.Schema, answer: Answer) -> tuple[pa.Table, Disclosure]:
        with self._stream(answer) as reader:
            table = reader.read_all()
        disclosure = disclosure_of(table.schema)
        return table.rename_columns(wanted.names).cast(_with_metadata(wanted, table.schema)), disclosure

    @contextmanager
    def _stream(self, answer: Answer) -> Iterator[pa.RecordBatchReader]:
        with ExitStack() as stack:
            with progress():
                response = stack.enter_context(answer)
            yield stack.enter_context(open_answer(response))

    # user tables travel inside the graph: nothing to register

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        pass

    def _make_memtable_finalizer(self, name: str) -> None:
        pass

    # read-only

    def create_table(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise UnsupportedOperationError(
            _("The warehouse is read-only. Keep a result with .execute(), or use ibis.memtable(...).")
        )

    drop_table = create_view = drop_view = create_table


def encoded(expr: ir.Expr) -> bytes:
    """The wire document that asks for `expr`. Raises EnclaveError for what can't be asked."""
    try:
        return graph.encode(expr.as_table())
    except Refusal as refusal:
        raise EnclaveError.of(refusal) from None


def _as_pandas(expr: ir.Expr, table: pa.Table, disclosure: Disclosure) -> Any:
    if disclosure.protection == Protection.ROWS:
        return _as_ibis_would(expr, table, disclosure)
    match expr:
        case ir.Scalar():
            return protected_scalar(table, disclosure)
        case ir.Column():
            return attach(protected_frame(table, disclosure).iloc[:, 0], disclosure)
        case _:
            return protected_frame(table, disclosure)


def _limited(table: ir.Table, params: Params, limit: Limit) -> ir.Table:
    """`table` with its parameters filled in, and no more rows than asked for."""
    rows = ibis.options.sql.default_limit if limit == "default" else limit
    if rows is not None:
        table = table.limit(int(rows))
    if params:
        table = (
            table.op()
            .replace({p.op(): ops.Literal(value, p.type()) for p, value in params.items()})
            .to_expr()
        )
    return table


def _batches(
    reader: pa.RecordBatchReader, schema: pa.Schema, chunk_size: int, connection: ExitStack
) -> Iterator[pa.RecordBatch]:
    with connection:
        for batch in reader:
            for start in range(0, batch.num_rows, chunk_size):
                yield batch.slice(start, chunk_size).rename_columns(schema.names).cast(schema)


def _as_ibis_would(expr: ir.Expr, table: pa.Table, disclosure: Disclosure) -> Any:
    """Individual data with Ibis's ordinary pandas types, which scikit-learn and lifelines expect."""
    result = expr.__pandas_result__(table.to_pandas(date_as_object=False))
    return result if isinstance(expr, ir.Scalar) else attach(result, disclosure)


def _with_metadata(wanted: pa.Schema, given: pa.Schema) -> pa.Schema:
    return wanted.with_metadata({METADATA_KEY: given.metadata[METADATA_KEY]} if given.metadata else None)


# what a column is of


def table_of(column: ir.Column) -> ir.Table:
    """The table that `column` is a column, or a computation, of."""
    (relation,) = column.op().relations
    return relation.to_expr()


def source_of(column: ir.Column) -> tuple[str, str]:
    """Table and column that `column` comes from unchanged, through filters and joins; empty names if it was
    computed."""
    return source(column.op())


def names_read(value: ir.Value) -> set[str]:
    """The columns that `value` is computed from."""
    return {field.name for field in value.op().find(ops.Field)}


def written(condition: ir.Value) -> str:
    """A condition as it may be read: SQL without the table's name."""
    (table,) = condition.op().relations
    query = DuckDBCompiler().to_sqlglot(table.to_expr().filter(condition))
    where = query.find(sqlglot.exp.Where)
    for column in where.find_all(sqlglot.exp.Column):
        column.set("table", None)
    return str(where.this.sql(dialect="duckdb", identify=False)).replace('"', "")
