"""The use case of `codes load`: a published table joins what the site has of its system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hub_config.codelists.in_force import loaded_tables
from hub_config.codelists.keeping import put, shared_folder
from hub_config.codelists.tables import Format, read_table
from hub_config.governance.audit import AuditChain, AuditEvent, Decision
from hub_config.settings import Settings
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.overlay import Overlay, extended, write_overlay

CLOSED_UP_TO = 20_000  # more labels than that are no closed key to the gateway


@dataclass(frozen=True)
class Done:
    read: int
    added: int
    total: int

    @property
    def open(self) -> bool:
        return self.total > CLOSED_UP_TO


def load(settings: Settings, system: str, file: Path, form: Format, encoding: str, who: str) -> Done:
    """Read the whole of `file`, then keep it: what was loaded before and is not in it stays, since data may
    hold it. Raises CodeListProblem; then nothing was kept."""
    table = read_table(system, file, form, encoding)
    before = [one for one in loaded_tables(settings.codes_dir) if one.system == system]
    shipped = load_catalogue()
    old = extended(shipped, before).code_systems.get(system)
    known = {code.code for code in old.codes} if old else set()
    merged = _merged(before, table)
    path = shared_folder(settings.home, "codes") / f"{system}.csv"
    details = {"system": system, "format": form.value, "codes": len(table.codes)}
    event = AuditEvent(who, "codes.load", None, Decision.ALLOWED, details)
    chain = AuditChain(settings.audit_dir, settings.keys_dir)
    put(path, write_overlay(merged).encode(), event, chain, replace=True)
    total = len(extended(shipped, [merged]).code_systems[system].codes)
    return Done(len(table.codes), sum(code.code not in known for code in table.codes), total)


def _merged(before: list[Overlay], table: Overlay) -> Overlay:
    new = {code.code for code in table.codes}
    kept = tuple(code for one in before for code in one.codes if code.code not in new)
    return Overlay(table.system, (*table.codes, *kept))
