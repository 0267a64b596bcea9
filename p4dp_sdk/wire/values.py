"""Arguments of an operation ↔ JSON. Plain JSON scalars stand for themselves; everything else is a one-key
object.

`{"$": 3}` is the fourth node; `list`, `set`, `map`, `type`, `unit`, `date`, `timestamp`, `decimal`, `float`
(only those JSON lacks) and `interval` name what they carry. Anything else is malformed.
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ibis.expr.datatypes as dt
from ibis.common.collections import FrozenDict, FrozenOrderedDict
from ibis.common.graph import Node
from ibis.common.temporal import Unit

from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.vocabulary import UNITS

_PLAIN_TYPES = frozenset(
    [
        "null",
        "boolean",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
        "string",
        "date",
        "timestamp",
    ]
)
_PARAMETRIC_TYPE = re.compile(r"decimal(\(\d{1,2}, ?\d{1,2}\))?|interval\('[A-Za-z]{1,2}'\)|timestamp\(\d\)")


def malformed(why: str) -> Refusal:
    return Refusal(ErrorCode.MALFORMED, why=why)


def is_scalar_type(dtype: dt.DataType) -> bool:
    """Whether the wire knows `dtype`: no arrays, structs, maps, geometry, binary, JSON."""
    name = str(dtype).removeprefix("!")
    return name in _PLAIN_TYPES or bool(_PARAMETRIC_TYPE.fullmatch(name))


def encode_type(dtype: dt.DataType) -> str:
    if not is_scalar_type(dtype):
        raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation=f"type {dtype}")
    return str(dtype)


def decode_type(name: object) -> dt.DataType:
    if not isinstance(name, str) or len(name) > 32:
        raise malformed("type")
    bare = name.removeprefix("!")
    if bare not in _PLAIN_TYPES and not _PARAMETRIC_TYPE.fullmatch(bare):
        raise malformed("type")
    return dt.dtype(bare)(nullable=not name.startswith("!"))


def encode_value(value: object, positions: Mapping[Node, int]) -> object:
    """One argument as JSON. Raises Refusal for a kind of value that the wire has no word for."""
    match value:
        case Node():
            return {"$": positions[value]}
        case None | bool() | str():
            return value
        case dt.DataType():
            return {"type": encode_type(value)}
        case Unit():
            return {"unit": [type(value).__name__, value.value]}
        case FrozenOrderedDict() | FrozenDict() | dict():
            return {"map": [[key, encode_value(item, positions)] for key, item in value.items()]}
        case frozenset():
            return {"set": sorted(value)}
        case tuple() | list():
            return {"list": [encode_value(item, positions) for item in value]}
    return encode_scalar(value)


def encode_scalar(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else {"float": repr(value)}
        case datetime.datetime():
            return {"timestamp": value.isoformat()}
        case datetime.date():
            return {"date": value.isoformat()}
        case datetime.timedelta():
            return {"interval": [value.days, value.seconds, value.microseconds]}
        case decimal.Decimal():
            return {"decimal": str(value)}
    raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation=f"value of type {type(value).__name__}")


def decode_value(value: object, nodes: Sequence[Node]) -> Any:
    """The argument that `value` stands for. Raises Refusal for anything malformed, and only that."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise malformed("argument")
    ((word, content),) = value.items()
    if word == "$":
        return _reference(content, nodes)
    if word == "list":
        return tuple(decode_value(item, nodes) for item in _array(content))
    if word == "map":
        return _mapping(content, nodes)
    return decode_scalar(value)


def decode_scalar(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise malformed("argument")
    ((word, content),) = value.items()
    reader = _READERS.get(word)
    if reader is None:
        raise malformed("argument")
    try:
        return reader(content)
    except (ValueError, TypeError, KeyError, OverflowError, ArithmeticError):
        raise malformed(word) from None


def _reference(content: object, nodes: Sequence[Node]) -> Node:
    if type(content) is not int or not 0 <= content < len(nodes):
        raise malformed("reference")
    return nodes[content]


def _array(content: object) -> list[object]:
    if not isinstance(content, list):
        raise malformed("list")
    return content


def _mapping(content: object, nodes: Sequence[Node]) -> FrozenOrderedDict[str, Any]:
    pairs = {}
    for pair in _array(content):
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)) or pair[0] in pairs:
            raise malformed("map")
        pairs[pair[0]] = decode_value(pair[1], nodes)
    return FrozenOrderedDict(pairs)


def _names(content: object) -> frozenset[str]:
    names = _array(content)
    if not all(isinstance(name, str) for name in names):
        raise malformed("set")
    return frozenset(str(name) for name in names)


def _unit(content: Any) -> Unit:
    kind, value = content
    return UNITS[kind](value)


def _odd_float(content: Any) -> float:
    if content not in ("nan", "inf", "-inf"):
        raise ValueError
    return float(content)


def _interval(content: Any) -> datetime.timedelta:
    days, seconds, microseconds = content
    return datetime.timedelta(days=days, seconds=seconds, microseconds=microseconds)


_READERS: Mapping[str, Callable[[Any], object]] = {
    "type": decode_type,
    "unit": _unit,
    "set": _names,
    "date": datetime.date.fromisoformat,
    "timestamp": datetime.datetime.fromisoformat,
    "decimal": decimal.Decimal,
    "float": _odd_float,
    "interval": _interval,
}
