"""A physician who does not write code, at the real pages: reads what they show, decides as the fixture says,
and everything they read and press is counted.

Time is a keystroke-level model (Card, Moran and Newell, *The keystroke-level model for user performance time
with interactive systems*, Communications of the ACM 23(7), 1980): their 1.1 s to point at something and
1.35 s to make up one's mind before an act; a keystroke at 0.5 s, that of a slow typist; and beside it, ours:
200 words a minute, 15 s to look into a finding or at a picture, 5 s to find one's way on a new screen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hub_config.governance.releases.facts import State, Verdict
from tests.benchmarks.airlock.loading import Thirty
from tests.benchmarks.airlock.reading import Page, Whose, read
from tests.benchmarks.airlock.requests import Request
from tests.pages import Visit

WORDS_A_MINUTE: Final = 200
FINDING: Final = 15.0
PICTURE: Final = 15.0
SCREEN: Final = 5.0
KEYSTROKE: Final = 0.5
POINTING: Final = 1.1
MIND: Final = 1.35
_CLICK: Final = POINTING + KEYSTROKE


@dataclass
class Effort:
    """`fresh`: words but for those of ours that this person has met before. `minds`: decisions."""

    screens: int = 0
    keystrokes: int = 0
    clicks: int = 0
    minds: int = 0
    findings: int = 0
    pictures: int = 0
    words: Counter[Whose] = field(default_factory=Counter)
    fresh: Counter[Whose] = field(default_factory=Counter)

    def __add__(self, other: Effort) -> Effort:
        return Effort(
            self.screens + other.screens,
            self.keystrokes + other.keystrokes,
            self.clicks + other.clicks,
            self.minds + other.minds,
            self.findings + other.findings,
            self.pictures + other.pictures,
            self.words + other.words,
            self.fresh + other.fresh,
        )

    @property
    def minutes(self) -> float:
        """As if every text were read each time it is shown."""
        return self._minutes(self.words.total())

    @property
    def practised(self) -> float:
        """As somebody who does not read again the labels and warnings they have read before."""
        return self._minutes(self.fresh.total())

    def _minutes(self, words: int) -> float:
        pressed = KEYSTROKE * self.keystrokes + _CLICK * self.clicks + MIND * self.minds
        looked = FINDING * self.findings + PICTURE * self.pictures + SCREEN * self.screens
        return words / WORDS_A_MINUTE + (looked + pressed) / 60


@dataclass
class Physician:
    name: str
    thirty: Thirty
    efforts: dict[str, Effort] = field(default_factory=dict)
    queue: Effort = field(default_factory=Effort)
    estimated: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    visit: Visit = field(init=False)

    def __post_init__(self) -> None:
        self.visit = self.thirty.visit(self.name)

    @property
    def total(self) -> Effort:
        return sum(self.efforts.values(), self.queue)

    def open_queue(self) -> str:
        page = self.visit.get("/relecture").text
        self.queue += self._looked(read(page))
        self.estimated |= dict(_estimates(page))
        return page

    def approve_batch(self, page: str) -> None:
        """Unfold the requester's words of each, tick it, and accept them all at one go."""
        chosen = re.findall(r'name="request" value="([^"]+)"', page)
        unfolded = page.replace("<details>", "<details open>")
        for one in chosen:
            row = read(_row(unfolded, one.partition(":")[0]))
            folded = read(_row(page, one.partition(":")[0]))
            effort = self._looked(row, screens=0)
            shown = self._words(folded)
            self.efforts[one.partition(":")[0]] = Effort(
                clicks=2, minds=1, words=effort.words - shown, fresh=effort.fresh - shown
            )
        assert self.visit.post("/relecture/lot", {"request": chosen}).status_code == 303
        self.queue += Effort(clicks=1) + self._told()

    def review(self, id: str, verdict: Verdict, request: Request) -> None:
        """One request: from the queue's link to the queue again."""
        page = self.visit.get(f"/relecture/{id}").text
        seen = read(page)
        effort = Effort(clicks=1) + self._looked(seen)
        effort += self._go_through(seen)
        fields, pressed = self._ballot(page, verdict, request)
        answer = self.visit.post(f"/relecture/{id}/{self._where(page)}", fields)
        assert answer.status_code == 303, (request.title, answer.text)
        self.efforts[id] = self.efforts.get(id, Effort()) + effort + pressed + self._told()

    # --- what it takes ------------------------------------------------------------------------------------

    def _looked(self, page: Page, screens: int = 1) -> Effort:
        words, fresh = page.words(), page.unfamiliar(self.known)
        return Effort(
            screens,
            findings=page.findings,
            pictures=page.pictures,
            words=Counter(words),
            fresh=Counter(fresh),
        )

    def _words(self, page: Page) -> Counter[Whose]:
        return Counter(page.words())

    @staticmethod
    def _go_through(page: Page) -> Effort:
        """`j` to each finding, file and the vote; `a` or `c` at each file."""
        return Effort(keystrokes=page.stops + page.files, minds=page.files + page.findings)

    def _told(self) -> Effort:
        """The queue again, of which only the message is read: the next request stands where one left it."""
        page = self.visit.get("/relecture").text
        message = re.findall(r'role="status">([^<]+)<', page)
        words = Counter({Whose.OURS: sum(len(text.split()) for text in message)})
        return Effort(screens=1, words=words, fresh=words)

    def _ballot(self, page: str, verdict: Verdict, request: Request) -> tuple[dict[str, object], Effort]:
        """The vote's fields; each text typed in full, a reason ticked with a click, the form sent by one."""
        fields: dict[str, object] = {"verdict": verdict.value, "seal": _seal(page)}
        effort = Effort(keystrokes=1, clicks=1, minds=1)
        if verdict in (Verdict.CHANGES, Verdict.REJECT):
            reasons = _suggested(page)
            fields |= {"reason": reasons, "to_requester": request.told}
            effort += Effort(keystrokes=len(request.told), clicks=len(reasons) + bool(request.told))
        if request.note:
            fields["comment"] = request.note
            effort += Effort(keystrokes=len(request.note), clicks=1)
        return fields, effort

    @staticmethod
    def _where(page: str) -> str:
        return "consolidation" if "/consolidation" in page else "avis"


