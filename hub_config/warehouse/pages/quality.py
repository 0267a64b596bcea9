"""The quality of a snapshot as a page: what moved, what is missing and which rules fired, by table, centre
and month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from hub_config.warehouse.pages.drawing import Heat, heat, inline, png
from hub_config.warehouse.pages.language import Words
from hub_config.warehouse.pages.rendering import rendered
from hub_config.warehouse.quality.compare import Move, What
from hub_config.warehouse.quality.profile import Counts, Profile, TableProfile

PAGE: Final = "quality.html"
_MONTHS_SHOWN: Final = 60
_LEAST_TOP: Final = 0.01  # of the scale of rules: what fires on less is pale everywhere


@dataclass(frozen=True)
class Since:
    """The snapshot compared with, and what moved since."""

    number: int
    moves: Sequence[Move]


def write_report(
    profile: Profile, number: int, since: Since | None, directory: Path, words: Words | None = None
) -> Path:
    """Writes the page and its figures (PNG) into `directory`, which is made if need be; gives the page."""
    _ = words or Words()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)  # whoever made it: small numbers are shown here
    text = rendered(
        "quality.html",
        _,
        title=_("Qualité de la version figée %(number)s", number=number),
        twins=_.count(profile.twins),
        compared_with=since.number if since else None,
        moves=[_moved(move, _) for move in since.moves] if since else [],
        tables=[_section(name, table, directory, _) for name, table in profile.tables.items()],
    )
    page = directory / PAGE
    page.write_text(text, encoding="utf-8")
    return page


def _moved(move: Move, _: Words) -> Mapping[str, object]:
    tell: Callable[[float], str] = _.percent
    match move.what:
        case What.GONE | What.ROWS:
            what, tell = _("Lignes"), _.count
        case What.FILLED:
            label = _.column(move.table, move.name)
            what = _("Lignes où « %(column)s » est rempli", column=label)
        case What.RULE:
            what = _("Lignes avec : %(rule)s", rule=_.rule(move.name))
        case _other:
            assert_never(_other)
    told = {"before": tell(move.before), "after": tell(move.after)}
    return {"table": _.table(move.table), "centre": move.centre, "what": what, **told}


def _section(name: str, table: TableProfile, directory: Path, _: Words) -> Mapping[str, object]:
    counts = table.all
    gaps = _with_gaps(table)
    return {
        "name": name,
        "label": _.table(name),
        "rows": _.count(counts.rows),
        "rules": [
            {
                "name": rule,
                "label": _.rule(rule),
                "rows": _.count(rows),
                "share": _.percent(counts.share_fired(rule)),
            }
            for rule, rows in sorted(counts.rules.items(), key=lambda each: -each[1])
        ],
        "columns": [
            {
                "name": column,
                "label": _.column(name, column),
                "filled": _.percent(counts.share_filled(column)),
                "width": f"{100 * counts.share_filled(column):.2f}",
            }
            for column in gaps
        ],
        "full": [_.column(name, column) for column in sorted(counts.filled) if column not in gaps],
        "figures": list(_figures(name, table, directory, _)),
    }


def _with_gaps(table: TableProfile) -> list[str]:
    """The columns that are not always filled, the emptiest first."""
    counts = table.all
    gaps = [column for column, filled in counts.filled.items() if filled < counts.rows]
    return sorted(gaps, key=lambda column: (counts.filled[column], column))


def _figures(name: str, table: TableProfile, directory: Path, _: Words) -> Iterator[Mapping[str, str]]:
    """Heat maps of what varies: columns not always filled, and rules, by centre and by month."""
    for by, groups in (("centre", table.centres), ("month", _recent(table.months))):
        if len(groups) < 2:
            continue
        axis, by_what = (_("centre"), _("par centre")) if by == "centre" else (_("mois"), _("par mois"))
        if gaps := _with_gaps(table):
            image = png(heat(_completeness(name, gaps, groups, axis, _), _))
            (directory / f"{name}-completeness-{by}.png").write_bytes(image)
            title = _("Lignes où la colonne est remplie, %(by)s", by=by_what)
            note = _("De 0 à 100 % des lignes ; plus c'est sombre, plus il en manque.")
            yield {"title": title, "note": note, "image": inline(image)}
        if table.all.rules:
            drawn = _fired(sorted(table.all.rules), groups, axis, _)
            image = png(heat(drawn, _))
            (directory / f"{name}-rules-{by}.png").write_bytes(image)
            title = _("Lignes sur lesquelles un contrôle s'est déclenché, %(by)s", by=by_what)
            note = _(
                "L'échelle va de 0 à %(top)s des lignes ; plus c'est sombre, plus il y en a.",
                top=_.round_percent(drawn.top),
            )
            yield {"title": title, "note": note, "image": inline(image)}


def _completeness(
    name: str, columns: Sequence[str], groups: Mapping[str, Counts], axis: str, _: Words
) -> Heat:
    cells = [[group.share_filled(column) for group in groups.values()] for column in columns]
    labels = [_.column(name, column) for column in columns]
    return Heat(labels, list(groups), cells, axis, _("lignes remplies (%)"), 1.0, dark_is_many=False)


def _fired(rules: Sequence[str], groups: Mapping[str, Counts], axis: str, _: Words) -> Heat:
    cells = [[group.share_fired(rule) for group in groups.values()] for rule in rules]
    most = max(_LEAST_TOP, *(share for row in cells for share in row))
    top = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if most <= step)
    labels = [_.rule(rule) for rule in rules]
    return Heat(labels, list(groups), cells, axis, _("lignes concernées (%)"), top, dark_is_many=True)


def _recent(months: Mapping[str, Counts]) -> dict[str, Counts]:
    return dict(sorted(months.items())[-_MONTHS_SHOWN:])
