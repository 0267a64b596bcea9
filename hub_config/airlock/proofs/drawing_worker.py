"""Draws one figure: `{"format": …, "proof": …}` comes in, its bytes go out. Status 1: it can't be drawn.

Limited in memory, time and files before anything is read; writes nothing but its answer.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile

_MEMORY = 2 * 1024**3
_SECONDS = 45
_FILE_BYTES = 16 * 1024**2  # matplotlib's list of fonts


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    order = json.loads(sys.stdin.buffer.read())
    with tempfile.TemporaryDirectory() as home:
        return _draw(order, home)


def _draw(order: dict[str, object], home: str) -> int:
    import os

    os.environ["MPLCONFIGDIR"] = home
    from p4dp_sdk.figures.drawing import Format, draw
    from p4dp_sdk.figures.proof import Proof

    proof = Proof.from_content(order["proof"])
    if proof.spec is None:
        return 1
    try:
        content = draw(proof.spec, proof.document, Format(str(order["format"])))
    except Exception as problem:  # whatever matplotlib says: the figure can't be drawn, and only that is told
        print(type(problem).__name__, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
