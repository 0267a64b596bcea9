"""A resubmission shows what changed, and that alone."""

from __future__ import annotations

from hub_config.airlock.pages.changes import Change, change_of, gone, reworded
from hub_config.governance.releases.facts import CheckState, FileFacts, FileKind, OutputClass


def file(name: str, sha256: str) -> FileFacts:
    return FileFacts(1, name, sha256, 1, FileKind.CSV, OutputClass.UNVERIFIED, CheckState.CHECKED)


def test_bytes_say_what_is_the_same_and_names_what_changed() -> None:
    before = [file("a.csv", "1"), file("b.csv", "2")]
    assert change_of(file("renamed.csv", "1"), before) is Change.SAME
    assert change_of(file("b.csv", "3"), before) is Change.CHANGED
    assert change_of(file("c.csv", "4"), before) is Change.NEW
    assert [f.name for f in gone([file("renamed.csv", "1")], before)] == ["b.csv"]


def test_words_are_compared_word_by_word() -> None:
    pieces = reworded("Tous les patients de 2019", "Les patients de 2018")
    assert "".join(p.text for p in pieces if not p.gone) == "Tous les patients de 2019"
    assert "".join(p.text for p in pieces if not p.new) == "Les patients de 2018"
    assert [p.text for p in pieces if p.new][-1] == "2019"


def test_equal_words_are_not_compared() -> None:
    assert reworded("a", "a") == ()
