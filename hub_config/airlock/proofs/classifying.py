"""The class of a file, and why it is no safer: what the gateway signed, held against the project that asks.

A genuine table or figure is never released as it was sent: the airlock makes it anew, and that is what is
reviewed and released. Where nothing is proven the file is what it is, `unverified`, and its bytes are left
alone. What a run of the enclave's own left is in `reproduced`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from hub_config.airlock.proofs.keys import Keys, verified
from hub_config.airlock.proofs.rendering import NotRendered, Rendering, render
from hub_config.airlock.proofs.standing import Standing
from hub_config.airlock.proofs.unpacking import proof_in
from hub_config.governance.releases.facts import FileKind, OutputClass
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity
from p4dp_sdk.figures.proof import Proof
from p4dp_sdk.wire.publication import NotGenuine, Statement

__all__ = ["Classification", "Reason", "Rendering", "classify"]


class Reason(StrEnum):
    """Why a file is of no safer class. For records; the words of each are a finding's."""

    NO_PROOF = "no-proof"
    NOT_GENUINE = "not-genuine"
    OTHER_PROJECT = "other-project"
    OTHER_SNAPSHOT = "other-snapshot"
    OTHER_POLICY = "other-policy"
    OWN_WORDS = "own-words"
    HIDDEN_CHARACTERS = "hidden-characters"
    ROWS_HELD = "rows-held"  # the table itself is of a project that sees rows
    NOT_SYNTHETIC = "sandbox-of-real-data"
    NOT_DRAWN = "not-drawn"


_RULES: Final[Mapping[Reason, Rule]] = {
    Reason.NOT_GENUINE: Rule.NOT_GENUINE,
    Reason.OTHER_PROJECT: Rule.OTHER_PROJECT,
    Reason.OTHER_SNAPSHOT: Rule.OTHER_SNAPSHOT,
    Reason.OTHER_POLICY: Rule.OTHER_POLICY,
    Reason.OWN_WORDS: Rule.OWN_WORDS,
    Reason.HIDDEN_CHARACTERS: Rule.DISGUISED_CHARACTERS,
    Reason.ROWS_HELD: Rule.ROWS_HELD,
    Reason.NOT_SYNTHETIC: Rule.NOT_GENUINE,
    Reason.NOT_DRAWN: Rule.NOT_DRAWN,
}
_UNPROVEN: Final = frozenset({Reason.NO_PROOF, Reason.NOT_GENUINE, Reason.OTHER_PROJECT, Reason.NOT_DRAWN})


@dataclass(frozen=True)
class Classification:
    """`rendering` is what is reviewed and released in place of the bytes sent; None: these themselves.
    `proof` is for the record and for screens; `{}` where nothing is proven."""

    output_class: OutputClass
    proof: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    rendering: Rendering | None = None
    kind: FileKind | None = None


def classify(name: str, content: bytes, standing: Standing, keys: Keys) -> Classification:
    """What the enclave can prove of `content`, for a request of the project of `standing`. Never raises for
    the file's sake. May start a process (a figure): call it from a thread."""
    try:
        proof = proof_in(content)
    except NotGenuine:
        return _unproven(Reason.NOT_GENUINE)
    if proof is None:
        return Classification(OutputClass.UNVERIFIED, {"reasons": [Reason.NO_PROOF.value]})
    return of_proof(name, content, proof, standing, keys)


def of_proof(name: str, content: bytes, proof: Proof, standing: Standing, keys: Keys) -> Classification:
    """The class of a file, or of a notebook's output, that carries `proof`."""
    try:
        statement = verified(proof.document, keys)
    except NotGenuine:
        return _unproven(Reason.NOT_GENUINE)
    if statement.project != standing.project:
        return _unproven(Reason.OTHER_PROJECT)
    try:
        rendering = render(name, proof)
    except NotRendered:
        return _unproven(Reason.NOT_DRAWN)
    reasons = tuple(_reasons(statement, standing))
    return Classification(
        OutputClass.UNVERIFIED if reasons else OutputClass.BORN_SAFE,
        _record(proof, statement, reasons, rendering),
        (*_findings(reasons, statement), *_notes(statement, standing, content != rendering.content)),
        rendering,
        FileKind.PUBLICATION if proof.spec is None else FileKind.FIGURE_SPEC,
    )


