"""The definition as prose for a methods section, in French and in English (STROBE, items 4 to 8).

Every step, window, code list with its version, the snapshot and the rules of exit, from the definition
alone: what is said is what is computed. Both languages stand beside each other here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from p4dp_sdk.cohorts.definition import (
    Criterion,
    Definition,
    EventCriterion,
    Occurrence,
    Outcome,
    RowCriterion,
    Summary,
    Variable,
)
from p4dp_sdk.cohorts.events import Events
from p4dp_sdk.cohorts.windows import Ever, Reach, Span, Window
from p4dp_sdk.locale import Language

FR, EN = Language.FRENCH, Language.ENGLISH
Words = Mapping[Language, str]

_INDEX: Final[Mapping[Occurrence, Words]] = {
    Occurrence.FIRST: {
        FR: "La date d'inclusion (T0) est celle du premier événement enregistré au dossier parmi : {events}.",
        EN: "The index date is that of the first event on record among: {events}.",
    },
    Occurrence.LAST: {
        FR: "La date d'inclusion (T0) est celle du dernier événement enregistré au dossier parmi : {events}.",
        EN: "The index date is that of the last event on record among: {events}.",
    },
    Occurrence.ANY: {
        FR: "Chaque jour avec un événement parmi : {events}, est une date d'inclusion (T0) ; un patient peut"
        " en avoir plusieurs.",
        EN: "Each day with an event among: {events}, is an index date; a patient may have several.",
    },
}
_OBSERVED: Final[Words] = {
    FR: "Elle doit se situer dans une période d'observation du patient.",
    EN: "It has to lie within an observation period of the patient.",
}
_BETWEEN: Final[Words] = {
    FR: "Les dates d'inclusion vont du {start} au {end}, bornes comprises.",
    EN: "Index dates range from {start} to {end}, both included.",
}
_WASHOUT: Final[Words] = {
    FR: "Période sans antécédent : le patient est observé sur {length} avant l'inclusion, sans événement du"
    " même type.",
    EN: "Washout: the patient is observed for {length} before the index date, without an event of its kind.",
}
_CRITERIA: Final[Words] = {
    FR: "Critères, appliqués dans cet ordre : {list}.",
    EN: "Criteria, applied in this order: {list}.",
}
_THEN: Final[Words] = {FR: " ; ", EN: "; "}
_KEEPS: Final[Mapping[bool, Words]] = {
    True: {FR: "inclusion « {name} »", EN: "inclusion “{name}”"},
    False: {FR: "exclusion « {name} »", EN: "exclusion “{name}”"},
}
_AGE: Final[Words] = {
    FR: "L'âge est en années révolues à l'inclusion, au mois de naissance près (l'année est révolue dès le"
    " premier jour de ce mois).",
    EN: "Age is in completed years at the index date, by month of birth (a year is complete from the first"
    " day of that month).",
}
_EXIT: Final[Words] = {
    FR: "Le suivi s'arrête au premier de ces événements : décès, fin de la période d'observation, fin des"
    " données ({last}){planned}. Le décès est connu au mois près : il est daté de la fin de l'observation si"
    " elle tombe dans ce mois ou après, au plus tard du dernier jour du mois. Les patients opposés ne"
    " figurent pas dans les données.",
    EN: "Follow-up ends at the first of: death, end of the observation period, end of data ({last}){planned}."
    " Death is known to the month: it is dated at the end of observation, if that is in the month or later,"
    " and on the last day of the month at the latest. Patients who objected are not in the data.",
}
_PLANNED: Final[Words] = {FR: ", {length} après l'inclusion", EN: ", {length} after the index date"}
_VARIABLES: Final[Words] = {
    FR: "Variables : {list}. Un jour compte une fois (moyenne des valeurs du jour).",
    EN: "Variables: {list}. A day counts once (the mean of its values).",
}
_SUMMARIES: Final[Mapping[Summary, Words]] = {
    Summary.FIRST: {FR: "premier relevé ({of})", EN: "first record ({of})"},
    Summary.LAST: {FR: "dernier relevé ({of})", EN: "last record ({of})"},
    Summary.NEAREST: {FR: "relevé le plus proche de T0 ({of})", EN: "record nearest to the index ({of})"},
    Summary.COUNT: {FR: "nombre de jours avec un événement", EN: "number of days with an event"},
    Summary.ANY: {FR: "présence d'un événement", EN: "presence of an event"},
    Summary.MEAN: {FR: "moyenne ({of})", EN: "mean ({of})"},
    Summary.SLOPE: {
        FR: "pente par an, moindres carrés ({of})",
        EN: "slope per year, least squares ({of})",
    },
    Summary.STATUS: {FR: "dernier statut ({of})", EN: "last status ({of})"},
}
_OUTCOME: Final[Words] = {
    FR: "Critère de jugement « {name} » : premier événement après le jour de l'inclusion et jusqu'à la fin du"
    " suivi, parmi : {events}{competing}.",
    EN: "Outcome “{name}”: first event after the day of inclusion, until the end of follow-up, among:"
    " {events}{competing}.",
}
_COMPETING: Final[Words] = {FR: " ; événements concurrents : {list}", EN: "; competing events: {list}"}
_DATA: Final[Words] = {
    FR: "Données : entrepôt P4DP, version figée n° {snapshot} ({source}). Empreinte de la définition :"
    " {fingerprint}.",
    EN: "Data: P4DP warehouse, snapshot {snapshot} ({source}). Definition: fingerprint {fingerprint}.",
}
_CODES: Final[Words] = {
    FR: "{label} (liste {id}, version {version})",
    EN: "{label} (list {id}, version {version})",
}
_ROWS: Final[Words] = {FR: "lignes de la table {table}{where}", EN: "rows of the table {table}{where}"}
_WHERE: Final[Words] = {FR: " répondant à la sélection {number}", EN: " under selection {number}"}


def describe(definition: Definition, whoami: Any, last: date, fingerprint: str, language: Language) -> str:
    """Paragraphs of a methods section."""
    source = _DATA[language].format(
        snapshot=whoami.snapshot, source=whoami.source, fingerprint=fingerprint[:12]
    )
    parts = [
        *_entry(definition, language),
        *_follow_up(definition, last, language),
        *_told(definition, language),
    ]
    return "\n\n".join([f"{definition.name}. {source}", *parts])


def _entry(definition: Definition, language: Language) -> Iterator[str]:
    if definition.index is not None:
        said = _INDEX[definition.index.which][language].format(
            events=_events(definition.index.events, language)
        )
        yield f"{said} {_OBSERVED[language]}"
    if definition.between is not None:
        start, end = (day(each, language) for each in definition.between)
        yield _BETWEEN[language].format(start=start, end=end)
    if definition.washout is not None:
        yield _WASHOUT[language].format(length=length(definition.washout, language))
    if definition.criteria:
        said = _THEN[language].join(
            f"({n}) {_criterion(c, language)}" for n, c in enumerate(definition.criteria, 1)
        )
        yield _CRITERIA[language].format(list=said)


def _criterion(criterion: Criterion, language: Language) -> str:
    name = _KEEPS[criterion.keeps][language].format(name=criterion.name)
    match criterion:
        case RowCriterion():
            return name
        case EventCriterion(events=events, window=window_):
            return f"{name} ({_events(events, language)}, {window(window_, language)})"


def _follow_up(definition: Definition, last: date, language: Language) -> Iterator[str]:
    planned = ""
    if isinstance(definition.follow_up, Span):
        planned = _PLANNED[language].format(length=length(definition.follow_up, language))
    yield _EXIT[language].format(last=day(last, language), planned=planned)
    yield _AGE[language]


def _told(definition: Definition, language: Language) -> Iterator[str]:
    if definition.variables:
        said = _THEN[language].join(_variable(variable, language) for variable in definition.variables)
        yield _VARIABLES[language].format(list=said)
    yield from (_outcome(outcome, language) for outcome in definition.outcomes)


def _variable(variable: Variable, language: Language) -> str:
    summary = _SUMMARIES[variable.summary][language].format(of=variable.of)
    told = [summary, _events(variable.events, language), window(variable.window, language)]
    return f"{variable.name} ({', '.join(told)})"


def _outcome(outcome: Outcome, language: Language) -> str:
    rivals = [
        f"{name} ({_events(events, language)})" if isinstance(events, Events) else name
        for name, events in outcome.competing.items()
    ]
    competing = _COMPETING[language].format(list=", ".join(rivals)) if rivals else ""
    events = _events(outcome.events, language)
    return _OUTCOME[language].format(name=outcome.name, events=events, competing=competing)


def _events(events: Events, language: Language) -> str:
    lists = [
        _code_list(codes, language) for codes in {each.fingerprint: each for each in events.codes}.values()
    ]
    tables = ", ".join(dict.fromkeys(source.table for source in events.sources))
    if lists:
        return f"{', '.join(lists)} [{tables}]"
    return _ROWS[language].format(table=tables, where=selection(events, language))


def _code_list(codes: Any, language: Language) -> str:
    label = getattr(codes, f"label_{language.value}", "") or codes.label
    return _CODES[language].format(label=label, id=codes.id, version=codes.version)


def window(held: Window, language: Language) -> str:
    """A window in words."""
    before, after = _BEFORE[language], _AFTER[language]
    day_of = _DAY_OF[held.with_index][language]
    match held.before, held.after:
        case reach, None:
            return _reach(before, reach, language) + day_of
        case None, reach:
            return _reach(after, reach, language)
        case back, ahead:
            return f"{_reach(before, back, language)}, {_reach(after, ahead, language)}"


_BEFORE: Final[Mapping[Language, tuple[str, str]]] = {
    FR: ("à tout moment avant T0", "sur {length} avant T0"),
    EN: ("at any time before the index", "within {length} before the index"),
}
_AFTER: Final[Mapping[Language, tuple[str, str]]] = {
    FR: ("pendant le suivi", "sur {length} après T0"),
    EN: ("during follow-up", "within {length} after the index"),
}
_DAY_OF: Final[Mapping[bool, Words]] = {
    True: {FR: " (jour de T0 compris)", EN: " (that day included)"},
    False: {FR: " (jour de T0 exclu)", EN: " (that day excluded)"},
}


def _reach(words: tuple[str, str], reach: Reach | None, language: Language) -> str:
    unlimited, limited = words
    match reach:
        case Span() as span:
            return limited.format(length=length(span, language))
        case Ever() | None:
            return unlimited


def length(span: Span, language: Language) -> str:
    """A span in the largest unit that is whole."""
    count, unit = _largest(span)
    one, many = _UNITS[unit][language]
    return f"{count} {one if count == 1 else many}"


_UNITS: Final[Mapping[str, Mapping[Language, tuple[str, str]]]] = {
    "year": {FR: ("an", "ans"), EN: ("year", "years")},
    "month": {FR: ("mois", "mois"), EN: ("month", "months")},
    "day": {FR: ("jour", "jours"), EN: ("day", "days")},
}


def _largest(span: Span) -> tuple[int, str]:
    if span.days:
        return span.days, "day"
    if span.months % 12 == 0:
        return span.months // 12, "year"
    return span.months, "month"


def day(value: date | None, language: Language) -> str:
    if value is None:
        return ""
    return value.isoformat() if language is EN else f"{value:%d/%m/%Y}"


def selection(events: Events, language: Language) -> str:
    """What holds for rows that no code list names: their conditions, as they were written."""
    said = [str(_plain(condition)) for source in events.sources for condition in source.conditions]
    return f" ({' ; '.join(said)})" if said else ""


def _plain(condition: Any) -> str:
    """`cisp2 == 'T90'`, without what Ibis says of the table."""
    from p4dp_sdk.backend.ibis_interface import written

    return written(condition)
