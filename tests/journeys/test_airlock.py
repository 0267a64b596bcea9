"""What leaves the enclave: an intern asks from a notebook, physicians read it in their browsers, blind and
then together, and the very bytes they approved are what the intern downloads.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, Request, expect, sync_playwright

from hub_config.airlock.actions.drafting import Checked, Words, add_file, open_draft, submit
from hub_config.airlock.checks import inspect_bytes, preview_document
from hub_config.airlock.shelf import Shelf
from hub_config.governance.releases.facts import CheckState
from hub_config.governance.roles import Person
from hub_config.governance.store import open_store
from hub_config.settings import load_settings

from .browser import FLAGS, SECONDS, log_in, open_notebook, open_workspace, photograph
from .conftest import Enclave

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(900)]
WORDS = (
    'purpose="Ma thèse d’exercice", context="Patients vus en médecine générale, par diagnostic", '
    'controls="Aucun effectif sous 11"'
)
HOSTILE = "<script>alert(1)</script><img src='http://192.0.2.1/x.png' onerror='alert(2)'>"


class People:
    """The people of one enclave, each in a browser of their own, logged in when first needed."""

    def __init__(self, enclave: Enclave, stack: ExitStack) -> None:
        self.enclave = enclave
        self.airlock = enclave.address.replace("//", "//sas.")
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        self._pages: dict[str, Page] = {}
        playwright = stack.enter_context(sync_playwright())
        self._browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        stack.callback(self._browser.close)

    @cached_property
    def passwords(self) -> dict[str, str]:
        accounts = json.loads((self.enclave.home / "identity" / "accounts.json").read_text())
        return {name: account["password"] for name, account in accounts.items()}

    def page(self, name: str) -> Page:
        """This person's browser, at the hub at first."""
        if name not in self._pages:
            page = self._watched(
                self._browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900})
            )
            page.goto(self.enclave.address)
            log_in(page, name, self.passwords[name], self.enclave.code(name))
            expect(page.locator("h1", has_text="Bonjour")).to_be_visible()
            self._pages[name] = page
        return self._pages[name]

    def at(self, name: str, path: str) -> Page:
        """This person at a page of the airlock."""
        page = self.page(name)
        page.goto(self.airlock + path)
        return page

    def _watched(self, context: BrowserContext) -> Page:
        """Every dialog and every request of this browser is remembered."""
        context.set_default_timeout(60 * SECONDS)
        page = context.new_page()

        def dismiss(dialog: Dialog) -> None:
            self.dialogs.append(dialog.message)
            dialog.dismiss()

        def remember(request: Request) -> None:
            self.requests.append(request.url)

        page.on("dialog", dismiss)
        page.on("request", remember)
        return page


@pytest.fixture(scope="module")
def people(enclave: Enclave) -> Iterator[People]:
    with ExitStack() as stack:
        yield People(enclave, stack)


@pytest.fixture(scope="module")
def notebook(people: People) -> Page:
    """Inès in a notebook of her thesis, in a tab beside her airlock."""
    first = people.page("ines")
    page = first.context.new_page()
    page.goto(people.enclave.address)
    open_workspace(page, "these-ines")
    open_notebook(page, "prise-en-main.ipynb")
    return page


def run(page: Page, code: str) -> str:
    """Type `code` into a new cell at the end, run it, and read what it shows."""
    page.locator(".jp-NotebookPanel:visible .jp-Cell").last.click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.insert_text(code)
    cell = page.locator(".jp-NotebookPanel:visible .jp-CodeCell").last
    page.keyboard.press("Shift+Enter")
    cell = page.locator(".jp-NotebookPanel:visible .jp-CodeCell", has_text=code.splitlines()[-1]).last
    expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=120 * SECONDS)
    return cell.locator(".jp-Cell-outputArea").inner_text()


def ask(page: Page, title: str, prepare: str, things: str, *, send: bool = True) -> str:
    """Ask from the notebook, see what a reviewer will see, and send; the request's number."""
    shown = run(
        page,
        f"import p4dp_sdk as p4dp\nfrom pathlib import Path\nws = p4dp.connect()\n{prepare}\n"
        f'demande = ws.request_release({things}, title="{title}", {WORDS})\nprint(demande)\n'
        f"demande{'.send()' if send else ''}.id",
    )
    found = re.findall(r"'(d-[a-z0-9]+)'", shown)
    assert found, shown
    return found[-1]


