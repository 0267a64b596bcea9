"""A PDF from a workspace is drawn as it comes in: its pictures lie beside it, its bytes are left alone."""

from __future__ import annotations

import io

import httpx
from PIL import Image

from hub_config.airlock.checks import ImageBlock, read_preview
from tests.corpus.hostile_pages import pdf
from tests.services.airlock.intake.conftest import Door
from tests.services.airlock.intake.test_written_anew import sent, shelved

CONTENT = pdf(b"BT /F1 12 Tf 50 700 Td (Les patients de 2019) Tj ET 60 60 40 40 re f", pages=2)


async def test_its_pages_are_drawn_and_its_bytes_left_as_they_are(
    ines: httpx.AsyncClient, door: Door
) -> None:
    file = await sent(ines, "figure.pdf", CONTENT)
    assert shelved(door, file) == CONTENT
    sha256 = str(file["sha256"])
    document = door.house.shelf.get_preview(sha256, _checker(door, sha256))
    drawn = [each for each in read_preview(document).blocks if isinstance(each, ImageBlock)]
    assert [each.alt for each in drawn] == ["page 1", "page 2"]
    assert Image.open(io.BytesIO(drawn[0].png)).size == (1190, 1684)


def _checker(door: Door, sha256: str) -> str:
    """As the preview beside the file is called."""
    (kept,) = door.house.shelf.path(sha256).parent.glob(f"{sha256}.*.json")
    return kept.name.removeprefix(f"{sha256}.").removesuffix(".json")
