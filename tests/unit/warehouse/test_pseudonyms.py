"""Identifiers become dense, stable numbers; neither key nor register is ever replaced in silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub_config.keys import UnsafeKey
from hub_config.warehouse.pseudonyms import Kind, PseudonymProblem, Pseudonyms

NAMES = [f"patient-{n:04}" for n in range(500)]
ROOT = Path(__file__).parents[3]


def number(directory: Path, names: list[str], source: str = "vendor") -> list[int]:
    return Pseudonyms.open(directory).numbers(Kind.PATIENT, source, names)


def test_numbers_are_dense_and_in_no_order_of_the_source(tmp_path: Path) -> None:
    numbers = number(tmp_path, NAMES)
    assert sorted(numbers) == list(range(500))
    assert numbers != sorted(numbers)


def test_known_people_keep_their_number_and_new_ones_are_appended(tmp_path: Path) -> None:
    before = number(tmp_path, NAMES[:300])
    after = number(tmp_path, [*reversed(NAMES)])
    assert [*reversed(after)][:300] == before
    assert sorted(after) == list(range(500))


def test_an_identifier_is_scoped_by_its_source_and_kind(tmp_path: Path) -> None:
    first, second = number(tmp_path, ["12"], "one"), number(tmp_path, ["12"], "two")
    assert (first, second) == ([0], [1])
    pseudonyms = Pseudonyms.open(tmp_path)
    assert pseudonyms.digests(Kind.PATIENT, "one", ["12"]) != pseudonyms.digests(
        Kind.PHYSICIAN, "one", ["12"]
    )


def test_another_key_gives_other_hashes(tmp_path: Path) -> None:
    one, two = Pseudonyms.open(tmp_path / "one"), Pseudonyms.open(tmp_path / "two")
    assert one.digests(Kind.PATIENT, "vendor", ["12"]) != two.digests(Kind.PATIENT, "vendor", ["12"])


def test_repeated_identifiers_share_a_number(tmp_path: Path) -> None:
    assert number(tmp_path, ["a", "a"]) == [0, 0]


def test_the_register_holds_no_identifier_and_is_private(tmp_path: Path) -> None:
    number(tmp_path, NAMES)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0
        assert b"patient-" not in path.read_bytes()
    assert (tmp_path / "patients.register").stat().st_size == 500 * 32


def test_a_torn_record_is_written_over(tmp_path: Path) -> None:
    before = number(tmp_path, NAMES[:10])
    with (tmp_path / "patients.register").open("ab") as file:
        file.write(b"torn")
    assert number(tmp_path, NAMES[:10]) == before
    assert sorted(number(tmp_path, NAMES)) == list(range(500))
    assert (tmp_path / "patients.register").stat().st_size == 500 * 32


def test_two_processes_never_give_one_number_twice(tmp_path: Path) -> None:
    Pseudonyms.open(tmp_path)
    code = (
        "import sys; from pathlib import Path; from hub_config.warehouse.pseudonyms import Kind, Pseudonyms\n"
        "names = [f'{sys.argv[2]}-{n}' for n in range(200)]\n"
        "for name in names: Pseudonyms.open(Path(sys.argv[1])).numbers(Kind.PATIENT, 'vendor', [name])\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), who], cwd=ROOT) for who in "ab"]
    assert [child.wait() for child in children] == [0, 0]
    everybody = number(tmp_path, [f"{who}-{n}" for who in "ab" for n in range(200)])
    assert sorted(everybody) == list(range(400))


def test_a_lost_key_is_not_replaced_while_a_register_exists(tmp_path: Path) -> None:
    number(tmp_path, ["a"])
    (tmp_path / "pseudonyms.key").unlink()
    with pytest.raises(PseudonymProblem, match="Restore the key"):
        number(tmp_path, ["a"])
    assert not (tmp_path / "pseudonyms.key").exists()


@pytest.mark.parametrize("content", ["", "00ff", "not hexadecimal"])
def test_a_damaged_key_is_not_used(tmp_path: Path, content: str) -> None:
    number(tmp_path, ["a"])
    (tmp_path / "pseudonyms.key").write_text(content)
    with pytest.raises(PseudonymProblem, match="damaged"):
        number(tmp_path, ["a"])


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    number(tmp_path, ["a"])
    (tmp_path / "pseudonyms.key").chmod(0o644)
    with pytest.raises(UnsafeKey, match="chmod 600"):
        number(tmp_path, ["a"])