def vote(page: Page, verdict: str, *, reason: str = "", comment: str = "") -> None:
    """On the screen of a request: the whole request's verdict, and send."""
    place = page.locator("#vote")
    place.locator(f"input[name=verdict][value={verdict}]").check()
    if reason:
        page.locator("#vote details summary").first.click()
        place.locator(f"input[name=reason][value={reason}]").check()
    place.locator("textarea[name=comment]").fill(comment)
    place.get_by_role("button", name="Enregistrer mon avis").click()


def show(page: Page, selector: str) -> None:
    """Scroll to what the picture is about."""
    page.locator(selector).evaluate("one => one.scrollIntoView({block: 'start'})")


def downloaded(page: Page, tmp_path: Path) -> bytes:
    with page.expect_download() as waiting:
        page.locator("#telecharger ~ ul a").first.click()
    target = tmp_path / "download"
    waiting.value.save_as(target)
    return target.read_bytes()


def test_two_physicians_settle_what_they_first_saw_differently(
    people: People, notebook: Page, tmp_path: Path
) -> None:
    """Inès writes a table of her own in a notebook and asks for it. Diane reads it and approves; Denis, who
    sees nothing of that, asks for changes. Now both see both. Denis is convinced and approves as well: the
    table leaves, and what Inès downloads is what she asked for, byte for byte.
    """
    content = "diagnostic,patients\\nK86,3930\\nR74,3550\\n"
    request = ask(notebook, "Mes diagnostics", f'Path("mes-diagnostics.csv").write_text("{content}")',
                  '["mes-diagnostics.csv"]')  # fmt: skip
    ines = people.at("ines", f"/demandes/{request}")
    expect(ines.locator("h1")).to_have_text("Mes diagnostics")
    expect(ines.locator(".headline .tag").first).to_have_text("envoyée")
    photograph(ines, "sas-ma-demande", tmp_path)

    diane = people.at("diane", "/relecture")
    expect(diane.locator(f"[data-request={request}]")).to_be_visible()
    photograph(diane, "sas-file-de-relecture", tmp_path)
    diane.locator(f"tr[data-request={request}]").focus()
    diane.keyboard.press("Enter")
    expect(diane.locator("table.preview")).to_contain_text("3930")
    show(diane, "#fichier-1")
    photograph(diane, "sas-relecture", tmp_path)
    vote(diane, "approve", comment="Rien à redire.")

    denis = people.at("denis", f"/relecture/{request}")
    expect(denis.locator("main")).not_to_contain_text("Rien à redire")
    vote(denis, "changes", reason="contexte", comment="Quelle période ?")

    denis = people.at("denis", f"/relecture/{request}")
    expect(denis.locator("#consolider")).to_contain_text("Rien à redire.")
    photograph(denis, "sas-consolidation", tmp_path)
    vote(denis, "approve", comment="La période est dans le projet.")
    expect(denis.locator(".headline .tag").first).to_have_text("sortie")

    ines = people.at("ines", f"/demandes/{request}")
    expect(ines.locator(".headline .tag").first).to_have_text("sortie")
    photograph(ines, "sas-telecharger", tmp_path)
    bytes_ = content.replace("\\n", "\n").encode()
    assert hashlib.sha256(downloaded(ines, tmp_path)).digest() == hashlib.sha256(bytes_).digest()


def test_a_published_table_needs_one_look(people: People, notebook: Page, tmp_path: Path) -> None:
    """Inès publishes an indicator and asks for it: it is born safe. Diane reads in words whom it counts, with
    the query behind it a click away; she ticks it in her queue, and it leaves at once.
    """
    prepare = (
        "dépistage = ws.indicators['depistage_colorectal']\n"
        "figé = dépistage.publish(['sex'], title='Dépistage du cancer colorectal, par sexe')"
    )
    request = ask(notebook, "Tableau figé", prepare, '{"depistage-par-sexe.csv": figé}')
    diane = people.at("diane", f"/relecture/{request}")
    expect(diane.locator(".headline").nth(1)).to_contain_text("conforme d’origine")
    words = diane.locator("#fichier-1 .said")
    expect(words).to_contain_text("denominator : nombre de patients distincts")
    expect(words).to_contain_text("patient absent de ‹Diagnostics où Diagnostic (CISP-2) parmi D75")
    show(diane, "#fichier-1")
    photograph(diane, "sas-conforme-d-origine", tmp_path)
    diane.get_by_text("Requête et provenance des colonnes").first.click()
    expect(diane.locator(".written").first).to_be_visible()
    diane = people.at("diane", "/relecture")
    diane.locator(f"#lot-{request}").check()
    diane.get_by_role("button", name="Accepter les demandes cochées").click()
    ines = people.at("ines", f"/demandes/{request}")
    expect(ines.locator(".headline .tag").first).to_have_text("sortie")
    assert b"denominator" in downloaded(ines, tmp_path)


