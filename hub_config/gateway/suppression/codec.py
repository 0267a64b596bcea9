"""A table problem and its proof as bytes, between the gateway and its worker: a JSON head and the arrays as
they lie in memory. Nothing that could run. Lengths and kinds are checked on reading.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from p4dp_sdk.disclosure.audit import Witness
from p4dp_sdk.disclosure.hypercube import Known
from p4dp_sdk.disclosure.secondary import Kind, Limits, Link, Proof, Quantity, Relation, TableProblem, Tree

Arrays = Mapping[str, NDArray[Any]]

_KINDS: Final = ("bool", "int8", "int64", "uint64", "float64")
_PER_CELL: Final = ("values", "status", "patients", "physicians", "physician_buckets", "largest", "cost")
_LENGTH: Final = struct.Struct("<I")


class BadFrame(ValueError):
    """Bytes that are not what they should be."""


def pack(head: Mapping[str, Any], arrays: Arrays) -> bytes:
    shapes = {name: [array.dtype.name, list(array.shape)] for name, array in arrays.items()}
    text = json.dumps({"head": head, "arrays": shapes}).encode()
    return b"".join(
        (_LENGTH.pack(len(text)), text, *(np.ascontiguousarray(a).tobytes() for a in arrays.values()))
    )


def unpack(frame: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    try:
        (length,) = _LENGTH.unpack_from(frame)
        document = json.loads(frame[_LENGTH.size : _LENGTH.size + length])
        arrays, at = {}, _LENGTH.size + length
        for name, (kind, shape) in document["arrays"].items():
            arrays[name], at = _array(frame, at, kind, shape)
        if at != len(frame):
            raise BadFrame("too long")
        return document["head"], arrays
    except (KeyError, TypeError, ValueError, struct.error) as fault:
        raise BadFrame("not a frame of the suppression worker") from fault


def _array(frame: bytes, at: int, kind: str, shape: list[int]) -> tuple[NDArray[Any], int]:
    if kind not in _KINDS or any(size < 0 for size in shape):
        raise BadFrame("an array of another kind")
    dtype = np.dtype(kind)
    end = at + math.prod(shape) * dtype.itemsize
    if end > len(frame):
        raise BadFrame("too short")
    return np.frombuffer(frame[at:end], dtype=dtype).reshape(shape).copy(), end


# -- problems ---------------------------------------------------------------------------------------------


def of_problem(problem: TableProblem, limits: Limits) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    arrays: dict[str, NDArray[Any]] = {"coordinates": problem.coordinates.astype(np.int64)}
    for number, quantity in enumerate(problem.quantities):
        for name in _PER_CELL:
            if (array := getattr(quantity, name)) is not None:
                arrays[f"{number}.{name}"] = array
    head = {
        "dims": [[tree.name, list(tree.parents), tree.partitions] for tree in problem.dims],
        "quantities": [[q.name, q.kind.value, q.distinct, list(q.bounds)] for q in problem.quantities],
        "links": [[link.of, link.by, link.low, link.high] for link in problem.links],
        "together": [list(names) for names in problem.together],
        "relations": [[list(term) for term in relation.terms] for relation in problem.relations],
        "sums": [[known.name, list(known.cells)] for known in problem.sums],
        "limits": asdict(limits),
    }
    return head, arrays


def to_problem(head: Mapping[str, Any], arrays: Arrays) -> tuple[TableProblem, Limits]:
    problem = TableProblem(
        dims=tuple(Tree(name, tuple(parents), partitions) for name, parents, partitions in head["dims"]),
        coordinates=arrays["coordinates"],
        quantities=tuple(_quantity(i, facts, arrays) for i, facts in enumerate(head["quantities"])),
        links=tuple(Link(*facts) for facts in head["links"]),
        together=tuple(tuple(names) for names in head["together"]),
        relations=tuple(_relation(terms) for terms in head["relations"]),
        sums=tuple(Known(name, tuple(cells)) for name, cells in head["sums"]),
    )
    return problem, Limits(**head["limits"])


def _relation(terms: Sequence[Any]) -> Relation:
    return Relation(tuple((name, float(coefficient)) for name, coefficient in terms))


def _quantity(number: int, facts: Sequence[Any], arrays: Arrays) -> Quantity:
    name, kind, distinct, (low, high) = facts
    of_cells: dict[str, Any] = {field: arrays.get(f"{number}.{field}") for field in _PER_CELL}
    return Quantity(name, Kind(kind), distinct=distinct, bounds=(low, high), **of_cells)


# -- proofs -----------------------------------------------------------------------------------------------


def of_proof(proof: Proof) -> dict[str, NDArray[Any]]:
    witnesses = proof.witnesses
    return {
        "withheld": proof.withheld,
        "lengths": np.array([len(w.slots) for w in witnesses], dtype=np.int64),
        "slots": np.concatenate([np.zeros(0, np.int64), *(w.slots for w in witnesses)]).astype(np.int64),
        "moves": np.concatenate([np.zeros(0), *(w.moves for w in witnesses)]).astype(np.float64),
    }


def to_proof(arrays: Arrays, slots: int) -> Proof:
    """The proof in `arrays`, of a table with so many slots. What it proves is another question."""
    try:
        ends = np.cumsum(arrays["lengths"])[:-1]
        parts = zip(np.split(arrays["slots"], ends), np.split(arrays["moves"], ends), strict=True)
        witnesses = tuple(Witness(where, moves) for where, moves in parts if len(where))
        withheld = arrays["withheld"].astype(np.bool_)
    except (KeyError, ValueError, IndexError) as fault:
        raise BadFrame("not a proof") from fault
    if any(len(w.slots) != len(w.moves) or w.slots.min() < 0 or w.slots.max() >= slots for w in witnesses):
        raise BadFrame("not a proof of this table")
    return Proof(withheld, witnesses)
