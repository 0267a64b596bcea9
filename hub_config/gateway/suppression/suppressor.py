"""Starts, feeds, watches and ends the workers. See the package's docstring."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub_config.gateway.stopping import Stop
from hub_config.gateway.suppression import codec, framing
from p4dp_sdk.disclosure.secondary import Limits, Proof, Suppression, TableProblem, conclude
from p4dp_sdk.wire.errors import ErrorCode, Refusal

logger = logging.getLogger(__name__)

_CHECKOUT: Final = Path(__file__).parents[3]
_MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_ARGUS_SHARE: Final = 0.4  # of the time, for τ-ARGUS to propose


@dataclass(frozen=True)
class Bounds:
    """What one worker may use. `program` is what it runs, as Python's arguments."""

    memory: int = 2 * 2**30
    cpu_seconds: int = 60
    program: tuple[str, ...] = ("-m", "hub_config.gateway.suppression.worker")


class WorkerDied(Exception):
    """The worker ended, was killed or talks nonsense; nobody knows why."""


class Worker:
    """One process and our end of its line. It has an empty folder and an empty environment."""

    def __init__(self, bounds: Bounds) -> None:
        place = _MEMORY_FOLDER if os.access(_MEMORY_FOLDER, os.W_OK) else None
        self._folder = tempfile.mkdtemp(prefix="p4dp-suppression-", dir=place)
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", *bounds.program, str(bounds.memory), str(bounds.cpu_seconds)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env={"PYTHONPATH": str(_CHECKOUT), "TMPDIR": self._folder, "LANG": "C.UTF-8", **_ONE_THREAD},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def interrupt(self) -> None:
        self._process.kill()

    def send(self, frame: bytes, until: float) -> None:
        self._line.settimeout(_left(until))
        try:
            framing.send(self._line, frame)
        except framing.LineCut:
            raise WorkerDied from None

    def receive(self, until: float) -> tuple[dict[str, Any], codec.Arrays]:
        """What the worker says next. Raises WorkerDied, or TimeoutError."""
        self._line.settimeout(_left(until))
        try:
            return codec.unpack(framing.receive(self._line))
        except (framing.LineCut, codec.BadFrame):
            raise WorkerDied from None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._line.close()
        shutil.rmtree(self._folder, ignore_errors=True)


_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class Suppressor:
    """Keeps one worker ready, since Python and SciPy take a while to start."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._lock = threading.Lock()
        self._spare: Worker | None = None
        self._closed = False

    def protect(self, problem: TableProblem, limits: Limits, stop: Stop | None = None) -> Suppression:
        """What to withhold of `problem`, proved. Raises Refusal: SUPPRESSION_FAILED where it can't be done,
        or not in `limits.seconds`; what `stop` says once it is tripped."""
        end = time.monotonic() + limits.seconds
        head, arrays = codec.of_problem(problem, limits)
        try:
            proof = self._with_argus(head, arrays, limits, end, stop)
            if proof is None:
                proof = self._without_argus(head, arrays, end, stop)
        except TimeoutError:
            raise Refusal(ErrorCode.SUPPRESSION_FAILED, seconds=round(limits.seconds)) from None
        except WorkerDied:
            logger.warning("The suppression worker died at work.")
            raise Refusal(ErrorCode.SUPPRESSION_FAILED) from None
        return conclude(problem, limits, proof)

    def ready(self) -> None:
        """Start a worker for the next table, if none waits."""
        with self._lock:
            if self._spare is None and not self._closed:
                self._spare = Worker(self._bounds)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.end()

    def _with_argus(
        self, head: Mapping[str, Any], arrays: codec.Arrays, limits: Limits, end: float, stop: Stop | None
    ) -> Proof | None:
        """The proof; None where τ-ARGUS has to be left out."""
        soon = end - (1 - _ARGUS_SHARE) * limits.seconds
        with self._working(stop) as worker:
            worker.send(codec.pack({**head, "argus": True}, arrays), end)
            try:
                first = worker.receive(soon)
            except (TimeoutError, WorkerDied):
                if stop is not None:
                    stop.check()
                logger.info("τ-ARGUS gave no pattern; our own solver takes over.")
                return None
            return _proof(worker, first, arrays, end)

    def _without_argus(
        self, head: Mapping[str, Any], arrays: codec.Arrays, end: float, stop: Stop | None
    ) -> Proof:
        with self._working(stop) as worker:
            worker.send(codec.pack({**head, "argus": False}, arrays), end)
            return _proof(worker, worker.receive(end), arrays, end)

    @contextlib.contextmanager
    def _working(self, stop: Stop | None) -> Iterator[Worker]:
        """A worker for one table, ended afterwards whatever happens; `stop` kills it."""
        with self._lock:
            spare, self._spare = self._spare, None
        worker = spare or Worker(self._bounds)
        try:
            if stop is None:
                yield worker
            else:
                with stop.guarding(worker):
                    yield worker
        except WorkerDied:
            if stop is not None:
                stop.check()
            raise
        finally:
            worker.end()
            self.ready()


def _proof(
    worker: Worker, said: tuple[dict[str, Any], codec.Arrays], arrays: codec.Arrays, end: float
) -> Proof:
    """What the worker says last. Raises the worker's own refusal."""
    head, answer = worker.receive(end) if said[0].get("said") == "proposed" else said
    slots = sum(len(array) for name, array in arrays.items() if name.endswith(".values"))
    try:
        match head.get("said"):
            case "proof":
                return codec.to_proof(answer, slots)
            case "refusal":
                refusal = Refusal(ErrorCode(head["code"]), **head["params"])
            case _:
                raise WorkerDied
    except (codec.BadFrame, KeyError, TypeError, ValueError):
        raise WorkerDied from None
    raise refusal
