"""A notebook lends a proven output to what is not: rows beside a signed table in one output, a proof moved to
another cell, a table hidden in metadata, attachments or the state of a widget. What is proven is made anew
and shows nothing else; what is hidden blocks.
"""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest

from hub_config.airlock.checks import inspect_bytes
from hub_config.airlock.proofs import notebooks
from hub_config.airlock.proofs.notebooks import classify_notebook
from hub_config.governance.releases.facts import OutputClass
from hub_config.governance.releases.findings import Rule, Severity
from p4dp_sdk.tables.safe import SafeTable
from tests.attacks.test_forged_signature import KEYS, POLICY, STANDING
from tests.unit.sdk.signed_tables import signed

ROWS = "patient 4711 : 34 ans"
WIDGET = "application/vnd.jupyter.widget-view+json"


def notebook(
    *outputs: dict[str, Any], metadata: dict[str, Any] | None = None, nbformat: object = 4, **cell: Any
) -> bytes:
    code = {"cell_type": "code", "source": "…", "metadata": {}, "execution_count": 1, "outputs": outputs}
    document = {"nbformat": nbformat, "nbformat_minor": 5, "metadata": metadata or {}, "cells": [code | cell]}
    return json.dumps(document).encode()


def proven(**beside: Any) -> dict[str, Any]:
    data = SafeTable(signed(policy=POLICY))._repr_mimebundle_() | beside.pop("data", {})
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1, **beside}


LENT = {
    "as its page": proven(data={"text/html": ROWS}),
    "as plain text": proven(data={"text/plain": ROWS}),
    "as a widget": proven(data={WIDGET: {"model_id": ROWS}}),
    "as a type of its own": proven(data={"application/x-rows": ROWS}),
    "in its metadata": proven(metadata={"rows": ROWS}),
    "beside its data": proven(rows=ROWS),
}


def released(content: bytes) -> str:
    known = classify_notebook("t.ipynb", content, STANDING, KEYS)
    assert known.output_class is OutputClass.UNVERIFIED, "a notebook is never born safe as a whole"
    return (known.rendering.content if known.rendering else content).decode()


@pytest.mark.parametrize("output", LENT.values(), ids=LENT)
def test_nothing_leaves_beside_a_proven_table(output: dict[str, Any]) -> None:
    with patch.object(notebooks, "_replace", lambda content, known: None):
        assert ROWS in released(notebook(output))
    assert ROWS not in released(notebook(output))


def test_a_proof_in_another_cell_shows_what_it_proves() -> None:
    """Whoever moves a proof moves the table with it, and its definition."""
    moved = proven(data={"text/html": ROWS})
    known = classify_notebook(
        "t.ipynb", notebook({"output_type": "stream", "text": "…"}, moved), STANDING, KEYS
    )
    (told,) = known.proof["outputs"]
    assert (told["cell"], told["output"], told["class"]) == (1, 2, "born-safe") and told["definition"]
    (counted,) = [each for each in known.findings if each.rule is Rule.UNPROVEN_OUTPUTS]
    assert counted.params == {"proven": 1, "unproven": 1}


TABLE = "sexe,patients\n" + "F,312\nM,4\n" * 300
STATE = {"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"a": {"value": TABLE}}}}}
HIDDEN = {
    "the state of a widget": notebook(metadata=STATE),
    "the notebook's metadata": notebook(metadata={"rows": TABLE}),
    "an attachment that is not shown": notebook(
        cell_type="markdown", source="", outputs=[], attachments={"a.csv": {"text/csv": TABLE}}
    ),
    "beside an output": notebook({"output_type": "stream", "name": "stdout", "text": "", "rows": TABLE}),
    "the name of a stream": notebook({"output_type": "stream", "name": TABLE, "text": ""}),
    "many short properties": notebook(
        {"output_type": "display_data", "data": {}, "metadata": {str(n): "M,4" for n in range(300)}}
    ),
    "the id of a cell": notebook(id=TABLE),
    "the count of runs": notebook(execution_count=TABLE),
    "the kernel's name": notebook(metadata={"kernelspec": {"name": TABLE}}),
    "the format's version": notebook(metadata={}, nbformat=TABLE),
    "an output's metadata": notebook(
        {"output_type": "display_data", "data": {"text/plain": "."}, "metadata": {"rows": TABLE}}
    ),
    "a type nobody shows": notebook(
        {"output_type": "display_data", "data": {"application/x-rows": TABLE}, "metadata": {}}
    ),
}


def tagged() -> bytes:
    made = json.loads(notebook())
    made["cells"][0]["metadata"]["tags"] = TABLE.split()
    return json.dumps(made).encode()


HIDDEN["the tags of a cell"] = tagged()


@pytest.mark.parametrize("content", HIDDEN.values(), ids=HIDDEN)
def test_what_a_notebook_hides_is_found(content: bytes) -> None:
    inspection = inspect_bytes(content, "t.ipynb")
    assert inspection.quarantined is not None or any(
        finding.severity is Severity.BLOCKING for finding in inspection.findings
    )


def test_a_plain_notebook_blocks_nothing() -> None:
    shown = {"output_type": "stream", "name": "stdout", "text": "312 patients"}
    run = {"iopub.execute_input": "2026-11-22T10:00:00.000000Z", "iopub.status.busy": "2026-11-22T10:00:00Z"}
    made = json.loads(notebook(shown, metadata={"kernelspec": {"name": "python3", "language": "python"}}))
    made["cells"][0] |= {"id": "6a1f0c2e", "metadata": {"tags": ["parameters"], "execution": run}}
    plain = inspect_bytes(json.dumps(made).encode(), "t.ipynb")
    assert plain.quarantined is None and not plain.findings
