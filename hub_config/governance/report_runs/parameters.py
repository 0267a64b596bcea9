"""What a template may be told: its cell tagged `parameters`, read without executing it, and what a person
gave, checked against that. Pure.

One line a parameter, a literal or nothing (then it must be given), its help behind it:

    centre: str = "CLF"          # Code du centre. choix : centres
    annee: int = 2022            # Année du rapport
    depuis: "date" = "2020-01-01"  # Premier jour
    sexe: str = "tous"           # Sexe. choix : tous | F | M
    codes: list[str] = ["T90"]   # Codes CISP-2
    seuil: float | None = None   # Rien : pas de seuil

`choix : centres` are the centres of the project's grant, beside other words where there are any. Without an
annotation the type is that of the literal. Comment lines just above a parameter belong to its help.
"""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final, assert_never

from hub_config.governance.report_runs.texts import NOTHING, ReportProblem, Text, listed

Value = str | int | float | bool | list[str] | None

CENTRES: Final = "centres"
TAG: Final = "parameters"
LONGEST: Final = 500
_CHOICES: Final = re.compile(r"(?:^|[\s#(.;,])(?:choix|choices)\s*:\s*(?P<choices>.+)$", re.IGNORECASE)
_YES: Final = frozenset({"oui", "vrai", "true", "yes", "1"})
_NO: Final = frozenset({"non", "faux", "false", "no", "0"})


class Kind(StrEnum):
    TEXT = "str"
    INTEGER = "int"
    NUMBER = "float"
    TRUTH = "bool"
    DATE = "date"
    LIST = "list[str]"


_EXPECTED: Final[Mapping[Kind, Text]] = {
    Kind.TEXT: Text("un texte", "a text"),
    Kind.INTEGER: Text("un nombre entier, par exemple 2022", "a whole number, such as 2022"),
    Kind.NUMBER: Text("un nombre, par exemple 2.5", "a number, such as 2.5"),
    Kind.TRUTH: Text("oui ou non", "yes or no"),
    Kind.DATE: Text("une date, par exemple 2022-12-31", "a date, such as 2022-12-31"),
    Kind.LIST: Text("une liste séparée par des virgules", "a list with commas between"),
}


class BadTemplate(ReportProblem):
    """The template's parameters cell can't be read: its author must mend it."""


class BadParameters(ReportProblem):
    """What was given does not fit. One line a problem."""

    def __init__(self, problems: tuple[Text, ...]) -> None:
        self.problems = problems
        head = Text("Paramètres refusés, rien n'a été exécuté :", "Parameters refused, nothing was run:")
        super().__init__(head + listed(problems))


class _Unreadable(Exception):
    """Of the text of a value: it is none of its kind."""


@dataclass(frozen=True)
class Parameter:
    """One parameter. `choices` empty: any value of its kind. `optional`: nothing is a value of it."""

    name: str
    kind: Kind
    default: Value
    help: str
    choices: tuple[str, ...] = ()
    optional: bool = False
    required: bool = False  # no default: it must be given


# --- reading -----------------------------------------------------------------------------------------------


def read_parameters(notebook: Mapping[str, Any], *, may_have_none: bool = False) -> tuple[Parameter, ...]:
    """The parameters of a notebook (its JSON). Raises BadTemplate."""
    found = [source(cell) for cell in notebook.get("cells", ()) if _is_tagged(cell)]
    if may_have_none and not found:
        return ()
    if len(found) != 1:
        raise BadTemplate(
            Text(
                "Le modèle doit avoir exactement une cellule de code étiquetée « parameters » ; il en a {n}.",
                "The template must have exactly one code cell tagged `parameters`; it has {n}.",
            ).fill(n=len(found))
        )
    return parse(found[0])


def parse(cell: str) -> tuple[Parameter, ...]:
    """The parameters of the cell's text. Raises BadTemplate."""
    try:
        statements, comments = ast.parse(cell).body, _comments(cell)
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError):
        raise _bad(0) from None
    lines = cell.splitlines()
    parameters = tuple(_parameter(each, _help(each, comments, lines)) for each in statements)
    names = [each.name for each in parameters]
    if len(set(names)) < len(names):
        raise _bad(0)
    return parameters


def source(cell: Mapping[str, Any]) -> str:
    text = cell.get("source", "")
    return "".join(text) if isinstance(text, list) else str(text)


def _is_tagged(cell: Mapping[str, Any]) -> bool:
    return cell.get("cell_type") == "code" and TAG in cell.get("metadata", {}).get("tags", ())


