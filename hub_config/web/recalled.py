"""What was held of a form, in the words of the page it was written on: every field, before it is sent again.

Pure: the page's HTML in, rows out. A choice was a mark beside words that the form did not carry; unread, it
would be sent for somebody who no longer knows what they chose. Where the page has no such form any more, the
field's own name and value are all there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_PROSE: Final = 40  # signs; what is shorter and has no space was chosen, not written
_NAMED: Final = "[self::input or self::select or self::textarea or self::button][@name]"
_OF_FORM: Final = f"descendant::*{_NAMED} | //*[@form = $id]{_NAMED}"
_APART: Final = " or ".join(f"ancestor::{tag}" for tag in ("textarea", "select", "button", "kbd"))
_WORDS: Final = f"descendant::text()[not({_APART})]"


class Kind(StrEnum):
    WRITTEN = "written"  # in one's own words: may be changed
    CHOSEN = "chosen"
    PRESSED = "pressed"  # the button
    CARRIED = "carried"  # by the page, out of sight


@dataclass(frozen=True)
class Row:
    """One field. `label` is what the page calls it, `words` what the page calls its value; "": nothing."""

    name: str
    value: str
    kind: Kind
    label: str = ""
    words: str = ""


def rows(fields: Sequence[tuple[str, str]], page: str, path: str) -> list[Row]:
    """Every one of `fields`, as the form of `page` that is sent to `path` calls it."""
    controls = _controls(page, path, fields)
    return [
        _row(name, value, [each for each in controls if each.get("name") == name]) for name, value in fields
    ]


def _row(name: str, value: str, controls: Sequence[Any]) -> Row:
    for control in controls:
        match _type(control):
            case "radio" | "checkbox" if control.get("value", "on") == value:
                return Row(name, value, Kind.CHOSEN, _about(control), _label(control))
            case "submit" if control.get("value", "") == value:
                return Row(name, value, Kind.PRESSED, words=_text(control))
            case "select":
                chosen = [each for each in control.iter("option") if each.get("value", _text(each)) == value]
                if chosen:
                    return Row(name, value, Kind.CHOSEN, _label(control), _text(chosen[0]))
            case "hidden" if control.get("value", "") == value:
                return Row(name, value, Kind.CARRIED)
            case "textarea":
                return Row(name, value, Kind.WRITTEN, _label(control))
            case "text":
                return Row(name, value, Kind.WRITTEN if _is_prose(value) else Kind.CHOSEN, _label(control))
    return Row(name, value, Kind.WRITTEN if _is_prose(value) else Kind.CARRIED)


def _controls(page: str, path: str, fields: Iterable[tuple[str, str]]) -> list[Any]:
    """Of the form that is sent there; of several, the one that carries most of what was sent."""
    from lxml import html  # type: ignore[import-untyped]  # late: few ever come here

    if not page.strip():
        return []
    said = set(fields)
    forms = [form for form in html.document_fromstring(page).forms if path in _leads_to(form)]
    found = [form.xpath(_OF_FORM, id=form.get("id", "")) for form in forms]
    return max(found, key=lambda each: len(said & set(_carried(each))), default=[])


def _leads_to(form: Any) -> Iterator[str]:
    """Where the form is sent, by itself or by one of its buttons."""
    for where in (form.get("action"), *form.xpath("descendant::*/@formaction")):
        if where:
            yield where.partition("?")[0]


def _carried(controls: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for each in controls:
        if _type(each) == "hidden":
            yield each.get("name"), each.get("value", "")


def _type(control: Any) -> str:
    if control.tag == "button":
        return "submit"
    if control.tag in ("select", "textarea"):
        return str(control.tag)
    kind = (control.get("type") or "text").lower()
    return kind if kind in ("radio", "checkbox", "hidden", "submit") else "text"


def _label(control: Any) -> str:
    found = control.label if control.get("id") else None
    around = next(control.iterancestors("label"), None) if found is None else found
    return "" if around is None else _plain(around.xpath(_WORDS))


def _about(control: Any) -> str:
    """What a choice is about: the name of its section, of a file for instance, and the question."""
    named = control.xpath("ancestor::*[@aria-labelledby][1]/@aria-labelledby")
    headings = control.xpath("//*[@id = $id]", id=named[0]) if named else []
    legends = control.xpath("ancestor::fieldset[1]/legend")
    return " · ".join(_text(each) for each in (*headings[:1], *legends[:1]))


def _text(element: Any) -> str:
    return _plain(element.itertext())


def _plain(texts: Iterable[str]) -> str:
    return " ".join("".join(texts).split())


def _is_prose(value: str) -> bool:
    return len(value) > _PROSE or any(sign.isspace() for sign in value.strip())
