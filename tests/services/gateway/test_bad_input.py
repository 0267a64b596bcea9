"""Whatever is wrong with a request: one clear problem document, never a stack trace, never another kind of
answer.
"""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import ibis
import pytest

from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.graph import encode
from p4dp_sdk.wire.protocol import PROBLEM_JSON
from tests.services.gateway.peer_enclave import PLANTED_NUMBER, PLANTED_TEXT, Enclave, Workspace, table


def graph(*nodes: dict[str, Any], protocol: object = 1) -> bytes:
    return json.dumps({"protocol": protocol, "nodes": nodes}).encode()


def tower(height: int) -> bytes:
    """A column negated again and again."""
    nodes: list[dict[str, Any]] = [
        {"op": "Table", "args": {"name": "patients"}},
        {"op": "Field", "args": {"rel": {"$": 0}, "name": "age"}},
    ]
    nodes += [{"op": "Negate", "args": {"arg": {"$": index + 1}}} for index in range(height)]
    return graph(*nodes)


PATIENTS = {"op": "Table", "args": {"name": "patients"}}

BAD_BODIES = {
    "empty": (b"", ErrorCode.MALFORMED),
    "not JSON": (b"SELECT * FROM patients", ErrorCode.MALFORMED),
    "not UTF-8": (b'{"protocol": 1, "nodes": ["\xff\xfe"]}', ErrorCode.MALFORMED),
    "not an object": (b"[1, 2]", ErrorCode.MALFORMED),
    "no nodes": (graph(), ErrorCode.MALFORMED),
    "a node that is text": (b'{"protocol": 1, "nodes": ["patients"]}', ErrorCode.MALFORMED),
    "another protocol": (graph(PATIENTS, protocol=99), ErrorCode.PROTOCOL_VERSION),
    "brackets to the moon": (b"[" * 200_000, ErrorCode.MALFORMED),
    "objects to the moon": (b'{"a":' * 40_000, ErrorCode.MALFORMED),
    "oversized": (b" " * 300_000, ErrorCode.TOO_LARGE),
    "far oversized": (b" " * 5_000_000, ErrorCode.TOO_LARGE),
    "deeply nested": (tower(300), ErrorCode.TOO_DEEP),
    "too many nodes": (graph(*[PATIENTS] * 2_001), ErrorCode.TOO_MANY_NODES),
    "unknown operation": (
        graph(PATIENTS, {"op": "RawSQL", "args": {"sql": "1"}}),
        ErrorCode.UNKNOWN_OPERATION,
    ),
    "unknown table": (graph({"op": "Table", "args": {"name": "salaries"}}), ErrorCode.UNKNOWN_TABLE),
    "a table of the enclave's": (
        graph({"op": "Table", "args": {"name": "objections"}}),
        ErrorCode.UNKNOWN_TABLE,
    ),
    "a table of DuckDB's": (
        graph({"op": "Table", "args": {"name": "duckdb_settings()"}}),
        ErrorCode.UNKNOWN_TABLE,
    ),
    "a file": (graph({"op": "Table", "args": {"name": "/etc/passwd"}}), ErrorCode.UNKNOWN_TABLE),
    "a table behind the SNDS grant": (
        graph({"op": "Table", "args": {"name": "snds_claims"}}),
        ErrorCode.UNKNOWN_TABLE,
    ),
    "ill-typed": (graph(PATIENTS, {"op": "Negate", "args": {"arg": {"$": 0}}}), ErrorCode.ILL_TYPED),
    "unknown column": (
        graph(PATIENTS, {"op": "Field", "args": {"rel": {"$": 0}, "name": "salary"}}),
        ErrorCode.ILL_TYPED,
    ),
    "the hidden patient": (
        graph(PATIENTS, {"op": "Field", "args": {"rel": {"$": 0}, "name": "__patient"}}),
        ErrorCode.ILL_TYPED,
    ),
}


def is_problem(response: httpx.Response, code: str) -> bool:
    document = response.json()
    return (
        response.headers["content-type"] == PROBLEM_JSON
        and document["code"] == code
        and document["status"] == response.status_code
        and set(document) == {"type", "title", "status", "code", "params", "detail", "request_id"}
        and len(document["request_id"]) == 16
        and "Traceback" not in response.text
    )


