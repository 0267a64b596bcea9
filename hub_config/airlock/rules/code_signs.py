"""What in a cell of code asks for a second look by somebody who does not write code. Pure.

A help for the eye and no defence: whoever means to hide something may find a way around it. What a run can
reach is the box's affair, and what it leaves is looked at again.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain
from typing import Final

LONG_LINE: Final = 300
LONG_WORD: Final = 200
MANY_VALUES: Final = 60
MANY_DIGITS: Final = 120
MANY_LINES: Final = 300
BLANK_LINES: Final = 20
BLANKS: Final = 40
_RUNS_TEXT: Final = frozenset(
    {"eval", "exec", "compile", "getattr", "setattr", "globals", "locals", "vars", "run_cell"}
)
_SYSTEM: Final = frozenset({"os", "sys", "subprocess", "ctypes", "socket", "importlib", "shutil", "signal"})
_PACKED: Final = frozenset(
    {"base64", "binascii", "codecs", "zlib", "bz2", "lzma", "gzip", "pickle", "marshal"}
)
_UNPACKS: Final = frozenset({"read_pickle", "fromhex", "frombuffer", "from_bytes"})


_WIDE: Final = re.compile(rf"\s{{{BLANKS}}}")


class Sign(StrEnum):
    RUNS_TEXT = "runs-text"  # what it runs is not what one reads
    SYSTEM = "system"  # reaches for the machine
    PACKED = "packed"  # packs or unpacks data
    COMMAND = "command"  # a line for IPython or a shell
    DATA = "data"  # brings many values along
    LONG = "long"  # more than one reads, or out of sight
    FOREIGN = "foreign"  # letters of another alphabet; Greek ones, in a name
    UNREADABLE = "unreadable"  # no Python


def signs(code: str) -> tuple[Sign, ...]:
    """Of one cell, each once, in their order above."""
    return _ordered(_signs(code))


def signs_of_text(text: str) -> tuple[Sign, ...]:
    """Of a cell of text, which a page shows wrapped: a long line alone is no sign."""
    long = (Sign.LONG,) if _tires(text) else ()
    return (*long, *((Sign.FOREIGN,) if any(map(_is_foreign, text)) else ()))


def _ordered(found: Iterable[Sign]) -> tuple[Sign, ...]:
    known = frozenset(found)
    return tuple(sign for sign in Sign if sign in known)


def _signs(code: str) -> Iterator[Sign]:
    lines = code.splitlines()
    plain = "\n".join("pass" if line.lstrip()[:1] in ("%", "!", "?") else line for line in lines)
    if plain != "\n".join(lines):
        yield Sign.COMMAND
    if any(len(line) > LONG_LINE for line in lines) or _tires(code):
        yield Sign.LONG
    if any(map(_is_foreign, code)):
        yield Sign.FOREIGN
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield Sign.UNREADABLE
        return
    nodes = list(ast.walk(tree))
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    if len(values) > MANY_VALUES or sum(map(_digits, values)) > MANY_DIGITS:
        yield Sign.DATA
    if any(map(_is_greek, chain.from_iterable(map(_names, nodes)))):
        yield Sign.FOREIGN
    for node in nodes:
        yield from _of_node(node)


def _of_node(node: ast.AST) -> Iterator[Sign]:
    match node:
        case ast.Import(names=names):
            yield from (sign for each in names for sign in _of_module(each.name))
        case ast.ImportFrom(module=module):
            yield from _of_module(module or "")
        case ast.Name(id=name) | ast.Attribute(attr=name):
            if name in _RUNS_TEXT or (name.startswith("__") and name.endswith("__")):
                yield Sign.RUNS_TEXT
            elif name in ("get_ipython", "system", "popen"):
                yield Sign.COMMAND
            elif name in _UNPACKS:
                yield Sign.PACKED
        case _:
            pass


def _of_module(name: str) -> Iterator[Sign]:
    top = name.partition(".")[0]
    if top in _SYSTEM:
        yield Sign.SYSTEM
    if top in _PACKED:
        yield Sign.PACKED


def _tires(text: str) -> bool:
    """Whether some of it is easily passed over, by whoever scrolls."""
    lines = [line.strip() for line in text.splitlines()]
    away = "\n" + "\n" * (BLANK_LINES + 1) in "\n" + "\n".join(lines)
    wide = any(_WIDE.search(line.rstrip()) for line in text.splitlines())
    return away or wide or len(lines) > MANY_LINES or any(len(word) > LONG_WORD for word in text.split())


def _digits(value: object) -> int:
    """How many a value brings along, of those that are no single number of a usual size."""
    match value:
        case str():
            return sum(map(str.isdigit, value))
        case bytes():
            return len(value)
        case int() if value.bit_length() > 64:
            return value.bit_length() // 3
        case _:
            return 0


def _names(node: ast.AST) -> Iterator[str]:
    """Identifiers of Python's, as they are told apart: normalised, wherever they stand."""
    if not isinstance(node, ast.Constant):
        for _, value in ast.iter_fields(node):
            each = value if isinstance(value, list) else [value]
            yield from (name for name in each if isinstance(name, str))


def _is_greek(text: str) -> bool:
    return any(unicodedata.name(sign, "").startswith("GREEK") for sign in text)


def _is_foreign(sign: str) -> bool:
    return sign > "\u024f" and sign.isalpha() and not _is_greek(sign)
