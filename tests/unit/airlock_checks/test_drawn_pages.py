"""Each page of a PDF is drawn whole, or said not to be: what shows on paper shows in its picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from unittest.mock import patch

import pytest
from PIL import Image

from hub_config.airlock.checks.inside.checkers import drawn_pages
from hub_config.airlock.checks.inside.checkers.drawn_pages import MOST_DRAWN
from hub_config.airlock.checks.inside.found import CannotRead, Found
from hub_config.airlock.checks.inside.preview import ImageBlock, TextBlock
from hub_config.governance.releases.findings import Rule
from tests.corpus.hostile_pages import A4, image, layer, nested, pdf
from tests.unit.airlock_checks.reading import read

WORDS = b"BT /F1 8 Tf 50 700 Td (Les patients) Tj ET "
MARK = b"60 60 40 40 re f "


def pictures(content: bytes) -> list[Image.Image]:
    blocks = read(content, "f.pdf").blocks
    return [Image.open(io.BytesIO(each.png)) for each in blocks if isinstance(each, ImageBlock)]


def rules(found: Found) -> set[Rule]:
    return {each.rule for each in found.findings}


def ink(picture: Image.Image, left: float, bottom: float, right: float, top: float) -> bool:
    """Whether something is dark there, in points of an A4 sheet."""
    across, up = picture.width / A4[2], picture.height / A4[3]
    area = (left * across, (A4[3] - top) * up, right * across, (A4[3] - bottom) * up)
    return picture.convert("L").crop(tuple(map(round, area))).getextrema()[0] < 128  # type: ignore[arg-type, operator]


def test_a_page_is_drawn_on_white_beside_its_words() -> None:
    found = read(pdf(WORDS + MARK), "f.pdf")
    drawn, words = found.blocks
    assert isinstance(drawn, ImageBlock) and isinstance(words, TextBlock)
    assert (drawn.alt, words.title, words.lines) == ("page 1", "page 1", ("Les patients",))
    (picture,) = pictures(pdf(WORDS + MARK))
    assert picture.convert("L").getpixel((0, 0)) == 255
    assert ink(picture, 60, 60, 100, 100) and ink(picture, 50, 695, 100, 710)
    assert rules(found) == set()


def test_letters_of_8_points_are_16_dots_high() -> None:
    (picture,) = pictures(pdf(WORDS))
    assert picture.size == (2 * A4[2], 2 * A4[3])


def test_what_a_crop_box_cuts_off_is_drawn() -> None:
    """Any reader's editor takes the box away."""
    (picture,) = pictures(pdf(WORDS + MARK, page=b"/CropBox[40 680 300 730]"))
    assert ink(picture, 60, 60, 100, 100)


def test_a_media_box_may_be_inherited_and_upside_down() -> None:
    content = pdf(WORDS + MARK).replace(b"/MediaBox[0 0 595 842]", b"/MediaBox[595 842 0 0]")
    (picture,) = pictures(content)
    assert picture.size == (2 * A4[2], 2 * A4[3]) and ink(picture, 60, 60, 100, 100)


def test_a_page_as_small_as_a_stamp_is_enlarged() -> None:
    (picture,) = pictures(pdf(b".02 w 1 1 m 9 9 l S", box=(0, 0, 40, 30)))
    assert picture.width == 800


@pytest.mark.parametrize(
    "drawn",
    [
        b"1 g BT /F1 12 Tf 50 700 Td (dossiers) Tj ET",
        b".97 .98 .99 rg BT /F1 12 Tf 50 700 Td (dossiers) Tj ET",
        WORDS + b"1 0 0 rg 40 690 200 40 re f",
        WORDS + b"BT /F1 .02 Tf 50 600 Td (dossiers) Tj ET",
        WORDS + b"q 0 0 10 10 re W n BT /F1 12 Tf 50 600 Td (dossiers) Tj ET Q",
    ],
)
@pytest.mark.parametrize("turned", [b"", b"/Rotate 90", b"/Rotate 180"])
def test_words_that_their_place_on_the_page_does_not_show_are_told(drawn: bytes, turned: bytes) -> None:
    assert rules(read(pdf(drawn, page=turned), "f.pdf")) == {Rule.HIDDEN_CONTENT}
    assert rules(read(pdf(WORDS, page=turned), "f.pdf")) == set()


