"""Whether rows of an engine elsewhere can be shown as they come, some at a time. Pure.

They can where what is left for the gateway looks at each row by itself: columns chosen, renamed or worked
out, rows left out, others put beside them that were fetched before. What looks at several rows at once (an
order, a limit, a count, a window) needs all of them, and so does what reads the same rows twice.

One order the engine gives them itself: that of the project (`pseudonyms`), by a hash under a key that is for
this only, names nobody, and travels as a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.operations as ops

from hub_config.gateway.engines.meaning import Meaning
from hub_config.gateway.engines.port import temporary
from hub_config.gateway.engines.pushdown import Fragment, Parted
from hub_config.gateway.pseudonyms import PLACE

KEY: Final[Mapping[str, str]] = {"place_key": "string"}
KEYED: Final = "p4dp_places"  # the session's table that holds it
PLACED: Final = "__place"  # the column that rows come in the order of

_BESIDE: Final = frozenset({"inner", "left", "semi", "anti"})
_SEVERAL_ROWS: Final = (ops.Reduction, ops.WindowFunction, ops.Analytic, ops.Subquery)


@ibis.udf.scalar.builtin(name="md5", signature=(("string",), "string"))  # type: ignore[untyped-decorator]
def _md5(text: str) -> str:
    """The engine's own."""
    raise NotImplementedError


@dataclass(frozen=True)
class Turns:
    """`rest` is worked out over each part of `fragment`'s rows, which come as `rows`: in the project's order
    where they are `placed`."""

    rest: ibis.Table
    fragment: Fragment
    rows: ibis.Table
    placed: bool


def in_turns(made: Parted, means: Meaning) -> Turns | None:
    """How the rows may come some at a time, if they can."""
    tree = made.rest.op()
    leaf = _first(tree)
    if leaf is None or tree.find(_SEVERAL_ROWS) or _is_beside(tree, leaf):
        return None
    fragment = next((each for each in made.fragments if each.name == leaf.name), None)
    sorts = [node for node in _spine(tree) if isinstance(node, ops.Sort)]
    if fragment is None or (sorts and not means.places):
        return None
    rest = tree.replace({sort: sort.parent for sort in sorts}).to_expr() if sorts else made.rest
    column = next(filter(None, map(_placed_by, sorts)), None)
    rows = fragment.rows if column is None else _in_order(fragment.rows, column)
    return Turns(rest, fragment, rows, column is not None)


def _first(relation: ops.Relation) -> ops.UnboundTable | None:
    """The table of whose rows each is at most one of `relation`'s, or becomes several by itself."""
    *_, last = _spine(relation)
    return last if isinstance(last, ops.UnboundTable) else None


def _spine(relation: ops.Relation) -> Iterator[ops.Relation]:
    """From `relation` down, as long as each looks at every row by itself."""
    yield relation
    match relation:
        case ops.Project() | ops.Filter() | ops.JoinReference():
            yield from _spine(relation.parent)
        case ops.Sort() if _placed_by(relation) is not None:
            yield from _spine(relation.parent)
        case ops.JoinChain() if all(link.how in _BESIDE for link in relation.rest):
            yield from _spine(relation.first)
        case _:
            return


def _placed_by(sort: ops.Sort) -> str | None:
    """The column by whose places in the project's order it sorts, and by nothing else."""
    below = sort.parent
    while isinstance(below, ops.Filter):
        below = below.parent
    (key, *others) = sort.keys
    value = key.arg
    if others or not isinstance(below, ops.UnboundTable) or not isinstance(value, ops.ScalarUDF):
        return None
    (number,) = value.args if value.__func_name__ == PLACE else (None,)
    number = number.arg if isinstance(number, ops.Cast) else number
    return number.name if isinstance(number, ops.Field) else None


def _is_beside(relation: ops.Relation, leaf: ops.UnboundTable) -> bool:
    """Whether a join puts rows of `leaf` beside its own."""
    joined = (link.table for join in relation.find(ops.JoinChain) for link in join.rest)
    return any(leaf in table.find(ops.UnboundTable) for table in joined)


def _in_order(rows: ibis.Table, column: str) -> ibis.Table:
    with_key = rows.cross_join(temporary(KEYED, KEY))
    place = _md5(with_key["place_key"] + with_key[column].cast("string"))
    return with_key.select(*rows.columns, **{PLACED: place}).order_by(PLACED)
