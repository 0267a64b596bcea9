"""A bounded random search for pairs and triples of questions that isolate somebody.

Sessions of up to three related questions are drawn; the truth is known. What must never happen: two cells
shown with values of their own that few patients tell apart, or one that few patients tell apart from the sum
of two such cells of one answer; the same people with two values; a cell of too few. With exact answers and no
ledger such a session is found at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, count
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.attacks.arena import BLUR, Arena
from tests.attacks.population import CENTRES, COINS, SECRETS, Population, having, seen

FEW = 10
KEYS = ([], ["sex"], ["centre_id"], ["sex", "age_band"])


@dataclass(frozen=True)
class Question:
    """A conjunction of conditions and the keys of the table."""

    conditions: tuple[tuple[str, Any], ...]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A cell that came with a value of its own: who is in it, in which answer."""

    answer: int
    members: frozenset[int]
    physicians: int
    value: float


def wide() -> st.SearchStrategy[tuple[str, Any]]:
    return st.one_of(
        st.tuples(st.just("sex"), st.sampled_from("FM")),
        st.tuples(st.just("centre"), st.sampled_from(CENTRES)),
        st.tuples(st.just("up to age"), st.integers(30, 90)),
        st.tuples(st.just("has"), st.sampled_from([*SECRETS[:3], *COINS[:3]])),
    )


def narrow() -> st.SearchStrategy[tuple[str, Any]]:
    return st.tuples(st.sampled_from(["not number", "not unless ill"]), st.integers(0, 2_000))


@st.composite
def sessions(draw: st.DrawFn) -> list[Question]:
    """Each later question leaves some out of the first, or takes a condition away, or has other keys."""
    base = tuple(draw(st.lists(wide(), min_size=1, max_size=2)))
    keys = tuple(draw(st.sampled_from(KEYS)))
    asked = [Question(base, keys)]
    for _ in range(draw(st.integers(1, 2))):
        more = draw(st.one_of(st.lists(narrow(), min_size=1, max_size=4), st.lists(wide(), max_size=1)))
        kept = base[: draw(st.integers(1, len(base)))] if draw(st.booleans()) else base
        asked.append(Question((*kept, *more), draw(st.sampled_from([keys, keys, *map(tuple, KEYS)]))))
    return asked


def expression(question: Question, known: Any) -> Any:
    p = seen("patients")
    for name, value in question.conditions:
        match name:
            case "sex":
                p = p.filter(p.sex == value)
            case "centre":
                p = p.filter(p.centre_id == value)
            case "up to age":
                p = p.filter(p.age <= value)
            case "has":
                p = p.filter(having(p, value))
            case "not number":
                p = p.filter(~them(p, known.iloc[value]))
            case "not unless ill":
                p = p.filter(~(them(p, known.iloc[value]) & having(p, SECRETS[0])))
    counted = p.group_by(list(question.keys)) if question.keys else p
    return counted.agg(n=p.patient_id.nunique())


def them(p: Any, person: Any) -> Any:
    one = (p.centre_id == person.centre_id) & (p.sex == person.sex)
    return one & (p.birth_month == person.birth_month)


def members(question: Question, people: Population) -> Any:
    frame = people.people
    for name, value in question.conditions:
        person = people.known.iloc[value] if isinstance(value, int) and name.startswith("not") else None
        match name:
            case "sex":
                frame = frame[frame["sex"] == value]
            case "centre":
                frame = frame[frame["centre_id"] == value]
            case "up to age":
                frame = frame[frame["age"] <= value]
            case "has":
                frame = frame[frame[value]]
            case "not number":
                frame = frame.drop(person.name, errors="ignore")
            case "not unless ill" if person[SECRETS[0]]:
                frame = frame.drop(person.name, errors="ignore")
    return frame


def cells(a: Arena, people: Population, session: list[Question], user: str, project: str) -> Iterator[Shown]:
    for number, question in enumerate(session):
        frame, disclosure = a.answer(expression(question, people.known), user, project)
        summary = disclosure.measures["n"]
        copies = {
            frozenset(zip(disclosure.key_columns, label, strict=True)) for label in summary.snapped_labels
        }
        truth = members(question, people)
        for row in frame.to_dict("records"):
            label = {key: row[key] for key in question.keys}
            if np.isnan(float(row["n"] if row["n"] is not None else np.nan)):
                continue
            if frozenset(label.items()) in copies or (not label and summary.snapped):
                continue
            inside = truth
            for key, value in label.items():
                inside = inside[inside[key] == value]
            yield Shown(number, frozenset(inside.index), inside["physician_no"].nunique(), float(row["n"]))


def isolating(shown: list[Shown]) -> str:
    """What went wrong, or nothing."""
    for cell in shown:
        if len(cell.members) < 11 or cell.physicians < 3:
            return f"a cell of {len(cell.members)}"
    for one, other in combinations(shown, 2):
        apart = len(one.members ^ other.members)
        if 0 < apart <= FEW:
            return f"two cells {apart} apart"
        if apart == 0 and one.value != other.value:
            return "the same people with two values"
    for one, other in combinations(shown, 2):
        if one.answer != other.answer or one.members & other.members:
            continue
        for whole in shown:
            if 0 < len(whole.members ^ (one.members | other.members)) <= FEW and whole.answer != one.answer:
                return "a cell and the sum of two"
    return ""


def tried(a: Arena, people: Population, session: list[Question], number: int) -> str:
    """In a project and in a name of its own, so that sessions don't meet."""
    user, project = f"mallory{number}", f"search-{number}"
    a.join(project, user)
    return isolating(list(cells(a, people, session, user, project)))


def search(a: Arena, people: Population, examples: int) -> list[str]:
    """What was found wrong with so many sessions."""
    numbers, found = count(), []

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(sessions())
    def look(session: list[Question]) -> None:
        found.append(tried(a, people, session, next(numbers)))

    look()
    return [wrong for wrong in found if wrong]


def test_finds_somebody_without_noise_and_ledger(enter, people):
    with enter(*BLUR) as a:
        assert search(a, people, examples=12)


def test_finds_nobody(enter, people):
    with enter() as a:
        assert search(a, people, examples=30) == []
