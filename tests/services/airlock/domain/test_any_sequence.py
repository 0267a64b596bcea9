"""Whatever people do, in whatever order: nothing leaves without the approvals it needs, by distinct people
with no part in it, on exactly the bytes that leave. Against a model that keeps no more than who said what of
which bytes.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub_config.airlock.actions import drafting, reviewing
from hub_config.airlock.actions.drafting import Checked
from hub_config.airlock.pool import actions as pool
from hub_config.airlock.rules.voting import Ballot
from hub_config.airlock.shelf import Shelf
from hub_config.airlock.texts import AirlockProblem
from hub_config.governance.problems import GovernanceProblem
from hub_config.governance.releases.facts import CheckState, State, Verdict
from hub_config.governance.releases.findings import Finding, Severity
from hub_config.governance.releases.findings import Rule as Found
from hub_config.governance.roles import Person
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from tests.services.airlock.domain.house import (
    CHARLES,
    DENIS,
    DIANE,
    INES,
    ODILE,
    SAFE,
    UNVERIFIED,
    House,
    furnished,
)

BLOCKED = Checked(
    state=CheckState.CHECKED, findings=(Finding(Found.REFUSED_KIND, Severity.BLOCKING),), checker="v1"
)
QUARANTINED = Checked(state=CheckState.QUARANTINED, checker="v1")
reviewers = [DIANE, DENIS, ODILE]
people = st.sampled_from([INES, *reviewers, *reviewers])
verdicts = st.sampled_from([Verdict.APPROVE] * 8 + list(Verdict))
checks = st.sampled_from([SAFE, SAFE, SAFE, UNVERIFIED, UNVERIFIED, UNVERIFIED, QUARANTINED, BLOCKED])
contents = st.sampled_from([b"one", b"two", b"three"])
Said = dict[str, tuple[Verdict, frozenset[tuple[str, bytes]]]]


class Airlock(RuleBasedStateMachine):
    """What everybody said last of which bytes; who ever had a part in the project."""

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="p4dp-any-"))
        settings = Settings(home=self.home)
        airlock = settings.airlock.model_copy(update={"born_safe_at_once": False})
        settings = settings.model_copy(update={"airlock": airlock})
        self.house = furnished(House(open_store(settings), settings))
        self.said: dict[str, Said] = {}
        self.files: dict[str, dict[str, tuple[bytes, Checked]]] = {}
        self.part: set[str] = {"ines"}
        self.left: dict[str, frozenset[tuple[str, bytes]]] = {}
        self.known: list[str] = []

    def teardown(self) -> None:
        self.house.store.close()
        shutil.rmtree(self.home)

    @initialize(target=requests)
    def first(self) -> str:
        """In the reviewers' hands at once: most of what can go wrong begins there."""
        request = self._drafted()
        self.house.submit(request)
        return request

    @rule(target=requests)
    def draft(self) -> str:
        return self._drafted()

    @rule(request=requests, content=contents, checked=checks, name=st.sampled_from(["a.csv", "b.csv"]))
    def add(self, request: str, content: bytes, checked: Checked, name: str) -> None:
        if self._done(
            lambda: self.house.add(request, name=name, content=content, checked=checked, replacing=True)
        ):
            self.files[request][name] = (content, checked)
            self.said[request].clear()

    @rule(request=requests, who=st.sampled_from([INES, INES, INES, DIANE]))
    def submit(self, request: str, who: Person) -> None:
        self._done(lambda: self.house.submit(request, who))

    @rule(request=requests, who=people, verdict=verdicts, care=st.integers(0, 7))
    def vote(self, request: str, who: Person, verdict: Verdict, care: int) -> None:
        """`care` 0: on files that are not those of the request; 1: without a word."""
        comment = "Examiné à la main, rien de personnel." if care != 1 else ""
        ballot = self.house.ballot(request, verdict, comment=comment)
        cast = ballot if care else Ballot(verdict, "0" * 64)

        def act() -> None:
            with self.house.doing(who) as (session, how):
                reviewing.vote(session, who, request, cast, **how)

        if self._done(act):
            self.said[request][who.username] = (verdict, self._bytes(request))

    @rule(request=requests, who=people, verdict=verdicts)
    def consolidate(self, request: str, who: Person, verdict: Verdict) -> None:
        comment = "Examiné à la main, rien de personnel."
        if self._done(lambda: self.house.consolidate(request, who, verdict, comment=comment)):
            self.said[request][who.username] = (verdict, self._bytes(request))

    @rule(who=people, request=requests)
    def approve_in_a_batch(self, who: Person, request: str) -> None:
        seal = self.house.facts(request).seal

        def act() -> None:
            with self.house.doing(who) as (session, how):
                reviewing.approve_batch(session, who, {request: seal}, **how)

        if self._done(act):
            self.said[request][who.username] = (Verdict.APPROVE, self._bytes(request))

    @rule(request=requests, who=people)
    def withdraw(self, request: str, who: Person) -> None:
        def act() -> None:
            with self.house.doing(who) as (session, how):
                drafting.withdraw(session, who, request, **how)

        self._done(act)

    @rule(request=requests)
    def release(self, request: str) -> None:
        if self._done(lambda: self.house.release(request)):
            self._left(request)

    @rule(request=requests, voters=st.permutations(reviewers), few=st.integers(1, 3))
    def hurry(self, request: str, voters: list[Person], few: int) -> None:
        """Everybody approves, and out it goes: what a colluding or careless house would do."""
        self.submit(request, INES)
        for who in voters[:few]:
            self.vote(request, who, Verdict.APPROVE, 7)
        self.release(request)

    @rule(request=requests, voters=st.permutations(reviewers), content=contents, checked=checks)
    def hurry_with_a_swap(self, request: str, voters: list[Person], content: bytes, checked: Checked) -> None:
        """The files change between the two votes, and are handed in again."""
        self.submit(request, INES)
        self.vote(request, voters[0], Verdict.APPROVE, 7)
        self.add(request, content, checked, "a.csv")
        self.submit(request, INES)
        self.vote(request, voters[1], Verdict.APPROVE, 7)
        self.release(request)

    @rule(request=requests, voters=st.permutations(reviewers))
    def hurry_with_a_friend(self, request: str, voters: list[Person]) -> None:
        """One of those who approved joins the project before it leaves."""
        self.submit(request, INES)
        for who in voters[:2]:
            self.vote(request, who, Verdict.APPROVE, 7)
        if len(self.part) == 1:
            self.join(voters[0])
        self.release(request)

    @precondition(lambda self: len(self.part) == 1)
    @rule(who=st.sampled_from(reviewers))
    def join(self, who: Person) -> None:
        if self._done(lambda: self.house.join("these-ines", who)):
            self.part.add(who.username)

    @precondition(lambda self: len(self.part) > 1)
    @rule(who=st.sampled_from(reviewers))
    def leave(self, who: Person) -> None:
        self._done(lambda: self.house.leave("these-ines", who))

    @rule(who=people, named=st.sampled_from([True, True, True, False]))
    def name(self, who: Person, named: bool) -> None:
        def act() -> None:
            with self.house.doing(CHARLES) as (session, how):
                change = pool.name_reviewer if named else pool.remove_reviewer
                change(session, CHARLES, who.username, **how)

        self._done(act)

    @invariant()
    def what_left_stays_as_it_was(self) -> None:
        for request, files in self.left.items():
            facts = self.house.facts(request)
            assert facts.state is State.RELEASED
            shelf: Shelf = self.house.shelf
            assert {(file.name, shelf.read(file.sha256)) for file in facts.files} == files

    @invariant()
    def nothing_else_left(self) -> None:
        released = {each for each in self.known if self.house.facts(each).state is State.RELEASED}
        assert released == set(self.left)

    def _drafted(self) -> str:
        request = self.house.draft()
        self.said[request] = {}
        self.files[request] = {"tableau1.csv": (b"", UNVERIFIED)}
        self.files[request]["tableau1.csv"] = (self._content(request), UNVERIFIED)
        self.known.append(request)
        return request

    def _left(self, request: str) -> None:
        """The one thing that matters, said once more and otherwise."""
        if self.house.facts(request).state is not State.RELEASED or request in self.left:
            return
        approvals = {
            who
            for who, (verdict, files) in self.said[request].items()
            if verdict is Verdict.APPROVE and files == self._bytes(request) and who not in self.part
        }
        checks = [checked for _content, checked in self.files[request].values()]
        assert BLOCKED not in checks
        assert len(approvals) >= (1 if all(checked is SAFE for checked in checks) else 2)
        self.left[request] = self._bytes(request)

    def _bytes(self, request: str) -> frozenset[tuple[str, bytes]]:
        return frozenset((name, content) for name, (content, _) in self.files[request].items())

    def _content(self, request: str) -> bytes:
        return self.house.shelf.read(self.house.facts(request).files[0].sha256)

    @staticmethod
    def _done(act: object) -> bool:
        try:
            act()  # type: ignore[operator]
        except (AirlockProblem, GovernanceProblem):
            return False
        return True


TestAnySequence = Airlock.TestCase
TestAnySequence.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a failure is told at once, not made small
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
