"""The pseudonym key is replaced: numbers stay, every step may be cut short, and no key is ever shown."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pytest

from hub_config.warehouse import pseudonyms, registers, rotation
from hub_config.warehouse.pseudonyms import Kind, PseudonymProblem, Pseudonyms
from hub_config.warehouse.rotation import begin, finish, status

PEOPLE = [f"D{number:04}" for number in range(40)]
ONE, OTHER = "11" * 32, "22" * 32


def numbers(keys: Path, names: list[str]) -> list[int]:
    return Pseudonyms.open(keys).numbers(Kind.PATIENT, "vendor", names)


def enrol(keys: Path, names: list[str]) -> None:
    """As a load does: hashes batch by batch, numbers at the end."""
    opened = Pseudonyms.open(keys)
    digests = opened.digest_array(Kind.PATIENT, "vendor", pa.array(names))
    with opened.enrolling(Kind.PATIENT) as register:
        known = set(register.numbered.column("digest").to_pylist())
        fresh = sorted(set(digests.to_pylist()) - known)
        register.append([pa.array(fresh, pa.binary(32))])


def test_numbers_stay_through_two_rotations(tmp_path: Path) -> None:
    before = numbers(tmp_path, PEOPLE)
    for _ in range(2):
        old = Pseudonyms.open(tmp_path).version
        begin(tmp_path)
        assert numbers(tmp_path, PEOPLE) == before
        finish(tmp_path, leave_behind=False)
        assert Pseudonyms.open(tmp_path).version != old
        assert numbers(tmp_path, PEOPLE) == before


def test_the_old_key_is_gone_with_all_that_was_made_by_it(tmp_path: Path) -> None:
    numbers(tmp_path, PEOPLE)
    old = (tmp_path / "pseudonyms.key").read_text()
    register = (tmp_path / "patients.register").read_bytes()
    begin(tmp_path)
    numbers(tmp_path, PEOPLE)
    finish(tmp_path, leave_behind=False)
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert old.encode() not in left
    assert not any(register[place : place + 32] in left for place in range(0, len(register), 32))


def test_who_is_new_while_it_is_on_is_known_by_both_keys(tmp_path: Path) -> None:
    before = numbers(tmp_path, PEOPLE[:20])
    begin(tmp_path)
    enrol(tmp_path, PEOPLE)
    during = numbers(tmp_path, PEOPLE)
    assert during[:20] == before
    assert sorted(during) == list(range(40))
    assert status(tmp_path).missing == 0
    finish(tmp_path, leave_behind=False)
    assert numbers(tmp_path, PEOPLE) == during


def test_it_is_not_finished_while_the_new_key_does_not_know_everybody(tmp_path: Path) -> None:
    before = numbers(tmp_path, PEOPLE)
    begin(tmp_path)
    numbers(tmp_path, PEOPLE[:30])
    assert status(tmp_path).missing == 10
    with pytest.raises(PseudonymProblem, match=r"10 patients.*--leave-behind.*objection"):
        finish(tmp_path, leave_behind=False)
    assert numbers(tmp_path, PEOPLE[:30]) == before[:30]
    finish(tmp_path, leave_behind=True)
    assert numbers(tmp_path, PEOPLE[:30]) == before[:30]
    assert sorted(numbers(tmp_path, PEOPLE[30:])) == list(range(40, 50))  # new persons, as was said
    begin(tmp_path)
    numbers(tmp_path, PEOPLE)
    assert status(tmp_path).missing == 0  # whoever was left behind is not waited for again


class Killed(BaseException):
    """kill -9, as far as a process can do it to itself."""


def nth(original: Callable[..., object], left: list[int]) -> Callable[..., object]:
    def stopped(*given: object, **named: object) -> object:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        return original(*given, **named)

    return stopped


def cut_short(patch: pytest.MonkeyPatch, after: int) -> None:
    """Every write to the keys from the `after`-th on is not reached any more."""
    left = [after]
    for module in (registers, rotation):
        for name in ("append", "write_at", "write_state", "write_private", "take_over"):
            if hasattr(module, name) and name != "take_over":
                patch.setattr(module, name, nth(getattr(module, name), left))
    patch.setattr(Path, "replace", nth(Path.replace, left))
    patch.setattr(Path, "unlink", nth(Path.unlink, left))


@pytest.mark.parametrize("after", range(12))
def test_any_step_may_be_the_last_before_a_kill(tmp_path: Path, after: int) -> None:
    before = numbers(tmp_path, PEOPLE[:20])

    def whole() -> None:
        if Pseudonyms.open(tmp_path).keys.successor is None and not done.exists():
            begin(tmp_path)
        enrol(tmp_path, PEOPLE)
        done.touch()
        if Pseudonyms.open(tmp_path).keys.successor is not None:
            finish(tmp_path, leave_behind=False)

    done = tmp_path / "everybody was met"
    old = Pseudonyms.open(tmp_path).version
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch, after)
        with pytest.raises(Killed):
            whole()
    assert numbers(tmp_path, PEOPLE[:20]) == before
    whole()
    assert numbers(tmp_path, PEOPLE[:20]) == before
    assert sorted(numbers(tmp_path, PEOPLE)) == list(range(40))
    assert Pseudonyms.open(tmp_path).version != old


def test_a_load_that_began_before_the_end_of_a_rotation_stops(tmp_path: Path) -> None:
    numbers(tmp_path, PEOPLE)
    begin(tmp_path)
    running = Pseudonyms.open(tmp_path)
    numbers(tmp_path, PEOPLE)
    finish(tmp_path, leave_behind=False)
    with pytest.raises(PseudonymProblem, match="Begin again"):
        running.numbers(Kind.PATIENT, "vendor", PEOPLE)
    assert len((tmp_path / "patients.register").read_bytes()) == 40 * 32


def test_who_is_numbered_by_a_load_opened_before_it_began_keeps_their_number(tmp_path: Path) -> None:
    before = numbers(tmp_path, PEOPLE[:20])
    running = Pseudonyms.open(tmp_path)
    begin(tmp_path)
    assert set(running.numbers(Kind.PATIENT, "vendor", PEOPLE[20:30])) == set(range(20, 30))
    numbers(tmp_path, PEOPLE[:20])
    assert status(tmp_path).missing == 10
    with pytest.raises(PseudonymProblem, match="10 patients"):
        finish(tmp_path, leave_behind=False)
    finish(tmp_path, leave_behind=True)
    assert numbers(tmp_path, PEOPLE[:20]) == before
    assert numbers(tmp_path, ["new"]) == [30], "not one of the ten's"


def test_a_kind_first_numbered_by_such_a_load_is_not_kept_under_the_old_key(tmp_path: Path) -> None:
    numbers(tmp_path, PEOPLE)
    running = Pseudonyms.open(tmp_path)
    begin(tmp_path)
    running.numbers(Kind.PHYSICIAN, "vendor", ["GP"])
    old = (tmp_path / "physicians.register").read_bytes()
    finish(tmp_path, leave_behind=True)
    assert (tmp_path / "physicians.register").read_bytes() == bytes(len(old))


def test_nobody_is_numbered_between_the_count_and_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load waits for the lock and has it as soon as it is let go."""
    numbers(tmp_path, PEOPLE[:20])
    running = Pseudonyms.open(tmp_path)
    begin(tmp_path)
    numbers(tmp_path, PEOPLE[:20])
    late: list[int] = []

    @contextmanager
    def contended(keys: Path) -> Iterator[None]:
        with registers.locked(keys):
            yield
        with suppress(PseudonymProblem):
            late.extend(running.numbers(Kind.PATIENT, "vendor", PEOPLE[20:]))

    monkeypatch.setattr(rotation, "locked", contended)
    finish(tmp_path, leave_behind=False)
    monkeypatch.undo()
    assert late == [], "it stopped: its key is the old one"
    assert numbers(tmp_path, ["new"]) == [20]


