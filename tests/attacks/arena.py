"""Where an attack is tried: a real gateway over HTTP on the planted population, with chosen defences out.

An attack sees what comes over the wire and what a neighbour knows, nothing else; it guesses one secret bit
for each of many victims. It is tried twice: with its own defence replaced by a double (it must be right nine
times in ten, or it would prove nothing), then for real (it must not be told from guessing).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hub_config.gateway.engine import EngineLimits
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.rules.cells import Cells
from hub_config.gateway.rules.plan import AuthorisedQuery, MeasureKind
from hub_config.governance import actions
from hub_config.governance.charter import MemberRole
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.disclosure.cellkey import PTable
from p4dp_sdk.disclosure.hypercube import Status, Suppression, TableProblem
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.primary import withheld
from p4dp_sdk.wire.protocol import Disclosure
from p4dp_sdk.wire.publication import Document
from tests.attacks.population import CELL, SECRETS, Population, bits
from tests.services.gateway.forgetful import Forgetful
from tests.services.gateway.peer_enclave import (
    Enclave,
    add_project,
    as_counted,
    charter,
    demonstration,
    opened,
)
from tests.services.gateway.publishing import publish

MEMBER, PROJECT, ROWS = "eve", "these-eve", "modeles-eve"
_LIMITS: Final = EngineLimits(memory_bytes=512 * 1024**2, threads=2)


class Defence(Enum):
    """What can be taken out."""

    PRIMARY = "the primary rules"
    LIMITS = "the noise of limits"
    NOISE = "the noise"
    STICKINESS = "the stickiness of noise"  # every question gets noise of its own
    OWN_NOISE = "each number's own noise"  # rows and patients of a cell share a draw, in every project
    MEMORY = "the ledger"
    RULES = "the rules of the split"  # asked under a microdata grant, where none of them holds
    SUPPRESSION = "secondary suppression"
    SELECTORS = "the limit on descriptions of people"


ONE_ANSWER: Final = 0.615  # what one question about a count tells, shown or not: `test_limits`
BLUR: Final = (Defence.NOISE, Defence.LIMITS, Defence.MEMORY)
FORGETFUL: Final = (Defence.STICKINESS, Defence.LIMITS, Defence.MEMORY)
NOISE: Final = 2.0  # standard deviation of a count, by default


@dataclass(frozen=True)
class Score:
    """How often an attacker was right. `base`: how often who does not look."""

    right: int
    trials: int
    base: float = 0.5

    @property
    def rate(self) -> float:
        return self.right / self.trials if self.trials else float("nan")

    def interval(self, z: float = 2.576) -> tuple[float, float]:
        """Wilson, 99 %. Wilson, JASA 22 (1927) 209–212."""
        n, p = max(self.trials, 1), self.right / max(self.trials, 1)
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return middle - half, middle + half

    @property
    def succeeds(self) -> bool:
        return self.rate >= 0.9

    @property
    def is_guessing(self) -> bool:
        """Not better than guessing, nor when each guess is turned round."""
        low, high = self.interval()
        return low <= self.base and 1 - high <= self.base

    def is_within(self, bound: float) -> bool:
        """Not shown to be right more often than `bound`."""
        return self.interval()[0] <= bound

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.trials + other.trials, self.base)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"right {self.rate:.3f} [{low:.3f}, {high:.3f}] of {self.trials}, guessing {self.base:.2f}"


def after(looks: float, noise: float = NOISE) -> float:
    """How often right is who knows everybody else and sees the bit so often, each time under fresh noise:
    Φ(√n / 2σ). What noise alone leaves; nothing that asks n questions may do better. `noise`: σ in what the
    bit adds."""
    return NormalDist().cdf(math.sqrt(looks) / (2 * noise))


@dataclass(frozen=True)
class Line:
    """What one attack achieved against one state of the defence, with so many questions."""

    attack: str
    out: tuple[str, ...]
    score: Score
    asked: int

    @property
    def said(self) -> str:
        return "without " + ", ".join(self.out) if self.out else "for real"


@dataclass
class Scoreboard:
    """What a run found."""

    lines: list[Line] = field(default_factory=list)

    def add(
        self, attack: str, a: Arena, score: Score, *, aside: Iterable[Defence] = (), without: str = ""
    ) -> Score:
        """`aside`: what is out in both runs, since it refuses the attack before the defence on trial is met;
        `without`: a rule that the test itself took out."""
        out = [defence.value for defence in a.out - set(aside)] + [without] * bool(without)
        self.lines.append(Line(attack, tuple(sorted(out)), score, a.asked))
        return score


class Refused(Exception):
    """The gateway's refusal, as a notebook gets it."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}")
        self.code = str(problem.get("code", "")).rsplit("/", 1)[-1]
        self.problem = problem


