"""Whatever a workspace sends, the airlock answers as its reference promises, and never with a failure of its
own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from hub_config.airlock.intake.app import Office, create_app, openapi_document
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pseudonyms import Searched
from hub_config.governance.bindings import Binding
from hub_config.sockets.doors import bound
from tests.services.airlock.domain.house import House
from tests.services.airlock.intake.conftest import HubOfOurs

CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance)


@pytest.fixture
def api(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr("hub_config.airlock.intake.app._A_MINUTE", 100_000)
    desk = Desk(house.store, house.shelf, house.settings, lambda: house.now)
    with ThreadPoolExecutor(2) as workers:
        office = Office(desk, HubOfOurs(), workers, search=lambda *_: Searched((), done=True))
        binding = Binding("b", "ines", "these-ines", "these-ines")
        yield schemathesis.openapi.from_asgi("/openapi.json", bound(create_app(office), binding))


def test_it_keeps_to_its_reference(api: Any) -> None:
    fuzzed, answers = 0, set()
    for operation in api.get_all_operations():

        @given(case=operation.ok().as_strategy())
        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def keeps(case: Any) -> None:
            headers = {"Authorization": "Bearer ines/these-ines"}
            answers.add(case.call_and_validate(headers=headers, checks=CHECKS).status_code)

        keeps()
        fuzzed += 1
    assert fuzzed == len(OPERATIONS) and answers >= {200, 201, 404}, answers


OPERATIONS = [(path, method) for path, methods in openapi_document()["paths"].items() for method in methods]
