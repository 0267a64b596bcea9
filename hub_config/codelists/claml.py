"""The CIM-10 of the ATIH, in ClaML, through cim10-claml: in a process of its own, with bounded memory.

The library parses with the standard XML parser and follows what the file says is above what. So entities are
refused before it sees the file (expat tells of every declaration, in whatever encoding), and a file built to
grow or to go in circles ends with the process, not with the enclave.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from hub_config.codelists.problems import CodeListProblem

SECONDS = 120
MEMORY = 3 * 1024**3
_KINDS = frozenset({"category", "modified"})  # chapters and blocks group codes; they are none
_ENTITIES, _NO_XML, _NO_CLAML = 3, 4, 5
_TOLD = {
    _ENTITIES: "it declares entities, which no ClaML of the ATIH does: it could grow without bounds",
    _NO_XML: "this is no XML",
    _NO_CLAML: "this is no ClaML that can be understood",
}
_CHECKOUT = Path(__file__).resolve().parents[2]


def read_claml(path: Path) -> Iterator[tuple[int, str, str, str, str]]:
    """Code, label and parent of every category, with those that modifiers make. Raises CodeListProblem."""
    command = (sys.executable, "-m", "hub_config.codelists.claml", str(path.absolute()))
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(_CHECKOUT), "LANG": "C.UTF-8"}
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, env=environment, cwd="/")
    except subprocess.TimeoutExpired:
        raise CodeListProblem(f"{path.name} takes too long to understand: is it the ATIH's file?") from None
    if done.returncode:
        why = _TOLD.get(done.returncode, "it needs more memory or time than the CIM-10 does")
        raise CodeListProblem(f"{path.name} can't be taken: {why}.")
    for number, line in enumerate(done.stdout.decode().splitlines(), 1):
        code, label, parent = json.loads(line)
        yield number, code, label, "", parent


def main(path: str) -> int:
    """In the process of its own: one JSON line a code."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        refuse_entities(Path(path))
    except EntityDeclared:
        return _ENTITIES
    except expat.ExpatError:
        return _NO_XML
    from cim10_claml import parse_cim10

    try:
        classes = parse_cim10(path).classes
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return _NO_CLAML
    for one in classes:
        if one.kind in _KINDS:
            sys.stdout.write(json.dumps([one.code, one.label, one.parent_code or ""]) + "\n")
    return 0


class EntityDeclared(Exception):
    """The file declares an entity, or wants one from elsewhere."""


def refuse_entities(path: Path) -> None:
    """Raises EntityDeclared; expat.ExpatError where the file is no XML."""

    def declared(*_: Any) -> Any:
        raise EntityDeclared

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = declared
    parser.UnparsedEntityDeclHandler = declared
    parser.ExternalEntityRefHandler = declared
    with path.open("rb") as file:
        parser.ParseFile(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
