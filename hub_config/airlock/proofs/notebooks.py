"""A notebook's outputs, each by its own proof. The notebook as a whole stays unverified: its text and code
are the person's.

An output that carries a genuine table or figure shows nothing else: what stood there is replaced by the
airlock's own rendering. Others are told by their number, and left for the physicians. Read with the standard
library's JSON and bounds on size; nothing is run.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from hub_config.airlock.proofs.classifying import Classification, Reason, classify, of_proof
from hub_config.airlock.proofs.keys import Keys
from hub_config.airlock.proofs.rendering import Rendering
from hub_config.airlock.proofs.standing import Standing
from hub_config.governance.releases.facts import OutputClass
from hub_config.governance.releases.findings import Finding, Rule, Severity
from p4dp_sdk.figures.proof import MIME, Proof
from p4dp_sdk.wire.publication import NotGenuine

MOST_CELLS: Final = 2_000
MOST_PROVEN: Final = 40  # outputs that are made anew; further ones are reviewed as any


@dataclass(frozen=True)
class _Output:
    cell: int  # counted from 1, as people count
    number: int
    content: dict[str, Any]


def classify_notebook(name: str, content: bytes, standing: Standing, keys: Keys) -> Classification:
    """Never raises for the file's sake; what is no notebook is classified as any file."""
    notebook = _read(content)
    outputs = list(_outputs(notebook)) if notebook is not None else []
    if notebook is None or not outputs:
        return classify(name, content, standing, keys)
    judged = [(output, known) for output, known in _judged(outputs, standing, keys) if known is not None]
    proven = [output for output, known in judged if known.output_class is OutputClass.BORN_SAFE]
    told = [_told(output, known) for output, known in judged]
    params = {"proven": len(proven), "unproven": len(outputs) - len(proven)}
    findings = (Finding(Rule.UNPROVEN_OUTPUTS, Severity.NOTE, None, params),) if judged else ()
    for output, known in judged:
        _replace(output.content, known)
    anew = json.dumps(notebook, ensure_ascii=False, indent=1).encode() if judged else content
    return Classification(
        OutputClass.UNVERIFIED,
        {"reasons": [Reason.NO_PROOF.value], "outputs": told, **params},
        findings,
        Rendering(name, anew, titled=True) if judged else None,
    )


def _read(content: bytes) -> dict[str, Any] | None:
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    return notebook if isinstance(cells, list) and len(cells) <= MOST_CELLS else None


def _outputs(notebook: dict[str, Any]) -> Iterator[_Output]:
    for cell, content in enumerate(notebook["cells"], start=1):
        listed = content.get("outputs") if isinstance(content, dict) else None
        for number, output in enumerate(listed if isinstance(listed, list) else (), start=1):
            if isinstance(output, dict):
                yield _Output(cell, number, output)


def _judged(
    outputs: list[_Output], standing: Standing, keys: Keys
) -> Iterator[tuple[_Output, Classification | None]]:
    budget = MOST_PROVEN
    for output in outputs:
        data = output.content.get("data")
        if not isinstance(data, dict) or MIME not in data or budget == 0:
            yield output, None
            continue
        budget -= 1
        yield output, _of_output(data[MIME], standing, keys)


def _of_output(carried: Any, standing: Standing, keys: Keys) -> Classification | None:
    try:
        proof = Proof.from_content(carried)
    except (NotGenuine, RecursionError):
        return None
    known = of_proof("output.png" if proof.spec else "output.html", b"", proof, standing, keys)
    return known if known.rendering is not None else None


def _told(output: _Output, known: Classification) -> dict[str, Any]:
    return {"cell": output.cell, "output": output.number, "class": known.output_class.value, **known.proof}


def _replace(content: dict[str, Any], known: Classification) -> None:
    """Of the output, the proof and the airlock's own rendering are left; nothing that was sent."""
    rendering = known.rendering
    if rendering is None:
        return
    if rendering.name.endswith(".png"):
        shown: dict[str, Any] = {"image/png": base64.b64encode(rendering.content).decode("ascii")}
    else:
        shown = {"text/html": rendering.content.decode()}
    carried = content["data"][MIME]
    content.clear()
    content.update({"output_type": "display_data", "metadata": {}, "data": {**shown, MIME: carried}})
