"""A user id of its own for each person in each project, for good: files of one are never another's.

Kept in a JSON file of the enclave's state; a number once given is never given again.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class NoUidLeft(Exception):
    """The range of user ids is used up; the message says which setting to widen."""


@dataclass(frozen=True)
class UidRegister:
    path: Path
    first: int
    count: int

    def uid_for(self, user: str, project: str) -> int:
        """The uid of `user` in `project`, allocated on first use. Raises NoUidLeft."""
        owner = f"{project}/{user}"
        with self._locked() as given:
            if owner not in given:
                given[owner] = self._next(frozenset(given.values()))
                self._write(given)
            return given[owner]

    def _next(self, given: frozenset[int]) -> int:
        for uid in range(max(given, default=self.first - 1) + 1, self.first + self.count):
            if not _is_account(uid):
                return uid
        raise NoUidLeft(
            f"No user id left in {self.first}+{self.count}: raise [workspace] uids in enclave.toml."
        )

    @contextmanager
    def _locked(self) -> Iterator[dict[str, int]]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield json.loads(self.path.read_text()) if self.path.exists() else {}

    def _write(self, given: dict[str, int]) -> None:
        draft = self.path.with_suffix(".draft")
        with draft.open("w") as file:
            json.dump(given, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self.path)


def _is_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
