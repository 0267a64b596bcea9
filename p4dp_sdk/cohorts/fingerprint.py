"""The fingerprint of a cohort: SHA-256 over its canonical definition, its code lists and the snapshot.

Two cohorts with one fingerprint ask the same of the same data; a word of the title changes nothing. What a
condition says goes in as its operation graph (`wire`), so that another way to write the same graph is the
same definition.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir

from p4dp_sdk.cohorts.compile import preview_of
from p4dp_sdk.cohorts.definition import Definition, EventCriterion, RowCriterion
from p4dp_sdk.cohorts.events import Events
from p4dp_sdk.cohorts.windows import Ever, Span, Window
from p4dp_sdk.wire import graph


def fingerprint(definition: Definition, tables: Mapping[str, ir.Table], snapshot: int) -> str:
    """64 hexadecimal digits."""
    said = {**_canonical(definition, tables), "snapshot": snapshot}
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(definition: Definition, tables: Mapping[str, ir.Table]) -> dict[str, Any]:
    index, preview = definition.index, preview_of(definition, tables)
    return {
        "index": index and [index.which.value, _events(index.events)],
        "between": definition.between and [day.isoformat() for day in definition.between],
        "washout": _reach(definition.washout),
        "follow_up": _reach(definition.follow_up),
        "criteria": [_criterion(criterion, preview) for criterion in definition.criteria],
        "variables": [
            [v.name, v.summary.value, _events(v.events), _window(v.window), v.of]
            for v in definition.variables
        ],
        "outcomes": [
            [o.name, _events(o.events), [_rival(rival) for rival in o.competing.values()]]
            for o in definition.outcomes
        ],
    }


def _criterion(criterion: EventCriterion | RowCriterion, preview: ir.Table) -> list[Any]:
    match criterion:
        case EventCriterion(keeps=keeps, events=events, window=window):
            return [keeps, _events(events), _window(window)]
        case RowCriterion(keeps=keeps, test=test):
            return [keeps, _graph(preview.select(kept=test(preview)))]


def _rival(rival: Events | str) -> Any:
    return _events(rival) if isinstance(rival, Events) else rival


def _events(events: Events) -> list[Any]:
    """Rows by their operation graph, with the code lists that made them, so that a list's new version is
    another cohort even where it means the same today."""
    codes = sorted({codes.fingerprint for codes in events.codes})
    return [[_graph(source.rows), source.date] for source in events.sources] + [codes]


def _graph(relation: ir.Table) -> str:
    return graph.encode(relation).decode()


def _window(window: Window) -> list[Any]:
    return [_reach(window.before), _reach(window.after), window.with_index]


def _reach(reach: Span | Ever | None) -> Any:
    match reach:
        case Span(months=months, days=days):
            return [months, days]
        case Ever():
            return reach.value
        case None:
            return None
