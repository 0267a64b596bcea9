"""Links between pages lead somewhere, and every page can be reached from the index."""

from __future__ import annotations

from pathlib import Path

import pytest

from .markdown import ROOT, anchors, links, pages

DOCS = ROOT / "docs"


def local(page: Path) -> list[tuple[Path, str]]:
    """(file, anchor) of the page's links that stay in the repository."""
    split = (
        link.partition("#") for link in links(page) if "://" not in link and not link.startswith("mailto:")
    )
    return [((page.parent / target).resolve() if target else page, anchor) for target, _, anchor in split]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    missing = [str(file) for file, _ in local(page) if not file.exists()]
    assert missing == []
    lost = [f"{file.name}#{anchor}" for file, anchor in local(page) if anchor and anchor not in anchors(file)]
    assert lost == []


def test_every_page_is_reached_from_the_index() -> None:
    reached = {file for file, _ in local(DOCS / "index.md")} | {DOCS / "index.md"}
    assert set(DOCS.rglob("*.md")) <= reached


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A title\n[gone](gone.md) [here](#a-title) [lost](#nowhere)\n```sh\n[not](a-link)\n```\n"
    )
    assert [file.exists() for file, _ in local(page)] == [False, True, True]
    assert anchors(page) == {"a-title"}


def test_pages_stand_in_the_rooms_of_diataxis() -> None:
    rooms = {page.relative_to(DOCS).parts[0] for page in DOCS.rglob("*.md")}
    assert rooms == {"index.md", "tutorial", "how-to", "reference", "explanation", "adr"}
