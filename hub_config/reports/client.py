"""The command's end of a run: asks the hub's desk, and follows what it says until it has ended.

The token is the file `keys/reports`: who can read it is an operator. Hanging up ends the run.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from hub_config.governance.report_runs.texts import NotRunning, ReportProblem, Text
from hub_config.reports.protocol import KEY, PATH, Ended, Event, Request, event_of
from hub_config.settings import Settings

_SILENCE_SECONDS: Final = 60.0
"""The desk beats twice a second."""

_REFUSED: Final = {
    400: Text(
        "Le hub n'a pas accepté la demande : le modèle a changé entre-temps, ou l'enclave est d'une autre "
        "version. Recommencez ; sinon, redémarrez l'enclave.",
        "The hub did not take the request: the template changed meanwhile, or the enclave is of another "
        "version. Try again; else start the enclave anew.",
    ),
    403: Text(
        "Le hub ne reconnaît pas la clé des rapports (keys/reports). Redémarrez l'enclave.",
        "The hub does not know the reports' key (keys/reports). Start the enclave again.",
    ),
    404: Text(
        "L'enclave qui tourne est d'une version sans rapports. Redémarrez-la.",
        "The enclave that runs is of a version without reports. Start it again.",
    ),
    409: Text(
        "Un autre rapport de ce projet est en cours : un à la fois. Attendez sa fin, puis recommencez.",
        "Another report of this project is under way: one at a time. Wait for its end, then try again.",
    ),
    503: Text(
        "Le journal d'audit ne s'écrit pas : rien n'a été exécuté. Vérifiez le disque (`p4dp-enclave "
        "audit verify`).",
        "The audit log can't be written: nothing was run. Check the disk (`p4dp-enclave audit verify`).",
    ),
}


class Refused(ReportProblem):
    """The desk did not take the run."""


class Lost(ReportProblem):
    """The hub went away while the run lasted."""


@dataclass(frozen=True)
class Line:
    """An open line to the desk; iterating gives its events, None for a beat."""

    response: httpx.Response

    def __iter__(self) -> Iterator[Event | None]:
        try:
            for line in self.response.iter_lines():
                event = event_of(json.loads(line))
                yield event
                if isinstance(event, Ended):
                    return
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            pass
        raise Lost(
            Text(
                "Le hub s'est arrêté pendant l'exécution : elle a été interrompue avec lui, et son jeton "
                "révoqué. "
                "Relancez l'enclave, puis le rapport.",
                "The hub stopped during the run, which ended with it, as did its token. Start the "
                "enclave, then the "
                "report, again.",
            )
        )


@contextmanager
def asked(settings: Settings, request: Request) -> Iterator[Line]:
    """The line to the desk, once it has taken the run. Leaving ends the run. Raises ReportProblem."""
    timeout = httpx.Timeout(_SILENCE_SECONDS, connect=5.0)
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False) as http,
            http.stream(
                "POST", _url(settings), headers=_headers(settings), json=request.to_json()
            ) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise Refused(_REFUSED.get(response.status_code) or _unforeseen(response))
            yield Line(response)
    except httpx.ConnectError:
        raise not_running() from None
    except httpx.HTTPError:
        raise Lost(Text("Le hub ne répond pas.", "The hub does not answer.")) from None


def is_under_way(settings: Settings, project: str) -> bool:
    """Whether a run of `project` is; a hub that does not answer has none."""
    try:
        answer = httpx.get(_url(settings), headers=_headers(settings), timeout=5.0, trust_env=False)
        return project in answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return False


def _url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.hub_api_port}{PATH}"


def _headers(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"token {_token(settings.keys_dir / KEY)}"}


def not_running() -> NotRunning:
    return NotRunning(
        Text(
            "L'enclave n'est pas en marche : un rapport s'exécute dans son bac à sable, avec ses droits. "
            "Lancez-la "
            "(`make up`), puis recommencez.",
            "The enclave is not running: a report runs in its sandbox, with its rights. Start it (`make "
            "up`), then "
            "try again.",
        )
    )


def _token(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Refused(
                Text(
                    f"{path} peut être lu par d'autres. Faites : chmod 600 {path}",
                    f"{path} can be read by others. Run: chmod 600 {path}",
                )
            )
        return path.read_text().strip()
    except FileNotFoundError:
        raise not_running() from None
    except PermissionError:
        raise Refused(
            Text(
                f"{path} ne vous est pas ouvert : seul l'opérateur de l'enclave lance un rapport.",
                f"{path} is not open to you: only the enclave's operator runs a report.",
            )
        ) from None


def _unforeseen(response: httpx.Response) -> Text:
    return Text(
        "Le hub a refusé l'exécution (HTTP {status}). Le journal logs/hub.log en dit la raison.",
        "The hub refused the run (HTTP {status}). logs/hub.log says why.",
    ).fill(status=response.status_code)
