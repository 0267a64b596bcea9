"""A standalone Spark of this machine: a master, two workers of one core each and a Spark Connect server.

Everything listens on loopback, on ports that the system gives; nothing is written outside a private
directory; Spark's own connections and its clients need a secret, which stands in files that only their
owner can read and in no command line. No web page but the master's and the workers', which can't be left
out, and no event log.

The processes are those of a supervisor: this file as a program. It ends all of them, and removes the
directory, when its standard input ends. So nothing is left when whoever started it is killed.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

WHEELS: Final = Path(__file__).parents[1] / ".venv" / "spark" / "lib"
_LOOPBACK: Final = "127.0.0.1"
_START_SECONDS: Final = 300.0
_MASTER: Final = "org.apache.spark.deploy.master.Master"
_WORKER: Final = "org.apache.spark.deploy.worker.Worker"
_CONNECT: Final = "org.apache.spark.sql.connect.service.SparkConnectServer"
_DAEMON_MEMORY: Final = "160m"
_QUICK: Final = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss2m"


@dataclass(frozen=True)
class Size:
    workers: int = 2
    cores: int = 1  # a worker
    memory: str = "700m"  # a worker's executor
    driver: str = "640m"
    long_running: bool = False  # whether code that is optimised slowly pays


@dataclass(frozen=True)
class Cluster:
    """Where a client finds the cluster, and what it must show."""

    port: int
    token: str = field(repr=False)
    supervisor: int = 0

    @property
    def address(self) -> str:
        return f"sc://localhost:{self.port}"


@contextmanager
def running(size: Size | None = None, home: Path | None = None) -> Iterator[Cluster]:
    """A cluster for as long as the block lasts, of the Spark in `home`. Raises RuntimeError, with what Spark
    said, if none starts."""
    directory = Path(mkdtemp(prefix="p4dp-spark-"))
    told = json.dumps(vars(size or Size()))
    command = [sys.executable, __file__, str(directory), str(home or spark_home()), told]
    supervisor = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert supervisor.stdin and supervisor.stdout
    with supervisor:
        said = supervisor.stdout.readline()
        if not said.startswith("{"):
            supervisor.stdin.close()
            raise RuntimeError(f"Spark did not start: {said}{supervisor.stdout.read()}")
        try:
            yield Cluster(**json.loads(said), supervisor=supervisor.pid)
        finally:
            supervisor.stdin.close()
            supervisor.wait()
            shutil.rmtree(directory, ignore_errors=True)


def spark_home() -> Path:
    """Where the wheel put Spark. Raises RuntimeError where there is none."""
    found = next(WHEELS.glob("python3*/site-packages/pyspark"), None)
    if found is None:
        raise RuntimeError("There is no Spark here: run `make .venv/spark/.ready`.")
    return found


# --- the supervisor ----------------------------------------------------------------------------------------


@dataclass
class _Programs:
    """The cluster's processes. They are of the supervisor's process group, as are the executors."""

    directory: Path
    home: Path
    size: Size
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    started: dict[Path, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> Cluster:
        self._configure()
        master = self._said(
            self._class("master", _MASTER, "--host", _LOOPBACK, "--port", "0", "--webui-port", "0"),
            r"Starting Spark master at (spark://\S+)",
        )
        connect = self._connect(master)
        for number in range(self.size.workers):
            self._worker(number, master)
        port = self._said(connect, r"Spark Connect server started at: \S+:(\d+)")
        return Cluster(int(port), self.token)

    def _worker(self, number: int, master: str) -> None:
        place = ("--host", _LOOPBACK, "--port", "0", "--webui-port", "0")
        room = ("--cores", str(self.size.cores), "--memory", self.size.memory)
        work = ("--work-dir", str(self.directory / f"work-{number}"))
        self._class(f"worker-{number}", _WORKER, *place, *room, *work, master)

    def _connect(self, master: str) -> Path:
        command = ("spark-submit", "--class", _CONNECT, "--master", master, "spark-internal")
        return self._run("connect", self.size.driver, *command)

    def _class(self, name: str, *arguments: str) -> Path:
        return self._run(name, _DAEMON_MEMORY, "spark-class", *arguments)

    def _run(self, name: str, memory: str, program: str, *arguments: str) -> Path:
        """Start it; it dies with this process. Gives the file of what it says."""
        log = self.directory / f"{name}.log"
        with log.open("wb") as said:
            self.started[log] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", str(self.home / "bin" / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**self._environment(), "SPARK_DAEMON_MEMORY": memory},
                cwd=self.directory,
            )
        return log

    def _environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME", "LANG") if name in os.environ}
        jvm = "" if self.size.long_running else _QUICK
        return {
            **kept,
            "HOME": str(self.directory),
            "SPARK_HOME": str(self.home),
            "SPARK_CONF_DIR": str(self.directory / "conf"),
            "SPARK_LOCAL_DIRS": str(self.directory / "scratch"),
            "SPARK_LOCAL_IP": _LOOPBACK,
            "SPARK_DAEMON_JAVA_OPTS": f"{_QUICK} -Djava.io.tmpdir={self.directory}",
            "SPARK_SUBMIT_OPTS": f"{jvm} -Djava.io.tmpdir={self.directory}",
            "SPARK_LAUNCHER_OPTS": _QUICK,
        }

    def _configure(self) -> None:
        conf = self.directory / "conf"
        conf.mkdir()
        (self.directory / "scratch").mkdir()
        file = conf / "spark-defaults.conf"
        file.touch(mode=0o600)
        lines = [f"{name} {value}" for name, value in self._settings().items()]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _settings(self) -> Mapping[str, str]:
        jvm = "-XX:+UseSerialGC" if self.size.long_running else _QUICK
        cores = self.size.workers * self.size.cores
        return {
            "spark.authenticate": "true",
            "spark.authenticate.secret": secrets.token_hex(32),
            "spark.connect.authenticate.token": self.token,
            "spark.connect.grpc.binding.address": _LOOPBACK,
            "spark.connect.grpc.binding.port": "0",
            "spark.driver.host": _LOOPBACK,
            "spark.driver.bindAddress": _LOOPBACK,
            "spark.executor.memory": self.size.memory,
            "spark.executor.cores": str(self.size.cores),
            "spark.executor.extraJavaOptions": f"{jvm} -Djava.io.tmpdir={self.directory}",
            "spark.task.reaper.enabled": "true",  # or a stopped join works on for ever
            "spark.task.reaper.pollingInterval": "1s",
            "spark.task.reaper.killTimeout": "2s",
            "spark.default.parallelism": str(cores),
            "spark.sql.shuffle.partitions": str(cores),
            "spark.sql.warehouse.dir": str(self.directory / "warehouse"),
            "spark.sql.catalogImplementation": "in-memory",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.eventLog.enabled": "false",
        }

    def _said(self, log: Path, pattern: str) -> str:
        """What it said of itself once it was up."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            text = log.read_text(encoding="utf-8", errors="replace")
            if found := re.search(pattern, text):
                return found[1]
            if self.started[log].poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"{log.stem} did not start:\n{text[-4_000:]}")


def _supervise(directory: Path, home: Path, size: Size) -> None:
    try:
        cluster = _Programs(directory, home, size).start()
        print(json.dumps({"port": cluster.port, "token": cluster.token}), flush=True)
        sys.stdin.read()
    except RuntimeError as error:
        print(error, flush=True)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        time.sleep(0.5)
        shutil.rmtree(directory, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _supervise(Path(sys.argv[1]), Path(sys.argv[2]), Size(**json.loads(sys.argv[3])))