def test_a_load_killed_between_numbering_and_noting_leaves_nobody_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = numbers(tmp_path, PEOPLE[:20])
    begin(tmp_path)
    monkeypatch.setattr(pseudonyms, "note_waiting", nth(print, [0]))
    with pytest.raises(Killed):
        enrol(tmp_path, PEOPLE)
    monkeypatch.undo()
    finish(tmp_path, leave_behind=False)
    after = numbers(tmp_path, PEOPLE)
    assert after[:20] == before
    assert sorted(after) == list(range(40))


def test_names_of_records_outlive_a_rotation(tmp_path: Path) -> None:
    before = Pseudonyms.open(tmp_path)
    numbers(tmp_path, PEOPLE)
    begin(tmp_path)
    finish(tmp_path, leave_behind=True)
    after = Pseudonyms.open(tmp_path)
    for kind in (Kind.RECORD, Kind.INVENTED):
        assert before.digests(kind, "vendor", ["7"]) == after.digests(kind, "vendor", ["7"])
    assert before.check("vendor") == after.check("vendor")


# --- where the key is --------------------------------------------------------------------------------------


def test_the_key_may_come_from_the_environment_and_lie_nowhere(tmp_path: Path) -> None:
    given = {"P4DP_PSEUDONYM_KEY": ONE}
    Pseudonyms.open(tmp_path, given).numbers(Kind.PATIENT, "vendor", PEOPLE)
    assert not (tmp_path / "pseudonyms.key").exists()
    assert ONE.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert bytes.fromhex(ONE) not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    with pytest.raises(PseudonymProblem, match="missing"):
        Pseudonyms.open(tmp_path, {})


