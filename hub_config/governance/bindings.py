"""Which running workspace a socket belongs to: written by the spawner, read by the services that listen (the
gateway, the airlock), seen by nobody else.

A binding is a JSON file of mode 600 in `settings.bindings_dir`; its sockets are
`settings.sockets_dir/<id>/gateway.sock` and `…/airlock.sock`. The socket a request arrives on decides user,
server and project; nothing in the request does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Binding:
    """One workspace: the hub user who owns it, the named server, and the project (the server's name).
    `registration`: of a run, the number of the registered notebook that it runs."""

    id: str
    user: str
    server: str
    project: str
    registration: str = ""


def write_binding(directory: Path, binding: Binding) -> None:
    """Record `binding` atomically; a reader sees all of it or nothing."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = directory / f".{binding.id}.draft"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(binding), file)
    draft.rename(directory / f"{binding.id}.json")


def remove_binding(directory: Path, binding_id: str) -> None:
    (directory / f"{binding_id}.json").unlink(missing_ok=True)


def read_bindings(directory: Path) -> Iterator[Binding]:
    """Every binding on record. A file that can't be read is an error: its workspace must not be guessed."""
    for path in sorted(directory.glob("*.json")):
        yield Binding(**json.loads(path.read_text()))
