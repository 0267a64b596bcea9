"""What differs between two snapshots, as a page: a bar for each count that moved, the counts folded below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from hub_config.warehouse.comparing import Change, Comparison
from hub_config.warehouse.pages.drawing import Moved, bars, inline, png, scale_of
from hub_config.warehouse.pages.language import Words
from hub_config.warehouse.pages.rendering import rendered


def comparison_page(found: Comparison, words: Words | None = None) -> str:
    _ = words or Words()
    people = {"patients": _("Patients"), "physicians": _("Médecins")}
    parts: list[tuple[str, tuple[Change, ...], Callable[[str], str]]] = [
        (_("Personnes"), found.people, lambda name: people.get(name, name)),
        (_("Lignes par table"), found.tables, _.table),
        (_("Lignes par contrôle de qualité"), found.quality, _.rule),
        (_("Patients par centre"), found.centres, str),
    ]
    farthest = scale_of(change.share or 0.0 for _title, changes, _label in parts for change in changes)
    return rendered(
        "comparison.html",
        _,
        title=_(
            "De la version figée %(before)s à la %(after)s",
            before=found.before["number"],
            after=found.after["number"],
        ),
        identity=list(_identity(found, _)),
        same_people=found.same_people,
        sections=[_section(title, changes, label, farthest, _) for title, changes, label in parts if changes],
        schema=found.schema,
    )


def _identity(found: Comparison, _: Words) -> Iterable[tuple[str, str, str]]:
    for name, key, tell in (
        (_("Version figée"), "number", str),
        (_("Source"), "source", str),
        (_("Population"), "population", str),
        (_("Faite le"), "made", lambda made: _day(made[:10], _)),
        (_("Données jusqu'au"), "last_date", lambda day: _day(day, _)),
    ):
        yield name, tell(found.before[key]), tell(found.after[key])


def _day(iso: str, _: Words) -> str:
    return f"{date.fromisoformat(iso):%d/%m/%Y}" if _.language == "fr" else iso


def _section(
    title: str, changes: tuple[Change, ...], label: Callable[[str], str], farthest: float, _: Words
) -> Mapping[str, object]:
    moved = [each for each in changes if each.share]
    moved.sort(key=lambda each: -abs(each.share or 0))
    return {
        "title": title,
        "image": inline(png(bars([_bar(each, label, _) for each in moved], farthest, _))) if moved else None,
        "new": ", ".join(
            _("%(name)s (%(rows)s)", name=label(each.name), rows=_.count(each.after))
            for each in changes
            if each.after and not each.before
        ),
        "unchanged": all(each.before == each.after for each in changes),
        "changes": [
            {
                "label": label(each.name),
                "before": _.count(each.before),
                "after": _.count(each.after),
                "by": _.signed(each.by),
                "share": _told(each, _),
            }
            for each in changes
        ],
    }


def _bar(change: Change, label: Callable[[str], str], _: Words) -> Moved:
    counts = _("%(before)s, puis %(after)s", before=_.count(change.before), after=_.count(change.after or 0))
    share = change.share or 0.0
    return Moved(label(change.name), share, f"{_.change(share)} ({counts})")


def _told(change: Change, _: Words) -> str:
    """By how much of what it was, or that there was, or is, no such thing."""
    if change.before is None:
        return _("nouveau")
    if change.after is None:
        return _("disparu")
    return "" if change.share is None else _.change(change.share)