def _unproven(reason: Reason) -> Classification:
    """A proof that is none stops the file: somebody changed it, or brought it from elsewhere."""
    severity = Severity.WARNING if reason is Reason.NOT_DRAWN else Severity.BLOCKING
    finding = Finding(_RULES[reason], severity)
    return Classification(OutputClass.UNVERIFIED, {"reasons": [reason.value]}, (finding,))


# --- why a genuine table is not born safe ------------------------------------------------------------------


def _reasons(statement: Statement, standing: Standing) -> Iterator[Reason]:
    if not standing.covers(statement.snapshot):
        yield Reason.OTHER_SNAPSHOT
    if _is_looser(statement, standing):
        yield Reason.OTHER_POLICY
    if _own_columns(statement):
        yield Reason.OWN_WORDS
    if any(_hides(text) for text in _texts(statement)):
        yield Reason.HIDDEN_CHARACTERS
    if statement.access == "microdata" or "rows-held" in statement.unverified:
        yield Reason.ROWS_HELD
    if statement.access not in ("aggregate", "microdata") and not statement.synthetic:
        yield Reason.NOT_SYNTHETIC


def _is_looser(statement: Statement, standing: Standing) -> bool:
    """Whether it was protected by less than what is in force. A threshold it does not tell is looser."""
    told, asked = statement.policy, standing.policy
    at_least = {"min_patients": asked.min_patients, "min_physicians": asked.min_physicians}
    at_least["min_outside"] = asked.min_outside
    at_most = {"max_physician_share": asked.max_physician_share, "dominance_k": asked.dominance_k}
    try:
        return any(float(told[name]) < least for name, least in at_least.items()) or any(
            float(told[name]) > most for name, most in at_most.items()
        )
    except (KeyError, TypeError, ValueError):
        return True


def _own_columns(statement: Statement) -> list[str]:
    """Columns with words or values of the person's: the gateway's verdict, and lineage told again."""
    named = {name for name in statement.unverified if name != "rows-held"}
    return [c.name for c in statement.columns if c.name in named or not c.vouched] or sorted(named)


def _texts(statement: Statement) -> Iterator[str]:
    yield statement.title
    yield from (column.name for column in statement.columns)
    yield from (
        cell for row in (*statement.rows, statement.total or ()) for cell in row if isinstance(cell, str)
    )


def _hides(text: str) -> bool:
    """Whether it holds what is not seen or turns letters around. (Invisible spaces of French are seen.)"""
    return any(unicodedata.category(letter) in _HIDING for letter in text)


_HIDING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


# --- what is told ------------------------------------------------------------------------------------------


def _findings(reasons: tuple[Reason, ...], statement: Statement) -> Iterator[Finding]:
    for reason in reasons:
        severity = Severity.NOTE if reason is Reason.ROWS_HELD else Severity.WARNING
        params = {"columns": len(_own_columns(statement))} if reason is Reason.OWN_WORDS else {}
        place = Place(what="title") if reason is Reason.HIDDEN_CHARACTERS else None
        yield Finding(_RULES[reason], severity, place, params)


def _notes(statement: Statement, standing: Standing, anew: bool) -> Iterator[Finding]:
    if standing.holders and statement.access != "microdata" and not statement.synthetic:
        yield Finding(Rule.ROWS_HELD, Severity.NOTE)
    if statement.synthetic:
        yield Finding(Rule.SYNTHETIC, Severity.NOTE)
    if anew:
        yield Finding(Rule.MADE_ANEW, Severity.NOTE)


def _record(
    proof: Proof, statement: Statement, reasons: tuple[Reason, ...], rendering: Rendering
) -> Mapping[str, Any]:
    """What was verified, without the cells."""
    return {
        "form": "table" if proof.spec is None else "figure",
        "title": statement.title,
        "titled": rendering.titled,
        "definition": statement.definition,
        "columns": [
            {
                "name": column.name,
                "lineage": column.lineage.value,
                "source": list(column.source),
                "protected": column.protected,
                "alias": column.alias,
            }
            for column in statement.columns
        ],
        "project": statement.project,
        "access": statement.access,
        "snapshot": statement.snapshot,
        "synthetic": statement.synthetic,
        "policy": dict(statement.policy),
        "method": statement.method,
        "shown": statement.shown,
        "withheld": statement.withheld,
        "rows": len(statement.rows),
        "request_id": statement.request_id,
        "date": statement.date,
        "key": proof.document.signature.key,
        "spec": None if proof.spec is None else proof.spec.content,
        "generated_text": not reasons and not rendering.titled,
        "reasons": [reason.value for reason in reasons],
    }