@dataclass
class Arena:
    """One fresh gateway: empty ledger, keys of its own. `dice` are the attacker's."""

    enclave: Enclave
    loop: asyncio.Runner
    out: frozenset[Defence]
    dice: np.random.Generator
    asked: int = 0
    _rows: bool = False

    def ask(self, expression: ibis.Expr, user: str = MEMBER, project: str = PROJECT) -> pd.DataFrame:
        """The answer; a withheld cell is NaN. Raises Refused."""
        return self.answer(expression, user, project)[0]

    def answer(
        self, expression: ibis.Expr, user: str = MEMBER, project: str = PROJECT
    ) -> tuple[pd.DataFrame, Disclosure]:
        self.asked += 1
        enclave = self.enclave
        if Defence.RULES in self.out:
            project = self.microdata()
        if Defence.STICKINESS in self.out:
            fresh = replace(enclave.gateway.guard, keyring=Keyring(self.dice.bytes(32)))
            enclave = enclave.with_gateway(guard=fresh)
        workspace = enclave.workspace(user, project)
        response = self.loop.run(workspace.ask(expression))
        if response.status_code != 200:
            raise Refused(response.status_code, response.json())
        table, disclosure = opened(response.content)
        return table.to_pandas(), disclosure

    def publish(self, expression: ibis.Expr, title: str, project: str = PROJECT) -> pd.DataFrame:
        """The publication table. Raises Refused."""
        self.asked += 1
        workspace = self.enclave.workspace(MEMBER, project)
        response = self.loop.run(publish(workspace, expression, title))
        if response.status_code != 200:
            raise Refused(response.status_code, response.json())
        statement = Document.from_json(response.content).statement
        return pd.DataFrame(statement.rows, columns=[column.name for column in statement.columns])

    def reply(self, expression: ibis.Expr, project: str = PROJECT) -> tuple[object, ...]:
        """All that a reply says, but for its number and the question it repeats."""
        try:
            frame, disclosure = self.answer(expression, project=project)
        except Refused as refusal:
            return (str(refusal), {k: v for k, v in refusal.problem.items() if k != "request_id"})
        return (frame.to_csv(), str(frame.dtypes), replace(disclosure, request_id="", definition=""))

    def microdata(self) -> str:
        """A project under whose grant no rule of release holds."""
        if not self._rows:
            add_project(self.enclave, charter(ROWS, AccessLevel.MICRODATA, MEMBER))
            self._rows = True
        return ROWS

    def cells(self, expression: ibis.Expr, keys: Sequence[str] = CELL, **who: str) -> NDArray[np.float64]:
        """The measure `n` of all cells in the order of the victims' own."""
        frame = self.ask(expression, **who).sort_values(list(keys))
        return frame["n"].to_numpy(dtype=float, na_value=np.nan)

    def coins(self, trials: int) -> NDArray[np.bool_]:
        return self.dice.random(trials) < 0.5

    def mark(self, guesses: NDArray[np.float64], truth: NDArray[np.bool_], base: float = 0.5) -> Score:
        """Positive guesses say yes, negative no; 0 or NaN tosses a coin."""
        undecided = ~(np.abs(guesses) > 0)
        said = np.where(undecided, self.coins(len(truth)), guesses > 0)
        return Score(int((said == truth).sum()), len(truth), base)

    def differencing(
        self,
        people: Population,
        pair: Callable[[pd.DataFrame, str], tuple[ibis.Expr, ibis.Expr]],
        turns: int = 3,
        keys: Sequence[str] = CELL,
        turned: bool = False,
    ) -> Score:
        """The first answer less the second, in each victim's own cell: positive says yes. `turned`: the
        second is asked first."""
        score = Score(0, 0)
        for turn in range(turns):
            victims, secret = people.victims(turn, keys), SECRETS[turn]
            questions = pair(victims, secret)
            answers = [self.cells(q, keys) for q in (questions[::-1] if turned else questions)]
            more, less = answers[::-1] if turned else answers
            score += self.mark(more - less - 0.5, bits(victims, secret))
        return score

    def join(self, project: str, *members: str, snapshot: int = 1, rolling: str | None = None) -> None:
        """One more approved project, aggregates only."""
        made = charter(project, AccessLevel.AGGREGATE, members[0], snapshot=snapshot)
        add_project(self.enclave, replace(made, rolling=rolling))
        for member in members[1:]:
            self.add_member(project, member)

    def add_member(self, project: str, member: str) -> None:
        self.enclave.govern(actions.add_member, project, member, MemberRole.CHERCHEUR)