def test_what_is_not_safe_comes_back_with_the_remedy(people: People, notebook: Page, tmp_path: Path) -> None:
    """A table has a count of 4: Inès sees it on the cell, with what to do, and can't send it. She masks it in
    her notebook and sends. Both physicians ask for the context; she reads why, and takes the request up
    again.
    """
    table = 'Path("petits.csv").write_text("diagnostic,patients\\nK86,3930\\nX99,{}\\n")'
    request = ask(notebook, "Avec un petit effectif", table.format(4), '["petits.csv"]', send=False)
    ines = people.at("ines", f"/demandes/{request}")
    expect(ines.locator("td.hit")).to_contain_text("4")
    expect(ines.locator(".finding .remedy").first).to_contain_text("Masquez la cellule")
    expect(ines.get_by_role("button", name="Envoyer la demande")).to_be_disabled()
    show(ines, "#fichier-1")
    photograph(ines, "sas-avant-d-envoyer", tmp_path)
    run(notebook, f'{table.format("")}\nws.releases["{request}"].add(["petits.csv"]).send().status')

    for name in ("diane", "denis"):
        page = people.at(name, f"/relecture/{request}")
        page.keyboard.press("j")
        page.keyboard.press("c")
        expect(page.locator("[data-votes='1'] input[value=changes]")).to_be_checked()
        vote(page, "changes", reason="contexte")
    ines = people.at("ines", f"/demandes/{request}")
    expect(ines.locator(".headline .tag").first).to_have_text("à corriger")
    expect(ines.locator("main")).to_contain_text("Le contexte manque")
    photograph(ines, "sas-a-corriger", tmp_path)
    ines.get_by_role("button", name="Reprendre la demande").click()
    expect(ines.locator(".headline .tag").first).to_have_text("brouillon")


def test_a_false_alarm_is_explained_and_two_physicians_judge(
    people: People, notebook: Page, tmp_path: Path
) -> None:
    """A table of doses has a 5, which the checks take for a count. Inès begins her request in the browser,
    chooses the file of her workspace there, reads what is found, and explains it. Both physicians read her
    words beside the finding and approve; what she downloads says who accepted, by role.
    """
    run(notebook, 'from pathlib import Path\nPath("doses.csv").write_text("molécule,n\\nA,3930\\nB,5\\n")')
    ines = people.at("ines", "/demandes/nouvelle")
    ines.locator("#project").select_option("these-ines")
    for field, words in (("title", "Doses"), ("purpose", "Thèse"), ("context", "Tous"), ("controls", "11")):
        ines.locator(f"#{field}").fill(words)
    ines.get_by_role("button", name="Enregistrer le brouillon").click()
    ines.get_by_role("link", name="Choisir dans mon espace de travail").first.click()
    ines.get_by_label("doses.csv").check()
    photograph(ines, "sas-choisir-un-fichier", tmp_path)
    ines.get_by_role("button", name="Joindre les fichiers cochés").click()
    expect(ines.get_by_role("button", name="Envoyer la demande")).to_be_disabled()
    ines.locator(".finding textarea").first.fill("Ce n’est pas un effectif : c’est une dose en milligrammes.")
    show(ines, "#fichier-1")
    photograph(ines, "sas-expliquer", tmp_path)
    ines.get_by_role("button", name="Enregistrer l’explication").first.click()
    ines.get_by_role("button", name="Envoyer la demande").click()
    request = ines.url.rpartition("/")[2]

    for name in ("diane", "denis"):
        page = people.at(name, "/relecture")
        expect(page.locator(".news")).to_contain_text("Doses")
        page = people.at(name, f"/relecture/{request}")
        expect(page.locator(".finding").first).to_contain_text("une dose en milligrammes")
        show(page, "#fichier-1")
        photograph(page, "sas-explication-a-juger", tmp_path)
        vote(page, "approve")
    ines = people.at("ines", f"/demandes/{request}")
    expect(ines.locator(".headline .tag").first).to_have_text("sortie")
    with ines.expect_download() as waiting:
        ines.get_by_role("link", name="Fiche de contrôle").click()
    told = json.loads(waiting.value.path().read_text())
    assert [one["accepted_by"] for one in told["files"][0]["contested"]] == [
        ["médecin DIM 1", "médecin DIM 2"]
    ]
    assert "diane" not in json.dumps(told)


