"""From inside a workspace: the variables of the hub, its encryption key first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.attacks.sandbox_range import MODES, SECRET, Range

ATTACK = "import os; print(dict(os.environ))"


@pytest.fixture(params=MODES, ids=str)
def enclave(request: pytest.FixtureRequest) -> Iterator[Range]:
    made = Range(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("name", ["JUPYTERHUB_CRYPT_KEY", "P4DP_DATABASE_PASSWORD", "CONFIGPROXY_AUTH_TOKEN"])
def test_no_variable_of_the_enclave_reaches_the_box(enclave: Range, name: str) -> None:
    secrets = {name: SECRET}
    leaky = replace(enclave.box(), cleared_environment=False)
    assert SECRET in enclave.tell(leaky, ATTACK, environment=secrets)
    assert SECRET not in enclave.tell(enclave.box(), ATTACK, environment=secrets)


def test_the_parents_environment_is_not_read_through_proc(enclave: Range) -> None:
    """bubblewrap's own first process was started with the enclave's variables."""
    attack = """
import glob
for file in glob.glob("/proc/[0-9]*/environ"):
    try: print(open(file).read())
    except OSError as problem: print(problem)
"""
    secrets = {"JUPYTERHUB_CRYPT_KEY": SECRET}
    assert SECRET in enclave.tell(
        replace(enclave.box(), cleared_environment=False), attack, environment=secrets
    )
    assert SECRET not in enclave.tell(enclave.box(), attack, environment=secrets)
