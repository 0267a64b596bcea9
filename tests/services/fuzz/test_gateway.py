"""Whatever a workspace sends, the gateway answers as its published reference promises: never with a failure
of its own, and never with a body that it does not tell of.

The airlock's door has its own (tests/services/airlock/intake/test_fuzzed.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from hub_config.gateway.engine import EngineLimits
from hub_config.gateway.pace import Pace
from hub_config.sockets.doors import bound
from hub_config.warehouse.snapshot import build_snapshot
from tests.services.gateway.peer_enclave import PLANTED_TEXT, Enclave, demonstration, fill

EXAMPLES = 20
REFERENCE = Path(__file__).parents[3] / "docs/reference/gateway-openapi.json"
CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def enclave(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    warehouse = tmp_path_factory.mktemp("warehouse")
    with build_snapshot(warehouse, source="test", synthetic=True, public=False) as building:
        fill(building)
    limits = EngineLimits(memory_bytes=512 * 1024**2, threads=1)
    with demonstration(warehouse, tmp_path_factory.mktemp("home"), limits) as made:
        yield made.with_gateway(pace=Pace(step_seconds=0), limits=replace(made.gateway.limits, seconds=2.0))


def test_it_keeps_to_its_reference(enclave: Enclave) -> None:
    keep_to_the_reference(enclave, EXAMPLES)


def keep_to_the_reference(enclave: Enclave, examples: int) -> None:
    ines = enclave.workspace("ines", "these-ines")
    schema = schemathesis.openapi.from_dict(json.loads(REFERENCE.read_text()))
    schema.app = bound(enclave.app, ines.binding)
    headers = {"Authorization": f"Bearer {ines.token}"}
    answers: set[tuple[str, int]] = set()
    for operation in schema.get_all_operations():

        @given(case=operation.ok().as_strategy())
        @settings(
            max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None
        )
        def keeps(case: Any) -> None:
            answer = case.call_and_validate(headers=headers, checks=CHECKS)
            assert PLANTED_TEXT not in answer.text and "Traceback" not in answer.text
            answers.add((case.path, answer.status_code))

        keeps()
    assert {path for path, _ in answers} == set(json.loads(REFERENCE.read_text())["paths"])
    assert any(status == 200 for _, status in answers) and any(status >= 400 for _, status in answers)


def test_without_a_token_nothing_is_answered(enclave: Enclave) -> None:
    ines = enclave.workspace("ines", "these-ines")
    schema = schemathesis.openapi.from_dict(json.loads(REFERENCE.read_text()))
    schema.app = bound(enclave.app, ines.binding)
    for operation in schema.get_all_operations():

        @given(case=operation.ok().as_strategy())
        @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def refuses(case: Any) -> None:
            assert case.call(headers={"Authorization": "Bearer of-nobody"}).status_code in (401, 403)

        refuses()