def test_a_hostile_file_is_shown_and_does_nothing(people: People, enclave: Enclave, tmp_path: Path) -> None:
    """A page with scripts, a table whose cells are scripts, a file whose name is one, and a title that is
    one; the checks, for once, took nothing amiss. Diane and Inès read all of it as text; nothing runs, and
    nothing is asked of anywhere else.
    """
    files = {
        "page.html": f"<html><body><p>Bonjour</p>{HOSTILE}</body></html>",
        "cellules.csv": f"code,note\nK86,{HOSTILE}\nR74,x\n",
        "<svg onload=alert(3)>.txt": f"texte {HOSTILE}",
    }
    request = _asked_by(enclave, "ines", "these-ines", HOSTILE, files)
    people.at("ines", "/"), people.at("diane", "/").evaluate("alert('this watch sees dialogs')")
    assert people.dialogs == ["this watch sees dialogs"]
    people.dialogs.clear()
    people.requests.clear()
    for name, path in (("diane", f"/relecture/{request}"), ("ines", f"/demandes/{request}")):
        page = people.at(name, path)
        expect(page.locator("table.preview")).to_contain_text("alert(1)")
        expect(page.locator("h1")).to_contain_text("<script>")
        assert page.locator("main script, main iframe, main svg, main img").count() == 0
        page.wait_for_load_state("networkidle")
    show(people.page("diane"), "#fichier-1")
    photograph(people.page("diane"), "sas-fichier-hostile", tmp_path)
    assert people.dialogs == []
    assert {url.split("/")[2] for url in people.requests} == {people.airlock.split("/")[2]}


def test_nobody_reviews_their_own_request(people: People, enclave: Enclave, tmp_path: Path) -> None:
    """Diane, a reviewer, asks for something herself. It is not in her queue, its page says why, and it waits
    for others: here for Denis alone, and so for a third whom the committee is told to name.
    """
    files = {"cours.csv": "code,patients\nK86,3930\n"}
    request = _asked_by(enclave, "diane", "bac-a-sable", "Une demande de Diane", files)
    diane = people.at("diane", "/relecture")
    assert diane.locator(f"[data-request={request}]").count() == 0
    diane = people.at("diane", f"/relecture/{request}")
    expect(diane.locator("main")).to_contain_text("personne ne relit la sienne")
    photograph(diane, "sas-sa-propre-demande", tmp_path)
    denis = people.at("denis", "/relecture")
    expect(denis.locator(f"[data-request={request}]").first).to_be_attached()


def _asked_by(enclave: Enclave, user: str, project: str, title: str, files: dict[str, str]) -> str:
    """A request made where the airlock's door makes it, of files that the checks saw but took nothing amiss
    in. No door takes such files, and Diane has no workspace open."""
    settings = load_settings(enclave.environ)
    store, shelf, now = open_store(settings), Shelf(settings.releases_dir), datetime.now(UTC)
    who, audit = Person(user, user, frozenset()), store.recorder(user)
    with store.change() as session:
        words = Words(title, "Un cours", "Des patients fictifs", "Rien sous 11")
        made = open_draft(session, who, project, words, at=now, audit=audit)
        for name, content in files.items():
            shelved = shelf.put(content.encode(), limit=10_000)
            seen = inspect_bytes(content.encode(), name)
            shelf.put_preview(shelved.sha256, seen.version, preview_document(seen.preview))
            checked = Checked(seen.kind, state=CheckState.CHECKED, checker=seen.version)
            add_file(
                session, who, made.id, name, shelved, checked,
                settings=settings.airlock, at=now, audit=audit,
            )  # fmt: skip
        submit(session, who, made.id, settings=settings.airlock, at=now, audit=audit)
    store.close()
    return made.id
