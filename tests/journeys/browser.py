"""A person at a browser: the steps every story shares. Real Chromium, headless, no background traffic of
its own.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SECONDS = 1000.0
expect.set_options(timeout=60 * SECONDS)  # else five seconds: a busy machine takes longer


@contextmanager
def chromium() -> Iterator[Page]:
    """A fresh browser: no cookies, French, a laptop's screen. What it showed at a failure is kept."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(60 * SECONDS)
        page = context.new_page()
        try:
            yield page
        except BaseException:
            photograph(page, "failure", Path(tempfile.gettempdir()) / "p4dp-journeys")
            raise
        finally:
            browser.close()


def log_in(page: Page, user: str, password: str, code: str) -> None:
    """From the identity provider's page to the person's projects, or to the page they had asked for."""
    page.locator("input[name=login]").fill(user)
    page.locator("button[type=submit], input[type=submit]").first.click()
    page.locator("input[name=password]").fill(password)
    page.locator("button[type=submit], input[type=submit]").first.click()
    page.locator("input[name=otp]").fill(code)
    page.locator("button[type=submit], input[type=submit]").first.click()
    page.wait_for_url(lambda address: "//identity." not in address and "oauth_callback" not in address)
    page.wait_for_load_state()
    accept_charter(page)


def accept_charter(page: Page) -> None:
    """At the first log-in the projects wait for the charter: read it, tick, accept, come back."""
    if page.locator("a[data-charter]").count():
        page.locator("a[data-charter]").first.click()
        page.locator("#accept").check()
        page.locator("main form button[type=submit]").click()
        page.locator("main a[href$='/hub/home']").click()
        expect(page.locator("a[data-charter]")).to_have_count(0)


def open_workspace(page: Page, project: str) -> None:
    """Press the project's button and wait for JupyterLab."""
    page.locator(f"[data-project={project}] .actions a.button").click()
    page.wait_for_url(re.compile(r"/lab"), timeout=120 * SECONDS)
    expect(page.locator("#jp-main-dock-panel")).to_be_visible(timeout=120 * SECONDS)


def open_notebook(page: Page, name: str) -> None:
    """Double-click the file in the browser on the left, as a person does, unless it is open already."""
    if not page.locator(".jp-NotebookPanel:visible").count():
        page.locator(".jp-DirListing-item", has_text=name).dblclick()
    expect(page.locator(".jp-NotebookPanel:visible .jp-Cell").first).to_be_visible()
    kernel = page.locator("#jp-main-statusbar", has_text=re.compile(r"\| (Inactif|Idle)"))
    expect(kernel).to_be_visible(timeout=120 * SECONDS)


def open_another(page: Page, name: str) -> None:
    """Double-click a file in the browser on the left while another notebook is open."""
    page.locator(".jp-DirListing-item", has_text=name).dblclick()
    tab = page.locator("#jp-main-dock-panel .lm-TabBar-tab.jp-mod-current", has_text=name)
    expect(tab).to_be_visible(timeout=120 * SECONDS)
    expect(page.locator(".jp-NotebookPanel:visible .jp-Cell").first).to_be_visible()
    kernel = page.locator("#jp-main-statusbar", has_text=re.compile(r"\| (Inactif|Idle)"))
    expect(kernel).to_be_visible(timeout=120 * SECONDS)


def set_parameter(page: Page, name: str, value: str) -> None:
    """Type another value in the line of the parameters cell that sets `name`; its help goes."""
    start = re.compile(rf"^{name}: (\w+) = ")
    line = page.locator(".jp-NotebookPanel:visible .cm-line", has_text=start).first
    found = start.match(line.inner_text())
    assert found, name
    line.click()
    page.keyboard.press("End")
    page.keyboard.press("Shift+Home")
    page.keyboard.insert_text(f"{name}: {found[1]} = {value}")
    expect(line).to_have_text(f"{name}: {found[1]} = {value}")


def run_all(page: Page) -> None:
    """Menu Exécution → Exécuter toutes les cellules; returns when the last code cell has run (again)."""
    last = page.locator(".jp-NotebookPanel:visible .jp-CodeCell .jp-InputPrompt").last
    before = re.sub(r"\D", "", last.inner_text()) or "never"
    page.locator(".lm-MenuBar-item", has_text=re.compile("^(Exécution|Run)$")).click()
    page.locator(
        "#jp-mainmenu-run .lm-Menu-item", has_text=re.compile("Exécuter toutes les cellules|Run All Cells")
    ).first.click()
    expect(last).to_have_text(re.compile(rf"\[(?!{before}\])\d+\]:"), timeout=180 * SECONDS)


def outputs(page: Page) -> str:
    """All text that the notebook's cells printed."""
    return "\n".join(page.locator(".jp-NotebookPanel:visible .jp-Cell-outputArea").all_inner_texts())


def photograph(page: Page, name: str, directory: Path, *, whole: bool = False) -> None:
    """Keep a screenshot in `directory`, or among the docs' pictures where P4DP_SCREENSHOTS names them.
    `whole`: of the page from top to bottom, not of what the window shows."""
    target = Path(os.environ.get("P4DP_SCREENSHOTS") or directory)
    target.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(target / f"{name}.png"), full_page=whole)
