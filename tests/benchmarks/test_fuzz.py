"""The services asked at random, longer than the tests can: other questions each time. Records how many; what
must hold is asserted by what asks (tests/services/fuzz)."""

from __future__ import annotations

import time

import pytest

from tests.services.fuzz.test_forms import ask_everything, world  # noqa: F401  (fixtures)
from tests.services.fuzz.test_gateway import enclave, keep_to_the_reference  # noqa: F401
from tests.services.fuzz.world import World
from tests.services.gateway.peer_enclave import Enclave

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

EACH_ADDRESS = 60
EACH_OPERATION = 300


def test_the_pages_of_the_airlock_the_register_and_the_desk(world: World) -> None:  # noqa: F811
    began = time.monotonic()
    ask_everything(world, EACH_ADDRESS)
    addresses = len(set(world.addresses()))
    print(f"\n{addresses} addresses, {EACH_ADDRESS} questions each: {time.monotonic() - began:.0f} s")


def test_the_gateway(enclave: Enclave) -> None:  # noqa: F811
    began = time.monotonic()
    keep_to_the_reference(enclave, EACH_OPERATION)
    print(f"\n{EACH_OPERATION} questions of each operation: {time.monotonic() - began:.0f} s")
