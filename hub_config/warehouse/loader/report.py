"""What a load did, for people and for machines: `report.html` and `report.json` beside the listing of rows
set aside. Numbers, names of files, rules and tables; never a value, never a person.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from hub_config.warehouse.landing.apply import Change
from hub_config.warehouse.loader.rules import MEANING
from hub_config.warehouse.loader.tally import Tally

JSON: Final = "report.json"
HTML: Final = "report.html"
LISTING: Final = "rejected.csv"


class Outcome(StrEnum):
    LANDED = "landed"
    STOPPED = "stopped"  # too much was set aside: nothing was landed


@dataclass(frozen=True)
class LoadReport:
    source: str
    load: int
    mapping: str
    outcome: Outcome
    seconds: float
    files: Sequence[Tally]
    changes: Mapping[str, Change]

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.files if each.read)

    @property
    def rows_per_second(self) -> int:
        return round(self.rows / self.seconds) if self.seconds else 0


def write_report(directory: Path, report: LoadReport) -> None:
    """Both files, each replaced whole."""
    _write(directory / JSON, json.dumps(fields(report), indent=2, ensure_ascii=False) + "\n")
    _write(directory / HTML, _page(report))


def complete_report(directory: Path, changes: Mapping[str, Change]) -> None:
    """Say of a load that was landed what it did, where a kill left its report as before."""
    if not (directory / JSON).exists():
        return
    told = json.loads((directory / JSON).read_text(encoding="utf-8"))
    told |= {"outcome": str(Outcome.LANDED), "tables": _tables(changes)}
    _write(directory / JSON, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    _write(directory / HTML, _rendered(told))


def note_snapshot(directory: Path, number: int, quality: Path) -> None:
    """Add to a written report which snapshot was frozen of the load, and where its quality stands."""
    told = json.loads((directory / JSON).read_text(encoding="utf-8"))
    link = os.path.relpath(quality, directory) if quality.exists() else None
    told["snapshot"] = {"number": number, "quality": link}
    _write(directory / JSON, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    _write(directory / HTML, _rendered(told))


def fields(report: LoadReport) -> dict[str, Any]:
    return {
        "source": report.source,
        "load": report.load,
        "mapping": report.mapping,
        "outcome": str(report.outcome),
        "seconds": round(report.seconds, 3),
        "rows": report.rows,
        "rows_per_second": report.rows_per_second,
        "files": [_file(each) for each in report.files],
        "tables": _tables(report.changes),
        "snapshot": None,
    }


def _tables(changes: Mapping[str, Change]) -> dict[str, dict[str, int]]:
    return {name: asdict(each) for name, each in changes.items()}


def _file(tally: Tally) -> dict[str, Any]:
    return {
        "name": tally.name,
        "path": tally.path,
        "sha256": tally.sha256,
        "bytes": tally.bytes,
        "rows": tally.rows,
        "read": tally.read,
        "set_aside": {str(rule): count for rule, count in tally.rejected.items()},
    }


def _page(report: LoadReport) -> str:
    return _rendered(fields(report))


def _rendered(told: Mapping[str, Any]) -> str:
    loader = PackageLoader("hub_config.warehouse.loader", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    meaning = {str(rule): text for rule, text in MEANING.items()}
    return environment.get_template("report.html").render(told=told, meaning=meaning, listing=LISTING)


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
