"""What the project let out before lies beside what it asks for now, however long ago it left: a table that
differs from an old one by a few people names them.
"""

from __future__ import annotations

from unittest.mock import patch

from hub_config.airlock.checks import Preview, TableBlock
from hub_config.airlock.pages import beside, files
from hub_config.airlock.pages.desk import Desk
from hub_config.governance.releases.facts import FileFacts

from .little_airlock import TABLE, File, LittleAirlock

FEW = "Une cellule diffère de 10 ou moins"


def table(name: str, k86: int) -> File:
    """Of the same columns as the table of every request here."""
    block = TableBlock("", TABLE.header, (("K86", str(k86)), ("R74", "3553")), total_rows=2, total_columns=2)
    return File(name, name.encode(), blocks=(block,))


def other(n: int) -> File:
    block = TableBlock("", ("age", f"n{n}"), (("18-39", "120"),), total_rows=1, total_columns=2)
    return File(f"autre-{n}.csv", f"autre {n}".encode(), blocks=(block,))


def test_a_release_of_long_ago_is_compared(airlock: LittleAirlock) -> None:
    airlock.released(table("vieux.csv", 3931))
    for n in range(25):
        airlock.released(other(n))
    request = airlock.sent()
    path = f"/relecture/{request}"
    page = airlock.visit("diane").get(path).text
    assert "vieux.csv" in page and FEW in page
    with patch.object(beside.Past, "left", lambda self, asked, earlier: files.Left()):
        assert FEW not in airlock.visit("diane").get(path).text


def test_what_has_other_columns_is_read_once(airlock: LittleAirlock) -> None:
    airlock.released(*(other(n) for n in range(3)))
    request = airlock.sent()
    diane, read = airlock.visit("diane"), []
    preview = Desk._preview

    def noted(self: Desk, file: FileFacts) -> Preview:
        read.append(file.name)
        return preview(self, file)

    with patch.object(Desk, "_preview", noted):
        diane.get(f"/relecture/{request}")
        assert sorted(name for name in read if name.startswith("autre")) == [
            f"autre-{n}.csv" for n in range(3)
        ]
        read.clear()
        diane.get(f"/relecture/{request}")
    assert not [name for name in read if name.startswith("autre")]


def test_what_is_not_shown_is_counted(airlock: LittleAirlock) -> None:
    """Six are enough to read: those that differ by a few people, then the newest."""
    airlock.released(table("proche.csv", 3931))
    airlock.released(*(table(f"loin-{n}.csv", 100 * n) for n in range(8)))
    request = airlock.sent()
    page = airlock.visit("diane").get(f"/relecture/{request}").text
    assert "proche.csv" in page
    assert "3 autres fichiers sortis ont les mêmes colonnes" in page
    with patch.object(beside, "MOST", 4):
        page = airlock.visit("diane").get(f"/relecture/{request}").text
    assert "5 autres fichiers de mêmes colonnes, qui ne sont pas comparés" in page


def test_who_asks_sees_it_before_they_send_of_what_they_asked_for(airlock: LittleAirlock) -> None:
    airlock.released(table("a-moi.csv", 3931), project="bac-a-sable")
    airlock.released(table("d-un-autre.csv", 3931), by="rachid", project="bac-a-sable")
    draft = airlock.draft(File(), project="bac-a-sable")
    page = airlock.visit("ines").get(f"/demandes/{draft}").text
    assert "a-moi.csv" in page and FEW in page
    assert "d-un-autre.csv" not in page
