"""What leaves rightly passes, what must not leave is stopped for its reason, and the page says how often."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from hub_config.airlock.checks import inspect_bytes
from hub_config.governance.releases.findings import Rule
from tests.corpus.cases import Case, Group
from tests.corpus.page import COMMAND, PAGE, build
from tests.corpus.running import cases, outcomes, searched

KNOWN_ALARMS: Final[frozenset[str]] = frozenset()
_BOXED: Final = (
    "motifs.docx", "tableau-1.pdf", "execute.ipynb", "barres.svg", "courbe.png", "cox.json", "masque.xlsx",
    "pseudonymes.parquet", "petits-effectifs.html", "carnet-widgets.ipynb", "programme.pdf", "xxe.svg",
    "60000.png", "bombe.docx", "profond.json", "large.csv", "zip.png", "exif.jpg", "paquet.pkl",
    "sklearn-arbre.json",
)  # fmt: skip


def test_the_corpus_is_large_and_no_name_stands_twice() -> None:
    groups = Counter(case.group for case in cases())
    assert groups[Group.SAFE] >= 70 and groups[Group.UNSAFE] >= 80 and groups[Group.BEYOND] >= 10
    assert len({case.name for case in cases()}) == len(cases())


def test_every_unsafe_file_is_stopped_for_its_reason_where_it_is() -> None:
    wrong = [
        each.case.name for each in outcomes() if each.case.group is Group.UNSAFE and not each.as_expected
    ]
    assert wrong == []


def test_every_doubtful_file_is_told() -> None:
    doubtful = [each for each in outcomes() if each.case.group is Group.DOUBTFUL]
    assert doubtful and [each.case.name for each in doubtful if not each.as_expected] == []


def test_safe_files_pass_but_for_the_alarms_we_know() -> None:
    alarms = {each.case.name for each in outcomes() if each.case.group is Group.SAFE and each.stopped}
    assert alarms <= KNOWN_ALARMS


def test_no_finding_and_no_param_holds_a_number_of_the_file() -> None:
    """A pseudonym stands in previews, which reviewers see, and in candidates; never in a finding."""
    numbers = {str(number) for each in outcomes() for number in each.inspection.candidates}
    for each in outcomes():
        for finding in each.findings:
            told = [str(value) for value in finding.params.values()] + [
                finding.place.what if finding.place else ""
            ]
            assert not numbers & {word for text in told for word in text.split()}, each.case.name


def test_a_silent_gateway_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken out, the search finds nothing and the file would pass: so it blocks."""
    import httpx

    from tests.corpus import running

    monkeypatch.setattr(running, "_gateway", lambda _: httpx.Response(503))
    assert [each.rule for each in searched([5 * 10**17])] == [Rule.PSEUDONYMS_NOT_SEARCHED]


@pytest.mark.parametrize("name", _BOXED)
def test_the_box_says_the_same(name: str) -> None:
    case = _case(name)
    told = next(each.inspection for each in outcomes() if each.case is case)
    boxed = inspect_bytes(case.make(), case.name)
    assert (boxed.quarantined, boxed.kind) == (told.quarantined, told.kind)
    assert {each.rule for each in boxed.findings} == {each.rule for each in told.findings}
    assert boxed.candidates == told.candidates


def test_the_page_is_current(request: pytest.FixtureRequest) -> None:
    page = build(outcomes())
    if request.config.getoption("--write-airlock-checks", default=False):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, f"run `{COMMAND}`"


def _case(name: str) -> Case:
    return next(case for case in cases() if case.name == name)
