"""A small real peer for the SDK: HTTP over a unix socket, answering what the protocol allows, built with
`p4dp_sdk.wire`."""

from __future__ import annotations

import io
import json
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from p4dp_sdk.wire import graph
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import ARROW_STREAM, METADATA_KEY, PROBLEM_JSON, Disclosure, MeasureSummary

TOKEN = "token-of-this-server"

WHOAMI = {
    "protocol": 1,
    "user": "ines",
    "project": "these-ines",
    "title": "Thèse d'Inès",
    "purpose": "Décrire le diabète de type 2",
    "access": "aggregate",
    "legal_basis": "MR-004",
    "expires_on": "2030-12-31",
    "snds": False,
    "snapshot": {
        "number": 1,
        "source": "preset A",
        "synthetic": True,
        "reference_date": "2022-12-31",
        "first_date": "2000-01-01",
        "last_date": "2022-12-31",
    },
    "policy": {"min_patients": 11, "min_physicians": 3},
    "limits": {"request_bytes": 262144, "depth": 200, "nodes": 2000, "cells": 100000, "seconds": 120.0},
    "request_id": "r-1",
}


def column(name: str, dtype: str, role: str, label: str, codes: str | None = None) -> dict[str, Any]:
    fields = {"name": name, "dtype": dtype, "role": role, "label_fr": label, "label_en": f"{label} (en)"}
    return {**fields, "codes": codes, "unit": None, "bounds": [0.0, 120.0] if role == "numeric" else None}


CATALOGUE = {
    "protocol": 1,
    "project": "these-ines",
    "snapshot": WHOAMI["snapshot"],
    "request_id": "r-2",
    "tables": [
        {
            "name": "diagnoses",
            "unit": "person",
            "label_fr": "Diagnostics",
            "label_en": "Diagnoses",
            "description_fr": "Diagnostics codés (CISP-2).",
            "description_en": "Coded diagnoses (ICPC-2).",
            "date": "date",
            "snds": False,
            "columns": [
                column("patient_id", "int64", "patient", "Patient"),
                column("date", "date", "date", "Date"),
                column("cisp2", "string", "code", "Diagnostic (CISP-2)", "cisp2"),
            ],
        },
        {
            "name": "patients",
            "unit": "person",
            "label_fr": "Patients",
            "label_en": "Patients",
            "description_fr": "Un patient par ligne, <b>âge</b> compris.",
            "description_en": "One row a patient.",
            "date": None,
            "snds": False,
            "columns": [
                column("patient_id", "int64", "patient", "Patient"),
                column("sex", "string", "code", "Sexe", "sex"),
                column("age", "int32", "numeric", "Âge"),
            ],
        },
    ],
    "code_systems": [
        {
            "name": "cisp2",
            "label_fr": "CISP-2",
            "label_en": "ICPC-2",
            "site": False,
            "codes": [
                {
                    "code": "K86",
                    "label_fr": "Hypertension non compliquée",
                    "label_en": "Hypertension",
                    "parent": "K",
                },
                {
                    "code": "T90",
                    "label_fr": "Diabète non insulinodépendant",
                    "label_en": "Diabetes",
                    "parent": "T",
                },
            ],
        },
        {
            "name": "sex",
            "label_fr": "Sexe",
            "label_en": "Sex",
            "site": False,
            "codes": [{"code": "F", "label_fr": "femme", "label_en": "female", "parent": None}],
        },
    ],
}

Answer = tuple[int, str, bytes]


@dataclass
class Peer:
    """What the peer will answer, and what it was asked."""

    directory: Path
    whoami: dict[str, Any] = field(default_factory=lambda: dict(WHOAMI))
    catalogue: dict[str, Any] = field(default_factory=lambda: dict(CATALOGUE))
    asked: list[ibis.Expr] = field(default_factory=list)
    authorisations: list[str | None] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)  # set when a caller leaves early
    promise: int | None = None  # the length announced for the next answer, if not its own
    query: Callable[[ibis.Expr], Answer] = lambda expr: refused(
        Refusal(ErrorCode.ROW_LEVEL, grant="microdata")
    )

    publish: Callable[[ibis.Expr, str], Answer] = lambda expr, title: refused(
        Refusal(ErrorCode.NOT_PUBLISHABLE)
    )

    @property
    def socket(self) -> Path:
        return self.directory / "gateway.sock"

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        match method, path:
            case "GET", "/v1/whoami":
                return 200, "application/json", json.dumps(self.whoami).encode()
            case "GET", "/v1/catalogue":
                return 200, "application/json", json.dumps(self.catalogue).encode()
            case "POST", "/v1/query":
                return self._answer_query(body)
            case "POST", "/v1/publish":
                return self._answer_publish(json.loads(body))
            case _:
                return 404, "text/html", b"<html>not the gateway</html>"

    def _answer_query(self, body: bytes) -> Answer:
        expr = graph.decode(body, self._schema)
        self.asked.append(expr)
        return self.query(expr)

    def _answer_publish(self, wanted: dict[str, Any]) -> Answer:
        expr = graph.decode(json.dumps(wanted["query"]).encode(), self._schema)
        return self.publish(expr, wanted["title"])

    def _schema(self, name: str) -> ibis.Schema:
        table = next(t for t in self.catalogue["tables"] if t["name"] == name)
        return ibis.schema({c["name"]: c["dtype"] for c in table["columns"]})


def arrow(table: pa.Table, disclosure: Disclosure | None) -> Answer:
    """`table` as the gateway sends it."""
    metadata = {METADATA_KEY: disclosure.to_json()} if disclosure else None
    table = table.replace_schema_metadata(metadata)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table, max_chunksize=2)
    return 200, ARROW_STREAM, sink.getvalue()


def refused(refusal: Refusal) -> Answer:
    problem = {
        "type": f"urn:p4dp:{refusal.code.value}",
        "title": "no",
        "status": refusal.status,
        "code": refusal.code.value,
        "params": dict(refusal.params),
        "detail": "no",
        "request_id": "r-42",
    }
    return refusal.status, PROBLEM_JSON, json.dumps(problem).encode()


def disclosure(protection: str = "exploration", **changes: Any) -> Disclosure:
    fields: dict[str, Any] = {
        "request_id": "r-7",
        "project": "these-ines",
        "snapshot": 1,
        "protection": protection,
        "min_patients": 11,
        "min_physicians": 3,
        "measures": {"patients": MeasureSummary(shown=2, withheld=1)},
        "reasons": ("frequency",),
        "method": "cell-key",
        "error": 2.0,
    }
    return Disclosure(**{**fields, **changes})


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    peer: Peer


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _respond(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.peer.authorisations.append(self.headers.get("Authorization"))
        status, kind, content = self.server.peer.answer(method, self.path, body)
        try:
            self._send(status, kind, content)
        except OSError:
            self.server.peer.hung_up.set()

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(self.server.peer.promise or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._respond("GET")

    def do_POST(self) -> None:
        self._respond("POST")

    def log_message(self, format: str, *args: object) -> None:
        pass
