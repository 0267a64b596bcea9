"""Project pseudonyms in the engine: `hub_config.project_keys` says what they are. And the order of a
project's rows: by a keyed hash of the patient, for the place in storage would be a name that all share.

The key reaches DuckDB as a bound variable of one connection: it stands in no SQL text, log, error or audit
event. An engine elsewhere never hears of it; where it gives rows in the project's order it is told the key of
the places, which names nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub_config.project_keys import KEY_FILE, ProjectKey

if TYPE_CHECKING:
    from hub_config.gateway.engine import Session

__all__ = ["FUNCTION", "KEY_FILE", "ProjectKey", "install", "line_up", "take_turn"]

_VARIABLE: Final = "p4dp_project_key"
_PLACES: Final = "p4dp_project_places"
FUNCTION: Final = "p4dp_pseudonym"
PLACE: Final = "p4dp_place"
ROW_PLACE: Final = "p4dp_row_place"
TURN: Final = "p4dp_turn"
PLACE_KEY: Final = f"SELECT getvariable('{_PLACES}')"
_DIGEST: Final = f"sha256(getvariable('{_VARIABLE}') || encode(kind || ':' || number))"
_MACRO: Final = f"""
    CREATE TEMP MACRO {FUNCTION}(kind, number) AS
    (('0x' || substr({_DIGEST}, 1, 16))::UBIGINT >> 1)::BIGINT
"""
# Quicker than SHA-256, and as good where nothing but an order is seen.
_PLACE_MACRO: Final = f"CREATE TEMP MACRO {PLACE}(number) AS md5_number(getvariable('{_PLACES}') || number)"
_ROW_PLACE_MACRO: Final = f"CREATE TEMP MACRO {ROW_PLACE}(place, nth) AS (place >> 48 << 48) | nth::UHUGEINT"
_ALL_PLACES: Final = 2**128
_FROM, _UP_TO = f"{TURN}_from", f"{TURN}_up_to"
_TURN_MACRO: Final = f"""
    CREATE TEMP MACRO {TURN}(place) AS place BETWEEN getvariable('{_FROM}') AND getvariable('{_UP_TO}')
"""
TURNS: Final = "p4dp_turns"  # the places of patients, where they come by turns
WHOSE, THEIRS = "__whose", "__theirs"
_TURNS_TABLE: Final = f"CREATE TEMP TABLE {TURNS} ({WHOSE} BIGINT, {THEIRS} UHUGEINT)"


def install(session: Session, key: ProjectKey) -> None:
    """Give this connection, and no other, the functions of the project."""
    session.run(f"SET VARIABLE {_VARIABLE} = ?", [key.secret])
    session.run(f"SET VARIABLE {_PLACES} = ?", [key.derived("places").hex()])
    session.run(_MACRO)
    for made in (_PLACE_MACRO, _ROW_PLACE_MACRO, _TURN_MACRO, _TURNS_TABLE):
        session.run(made)


def line_up(session: Session, view: str, patient: str) -> None:
    """Note the place of each patient in a view of the session, for their turns: once, not at each row."""
    session.run(f"TRUNCATE {TURNS}")
    session.run(
        f"INSERT INTO {TURNS} SELECT number, {PLACE}(number)"  # noqa: S608
        f' FROM (SELECT DISTINCT "{patient}" AS number FROM "{view}")'
    )


def take_turn(session: Session, turn: int, of: int) -> None:
    """From now on it is the turn of the patients in this one of so many parts of the project's order."""
    bounds = (turn * _ALL_PLACES // of, (turn + 1) * _ALL_PLACES // of - 1)
    for variable, bound in zip((_FROM, _UP_TO), bounds, strict=True):
        session.run(f"SET VARIABLE {variable} = ?::UHUGEINT", [str(bound)])