@contextmanager
def arena(
    warehouse: Path, home: Path, out: frozenset[Defence] = frozenset(), seed: int = 0
) -> Iterator[Arena]:
    """A gateway of its own with the defences `out` replaced by doubles."""
    home.mkdir(parents=True, exist_ok=True)
    with asyncio.Runner() as loop, demonstration(warehouse, home, _LIMITS) as made:
        ready = Arena(_disarmed(made, out), loop, out, np.random.default_rng(seed))
        ready.join(PROJECT, MEMBER)
        yield ready


def _disarmed(enclave: Enclave, out: frozenset[Defence]) -> Enclave:
    guard = enclave.gateway.guard
    if Defence.LIMITS in out:
        guard = replace(guard, verdicts=exact_limits)
    if Defence.PRIMARY in out:
        guard = replace(guard, verdicts=nothing_withheld)
    if Defence.OWN_NOISE in out:
        guard = replace(guard, propose=one_draw)
    if Defence.NOISE in out:
        guard = replace(guard, propose=as_counted)
    press = enclave.gateway.press
    if Defence.MEMORY in out:
        guard, press = replace(guard, memory=Forgetful()), replace(press, memory=Forgetful())
    if Defence.SUPPRESSION in out:
        press = replace(press, suppress=primaries_only)
    if Defence.SELECTORS in out:
        press = replace(press, selectors=anything_selects)
    return enclave.with_gateway(guard=guard, press=press)


# --- the doubles -------------------------------------------------------------------------------------------


def nothing_withheld(cells: Cells, _policy: Policy, _prf: object) -> dict[str, NDArray[np.bool_]]:
    """For the primary rules: everybody may be seen."""
    return {column.measure.name: np.zeros(len(cells.labels), dtype=bool) for column in cells.columns}


def exact_limits(cells: Cells, policy: Policy, _prf: object) -> dict[str, NDArray[np.bool_]]:
    """For the noise of limits: they are met to the person, as in a publication table."""
    return {
        column.measure.name: withheld(
            column.backing, policy, magnitude=column.measure.kind is MeasureKind.SUM
        )[0]
        for column in cells.columns
    }


def primaries_only(problem: TableProblem, _limits: object) -> Suppression:
    """For secondary suppression: what the primary rules withhold, and nothing to hide it behind."""
    withheld = {quantity.name: quantity.status == Status.PRIMARY for quantity in problem.quantities}
    nothing = {name: np.zeros(len(flags)) for name, flags in withheld.items()}
    return Suppression(withheld, nothing, nothing)


def anything_selects(_query: AuthorisedQuery) -> None:
    """For the limit on descriptions: a table may name people one by one."""


def one_draw(
    cells: Cells, masks: Mapping[str, NDArray[np.bool_]], policy: Policy, _prf: object
) -> dict[str, NDArray[np.float64]]:
    """For each number's own noise: one draw for all counts of a cell, small whatever a patient's rows."""
    table, first = PTable.of(policy), cells.columns[0]
    values = {}
    for column in cells.columns:
        shown = ~masks[column.measure.name]
        drawn = (first.backing.patients * 0.6180339887) % 1.0  # told by the patients alone, in every project
        values[column.measure.name] = np.full(len(shown), np.nan)
        counts = column.exact[shown].astype(np.int64)
        values[column.measure.name][shown] = table.perturbed(counts, drawn[shown])
    return values
