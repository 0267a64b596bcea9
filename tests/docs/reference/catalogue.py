"""`catalogue.md`: the data model, from the catalogue's own files."""

from __future__ import annotations

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Catalogue, CodeSystem, Column, Role, Table, Unit

from .page import code, page, table

SHORT = 40  # codes that a page can show; longer lists are looked up

ROLES = {
    Role.PATIENT: "opaque identifier of a patient: join, group, count distinct; compared with no literal",
    Role.PHYSICIAN: "number of a GP: counted inside the gateway, never in a workspace",
    Role.INTERN: "number of an intern: tells the gateway what is one's own, never in a workspace",
    Role.EVENT: "opaque identifier of one event of one patient: join, group",
    Role.CODE: "value of a closed list of codes: may group a table that is shown",
    Role.DATE: "calendar date; years, months and weeks may group a table that is shown",
    Role.NUMERIC: "harmonised number within the bounds given",
    Role.RAW: "value as exported: individual data only",
}
UNITS = {
    Unit.PERSON: "about patients",
    Unit.PHYSICIAN: "about GPs",
    Unit.PUBLIC: "reference data, nobody in it",
    Unit.ENCLAVE: "never visible in a workspace",
}
HOW = """
What the warehouse holds. In a workspace, `ws.catalogue` shows the part that the project was granted. A
snapshot has all these tables, some of them empty. Units are UCUM; bounds are plausibility bounds, included.
"""


def build() -> str:
    catalogue = load_catalogue()
    roles = table(["Role", "What may be done with it"], [(code(r.value), text) for r, text in ROLES.items()])
    tables = [part for each in catalogue.tables.values() for part in _table(each)]
    systems = [part for each in catalogue.code_systems.values() for part in _system(each)]
    parts = ["## Tables", _overview(catalogue), "## Roles", roles, *tables, "## Code lists", *systems]
    return page("Catalogue", HOW, *parts)


def _overview(catalogue: Catalogue) -> str:
    rows = [
        (f"[`{t.name}`](#{t.name})", t.label_fr, t.label_en, _about(t)) for t in catalogue.tables.values()
    ]
    return table(["Table", "Français", "English", "Rows are"], rows)


def _about(each: Table) -> str:
    return UNITS[each.unit] + (", SNDS grant only" if each.snds else "")


def _table(each: Table) -> list[str]:
    facts = [f"Rows are {_about(each)}."]
    facts += [f"The grant's dates apply to `{each.date}`."] if each.date else []
    facts += [f"No two rows share `{each.key}`."] if each.key else []
    rows = [_column(column) for column in each.columns]
    columns = table(["Column", "Type", "Role", "Codes, unit, bounds", "Français", "English"], rows)
    return [f"## {each.name}", each.description_fr, each.description_en, " ".join(facts), columns]


def _column(column: Column) -> tuple[str, ...]:
    details = [f"codes [`{column.codes}`](#codes-{column.codes})"] if column.codes else []
    details += [f"unit {code(column.unit)}"] if column.unit else []
    details += [f"{column.bounds[0]:g} to {column.bounds[1]:g}"] if column.bounds else []
    names = (column.label_fr, column.label_en)
    return code(column.name), column.dtype, column.role.value, ", ".join(details), *names


def _system(system: CodeSystem) -> list[str]:
    title = f"### Codes {system.name}"
    labels = f"{system.label_fr} · {system.label_en}."
    if system.site:
        return [title, f"{labels} Filled from the snapshot's own tables."]
    if len(system.codes) > SHORT:
        look = f'{len(system.codes)} codes: `ws.catalogue.codes("{system.name}")` lists them.'
        return [title, f"{labels} {look}"]
    rows = [(code(each.code), each.label_fr, each.label_en) for each in system.codes]
    return [title, labels, table(["Code", "Français", "English"], rows)]