def _parameter(statement: ast.stmt, comment: str) -> Parameter:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
            kind, optional = _kind(annotation, statement)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            kind, optional = _kind_of(_literal(value, statement), statement), False
        case _:
            raise _bad(statement.lineno)
    default = None if value is None else _literal(value, statement)
    if value is not None and not _fits(default, kind, optional):
        raise _bad(statement.lineno)
    explanation, choices = _split(comment)
    return Parameter(name, kind, default, explanation, choices, optional, required=value is None)


def _kind(annotation: ast.expr, statement: ast.stmt) -> tuple[Kind, bool]:
    text = ast.unparse(annotation).replace("'", "").replace('"', "").replace(" ", "")
    optional = text.endswith("|None")
    try:
        return Kind(text.removesuffix("|None")), optional
    except ValueError:
        raise _bad(statement.lineno) from None


def _kind_of(value: Value, statement: ast.stmt) -> Kind:
    match value:
        case bool():
            return Kind.TRUTH
        case int():
            return Kind.INTEGER
        case float():
            return Kind.NUMBER
        case str():
            return Kind.TEXT
        case list():
            return Kind.LIST
        case _:
            raise _bad(statement.lineno)


def _literal(node: ast.expr, statement: ast.stmt) -> Value:
    try:
        value: Value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _bad(statement.lineno) from None
    return value


def _fits(value: object, kind: Kind, optional: bool) -> bool:
    if value is None:
        return optional
    match kind:
        case Kind.TEXT:
            return isinstance(value, str) and value.isprintable()
        case Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case Kind.TRUTH:
            return isinstance(value, bool)
        case Kind.DATE:
            return isinstance(value, str) and _is_date(value)
        case Kind.LIST:
            return isinstance(value, list) and all(
                isinstance(item, str) and item.isprintable() for item in value
            )
        case _:
            assert_never(kind)


def _comments(cell: str) -> Mapping[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(cell).readline)
    return {
        each.start[0]: each.string.lstrip("#").strip() for each in tokens if each.type == tokenize.COMMENT
    }


def _help(statement: ast.stmt, comments: Mapping[int, str], lines: Sequence[str]) -> str:
    first = statement.lineno
    while first - 1 in comments and lines[first - 2].lstrip().startswith("#"):
        first -= 1
    last = statement.end_lineno or statement.lineno
    return " ".join(comments[line] for line in range(first, last + 1) if comments.get(line))


def _split(comment: str) -> tuple[str, tuple[str, ...]]:
    """Help and choices."""
    found = _CHOICES.search(comment)
    if found is None:
        return comment, ()
    written = found["choices"] if "(" in found["choices"] else found["choices"].rstrip(" .)")
    choices = tuple(each.strip().strip("\"'«»").strip() for each in written.split("|"))
    return comment[: found.start()].rstrip(" #(;,"), tuple(each for each in choices if each)


def _bad(line: int) -> BadTemplate:
    where = Text(" (ligne {line})", " (line {line})").fill(line=line) if line else NOTHING
    return BadTemplate(
        Text("La cellule « parameters » du modèle", "The template's `parameters` cell")
        + where
        + Text(
            " ne contient pas que des affectations « nom: type = valeur  # aide ». Les types sont str, int, "
            'float, bool, "date" et list[str] ; les valeurs, en toutes lettres, sans signe invisible.',
            " holds more than assignments `name: type = value  # help`. The types are str, int, float, bool, "
            '"date" and list[str]; the values are literals, of signs that print.',
        )
    )


# --- checking ----------------------------------------------------------------------------------------------


def with_centres(parameters: Iterable[Parameter], centres: Sequence[str]) -> tuple[Parameter, ...]:
    """The same, where `centres` as a choice stands for each of `centres`."""
    return tuple(
        replace(each, choices=tuple(_spelled_out(each.choices, centres))) if CENTRES in each.choices else each
        for each in parameters
    )


def asks_for_centres(parameters: Iterable[Parameter]) -> bool:
    return any(CENTRES in each.choices for each in parameters)


def given_values(assignments: Iterable[str]) -> dict[str, str]:
    """From `name=value`, as typed. Raises BadParameters."""
    given: dict[str, str] = {}
    problems = []
    for each in assignments:
        name, sign, value = each.partition("=")
        if not sign or not name.strip():
            problems.append(
                Text("« {x} » : écrivez nom=valeur.", "{x!r}: write name=value.").fill(x=_shown(each))
            )
        elif name.strip() in given:
            problems.append(Text("{x} : donné deux fois.", "{x}: given twice.").fill(x=_shown(name.strip())))
        given[name.strip()] = value
    if problems:
        raise BadParameters(tuple(problems))
    return given


