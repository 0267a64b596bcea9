"""A measure in plain prose, for a physician or a methods section."""

from __future__ import annotations

from typing import Final, Protocol

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.indicators.measure import Measure, Unit
from p4dp_sdk.locale import Language
from p4dp_sdk.locale import language as chosen


class _Say(Protocol):
    def __call__(self, which: str, **blanks: object) -> str: ...


_UNITS: Final = {
    Unit.PATIENT: ("des patients distincts", "distinct patients"),
    Unit.CONSULTATION: ("des consultations", "consultations"),
    Unit.ROW: ("des lignes du dossier", "rows of the record"),
}
_SENTENCES: Final = {
    "counted": ("On compte {unit}.", "What is counted: {unit}."),
    "denominator": ("Dénominateur : {name}.", "Denominator: {name}."),
    "numerator": ("Numérateur : {name}.", "Numerator: {name}."),
    "numerators": ("Numérateurs : {name}.", "Numerators: {name}."),
    "missing": (
        "Une information absente est une classe à part (« non renseigné »), jamais un « non ».",
        "What is not recorded is a class of its own, never a “no”.",
    ),
    "window": (
        "Fenêtre : les {n} mois jusqu'à la date de référence.",
        "Window: the {n} months to the date.",
    ),
    "record": ("Fenêtre : tout le dossier jusqu'à la date.", "Window: the whole record up to the date."),
    "period": ("Fenêtre : la période demandée.", "Window: the period asked for."),
    "quality": ("Règles de qualité nécessaires : {name}.", "Quality rules it needs: {name}."),
    "interval": (
        "Intervalles à 95 % de Wilson (1927), calculés sur les nombres affichés.",
        "95 % intervals by Wilson (1927), computed from the numbers shown.",
    ),
    "source": ("Source : {name}.", "Source: {name}."),
}


def explain(measure: Measure, language: str | None = None) -> str:
    """Title, then a sentence each: what, among whom, when, quality, limits, source."""
    title, *parts = sentences(measure, language)
    return "\n".join([title, " ".join(parts)])


def sentences(measure: Measure, language: str | None = None) -> list[str]:
    """The same, apart: the title, then each sentence or limit."""
    at = int((Language(language) if language else chosen()) is Language.ENGLISH)

    def say(which: str, **blanks: object) -> str:
        return _SENTENCES[which][at].format(**blanks)

    told = (
        (measure.label_fr, measure.label_en)[at],
        (measure.explanation_fr, measure.explanation_en)[at],
        say("counted", unit=_UNITS[measure.unit][at]),
        *_parts(measure, at, say),
        _window(measure, say),
        say("missing") if measure.missing else "",
        say("quality", name=_rules(measure, at)) if measure.quality else "",
        say("interval") if measure.numerators else "",
        (measure.limits_fr, measure.limits_en)[at],
        say("source", name=measure.source.rstrip(".")),
    )
    return [part for part in told if part]


def _parts(measure: Measure, at: int, say: _Say) -> list[str]:
    names = [measure.labels.get(name, (name, name))[at] for name in measure.numerators]
    denominator = measure.labels.get("denominator", ("", ""))[at]
    told = [say("denominator", name=denominator)] if denominator else []
    if names:
        told.append(say("numerator" if len(names) == 1 else "numerators", name="; ".join(names)))
    return told


def _window(measure: Measure, say: _Say) -> str:
    if measure.window is not None:
        return say("window", n=measure.window)
    return say("record") if measure.unit is Unit.PATIENT else say("period")


def _rules(measure: Measure, at: int) -> str:
    codes = {each.code: each for each in load_catalogue().code_systems["dq_code"].codes}
    labels = [(codes[rule].label_fr, codes[rule].label_en)[at] for rule in measure.quality]
    return "; ".join(_inside(label) for label in labels)


def _inside(label: str) -> str:
    """A label as it stands inside of a sentence: without its capital, unless it is an acronym's."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
