"""What a service with sockets needs of its place before it starts: a directory of its own, to be alone in it,
and the hub's address."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class StartError(Exception):
    """The message says what is missing and what to do."""


def own(directory: Path) -> None:
    """Sockets are only made where nobody else can reach: the directory may stand in a shared one such as
    /tmp.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise StartError(
            f"{directory} belongs to somebody else. Set P4DP_RUNTIME_DIR to a directory of your own."
        )
    directory.chmod(0o700)


@contextmanager
def alone(directory: Path, service: str) -> Iterator[None]:
    """One `service` an enclave: a second would take the sockets of the first."""
    descriptor = os.open(directory / f"{service}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise StartError(
            f"a service `{service}` of this enclave is running already. Stop it first."
        ) from None
    finally:
        os.close(descriptor)


def hub_api(environ: Mapping[str, str]) -> str:
    url = environ.get("JUPYTERHUB_API_URL")
    if not url:
        raise StartError(
            "JUPYTERHUB_API_URL is not set. The hub starts this service; start the enclave with `make up`."
        )
    return url
