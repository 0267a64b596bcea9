"""A file in letters, told from what people read: words, paths, hashes, rulers."""

from __future__ import annotations

import base64
import hashlib

import pytest

from hub_config.governance.releases.coded import is_coded

ROWS = b"\n".join(b"%d;M;2013-0%d-12;T90" % (20 + 7 * n % 60, 1 + n % 9) for n in range(40))


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(ROWS).decode(),
        base64.b64encode(ROWS[:100]).decode(),
        base64.encodebytes(ROWS * 2).decode(),
        base64.b32encode(ROWS).decode(),
        ROWS.hex(),
        "x" * 1_000,
    ],
)
def test_a_file_in_letters_is_found(text: str) -> None:
    assert is_coded(f"note {text} fin")


@pytest.mark.parametrize(
    "text",
    [
        "Parmi 4 091 patients inclus, 1 211 femmes (57,6 %) avaient une hypertension. " * 20,
        "-" * 2_000,
        "+---" * 100,
        f"sha256={hashlib.sha256(b'x').hexdigest()}",
        "/home/these/sorties/tableaux/annee-2019/motifs-de-consultation-par-semaine-et-par-sexe.csv" * 2,
        "prévalence_du_diabete_chez_les_patients_de_plus_de_soixante_cinq_ans_suivis_depuis_douze_mois_2019",
        "\n".join(["anticonstitutionnellement " * 4] * 40),
    ],
)
def test_what_people_read_is_not(text: str) -> None:
    assert not is_coded(text)


def test_no_text_stops_the_search() -> None:
    assert is_coded("a1" * 500_000) and not is_coded("-" * 10**6)
