"""The process in the box: an order and a file's bytes on stdin, one answer on stdout, and the end.

Limits are set before the first byte of the file is read. Whatever goes wrong inside is told as a reason, and
what can't even be told is seen from outside.
"""

from __future__ import annotations

import os
import sys

from hub_config.airlock.checks.inside.found import CannotRead, Found, Order
from hub_config.airlock.checks.inside.limits import set_limits
from hub_config.airlock.checks.inside.protocol import Answer, read_order, write_answer
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.airlock.checks.inside.registry import checker_of


def answer_to(content: bytes, order: Order) -> Answer:
    """Never raises for the file's sake."""
    try:
        return Answer(checker_of(order.kind)(content, order))
    except CannotRead as stop:
        return Answer(Found(), stop.reason)
    except MemoryError:
        return Answer(Found(), Reason.TOO_MUCH)
    except Exception:  # a parser met what nobody thought of: the file is put aside, whatever it was
        return Answer(Found(), Reason.DAMAGED)


def main() -> None:
    sys.setrecursionlimit(2_000)
    source = sys.stdin.buffer
    order, limits = read_order(source.readline(2**16))
    set_limits(**limits)
    answer = write_answer(answer_to(source.read(), order))
    with os.fdopen(1, "wb", closefd=False) as out:
        out.write(answer)
    os._exit(0)


if __name__ == "__main__":
    main()
