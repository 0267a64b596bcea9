"""The launcher alone, with a plain web server for a Jupyter server: bytes in and out, and an end that
leaves nothing.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from hub_config.boxes.box import Mount, ScratchSpace
from hub_config.spawner.furnishing import Place, furnish
from hub_config.spawner.order import NotStarted, Order, Started, read_answer
from tests.services.spawner.conftest import CHECKOUT, descendants, gone, until

WEB = ("-I", "-m", "http.server", "8888", "--bind", "127.0.0.1", "--directory", "/home/ines")
PYTHON = str(Path(sys.prefix) / "bin" / "python")
WORKSPACE = 79_998


@pytest.fixture
def order() -> Iterator[Order]:
    """A workspace of a user of its own if root runs the tests, whose server serves the home."""
    directory = Path(tempfile.mkdtemp(prefix="p4l-"))
    uid = WORKSPACE if os.geteuid() == 0 else None
    for name in ("home", "gateway", "run/hub", "templates"):
        (directory / name).mkdir(parents=True)
    for shown in (directory, directory / "gateway", directory / "run" / "hub"):
        shown.chmod(0o755)
    (directory / "templates" / "first.ipynb").write_text("{}" * 4000)
    if uid is not None:
        os.chown(directory / "home", uid, uid)
    place = Place("ines", directory / "home", directory / "gateway", directory / "run" / "hub")
    box = furnish(
        place, Path(sys.prefix), directory / "templates", {"HOME": "/home/ines", "PATH": "/usr/bin"}
    )
    yield Order(
        label="ines/these-ines",
        box=box,
        command=(PYTHON, *WEB),
        python=PYTHON,
        preparations="/opt/p4dp/server/inside.py",
        templates="/opt/p4dp/templates",
        limits={"processes": 64, "open_files": 256, "core_bytes": 0},
        uid=uid,
        run_dir=directory / "run",
        hub="http://127.0.0.1:9",
        server_port=8888,
        parent=os.getpid(),
    )
    shutil.rmtree(directory)


@contextmanager
def launched(order: Order, *prefix: str) -> Iterator[tuple[subprocess.Popen[bytes], Started | NotStarted]]:
    command = [*prefix, sys.executable, "-m", "hub_config.spawner.launcher"]
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(order.to_json())
        process.stdin.flush()
        yield process, read_answer(process.stdout.readline())
        process.stdin.close()
        process.wait(60)


def test_the_proxy_gets_in_by_the_launchers_port_and_the_end_leaves_nothing(order: Order) -> None:
    with launched(order) as (process, answer):
        assert isinstance(answer, Started)
        assert "first.ipynb" in httpx.get(f"http://127.0.0.1:{answer.port}/", timeout=30).text
        everyone = descendants(process.pid)
        assert len(everyone) >= 3
    until(lambda: gone(everyone))
    assert not order.run_dir.exists()


def test_the_box_gets_to_the_hub_by_the_launchers_socket(order: Order) -> None:
    code = (
        "import socket, pathlib\ns = socket.socket(socket.AF_UNIX); s.connect('/run/p4dp/hub/hub.sock')\n"
        "pathlib.Path('/home/ines/heard').write_bytes(s.recv(100))"
    )
    with socket.create_server(("127.0.0.1", 0)) as hub:
        threading.Thread(target=lambda: greet(hub), daemon=True).start()
        address = f"http://127.0.0.1:{hub.getsockname()[1]}/hub/api"
        with launched(replace(order, command=(PYTHON, "-I", "-c", code), hub=address)) as (process, _):
            process.wait(60)
    home = order.run_dir.parent / "home"
    assert (home / "heard").read_bytes() == b"this is the hub"


def greet(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"this is the hub")


def test_a_kill_of_the_launcher_ends_the_box(order: Order) -> None:
    with launched(order) as (process, answer):
        assert isinstance(answer, Started)
        everyone = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: gone(everyone))


def test_a_box_that_cant_be_made_is_told(order: Order) -> None:
    missing = Mount(order.run_dir / "absent", "/absent")
    broken = replace(order, box=replace(order.box, mounts=(*order.box.mounts, missing)))
    with launched(broken) as (_, answer):
        assert isinstance(answer, NotStarted)
        assert "absent" in answer.detail


def test_without_user_namespaces_nothing_starts(order: Order) -> None:
    """The system's own switch, set to none in a namespace made for this test."""
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    alone = ("unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh")
    with launched(replace(order, uid=None), *alone) as (_, answer):
        assert isinstance(answer, NotStarted)
        assert "namespace" in answer.detail


def test_a_template_that_finds_the_disk_full_is_left_out(order: Order) -> None:
    """Two blocks of memory for a home: the first program says what is missing, and the server starts all
    the same.
    """
    tiny = (*order.box.scratch, ScratchSpace("/home/ines", 4096))
    mounts = tuple(mount for mount in order.box.mounts if not mount.writable)
    code = "import os, time; print('home:', os.listdir('/home/ines'), flush=True); time.sleep(1)"
    full = replace(
        order, box=replace(order.box, mounts=mounts, scratch=tiny), command=(PYTHON, "-I", "-c", code)
    )
    with launched(full) as (process, answer):
        assert isinstance(answer, Started)
        assert process.stderr is not None
        process.wait(60)
        log = process.stderr.read().decode()
    assert "first.ipynb not copied: No space left on device" in log
    assert "home: []" in log


def test_what_the_box_prints_is_marked_and_harmless(order: Order) -> None:
    code = r"print('\x1b[2J fake line\n[hub] all is well', flush=True)"
    with launched(replace(order, command=(PYTHON, "-I", "-c", code))) as (process, _):
        process.wait(60)
        assert process.stderr is not None
        log = process.stderr.read().decode()
    assert "\x1b" not in log
    assert all(line.startswith("[ines/these-ines] ") for line in log.splitlines())
