"""From inside a workspace: another port of the machine, the world, abstract sockets, the gateway's other
sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.attacks.sandbox_range import MODES, SECRET, Mode, Range, showing


@pytest.fixture(params=MODES, ids=str)
def enclave(request: pytest.FixtureRequest) -> Iterator[Range]:
    made = Range(request.param)
    yield made
    made.close()


def connecting(family: str, address: object) -> str:
    return (
        f"import socket; s = socket.socket(socket.{family}); s.settimeout(5); "
        f"s.connect({address!r}); print(s.recv(100).decode())"
    )


def an_address_of_this_machine() -> str:
    """One that is not loopback, standing for the world; a machine with no network has another loopback
    address only."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.2"


@pytest.mark.parametrize("host", ["127.0.0.1", an_address_of_this_machine()], ids=["loopback", "the world"])
def test_no_address_of_the_machine_answers(enclave: Range, host: str) -> None:
    with enclave.listening((host, 0)) as address:
        attack = connecting("AF_INET", address)
        assert SECRET in enclave.tell(replace(enclave.box(), own_network=False), attack)
        assert SECRET not in enclave.tell(enclave.box(), attack)


def test_there_is_no_interface_but_its_own_loopback(enclave: Range) -> None:
    attack = "import os; print(os.readlink('/proc/self/ns/net'))"
    host = str(Path("/proc/self/ns/net").readlink())
    assert enclave.tell(replace(enclave.box(), own_network=False), attack).strip() == host
    assert enclave.tell(enclave.box(), attack).strip() != host
    interfaces = "import socket; print([name for _, name in socket.if_nameindex()])"
    assert enclave.tell(enclave.box(), interfaces).strip() == "['lo']"


def test_abstract_sockets_of_the_machine_are_out_of_reach(enclave: Range) -> None:
    """They have no file and no permissions: only a network of its own keeps them away."""
    address = f"\0p4dp-range-{os.getpid()}"
    with enclave.listening(address):
        attack = connecting("AF_UNIX", address)
        assert SECRET in enclave.tell(replace(enclave.box(), own_network=False), attack)
        assert SECRET not in enclave.tell(enclave.box(), attack)


@pytest.mark.parametrize(
    "name", ["gateway.sock", "s/theirs/gateway.sock"], ids=["control", "another workspace's"]
)
def test_the_gateways_other_sockets_are_out_of_reach(enclave: Range, name: str) -> None:
    path = enclave.runtime / name
    with enclave.listening(str(path)):
        attack = connecting("AF_UNIX", str(path))
        assert SECRET in enclave.tell(showing(enclave.box(), enclave.runtime), attack, own_uid=False)
        assert SECRET not in enclave.tell(enclave.box(), attack)


def test_its_own_gateway_socket_answers(enclave: Range) -> None:
    """The one door it has works; the attacks above fail for a better reason than a box where nothing does."""
    with enclave.listening(str(enclave.runtime / "s/mine/gateway.sock")):
        assert SECRET in enclave.tell(enclave.box(), connecting("AF_UNIX", "/run/p4dp/gateway/gateway.sock"))


def test_it_cant_put_its_own_socket_in_the_gateways_place(enclave: Range) -> None:
    attack = (
        "import socket; socket.socket(socket.AF_UNIX).bind('/run/p4dp/gateway/planted'); print('planted')"
    )
    gateway = enclave.runtime / "s/mine"
    if enclave.mode is Mode.OWN_UID:
        os.chown(gateway, enclave.box_uid, enclave.box_uid)
    mounts = enclave.box().mounts
    writable = tuple(replace(m, writable=True) if m.source == gateway else m for m in mounts)
    assert "planted" in enclave.tell(replace(enclave.box(), mounts=writable), attack).split()
    (gateway / "planted").unlink()
    assert "planted" not in enclave.tell(enclave.box(), attack).split()
