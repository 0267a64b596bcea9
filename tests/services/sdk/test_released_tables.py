"""What a real gateway signs, the airlock takes for born safe: the table, its figure, and its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import p4dp_sdk as p4dp
from hub_config.airlock.proofs import Classification, Standing, classify
from hub_config.governance.releases.facts import OutputClass
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.publication import fingerprint

Connect = Callable[[str, str], p4dp.Workspace]


def test_a_published_table_and_its_figure_are_born_safe(connect: Connect, tmp_path: Path) -> None:
    ws = connect("ines", "these-ines")
    p = ws.tables.patients
    table = ws.publish(p.group_by("sex").agg(patients=p.patient_id.nunique()), title="Patients par sexe")
    said, key = table.statement, ws.publication_key()
    standing = Standing(said.project, said.snapshot, Policy(), holders=False)

    def known(name: str, content: bytes) -> Classification:
        return classify(name, content, standing, {table.document.signature.key: key})

    saved = table.to_excel(tmp_path / "table.xlsx").read_bytes()
    figure = table.plot.bar(titled=False).proof.to_json()
    contents = {"a.csv": table.document.to_json(), "a.xlsx": saved, "a.svg": figure}
    for name, content in contents.items():
        made = known(name, content)
        assert made.output_class is OutputClass.BORN_SAFE, made.proof
        assert made.proof["generated_text"] is True
        assert made.rendering is not None and made.rendering.name == name
    other = known("a.csv", contents["a.csv"].replace(b"Patients par sexe", b"Patients de Mme X"))
    assert other.output_class is OutputClass.UNVERIFIED
    assert len(table.document.signature.key) == len(fingerprint(b""))