def check(parameters: Sequence[Parameter], given: Mapping[str, str]) -> dict[str, Value]:
    """The value of every parameter: as given, else its default. Raises BadParameters, with all problems."""
    problems = [*_unknown(parameters, given)]
    values: dict[str, Value] = {}
    for each in parameters:
        try:
            values[each.name] = _value(each, given)
        except BadParameters as problem:
            problems.extend(problem.problems)
    if problems:
        raise BadParameters(tuple(problems))
    return values


def _unknown(parameters: Sequence[Parameter], given: Mapping[str, str]) -> Iterator[Text]:
    known = [each.name for each in parameters]
    for name in given:
        if name not in known:
            yield (
                Text(
                    "{x} : ce modèle n'a pas ce paramètre.", "{x}: the template has no such parameter."
                ).fill(x=_shown(name))
                + _near(name, known)
            )


def _value(parameter: Parameter, given: Mapping[str, str]) -> Value:
    if parameter.name in given:
        value = _from_text(parameter, given[parameter.name])
    elif parameter.required:
        raise _wrong(parameter, Text("manque ; attendu : {kind}", "is missing; expected: {kind}"))
    else:
        value = parameter.default
    _check_choice(parameter, value)
    return value


def _from_text(parameter: Parameter, text: str) -> Value:
    if parameter.optional and not text.strip():
        return None
    try:
        if len(text) > LONGEST or not text.isprintable():
            raise _Unreadable
        return _parsed(parameter.kind, text.strip())
    except _Unreadable:
        message = Text("« {x} » ne convient pas ; attendu : {kind}", "{x!r} won't do; expected: {kind}")
        raise _wrong(parameter, message, x=_shown(text)) from None


def _parsed(kind: Kind, text: str) -> Value:
    match kind:
        case Kind.TEXT:
            return text
        case Kind.INTEGER if re.fullmatch(r"[+-]?[0-9]{1,15}", text):
            return int(text)
        case Kind.NUMBER if re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", text):
            return float(text)
        case Kind.TRUTH if text.lower() in _YES | _NO:
            return text.lower() in _YES
        case Kind.DATE if _is_date(text):
            return text
        case Kind.LIST if all(item.strip() for item in text.split(",")):
            return [item.strip() for item in text.split(",")]
        case Kind.INTEGER | Kind.NUMBER | Kind.TRUTH | Kind.DATE | Kind.LIST:
            raise _Unreadable
        case _:
            assert_never(kind)


def _check_choice(parameter: Parameter, value: Value) -> None:
    if not parameter.choices or value is None:
        return
    for item in value if isinstance(value, list) else [value]:
        if str(item) not in parameter.choices:
            message = Text("« {x} » n'est pas un choix", "{x!r} is not a choice")
            raise _wrong(parameter, message, near=_near(str(item), parameter.choices), x=_shown(str(item)))


def _wrong(parameter: Parameter, message: Text, *, near: Text = NOTHING, x: str = "") -> BadParameters:
    expected = _EXPECTED[parameter.kind]
    said = Text(
        message.fr.format(kind=expected.fr, x=x),
        message.en.format(kind=expected.en, x=x),
    )
    explained = f" ({parameter.help})" if parameter.help else ""
    choices = (
        Text(" Choix : {c}.", " Choices: {c}.").fill(c=_some(parameter.choices))
        if parameter.choices
        else NOTHING
    )
    name = Text(f"{parameter.name}{explained} : ", f"{parameter.name}{explained}: ")
    return BadParameters((name + said + Text(".", ".") + near + choices,))


def _near(word: str, known: Iterable[str]) -> Text:
    found = get_close_matches(word, list(known), n=2, cutoff=0.6)
    if not found:
        return NOTHING
    return Text(f" Vouliez-vous dire {' ou '.join(found)} ?", f" Did you mean {' or '.join(found)}?")


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:20]) + ("…" if len(words) > 20 else "")


def _shown(text: str) -> str:
    """What was typed, on one line and not too long."""
    return "".join(sign if sign.isprintable() else "·" for sign in text)[:60]


def _spelled_out(choices: Iterable[str], centres: Sequence[str]) -> Iterator[str]:
    for each in choices:
        if each == CENTRES:
            yield from centres
        else:
            yield each


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
