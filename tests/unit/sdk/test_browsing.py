"""Finding one's way: the workspace, its tables, its catalogue and the terminal's command."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import p4dp_sdk as p4dp
from p4dp_sdk import cli, markup
from p4dp_sdk.errors import UnknownNameError
from p4dp_sdk.granted import plain
from tests.unit.sdk.peer import Peer


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_workspace_says_who_for_which_project_with_which_right(workspace: p4dp.Workspace) -> None:
    for shown in (repr(workspace), workspace._repr_html_()):
        for words in (
            "ines",
            "Thèse",
            "these-ines",
            "effectifs, jamais de lignes",
            "version figée n° 1",
            "11 patients",
        ):
            assert words in shown


@pytest.mark.parametrize(
    ("access", "words"), [("microdata", "données individuelles"), ("sandbox", "bac à sable")]
)
def test_workspace_names_the_other_rights(peer: Peer, access: str, words: str) -> None:
    peer.whoami["access"] = access
    workspace = p4dp.connect()
    assert words in repr(workspace)
    workspace.close()


def test_tables_complete_and_show_themselves(workspace: p4dp.Workspace) -> None:
    tables = workspace.tables
    assert {"diagnoses", "patients"} <= set(dir(tables))
    assert tables._ipython_key_completions_() == list(tables) == ["diagnoses", "patients"]
    assert tables.patients.equals(tables["patients"])
    assert "Diagnostics codés (CISP-2)." in tables._repr_html_()
    assert "Diagnostics" in repr(tables)


def test_html_is_escaped(workspace: p4dp.Workspace) -> None:
    for shown in (workspace.tables._repr_html_(), workspace.catalogue._repr_html_()):
        assert "<b>" not in shown
        assert "&lt;b&gt;âge&lt;/b&gt;" in shown


@pytest.mark.parametrize("words", ["diabete", "DIABÈTE", "diab insulino"])
def test_search_needs_no_accents(workspace: p4dp.Workspace, words: str) -> None:
    found = workspace.catalogue.search(words)
    assert found[["kind", "where", "name"]].values.tolist() == [["code", "cisp2", "T90"]]


def test_what_is_found_is_titled_in_the_persons_language(
    workspace: p4dp.Workspace, shell: InteractiveShell
) -> None:
    found = workspace.catalogue.search("diabete")
    for shown in shell.display_formatter.format(found)[0].values():
        assert all(title in shown for title in ("type", "où", "nom", "intitulé"))
        assert "where" not in shown
    assert "intitulé" in workspace.catalogue.codes("sex")._repr_html_()
    p4dp.language("en")
    assert "where" in repr(found)


def test_a_link_leads_to_a_web_page_or_is_text() -> None:
    assert 'href="http://sas.x/&quot;&gt;a"' in markup.link("Sa page :", 'http://sas.x/">a')
    assert "<a" not in markup.link("Sa page :", "javascript:alert(1)")


def test_names_between_backticks_are_code_and_the_rest_is_escaped() -> None:
    assert markup.paragraph("`a<b` & c") == "<p><code>a&lt;b</code> &amp; c</p>"
    shown = markup.table(["x"], [["`value`, `raw`"], ["a ` alone"]])
    assert "<code>value</code>, <code>raw</code>" in shown and "a ` alone" in shown


def test_search_finds_tables_and_columns(workspace: p4dp.Workspace) -> None:
    assert set(workspace.catalogue.search("patient")["kind"]) == {"table", "colonne"}
    assert workspace.catalogue.search("licorne").empty


def test_plain_unfolds_ligatures() -> None:
    assert plain("Œdème du CŒUR") == "oedeme du coeur"


def test_code_lists(workspace: p4dp.Workspace) -> None:
    assert workspace.catalogue.codes("cisp2")["code"].tolist() == ["K86", "T90"]
    assert workspace.catalogue.labels("sex") == {"F": "femme"}
    p4dp.language("en")
    assert workspace.catalogue.labels("sex") == {"F": "female"}
    with pytest.raises(UnknownNameError, match="cisp2"):
        workspace.catalogue.codes("cisp")


def test_a_table_has_its_sheet(workspace: p4dp.Workspace) -> None:
    sheet = workspace.catalogue["patients"]
    assert "Âge" in repr(sheet)
    assert "Liste de codes" in sheet._repr_html_()
    with pytest.raises(UnknownNameError, match="patients"):
        workspace.catalogue["patient"]


def test_catalogue_counts_and_lists_its_tables(workspace: p4dp.Workspace) -> None:
    assert len(workspace.catalogue) == 2
    assert list(workspace.catalogue) == workspace.catalogue._ipython_key_completions_()


def test_whoami_in_the_terminal(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["whoami"]) == 0
    assert "these-ines" in capsys.readouterr().out


def test_tables_in_the_terminal(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["tables"]) == 0
    assert "diagnoses" in capsys.readouterr().out
    assert cli.main(["tables", "patients"]) == 0
    assert "Âge" in capsys.readouterr().out


def test_terminal_says_no_with_exit_code_1(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["tables", "patient"]) == 1
    assert "patients" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [[], ["sortir"]])
def test_wrong_usage_is_exit_code_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(wrong)
    assert stopped.value.code == 2


def test_importing_loads_nothing_and_costs_nothing() -> None:
    bare = "import sys; before = set(sys.modules); import p4dp_sdk; print(*(set(sys.modules) - before))"
    loaded = subprocess.run(
        [sys.executable, "-c", bare], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"ibis", "pandas", "pyarrow", "httpx", "matplotlib", "numpy", "gettext"}
    assert not heavy & {name.partition(".")[0] for name in loaded}
    assert [name for name in loaded if name.startswith("p4dp_sdk")] == ["p4dp_sdk"]


def test_connecting_loads_neither_ibis_nor_pandas(peer: Peer) -> None:
    script = "import sys, p4dp_sdk as p4dp; p4dp.connect().catalogue; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"ibis", "pandas", "pyarrow"} & set(done.stdout.split())


def test_version_is_the_wheels() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert p4dp.__version__ == project["version"]


def test_every_public_name_is_there() -> None:
    for name in p4dp.__all__:
        assert getattr(p4dp, name) is not None
    assert set(p4dp.__all__) == set(dir(p4dp))
    with pytest.raises(AttributeError, match="no attribute 'sql'"):
        _ = p4dp.sql
