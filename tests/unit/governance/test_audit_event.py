"""What an audit event may say, and the canonical bytes it becomes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_config.governance.audit import AuditEvent, Decision
from hub_config.governance.audit.event import MAX_DETAILS, MAX_TEXT
from hub_config.governance.audit.record import GENESIS, NotCanonical, Record

TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
EVENTS = st.builds(
    AuditEvent,
    who=TEXT.filter(bool),
    what=st.sampled_from(["query", "project.approve", "audit.export"]),
    project=st.none() | TEXT,
    decision=st.sampled_from(Decision),
    details=st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), SCALARS, max_size=6),
)


def event(**changes: object) -> AuditEvent:
    said = {"who": "ines", "what": "query", "project": "p", "decision": Decision.ALLOWED, "details": {}}
    return AuditEvent(**{**said, **changes})  # type: ignore[arg-type]


def record(of: AuditEvent) -> Record:
    return Record.of(of, number=1, at="2026-01-01T00:00:00.000000+00:00", prev=GENESIS)


REFUSED = [
    ("a float, whose text is not canonical", {"details": {"seconds": 1.5}}, TypeError),
    ("a list", {"details": {"codes": ["K86"]}}, TypeError),
    ("bytes", {"details": {"raw": b"x"}}, TypeError),
    ("a number that JSON readers round", {"details": {"n": 2**53}}, TypeError),
    ("a detail's name with a newline", {"details": {"a\nb": 1}}, ValueError),
    ("too many details", {"details": {f"d{n}": n for n in range(MAX_DETAILS + 1)}}, ValueError),
    ("no one", {"who": ""}, ValueError),
    ("an endless name", {"who": "x" * 201}, ValueError),
    ("an endless project", {"project": "x" * 201}, ValueError),
    ("a sentence for a name", {"what": "did something"}, ValueError),
    ("a decision of its own", {"decision": "maybe"}, ValueError),
]


@pytest.mark.parametrize(("changes", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_event_refuses(changes: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        event(**changes)


@given(EVENTS)
def test_a_record_is_one_line_and_reads_back_as_it_was(said: AuditEvent) -> None:
    written = record(said)
    assert written.line.endswith(b"\n")
    assert len(written.line.splitlines()) == 1
    assert Record.parse(written.line) == written


def test_a_long_text_is_cut_and_its_length_and_hash_kept() -> None:
    sql = "SELECT 1 " * 10_000
    kept = event(details={"sql": sql}).details["sql"]
    assert isinstance(kept, str)
    assert kept.startswith(sql[:MAX_TEXT])
    assert f"{len(sql)} characters" in kept
    assert len(kept) < MAX_TEXT + 200


LINE = record(event(details={"rows": 3})).line
DENATURED = {
    "a space": LINE.replace(b'"number":1', b'"number": 1'),
    "a float": LINE.replace(b'"number":1', b'"number":1.0'),
    "not a number": LINE.replace(b'"rows":3', b'"rows":NaN'),
    "a field more": LINE.replace(b'{"at"', b'{"aa":1,"at"'),
    "a field twice": LINE.replace(b'{"at"', b'{"at":"x","at"'),
    "a field less": LINE.replace(b'"number":1,', b""),
    "another order": b'{"who":"ines",' + LINE.replace(b',"who":"ines"', b"")[1:],
    "another spelling": LINE.replace(b'"ines"', b'"\\u0069nes"'),
    "no newline": LINE.rstrip(b"\n"),
    "two newlines": LINE + b"\n",
    "a list": b"[]\n",
    "nothing": b"\n",
    "endless nesting": b"[" * 100_000 + b"\n",
    "an endless number": b"9" * 10_000 + b"\n",
    "not ASCII": LINE.replace(b"ines", "inès".encode()),
    "another hash": LINE.replace(b'"rows":3', b'"rows":4'),
}


@pytest.mark.parametrize("line", DENATURED.values(), ids=DENATURED)
def test_only_the_canonical_bytes_of_a_record_are_read(line: bytes) -> None:
    assert Record.parse(LINE).details == {"rows": 3}
    with pytest.raises(NotCanonical):
        Record.parse(line)


def test_the_line_is_json_for_any_reader() -> None:
    said = json.loads(record(event(details={"note": "ligne 1\nligne 2\u2028é"})).line)
    assert said["details"] == {"note": "ligne 1\nligne 2\u2028é"}
    assert said["decision"] == "allowed"
