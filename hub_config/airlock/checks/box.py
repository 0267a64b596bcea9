"""The box of one inspection: the interpreter and the checkers, read-only; no network, no other file.

Not in it: the file (its bytes come by stdin), the shelf, the enclave's state, /etc, /run, any folder that can
be written to.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from hub_config.boxes.box import Box, Mount
from hub_config.boxes.interpreter import interpreter_mounts, system_mounts

_CHECKOUT: Final = Path(__file__).parents[3]
CODE_INSIDE: Final = "/opt/p4dp"
_CODE: Final = (
    "hub_config/airlock/checks/inside",
    "hub_config/governance/releases/coded.py",
    "hub_config/governance/releases/facts.py",
    "hub_config/governance/releases/findings.py",
)
_ENVIRONMENT: Final = {
    "PYTHONPATH": CODE_INSIDE,
    "PYTHONDONTWRITEBYTECODE": "1",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


def checkers_box(environment: Path | None = None) -> Box:
    """Raises NoEnvironment."""
    code = tuple(Mount(_CHECKOUT / path, f"{CODE_INSIDE}/{path}") for path in _CODE)
    interpreter = interpreter_mounts(environment or Path(sys.prefix))
    return Box(
        mounts=(*system_mounts(), *interpreter, *code),
        environment=_ENVIRONMENT,
        scratch=(),
    )
