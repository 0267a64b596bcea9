"""Rows of patients as points on a PDF's page, where whoever reviews it doesn't see them: cut off by a box,
beside the sheet, on a page too many, on one that can't be drawn, as letters in white. Each is shown or stops
the file; with the defence taken out it would leave unseen.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from PIL import Image

from hub_config.airlock.checks import Bounds, ImageBlock, Reason, inspect_bytes
from hub_config.airlock.checks.inside.checkers import drawn_pages, pdf
from hub_config.airlock.checks.inside.checkers.drawn_pages import MOST_DRAWN, Box, Sheet
from hub_config.airlock.checks.inside.found import Found
from hub_config.governance.releases.findings import Severity
from tests.corpus import hostile_pages
from tests.corpus.hostile_pages import image, nested
from tests.unit.airlock_checks.reading import read

WORDS = b"BT /F1 12 Tf 50 700 Td (Les patients de 2019) Tj ET "
CLOUD = b"0 0 1 rg " + b" ".join(
    b"%d %d 6 6 re f" % (60 + 37 * n % 400, 100 + 61 * n % 500) for n in range(30)
)
CROPPED = hostile_pages.pdf(WORDS + CLOUD, page=b"/CropBox[40 680 300 730]")
ASIDE = hostile_pages.pdf(WORDS + b"q 1 0 0 1 0 -2000 cm " + CLOUD + b" Q")
LAST = hostile_pages.pdf(WORDS, pages=MOST_DRAWN + 1)
WHITE = hostile_pages.pdf(WORDS + b"1 g BT /F1 9 Tf 50 300 Td (F 1950-03 K86) Tj ET")
BROKEN = image(b"JPXDecode", b"\xff\x4f\xff\x51" * 9)


def points_seen(found: Found) -> bool:
    return any(_is_blue(each) for each in found.blocks if isinstance(each, ImageBlock))


def _is_blue(block: ImageBlock) -> bool:
    colours = Image.open(io.BytesIO(block.png)).convert("RGB").getcolors(2**24) or ()
    return any(colour == (0, 0, 255) for _, colour in colours)


def stops(found: Found) -> bool:
    return any(each.severity is Severity.BLOCKING for each in found.findings)


def test_no_crop_box_hides_points_from_the_reviewer() -> None:
    sheets = drawn_pages.sheets

    def as_screens_do(content: bytes, boxes: list[Box]) -> Any:
        return sheets(content, [(40.0, 680.0, 300.0, 730.0) for _ in boxes])

    with patch.object(pdf, "sheets", as_screens_do), patch.object(drawn_pages, "_beyond", lambda *_: False):
        undefended = read(CROPPED, "f.pdf")
        assert not points_seen(undefended) and not stops(undefended)
    assert points_seen(read(CROPPED, "f.pdf"))


def _all_is_drawn(found: Found, pages: int) -> tuple[()]:
    return ()


def _as_drawn(*_: object) -> bool:
    return False


@pytest.mark.parametrize(
    ("content", "module", "defence", "out"),
    [
        (ASIDE, drawn_pages, "_beyond", _as_drawn),
        (WHITE, drawn_pages, "_hides", _as_drawn),
        (LAST, pdf, "_unseen", _all_is_drawn),
        (BROKEN, drawn_pages, "_refuse_undecoded", _as_drawn),
    ],
    ids=["beside the sheet", "white on white", "a page too many", "an image that can't be decoded"],
)
def test_what_no_reviewer_sees_stops_the_file(
    content: bytes, module: Any, defence: str, out: Callable[..., object]
) -> None:
    with patch.object(module, defence, out):
        assert not stops(read(content, "f.pdf"))
    assert stops(read(content, "f.pdf"))


def test_words_alone_would_show_no_points() -> None:
    """As before pages were drawn: the file passed with its words."""
    content = hostile_pages.pdf(WORDS + CLOUD)
    with (
        patch.object(pdf, "sheets", lambda _, boxes: iter([Sheet()] * len(boxes))),
        patch.object(pdf, "_unseen", _all_is_drawn),
    ):
        undefended = read(content, "f.pdf")
        assert not points_seen(undefended) and not stops(undefended)
    assert points_seen(read(content, "f.pdf"))


def test_a_page_made_to_be_drawn_for_ever_is_put_aside_in_the_box() -> None:
    """Thirty drawings of thirty drawings, eight deep."""
    told = inspect_bytes(nested(8, 30), "f.pdf", bounds=replace(Bounds(), cpu_seconds=3))
    assert told.quarantined is not None and not told.preview.blocks
    assert told.quarantined.reason in (Reason.CRASHED, Reason.TIMED_OUT, Reason.TOO_MUCH)
