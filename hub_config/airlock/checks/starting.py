"""Becomes the box: takes another user's place, then *is* bubblewrap.

A process of its own, with one thread: what must happen between fork and exec is not safe in the airlock's
many threads.

    python -P -m hub_config.airlock.checks.starting '{"parent": 71, "uid": 69999, "program": ["-m", "…"]}'
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Final

from hub_config.airlock.checks.box import checkers_box
from hub_config.boxes.entrance import enter

NO_BOX: Final = 126
"""How this process ends where it can't become a box; so does what changes over before bubblewrap starts."""


def main(order: str) -> None:
    asked = json.loads(order)
    python = str(Path(sys.prefix) / "bin" / "python")
    command = (python, "-P", "-s", "-B", *asked["program"])
    entrance = enter(checkers_box(), command, uid=asked["uid"], parent=asked["parent"])
    for handle in entrance.keep_open:
        os.set_inheritable(handle, True)
    entrance.before_exec()
    os.execve(entrance.command[0], entrance.command, dict(entrance.environment or {}))  # noqa: S606


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception as problem:
        os.write(2, f"P4DP checks: {problem}\n".encode())
        os._exit(NO_BOX)
