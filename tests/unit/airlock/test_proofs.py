"""What the airlock makes of a file that carries a proof: its class, why, and what leaves in its place."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pyarrow import parquet

from hub_config.airlock.checks.texts import say
from hub_config.airlock.proofs import Classification, Standing, classify, read_keys
from hub_config.airlock.proofs.rendering import FIGURES, TABLES
from hub_config.airlock.proofs.unpacking import proof_in
from hub_config.governance.releases.facts import OutputClass
from hub_config.governance.releases.findings import Rule, Severity
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.figures.drawing import Format, draw
from p4dp_sdk.figures.proof import Proof
from p4dp_sdk.figures.sheets import csv_of
from p4dp_sdk.tables.safe import SafeTable
from p4dp_sdk.wire.publication import Column, Document, Lineage, NotGenuine, Shape
from tests.unit.sdk.signed_tables import OTHER_KEY, STATEMENT, pem, signed

POLICY: dict[str, Any] = {
    "min_patients": 11,
    "min_physicians": 3,
    "min_outside": 11,
    "max_physician_share": 0.85,
    "dominance_k": 0.85,
}
STANDING = Standing("these-ines", 3, Policy(), holders=False)
KEYS = {signed().signature.key: pem()}
TEXT, COUNT = STATEMENT.columns[0], STATEMENT.columns[1]


def document(**changes: Any) -> Document:
    return signed(**{"policy": POLICY, **changes})


def found(
    content: Document | bytes, name: str = "table.csv", standing: Standing = STANDING
) -> Classification:
    sent = content if isinstance(content, bytes) else content.to_json()
    return classify(name, sent, standing, KEYS)


def rules(classification: Classification) -> set[Rule]:
    return {finding.rule for finding in classification.findings}


def test_a_genuine_table_is_born_safe_and_made_anew() -> None:
    made = found(document())
    assert made.output_class is OutputClass.BORN_SAFE and made.proof["reasons"] == []
    assert made.rendering is not None and made.rendering.name == "table.csv"
    assert made.rendering.content == csv_of(STATEMENT)
    assert made.proof["generated_text"] is True, "a CSV has no title"
    assert rules(made) == {Rule.MADE_ANEW}
    assert made.proof["columns"][0] == {
        "name": "age_band", "lineage": "key", "source": ["age_band"], "protected": False, "alias": False,
    }  # fmt: skip
    assert "1234" not in json.dumps(made.proof), "the record holds no cell"


def unsafe(**changes: Any) -> Document:
    return document(**changes)


LITERAL = replace(TEXT, lineage=Lineage.LITERAL)
ALIAS = replace(COUNT, name="mes_patients", alias=True)
USER = replace(TEXT, lineage=Lineage.USER)
REASONS: dict[str, tuple[Document, str, Rule]] = {
    "of another project": (document(project="these-rachid"), "other-project", Rule.OTHER_PROJECT),
    "of another snapshot": (document(snapshot=2), "other-snapshot", Rule.OTHER_SNAPSHOT),
    "with looser thresholds": (
        document(policy=POLICY | {"min_patients": 5}), "other-policy", Rule.OTHER_POLICY,
    ),
    "with a looser share": (
        document(policy=POLICY | {"max_physician_share": 0.95}), "other-policy", Rule.OTHER_POLICY,
    ),
    "that tells no threshold": (document(policy={"min_patients": 11}), "other-policy", Rule.OTHER_POLICY),
    "with literals": (document(columns=(LITERAL, *STATEMENT.columns[1:])), "own-words", Rule.OWN_WORDS),
    "with an alias": (
        document(columns=(TEXT, ALIAS, STATEMENT.columns[2])), "own-words", Rule.OWN_WORDS,
    ),
    "with a table of the person's": (
        document(columns=(USER, *STATEMENT.columns[1:])), "own-words", Rule.OWN_WORDS,
    ),
    "that the gateway doubts": (document(unverified=("age_band",)), "own-words", Rule.OWN_WORDS),
    "of a project that sees rows": (document(unverified=("rows-held",)), "rows-held", Rule.ROWS_HELD),
    "of microdata": (document(access="microdata"), "rows-held", Rule.ROWS_HELD),
    "whose title turns letters around": (
        document(title="Effectifs \u202etxt.exe"), "hidden-characters", Rule.DISGUISED_CHARACTERS,
    ),
    "whose label hides letters": (
        document(rows=(("40\u200b49", 12, 0.5),)), "hidden-characters", Rule.DISGUISED_CHARACTERS,
    ),
    "of a sandbox of real data": (document(access="sandbox"), "sandbox-of-real-data", Rule.NOT_GENUINE),
}  # fmt: skip


@pytest.mark.parametrize("case", REASONS, ids=list(REASONS))
def test_a_table_is_unverified_for_a_reason(case: str) -> None:
    sent, reason, rule = REASONS[case]
    made = found(sent)
    assert made.output_class is OutputClass.UNVERIFIED
    assert reason in made.proof["reasons"] and rule in rules(made)
    assert made.proof.get("generated_text") is not True


def tampered() -> bytes:
    content = json.loads(document().to_json())
    content["statement"]["rows"][1][1] = 7
    return json.dumps(content).encode()


def parts(content: Document) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(content.to_json())
    return read


def mixed(**changed: Any) -> bytes:
    return json.dumps(parts(document()) | changed).encode()


BY_ANOTHER = signed(OTHER_KEY, policy=POLICY)
STATED, SIGNED = parts(document())["statement"], parts(BY_ANOTHER)["signature"]
FORGED: dict[str, bytes] = {
    "a number was changed": tampered(),
    "signed with another key": BY_ANOTHER.to_json(),
    "another key under the gateway's name": mixed(signature=SIGNED | {"key": next(iter(KEYS))}),
    "a signature of something else": mixed(signature=parts(document(title="Autre"))["signature"]),
    "a signature that is none": mixed(signature={"algorithm": "none", "key": "", "value": ""}),
    "a field more": mixed(statement=STATED | {"born_safe": True}),
    "a spec that is none": json.dumps({"spec": {"kind": "pie"}, "document": parts(document())}).encode(),
}


@pytest.mark.parametrize("case", FORGED, ids=list(FORGED))
def test_a_forged_table_is_unverified_and_its_bytes_are_left_as_they_are(case: str) -> None:
    made = found(FORGED[case])
    assert made.output_class is OutputClass.UNVERIFIED and made.rendering is None
    assert made.proof == {"reasons": ["not-genuine"]} and rules(made) == {Rule.NOT_GENUINE}


@pytest.mark.parametrize(
    "content",
    [b"", b"sexe;patients\r\nF;12\r\n", b"{}", b"[" * 100_000, b"{" * 100_000, b"PAR1PAR1", b"PK\x03\x04",
     b"\x89PNG\r\n", b'{"statement": 1}', "{é".encode("latin-1")],
)  # fmt: skip
def test_what_carries_no_document_is_what_it_is(content: bytes) -> None:
    made = found(content)
    assert made.output_class is OutputClass.UNVERIFIED and made.proof == {"reasons": ["no-proof"]}
    assert made.rendering is None and not made.findings


def test_a_broken_document_in_metadata_is_told() -> None:
    with pytest.raises(NotGenuine):
        proof_in(b"ARROW1" + b'{"signature":{"algorithm":"ed25519"' + b"x" * 100)


def test_somebody_who_holds_rows_elsewhere_is_told_and_never_at_once() -> None:
    made = found(document(), standing=replace(STANDING, holders=True))
    assert made.output_class is OutputClass.BORN_SAFE, "one look: the rules of looks know of holders too"
    notes = [finding for finding in made.findings if finding.rule is Rule.ROWS_HELD]
    assert [note.severity for note in notes] == [Severity.NOTE]


def test_synthetic_tables_say_so() -> None:
    made = found(document(synthetic=True, access="sandbox"))
    assert made.output_class is OutputClass.BORN_SAFE and Rule.SYNTHETIC in rules(made)


@pytest.mark.parametrize("ending", TABLES)
def test_each_form_is_made_from_the_document(ending: str) -> None:
    made = found(document(), f"table.{ending}")
    assert made.rendering is not None and made.rendering.name == f"table.{ending}"
    assert made.proof["generated_text"] is not TABLES[ending][1]
    content = made.rendering.content
    if ending == "parquet":
        assert parquet.read_table(io.BytesIO(content)).column("patients").to_pylist() == [1234, None, 87]
    if ending == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(content))
        assert [sheet.sheet_state for sheet in book.worksheets] == ["visible"]
        assert [cell.value for cell in book.worksheets[0][3]] == ["50-59", "•", "•"]
    if ending == "html":
        assert b"&lt;b&gt;" in content and b"<b>" not in content and b"<script" not in content


NAMES = {
    "a.csv.json": "a.csv",
    "a.CSV": "a.csv",
    "a": "a.csv",
    "a.exe": "a.csv",
    "a.p4dp.json": "a.p4dp.json",
    "": "table.csv",
}


@pytest.mark.parametrize("asked", NAMES)
def test_the_name_asks_for_a_form(asked: str) -> None:
    rendering = found(document(), asked).rendering
    assert rendering is not None and rendering.name == NAMES[asked]


@pytest.mark.parametrize("writer", ["to_excel", "to_parquet", "to_arrow", "to_csv"])
def test_files_the_sdk_writes_carry_their_document(writer: str, tmp_path: Path) -> None:
    table = SafeTable(document())
    ending = {"to_excel": "xlsx", "to_parquet": "parquet", "to_arrow": "arrow", "to_csv": "csv"}[writer]
    path = getattr(table, writer)(tmp_path / f"table.{ending}")
    path = path if ending != "csv" else path.with_name("table.csv.json")
    made = found(path.read_bytes(), path.name)
    assert made.output_class is OutputClass.BORN_SAFE
    assert made.rendering is not None and made.rendering.name == f"table.{ending}"


def test_a_workbook_that_shows_other_numbers_is_released_with_those_signed(tmp_path: Path) -> None:
    path = SafeTable(document()).to_excel(tmp_path / "table.xlsx")
    book = openpyxl.load_workbook(path)
    book.worksheets[0]["B4"] = 7
    book.create_sheet("mes notes")["A1"] = "M. Dupont"
    book.save(path)
    made = found(path.read_bytes(), "table.xlsx")
    assert made.rendering is not None
    kept = openpyxl.load_workbook(io.BytesIO(made.rendering.content))
    assert len(kept.worksheets) == 1 and kept.worksheets[0]["B2"].value == 1234


def test_a_bomb_in_a_workbook_is_not_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings.xml", b"<t>" + b"0" * 200_000_000 + b"</t>")
    assert found(bomb.getvalue(), "table.xlsx").proof == {"reasons": ["no-proof"]}


def figure(**options: Any) -> Proof:
    return SafeTable(document()).plot.bar(**options).proof


def test_a_figure_is_drawn_again_by_the_airlock() -> None:
    proof = figure(titled=False)
    made = found(proof.to_json(), "figure.svg")
    assert made.output_class is OutputClass.BORN_SAFE and made.proof["generated_text"] is True
    assert made.rendering is not None and made.rendering.name == "figure.svg"
    assert proof.spec is not None and made.rendering.content == draw(proof.spec, proof.document, Format.SVG)
    assert set(FIGURES) == set(Format)


def test_a_figure_that_can_t_be_drawn_is_unverified() -> None:
    columns = (
        TEXT,
        *(Column(n, Shape.NUMBER, Lineage.DERIVED, protected=True) for n in ("estimate", "low", "high")),
    )
    table = SafeTable(document(columns=columns, rows=(("F", -1.0, -2.0, 1.0),), total=None))
    made = found(table.plot.forest(log=True).proof.to_json(), "figure.png")
    assert made.output_class is OutputClass.UNVERIFIED and rules(made) == {Rule.NOT_DRAWN}


def test_only_keys_of_the_gateway_s_own_folder_count(tmp_path: Path) -> None:
    assert read_keys(tmp_path / "none") == {}
    (tmp_path / "publication.pem").write_text(pem(OTHER_KEY))
    (tmp_path / f"{next(iter(KEYS))}.pem").write_text(pem())
    assert read_keys(tmp_path) == KEYS
    assert classify("t.csv", document().to_json(), STANDING, {}).output_class is OutputClass.UNVERIFIED


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_finding_has_words(language: Any) -> None:
    for sent, _reason, _rule in REASONS.values():
        for finding in found(sent).findings:
            words = say(finding, language)
            assert words.what and words.why and words.remedy and "…" not in words.what
