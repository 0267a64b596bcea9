"""What a well-typed expression must still not be: made of other operations, badly named, or a bomb once
unfolded.

Ibis coerces arguments into operations of its own choice, so the vocabulary is checked again on what was
built. A column is found by its name on engines that ignore case: names of one relation must differ in more
than case, and names that start with `__` are the enclave's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis.expr.operations as ops
from ibis.common.graph import Graph, Node

from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import Limits
from p4dp_sdk.wire.values import is_scalar_type, malformed
from p4dp_sdk.wire.vocabulary import OPERATIONS

RESERVED = "__"
MAX_NAME = 512
UNFOLDED_PER_NODE = 25  # shared values are written out again in SQL: 2,000 nodes may unfold to 50,000

_PASS_THROUGH = (ops.Filter, ops.Sort, ops.Limit, ops.JoinReference, ops.SelfReference)


def check_graph(root: Node, limits: Limits) -> None:
    """Raises Refusal if the expression of `root` can't be taken."""
    nodes = list(Graph.from_bfs(root).toposort()[0])
    for node in nodes:
        _check_vocabulary(node)
        if isinstance(node, ops.Relation):
            check_names(node.schema.names)
    _check_unfolded_size(nodes, UNFOLDED_PER_NODE * limits.nodes)


def _check_vocabulary(node: Node) -> None:
    known = OPERATIONS.get(type(node).__name__) is type(node)
    if not known and not isinstance(node, ops.UnboundTable | ops.InMemoryTable):
        raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation=type(node).__name__)
    if isinstance(node, ops.Literal | ops.Cast | ops.TryCast) and not is_scalar_type(node.dtype):
        raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation=f"type {node.dtype}"[:64])


def check_names(names: Iterable[str]) -> None:
    """Raises Refusal for column names that are reserved, unprintable, overlong, or alike but for case."""
    seen = set()
    for name in names:
        if name.startswith(RESERVED):
            raise malformed("reserved name")
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise malformed("column name")
        if name.casefold() in seen:
            raise malformed("column names alike")
        seen.add(name.casefold())


def _check_unfolded_size(nodes: Iterable[Node], limit: int) -> None:
    columns: dict[Node, Mapping[str, int]] = {}
    sizes: dict[Node, int] = {}
    for node in nodes:
        size = _unfolded_size(node, sizes, columns)
        if size > limit:
            raise Refusal(ErrorCode.TOO_MANY_NODES, limit=limit)
        sizes[node] = size


def _unfolded_size(node: Node, sizes: Mapping[Node, int], columns: dict[Node, Mapping[str, int]]) -> int:
    """Nodes that `node` becomes in SQL, where values are copied to every place that uses them; relations
    are not."""
    if isinstance(node, ops.Field):
        return 1 + columns[node.rel].get(node.name, 0)
    if isinstance(node, ops.Relation):
        columns[node] = _column_sizes(node, sizes, columns)
    children = sum(sizes[child] for child in node.__children__ if not isinstance(child, ops.Relation))
    return 1 + children


def _column_sizes(
    node: ops.Relation, sizes: Mapping[Node, int], columns: Mapping[Node, Mapping[str, int]]
) -> Mapping[str, int]:
    if isinstance(node, ops.Project | ops.JoinChain):
        return {name: sizes[value] for name, value in node.values.items()}
    return columns[node.parent] if isinstance(node, _PASS_THROUGH) else {}
