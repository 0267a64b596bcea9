"""The kernel's limits on this process, set before it reads a byte of the file; no one raises them again."""

from __future__ import annotations

import resource

_OPEN_FILES = 64


def set_limits(*, memory: int, cpu_seconds: int, processes: int) -> None:
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        resource.setrlimit(limit, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