@pytest.mark.parametrize("where", [b"0 -900", b"900 0", b"0 900", b"-900 0"])
def test_a_drawing_beside_the_sheet_is_told(where: bytes) -> None:
    content = pdf(WORDS + b"q 1 0 0 1 " + where + b" cm " + MARK + b"Q")
    assert rules(read(content, "f.pdf")) == {Rule.HIDDEN_CONTENT}


def test_a_hidden_layer_is_told() -> None:
    content = pdf(WORDS, more=layer(), catalog=b"/OCProperties<</OCGs[10 0 R]/D<</OFF[10 0 R]>>>>")
    assert Rule.HIDDEN_CONTENT in rules(read(content, "f.pdf"))


@pytest.mark.parametrize(
    "content",
    [
        pdf(WORDS, box=(0, 0, 14_400, 14_400)),
        image(b"JPXDecode", b"\xff\x4f\xff\x51" * 9),
        image(b"JBIG2Decode", b"\x97JB2" * 9),
        nested(14),
    ],
    ids=["a huge sheet", "JPX", "JBIG2", "drawings within drawings"],
)
def test_a_page_that_is_not_drawn_whole_is_not_drawn_and_stops(content: bytes) -> None:
    found = read(content, "f.pdf")
    (unseen,) = (each for each in found.findings if each.rule is Rule.UNSEEN_DRAWING)
    assert unseen.severity.value == "blocking" and unseen.place is not None and unseen.place.page == 1
    assert not any(isinstance(each, ImageBlock) for each in found.blocks)


def pages_told(found: Found, rule: Rule) -> Sequence[int | None]:
    return [each.place.page for each in found.findings if each.rule is rule and each.place is not None]


def test_pages_beyond_the_most_are_told_each() -> None:
    found = read(pdf(b"", pages=MOST_DRAWN + 2), "f.pdf")
    assert pages_told(found, Rule.UNSEEN_DRAWING) == [MOST_DRAWN + 1, MOST_DRAWN + 2]
    (said,) = (each for each in found.findings if each.rule is Rule.NOT_ALL_SHOWN)
    assert said.params == {"shown": MOST_DRAWN, "total": MOST_DRAWN + 2, "unit": "pages"}


def test_pictures_too_heavy_together_stop_at_the_page_that_is_too_much() -> None:
    content = pdf(WORDS, pages=3)
    whole = read(content, "f.pdf")
    one = next(len(each.png) for each in whole.blocks if isinstance(each, ImageBlock))
    budget = drawn_pages._Budget(bytes=2 * one)
    with patch.object(drawn_pages, "_Budget", lambda: budget):
        assert pages_told(read(content, "f.pdf"), Rule.UNSEEN_DRAWING) == [3]


def test_readers_that_count_other_pages_put_the_file_aside() -> None:
    with pytest.raises(CannotRead):
        list(drawn_pages.sheets(pdf(WORDS, pages=2), [(0.0, 0.0, 595.0, 842.0)]))


def test_many_words_take_no_picture_s_place() -> None:
    """Each page's words are a table beside a text: three parts of a preview that holds a hundred."""
    rows = b" ".join(b"BT /F1 9 Tf 50 %d Td (B%d   120   310) Tj ET" % (700 - 20 * n, n) for n in range(6))
    found = read(pdf(rows, pages=MOST_DRAWN), "f.pdf")
    assert sum(isinstance(each, ImageBlock) for each in found.blocks) == MOST_DRAWN
    assert Rule.UNSEEN_DRAWING not in rules(found)
