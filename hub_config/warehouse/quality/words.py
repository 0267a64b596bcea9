"""How the quality of a snapshot is put to operators: labels of rules, shares, moves. Text only."""

from __future__ import annotations

from typing import assert_never

from hub_config.warehouse.quality.compare import Move, What
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.quality import load_rules


def label_of(name: str) -> str:
    """What a `dq_code`, or a rule that is only counted, means."""
    labels = {code.code: code.label_en for code in load_catalogue().code_systems["dq_code"].codes}
    if name in labels:
        return labels[name]
    return load_rules()[name].what_en if name in load_rules() else name


def share(value: float) -> str:
    """In per cent; a share that is not nothing is never shown as nothing."""
    return "<0.01 %" if 0 < value < 0.0001 else f"{100 * value:.2f} %"


def told(move: Move) -> str:
    where = f"{move.table}, centre {move.centre}" if move.centre else move.table
    match move.what:
        case What.GONE:
            return f"{where}: all {move.before:,.0f} rows are gone"
        case What.ROWS:
            return f"{where}: {move.before:,.0f} rows became {move.after:,.0f}"
        case What.FILLED:
            return f"{where}: column {move.name} filled in {share(move.before)}, now {share(move.after)}"
        case What.RULE:
            return f"{where}: rule {move.name} on {share(move.before)}, now {share(move.after)} of the rows"
    assert_never(move.what)
