"""What governance refuses to its operators, in words. One class a kind, one message a problem, no stack
trace."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class GovernanceProblem(Exception):
    """A request that can't be carried out as asked; the message says what, why and what to do next."""


class UnknownProject(GovernanceProblem):
    """No project has this name. Only operators see the near misses: the gateway answers `not-a-member`."""

    def __init__(self, slug: str, known: Iterable[str] = ()) -> None:
        super().__init__(
            f"There is no project {slug!r}.{did_you_mean(slug, known)} "
            "`p4dp-enclave project list` shows them."
        )
        self.slug = slug


class BadGrant(GovernanceProblem):
    """A grant that names what does not exist, or asks for more than the rules allow. One line a problem."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The grant is refused:\n" + "\n".join(f"  {problem}" for problem in self.problems))


class BadProject(GovernanceProblem):
    """A project, member or policy that breaks a rule of the house."""


class BadPerson(GovernanceProblem):
    """An entry of the register of persons that can't be: nobody's number, or somebody else's."""


class ForbiddenTransition(GovernanceProblem):
    """A project can't go from its status to another by this step."""


class StoreProblem(GovernanceProblem):
    """The governance database can't be opened or written."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or nothing if no known word is near."""
    near = get_close_matches(word, list(known), n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