@pytest.mark.parametrize("case", BAD_BODIES, ids=list(BAD_BODIES))
async def test_a_bad_body_is_refused_by_name(rachid: Workspace, case: str) -> None:
    body, code = BAD_BODIES[case]
    response = await rachid.post(body)
    assert is_problem(response, code), response.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/../etc/passwd", 404),
        ("GET", "/docs", 404),
        ("GET", "/v1/bindings/refresh", 404),
        ("GET", "/v1/query", 405),
        ("POST", "/v1/whoami", 405),
        ("DELETE", "/v1/query", 405),
    ],
)
async def test_an_unknown_address_is_a_problem_document(
    rachid: Workspace, method: str, path: str, status: int
) -> None:
    async with rachid.client() as client:
        response = await client.request(method, path)
    assert response.status_code == status
    assert is_problem(response, ErrorCode.MALFORMED), response.text


async def test_an_unexpected_error_is_internal_and_says_nothing(
    enclave: Enclave, rachid: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def read(self, *_: object) -> object:
            raise KeyError("a patient's name")

    broken = enclave.with_gateway(governance=Broken()).workspace("rachid", "modeles-rachid")
    for response in (await broken.get("/v1/whoami"), await broken.post(encode(table("patients").count()))):
        assert is_problem(response, ErrorCode.INTERNAL)
        assert response.status_code == 500
    assert "KeyError" in caplog.text
    assert response.json()["request_id"] in caplog.text
    assert "a patient's name" not in caplog.text + response.text


async def test_the_gateway_still_answers_after_all_of_this(rachid: Workspace) -> None:
    for body, _ in BAD_BODIES.values():
        await rachid.post(body)
    answer, _ = await rachid.answer(table("patients").count())
    assert answer.num_rows == 1


async def test_what_the_engine_refuses_to_plan_is_the_questions_fault(ines: Workspace) -> None:
    counted = table("patients").group_by("sex").agg(n=ibis._.count())
    response = await ines.ask(counted.order_by(ibis.literal(1.5)))
    assert (response.status_code, response.json()["code"]) == (422, ErrorCode.ILL_TYPED)


def mutated(document: bytes, chance: random.Random) -> bytes:
    """`document` with one thing changed: a name, a reference, an argument, or some bytes."""
    if chance.random() < 0.2:
        place = chance.randrange(len(document))
        return document[:place] + chance.randbytes(3) + document[place + chance.randrange(4) :]
    content = json.loads(document)
    nodes = content["nodes"]
    node = chance.choice(nodes)
    match chance.randrange(5):
        case 0:
            node["op"] = chance.choice(
                [other["op"] for other in nodes] + ["Min", "Sum", "Limit", "Distinct", "Cast"]
            )
        case 1 if node["args"]:
            node["args"][chance.choice(list(node["args"]))] = chance.choice(
                [None, 1, -1, "patients", "value_raw", {"$": chance.randrange(len(nodes))}, [], {}]
            )
        case 2:
            nodes.remove(node)
        case 3:
            nodes.insert(chance.randrange(len(nodes)), node)
        case _:
            chance.shuffle(nodes)
    return json.dumps(content).encode()


def questions() -> list[bytes]:
    patients, diagnoses = table("patients"), table("diagnoses")
    joined = diagnoses.join(patients, "patient_id")
    features = diagnoses.group_by("patient_id").agg(n=diagnoses.count(), last=diagnoses.date.max())
    often = features.filter(features.n > 1)
    heavy = table("biometrics").filter(ibis._.value > 3)
    classed = patients.mutate(old=(patients.age > 60).ifelse("old", "young"))
    return [
        encode(joined.group_by("sex", "cisp2").agg(n=joined.patient_id.nunique()).order_by("n").limit(5)),
        encode(often.aggregate(n=often.patient_id.nunique())),
        encode(heavy.group_by("measure").agg(n=heavy.count())),
        encode(classed.group_by("old").agg(n=classed.count())),
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_changed_in_a_question_it_ends_in_an_answer_or_a_refusal(
    ines: Workspace, rachid: Workspace, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed, not a secret
    for document in questions() * 8:
        for workspace in (ines, rachid):
            response = await workspace.post(mutated(document, chance))
            if response.status_code == 200:
                continue
            problem = response.json()
            assert problem["code"] not in (ErrorCode.INTERNAL, ErrorCode.AUDIT_FAILED), problem
            assert PLANTED_TEXT not in response.text
            assert str(PLANTED_NUMBER) not in response.text
