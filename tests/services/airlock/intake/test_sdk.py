"""The SDK and the airlock together, over a real socket: what a person sees of a request before it is sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

import p4dp_sdk as p4dp
from hub_config.airlock.intake.app import Office, create_app
from hub_config.airlock.intake.home import Home, listing
from hub_config.airlock.intake.picking import content_of
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pseudonyms import Searched
from hub_config.governance.bindings import Binding
from hub_config.sockets.doors import bound
from hub_config.sockets.listeners import Listener
from p4dp_sdk import cli
from p4dp_sdk.releases.airlock import Airlock
from p4dp_sdk.releases.errors import AirlockError, AirlockUnreachableError, NotReleasableError
from p4dp_sdk.releases.listing import Releases
from p4dp_sdk.releases.request import ReleaseRequest
from p4dp_sdk.tables.safe import SafeTable
from tests.services.airlock.domain.house import House
from tests.services.airlock.intake.conftest import WORDS, HubOfOurs, published
from tests.unit.sdk.signed_tables import pem, signed


@pytest.fixture(autouse=True)
def in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "fr")


@pytest.fixture
def airlock(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airlock]:
    """The airlock at a socket in Inès' workspace, served by another thread."""
    keys = house.settings.publication_keys_dir
    keys.mkdir(parents=True)
    (keys / f"{signed().signature.key}.pem").write_text(pem())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    path = tmp_path_factory.mktemp("s") / "airlock.sock"
    desk = Desk(house.store, house.shelf, house.settings, lambda: house.now)
    with ThreadPoolExecutor(4) as workers:

        async def listen() -> Listener:
            office = Office(desk, HubOfOurs(), workers, search=lambda *_: Searched((), done=True))
            binding = Binding("b", "ines", "these-ines", "these-ines")
            return await Listener.open(path, 0o600, bound(create_app(office), binding))

        listener = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
        client = Airlock(str(path), "ines/these-ines")
        yield client
        client.close()
        asyncio.run_coroutine_threadsafe(listener.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_before_sending_one_sees_what_a_reviewer_will_see(airlock: Airlock, tmp_path: Path) -> None:
    table = SafeTable(published())
    (tmp_path / "essai.csv").write_text("sexe;patients\nF;312\nM;4\n")
    figure = table.plot.bar(titled=False)
    things = [table, figure, str(tmp_path / "essai.csv")]
    request = ReleaseRequest.begin(airlock, things, {**WORDS, "context": ""})
    html, text = request._repr_html_(), repr(request)
    for shown in (html, text):
        assert "brouillon, pas encore envoyée" in shown and "conforme d" in shown
        assert "à vérifier" in shown and "context : qui est compté" in shown
        assert "bloquant (ligne 3, colonne 2, patients) — Un effectif de 1 à 10" in shown
        assert f"/demandes/{request.id}" in shown
    assert f'href="{request.page}"' in html, "a click away"
    names = [file["name"] for file in request.files]
    assert names == ["diabete-par-age-b-et-b-sexe.csv", "diabete-par-age-b-et-b-sexe.png", "essai.csv"]
    with pytest.raises(AirlockError, match="context"):
        request.send()
    request.describe(context="40 à 84 ans")
    assert request.missing == ("le fichier 3 ne peut pas sortir tel quel",)
    assert request.remove(3).missing == ()
    assert request.send().status == "submitted"
    assert "envoyée" in repr(Releases(airlock)) and request.id in Releases(airlock)
    assert Releases(airlock)[request.id].withdraw().status == "withdrawn"


def test_files_saved_with_their_record_are_born_safe(airlock: Airlock, tmp_path: Path) -> None:
    table = SafeTable(published())
    table.to_csv(tmp_path / "a.csv")
    table.to_excel(tmp_path / "b.xlsx")
    table.plot.bar().save(tmp_path / "c.svg")
    table.to_csv(tmp_path / "d.csv").write_bytes(b"changed;since\n")
    things = [tmp_path / name for name in ("a.csv", "b.xlsx", "c.svg", "d.csv")]
    request = ReleaseRequest.begin(airlock, things, WORDS)
    assert [(file["name"], file["output_class"]) for file in request.files] == [
        ("a.csv", "born-safe"),
        ("b.xlsx", "born-safe"),
        ("c.svg", "born-safe"),
        ("d.csv", "unverified"),
    ]
    request.add({"e.html": table}).remove(4)
    assert [file["name"] for file in request.files] == ["a.csv", "b.xlsx", "c.svg", "e.html"]


REFUSED = {
    "a draft": (lambda: _draft(), "ws.publish"),
    "a frame": (lambda: pd.DataFrame({"a": [1]}), "ws.publish"),
    "no such file": (lambda: "ailleurs.csv", "ailleurs"),
    "anything else": (lambda: object(), "fichier"),
    "an axes": (lambda: _axes(), "table.plot"),
}


def _draft() -> pd.DataFrame:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["p4dp"] = {}
    return frame


def _axes() -> object:
    from matplotlib.figure import Figure

    return Figure().subplots()


@pytest.mark.parametrize("case", REFUSED, ids=list(REFUSED))
def test_what_can_t_be_taken_out_by_itself_is_refused_with_the_remedy(airlock: Airlock, case: str) -> None:
    make, remedy = REFUSED[case]
    with pytest.raises(NotReleasableError, match=remedy):
        ReleaseRequest.begin(airlock, [make()], WORDS)
    assert not Releases(airlock), "no draft is left behind"


def test_an_airlock_that_is_down_is_told_when_asked(tmp_path: Path) -> None:
    with pytest.raises(AirlockUnreachableError, match="sas de sortie"):
        Airlock(str(tmp_path / "airlock.sock"), "t").requests()


def test_a_foreign_token_is_refused_in_the_enclave_s_words(airlock: Airlock) -> None:
    stranger = Airlock(airlock.socket, "rachid/modeles-rachid")
    with pytest.raises(p4dp.EnclaveError) as refused:
        stranger.requests()
    assert refused.value.code is p4dp.ErrorCode.WRONG_WORKSPACE
    stranger.close()


def test_an_unknown_number_lists_those_there_are(airlock: Airlock) -> None:
    request = ReleaseRequest.begin(airlock, SafeTable(published()), WORDS)
    with pytest.raises(NotReleasableError, match=request.id):
        Releases(airlock)["d-ailleurs"]


def test_the_command_line_tells_and_sends(
    airlock: Airlock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ReleaseRequest.begin(airlock, SafeTable(published()), WORDS)

    class Workspace:
        @property
        def releases(self) -> Releases:
            return Releases(airlock)

    monkeypatch.setattr("p4dp_sdk.workspace.connect", Workspace)
    assert cli.main(["release", "status"]) == 0
    assert cli.main(["release", "status", request.id]) == 0
    assert cli.main(["release", "send", request.id]) == 0
    assert cli.main(["release", "send", "d-ailleurs"]) == 1
    shown = capsys.readouterr()
    assert shown.out.count(request.id) >= 3 and "envoyée" in shown.out and "pas de demande" in shown.err


def test_a_contested_finding_is_answered_from_a_notebook(
    airlock: Airlock, house: House, tmp_path: Path
) -> None:
    file = tmp_path / "doses.csv"
    file.write_text("molécule,n\nA,3930\nB,5\n")
    request = ReleaseRequest.begin(airlock, [file], WORDS)
    assert "demande.explain(1, « … »)" in repr(request)
    with pytest.raises(AirlockError) as stopped:
        request.send()
    assert stopped.value.code == "blocked"
    request.explain(1, "Ce n’est pas un effectif : c’est une dose en milligrammes.")
    assert "Vous répondez : Ce n’est pas un effectif" in repr(request)
    assert request.missing == ()
    assert request.send().status == "submitted"
    assert house.facts(request.id).looks_needed == 2


def test_a_signed_table_that_was_saved_is_born_safe_when_chosen_in_the_browser(
    house: House, tmp_path: Path
) -> None:
    """Its record beside it is what is taken; not where the file was changed since."""
    home = Home(tmp_path / "homes", "these-ines", "ines")
    place = tmp_path / "homes" / "these-ines" / "ines"
    place.mkdir(parents=True)
    SafeTable(published()).to_csv(place / "table.csv")
    assert [file.name for file in listing(home).files] == ["table.csv"]
    taken = content_of(home, (), "table.csv", limit=10**6)
    assert taken == (place / "table.csv.json").read_bytes()
    (place / "table.csv").write_bytes(b"sexe;patients\r\nF;4\r\n")
    assert content_of(home, (), "table.csv", limit=10**6) == b"sexe;patients\r\nF;4\r\n"
