"""An airlock with a long queue, filled by the database itself: its requests are as the use cases write them,
in four states, of several projects, with previews on the shelf."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any, Final

from sqlalchemy import event, insert

from hub_config.airlock.checks import Preview, TableBlock, preview_document
from hub_config.governance.releases.facts import State
from hub_config.governance.releases.models import ReleaseAssignment, ReleaseFile, ReleaseRequest
from tests.benchmarks.airlock.loading import REVIEWERS, Thirty
from tests.benchmarks.airlock.requests import PROJECTS

VERSION: Final = "bench"
FINDING: Final = {"rule": "small-count", "severity": "warning", "place": {"row": 2}, "params": {"n": 3}}
SAID: Final = "Patients de 18 ans et plus, vus au moins deux fois entre 2016 et 2021. "
WAITING: Final = (State.SUBMITTED, State.IN_REVIEW, State.IN_REVIEW, State.SUBMITTED)
RELEASED: Final = 20  # beside those that wait, as many have left


@dataclass
class Long(Thirty):
    first: dict[str, str] = field(default_factory=dict)  # the first request that waits, by requester
    left: str = ""
    projects: list[str] = field(default_factory=list)

    def fill(self, *, requests: int, files: int) -> None:
        """So many that wait, and some that left; a project for every four."""
        self.projects = [f"projet-{n}" for n in range(max(1, requests // 4))]
        self.found(dict.fromkeys(self.projects, "sarah"))
        rows = [self._request(n, requests) for n in range(requests + RELEASED)]
        assigned = [
            {"request": row["id"], "reviewer": name, "assigned_at": row["created_at"]}
            for row in rows
            for name in REVIEWERS
            if row["state"] != State.RELEASED
        ]
        with self.desk.store.change() as session:
            session.execute(insert(ReleaseRequest), rows)
            session.execute(insert(ReleaseAssignment), assigned)
            session.execute(insert(ReleaseFile), list(self._files(rows, files)))

    def _request(self, n: int, waiting: int) -> dict[str, Any]:
        who, project = tuple(PROJECTS.items())[n % len(PROJECTS)]
        if who == "sarah":
            project = self.projects[n // len(PROJECTS) % len(self.projects)]
        state, at = (WAITING[n % 4], None) if n < waiting else (State.RELEASED, _then(n))
        id = "d-" + hashlib.sha256(f"{waiting}/{n}".encode()).hexdigest()[:8].translate(_LETTERS)
        if n < waiting:
            self.first.setdefault(who, id)
        elif who == "ines":
            self.left = id
        words = {"purpose": SAID, "context": SAID * 3, "controls": SAID, "title": f"Demande {n}"}
        times = {"created_at": _then(n), "touched_at": _then(n), "submitted_at": _then(n)}
        times |= {"decided_at": at, "released_at": at}
        counted = {"looks_needed": 2, "round": 1, "version": 1, "members_then": [who]}
        return (
            {"id": id, "project": project, "requester": who, "state": state.value} | words | times | counted
        )

    def _files(self, requests: list[dict[str, Any]], files: int) -> Iterator[dict[str, Any]]:
        previews = cycle([self._shelved(f"{n}") for n in range(files)])
        for row in requests:
            for number in range(1, files + 1):
                yield {
                    "request": row["id"],
                    "number": number,
                    "name": f"{number}.csv",
                    "sha256": next(previews),
                    "size": 600,
                    "kind": "csv",
                    "output_class": "unverified",
                    "checked": "checked",
                    "findings": [FINDING] * 3,
                    "proof": None,
                    "checker": VERSION,
                }

    def _shelved(self, content: str) -> str:
        """A table of thirty rows."""
        sha256 = self.desk.shelf.put(content.encode(), limit=10**6).sha256
        cells = tuple((f"K{n}", str(100 + n), str(200 + n), f"{n} %") for n in range(30))
        block = TableBlock(
            "", ("cisp2", "patients", "suivis", content), cells, total_rows=30, total_columns=4
        )
        self.desk.shelf.put_preview(sha256, VERSION, preview_document(Preview((block,))))
        return sha256

    def pages(self) -> list[tuple[str, str]]:
        """Who reads which page: all that there are to read."""
        waits, mine = self.first["leo"], self.first["ines"]
        return [
            ("diane", "/relecture"),
            ("diane", f"/relecture/{waits}"),
            ("diane", f"/dossiers/{waits}"),
            ("diane", "/absences"),
            ("diane", "/relecteurs"),
            ("ines", "/demandes"),
            ("ines", "/demandes/nouvelle"),
            ("ines", f"/demandes/{mine}"),
            ("ines", f"/demandes/{self.left}"),
            ("ines", f"/dossiers/{self.left}"),
        ]

    def asked(self, who: str, path: str) -> list[str]:
        """The SQL statements of one reading."""
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        visit = self.visit(who)
        event.listen(self.desk.store.engine, "before_cursor_execute", note)
        answer = visit.get(path)
        event.remove(self.desk.store.engine, "before_cursor_execute", note)
        assert answer.status_code == 200, (path, answer.status_code)
        return statements


def anonymous(path: str) -> str:
    return re.sub(r"d-\w+", "{id}", path)


def _then(n: int) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=n)


_LETTERS: Final = str.maketrans("01", "xy")
