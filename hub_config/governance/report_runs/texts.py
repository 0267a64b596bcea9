"""What the command says, French and English beside each other: departments read it, and operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["fr", "en"]


@dataclass(frozen=True)
class Text:
    fr: str
    en: str

    def say(self, language: Language) -> str:
        return self.fr if language == "fr" else self.en

    def fill(self, **blanks: object) -> Text:
        return Text(self.fr.format(**blanks), self.en.format(**blanks))

    def __add__(self, other: Text) -> Text:
        return Text(self.fr + other.fr, self.en + other.en)


NOTHING = Text("", "")


class ReportProblem(Exception):
    """A run that does not start, or did not end well, in words for who asked for it."""

    exit_code = 2

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class NotRunning(ReportProblem):
    """There is no enclave to run in."""

    exit_code = 3


def language_of(environ: Mapping[str, str]) -> Language:
    """As in a notebook: French unless they say otherwise."""
    wanted = environ.get("P4DP_LANG") or environ.get("LANG") or ""
    return "en" if wanted.lower().startswith("en") else "fr"


def listed(lines: tuple[Text, ...]) -> Text:
    """One line a problem, indented."""
    return Text(*("".join(f"\n  {line.say(each)}" for line in lines) for each in ("fr", "en")))