def review_all(thirty: Thirty) -> tuple[Physician, Physician]:
    """Both reviewers through the whole queue: the first takes the batch too; where they differ, the second
    agrees with the first after both have read each other."""
    first, second = (Physician(name, thirty) for name in ("diane", "denis"))
    page = first.open_queue()
    first.approve_batch(page)
    _each(first, thirty)
    second.open_queue()
    _each(second, thirty)
    for id, request in thirty.waiting.items():
        if thirty.facts(id).state is State.IN_REVIEW:
            _consolidate(first, second, id, request)
    return first, second


def _each(physician: Physician, thirty: Thirty) -> None:
    for id, request in thirty.waiting.items():
        facts = thirty.facts(id)
        if facts.state in (State.SUBMITTED, State.IN_REVIEW) and physician.name in facts.assigned:
            differs = physician.name == "denis" and request.second is not None
            physician.review(id, request.second if differs and request.second else request.verdict, request)


def _consolidate(first: Physician, second: Physician, id: str, request: Request) -> None:
    """Only the table of both votes is new; the second reads it, and votes as the first did."""
    page = second.visit.get(f"/relecture/{id}").text
    effort = Effort(clicks=1, minds=1) + second._looked(read(page, only="consolider"))
    fields, pressed = second._ballot(page, request.verdict, request)
    assert second.visit.post(f"/relecture/{id}/consolidation", fields).status_code == 303
    second.efforts[id] += effort + pressed + second._told()


def _estimates(page: str) -> Iterator[tuple[str, int]]:
    for id in re.findall(r'<tr data-request="([^"]+)"', page):
        found = re.search(r"≈\D{0,3}(\d+)", _row(page, id))
        if found:
            yield id, int(found[1])


def _row(page: str, id: str) -> str:
    found = re.search(rf'<tr data-request="{re.escape(id)}".*?</tr>', page, re.S)
    return f"<main>{found[0]}</main>" if found else ""


def _seal(page: str) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def _suggested(page: str) -> list[str]:
    """The reasons offered first, after the findings; where there are none, the context is asked for."""
    offered = page.partition('<ul class="reasons suggested">')[2].partition("</ul>")[0]
    return re.findall(r'name="reason" value="([^"]+)"', offered) or ["contexte"]