def test_two_different_keys_are_an_error_and_two_equal_ones_none(tmp_path: Path) -> None:
    Pseudonyms.open(tmp_path, {})
    held = (tmp_path / "pseudonyms.key").read_text().strip()
    Pseudonyms.open(tmp_path, {"P4DP_PSEUDONYM_KEY": held})
    with pytest.raises(PseudonymProblem, match="different keys") as told:
        Pseudonyms.open(tmp_path, {"P4DP_PSEUDONYM_KEY": ONE})
    assert ONE not in str(told.value)
    assert held not in str(told.value)


@pytest.mark.parametrize("text", ["", "abc", ONE[:-1], "zz" * 32])
def test_a_key_that_is_none_is_refused_and_not_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(PseudonymProblem, match="64 hexadecimal digits") as told:
        Pseudonyms.open(tmp_path, {"P4DP_PSEUDONYM_KEY": text})
    assert not text or text not in str(told.value)


def test_another_key_than_the_registers_was_made_with_is_refused(tmp_path: Path) -> None:
    Pseudonyms.open(tmp_path, {"P4DP_PSEUDONYM_KEY": ONE}).numbers(Kind.PATIENT, "vendor", PEOPLE)
    with pytest.raises(PseudonymProblem, match="not the key that the registers were made with"):
        Pseudonyms.open(tmp_path, {"P4DP_PSEUDONYM_KEY": OTHER})


def test_a_rotation_between_keys_of_the_environment(tmp_path: Path) -> None:
    one, both = {"P4DP_PSEUDONYM_KEY": ONE}, {"P4DP_PSEUDONYM_KEY": ONE, "P4DP_PSEUDONYM_NEXT_KEY": OTHER}
    before = Pseudonyms.open(tmp_path, one).numbers(Kind.PATIENT, "vendor", PEOPLE)
    with pytest.raises(PseudonymProblem, match="P4DP_PSEUDONYM_NEXT_KEY"):
        begin(tmp_path, one)
    begin(tmp_path, both)
    with pytest.raises(PseudonymProblem, match="its new key is not in"):
        Pseudonyms.open(tmp_path, one)
    with pytest.raises(PseudonymProblem, match="not the new key"):
        Pseudonyms.open(tmp_path, {**one, "P4DP_PSEUDONYM_NEXT_KEY": "33" * 32})
    assert Pseudonyms.open(tmp_path, both).numbers(Kind.PATIENT, "vendor", PEOPLE) == before
    finish(tmp_path, leave_behind=False, environ=both)
    with pytest.raises(PseudonymProblem, match="what P4DP_PSEUDONYM_NEXT_KEY was"):
        Pseudonyms.open(tmp_path, both)
    after = Pseudonyms.open(tmp_path, {"P4DP_PSEUDONYM_KEY": OTHER})
    assert after.numbers(Kind.PATIENT, "vendor", PEOPLE) == before


def test_neither_objects_nor_commands_show_a_key(tmp_path: Path) -> None:
    shown = repr(Pseudonyms.open(tmp_path)) + repr(Pseudonyms.open(tmp_path).keys)
    numbers(tmp_path / "keys", PEOPLE)
    environ = {**os.environ, "P4DP_HOME": str(tmp_path), "P4DP_DEBUG": "1"}
    for words in (["begin"], ["status"], ["finish"], ["finish", "--leave-behind"]):
        run = [sys.executable, "-m", "hub_config.cli", "keys", "rotate-pseudonyms", *words]
        done = subprocess.run(run, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1)  # 1: the refusal, with its trace
        shown += done.stdout + done.stderr
    assert "the new key knows 0 of 40" in shown
    held = [path.read_text().strip() for path in (*tmp_path.rglob("*.key"),)]
    assert held
    assert not any(key in shown for key in held)
