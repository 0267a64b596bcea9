"""An Ibis expression ↔ JSON: a graph of operations in topological order, closed vocabulary, no SQL, no
pickle.

    {"protocol": 1, "nodes": [{"op": "Table", "args": {"name": "patients"}},
                              {"op": "CountStar", "args": {"arg": {"$": 0}}}]}

The last node is the answer; `"scope": "own"` beside them asks it of one's own rows. `decode` trusts
nothing: Ibis's own signatures type every node, limits bound size, depth and what the graph would unfold to,
and whatever is wrong with a document ends in a Refusal, never in another exception.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import ibis
import ibis.expr.operations as ops
from ibis.common.graph import Graph, Node

from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.inspection import check_graph
from p4dp_sdk.wire.protocol import PROTOCOL_VERSION, Limits, Scope
from p4dp_sdk.wire.user_tables import decode_user_table, encode_user_table
from p4dp_sdk.wire.values import decode_value, encode_value, malformed
from p4dp_sdk.wire.vocabulary import OPERATIONS

_OWN: Final = ops.Namespace(database="own")
Tables = Callable[[str], ibis.Schema]  # a granted table's visible columns; raises Refusal for any other name


def encode(expr: ibis.Expr) -> bytes:
    """`expr` as a wire document; of one's own rows if its tables are (`own_table`). Raises Refusal for an
    operation or a value the enclave has no word for, and for tables of both scopes."""
    positions: dict[Node, int] = {}
    nodes = []
    for node in Graph.from_bfs(expr.op()).toposort()[0]:
        nodes.append(_encode_node(node, positions))
        positions[node] = len(positions)
    document = {"protocol": PROTOCOL_VERSION, "nodes": nodes}
    if scope_of(expr) is Scope.OWN:
        document["scope"] = Scope.OWN.value
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def own_table(name: str, schema: ibis.Schema, source: Any) -> ibis.Table:
    """The table of one's own rows: never the same node as everybody's, which Ibis would take one for."""
    return ops.DatabaseTable(name, schema=schema, source=source, namespace=_OWN).to_expr()


def scope_of(expr: ibis.Expr) -> Scope:
    """Of whose rows a question is. Raises Refusal (MIXED_SCOPES) where it is of both."""
    tables = expr.op().find((ops.UnboundTable, ops.DatabaseTable))
    scopes = {Scope.OWN if table.namespace == _OWN else Scope.ALL for table in tables}
    if len(scopes) > 1:
        raise Refusal(ErrorCode.MIXED_SCOPES)
    return scopes.pop() if scopes else Scope.ALL


def _encode_node(node: Node, positions: Mapping[Node, int]) -> dict[str, object]:
    if isinstance(node, ops.InMemoryTable):
        return {"op": "Memtable", "args": encode_user_table(node)}
    if isinstance(node, ops.UnboundTable | ops.DatabaseTable):
        return {"op": "Table", "args": {"name": node.name}}
    name = type(node).__name__
    if OPERATIONS.get(name) is not type(node):
        raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation=name)
    arguments = zip(node.__argnames__, node.__args__, strict=True)
    return {"op": name, "args": {key: encode_value(value, positions) for key, value in arguments}}


def scope_asked(document: bytes, limits: Limits | None = None) -> Scope:
    """Of whose rows `document` asks. Raises Refusal for one that is malformed or says anything else."""
    return _scope(_content(document, limits or Limits()))


def decode(
    document: bytes, tables: Tables, limits: Limits | None = None, scope: Scope = Scope.ALL
) -> ibis.Expr:
    """The expression in `document`, over `UnboundTable`s named as the catalogue names them. `scope` is that
    for which `tables` stand: a document that asks for another is refused.

    `tables` gives the visible schema of a granted table and raises Refusal for any other name. Raises
    Refusal, and nothing else, for a document that is malformed, too large, too deep, ill-typed, or says what
    the vocabulary has no word for.
    """
    limits = limits or Limits()
    content = _content(document, limits)
    if _scope(content) is not scope:
        raise malformed("scope")
    root = _build_graph(_checked_nodes(content, limits), tables, limits)
    if isinstance(root, ops.SortKey | ops.JoinReference) or not isinstance(root, ops.Relation | ops.Value):
        raise malformed("root")
    check_graph(root, limits)  # before Ibis names the answer: a name unfolds like SQL does
    expr = root.to_expr()
    check_graph(_as_table(expr).op(), limits)
    return expr


def _scope(content: Mapping[str, Any]) -> Scope:
    scope = content.get("scope", Scope.ALL.value)
    if not isinstance(scope, str) or scope not in set(Scope):
        raise malformed("scope")
    return Scope(scope)


def _content(document: bytes, limits: Limits) -> dict[str, Any]:
    if len(document) > limits.request_bytes:
        raise Refusal(ErrorCode.TOO_LARGE, limit=limits.request_bytes)
    try:
        content = json.loads(document)
    except (ValueError, RecursionError):
        raise malformed("JSON") from None
    if not isinstance(content, dict) or "nodes" not in content or "protocol" not in content:
        raise malformed("document")
    if type(content["protocol"]) is not int or content["protocol"] != PROTOCOL_VERSION:
        raise Refusal(ErrorCode.PROTOCOL_VERSION, supported=PROTOCOL_VERSION)
    return content


def _checked_nodes(content: Mapping[str, Any], limits: Limits) -> list[Any]:
    nodes = content["nodes"]
    if set(content) - {"scope"} != {"protocol", "nodes"} or not isinstance(nodes, list) or not nodes:
        raise malformed("document")
    if len(nodes) > limits.nodes:
        raise Refusal(ErrorCode.TOO_MANY_NODES, limit=limits.nodes)
    return nodes


def _build_graph(entries: list[Any], tables: Tables, limits: Limits) -> Node:
    nodes: list[Node] = []
    depths: list[int] = []
    for entry in entries:
        operation, args = _entry(entry)
        depths.append(1 + max((depths[at] for at in _references(args) if 0 <= at < len(depths)), default=0))
        if depths[-1] > limits.depth:
            raise Refusal(ErrorCode.TOO_DEEP, limit=limits.depth)
        nodes.append(_build(operation, args, nodes, tables))
    return nodes[-1]


def _entry(entry: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(entry, dict) or set(entry) != {"op", "args"}:
        raise malformed("node")
    operation, args = entry["op"], entry["args"]
    if not isinstance(operation, str) or not isinstance(args, dict):
        raise malformed("node")
    return operation, args


def _references(value: object) -> list[int]:
    """Positions that `value` refers to; an unsound reference is left for `decode_value` to refuse."""
    found, pending = [], [value]
    while pending:
        match pending.pop():
            case {"$": int(position), **rest} if not rest:
                found.append(position)
            case dict() as mapping:
                pending.extend(mapping.values())
            case list() as items:
                pending.extend(items)
    return found


def _build(operation: str, args: Mapping[str, Any], nodes: list[Node], tables: Tables) -> Node:
    if operation == "Table":
        return _table(args, tables)
    if operation == "Memtable":
        return decode_user_table(args)
    if operation not in OPERATIONS:
        raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation=operation[:64])
    try:
        values = {name: decode_value(value, nodes) for name, value in args.items()}
        return _typed(OPERATIONS[operation](**values))
    except Refusal:
        raise
    except Exception:  # whatever Ibis's signatures raise, and they raise many things, the node is ill-typed
        raise Refusal(ErrorCode.ILL_TYPED, operation=operation) from None


def _typed(node: Node) -> Node:
    """`node`, its type worked out now: Ibis does so late, and some arguments have none."""
    if isinstance(node, ops.Relation):
        _ = node.schema
    elif isinstance(node, ops.Value):
        _ = node.dtype, node.shape
    return node


def _table(args: Mapping[str, Any], tables: Tables) -> Node:
    name = args.get("name")
    if set(args) != {"name"} or not isinstance(name, str):
        raise malformed("Table")
    return ops.UnboundTable(name=name, schema=tables(name))


def _as_table(expr: ibis.Expr) -> ibis.Table:
    try:
        return expr.as_table()
    except Exception:  # an expression Ibis can't make a table of, for one of many reasons, is no answer
        raise Refusal(ErrorCode.ILL_TYPED, operation=type(expr.op()).__name__) from None
