"""The French catalogue is complete and its compiled form is current; the language follows the person."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import p4dp_sdk as p4dp
from p4dp_sdk.locale import Language, translate, translate_count

SDK = Path(__file__).parents[3] / "p4dp_sdk"
FRENCH = SDK / "locale" / "fr" / "LC_MESSAGES" / "p4dp_sdk.po"
KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None, "translate_count": (1, 2)}


def french() -> Catalog:
    with FRENCH.open("rb") as file:
        return read_po(file, locale="fr")


def test_every_text_is_translated_and_none_is_left_over() -> None:
    used = {message for _file, _line, message, *_rest in extract_from_dir(SDK, keywords=KEYWORDS)}
    translated = {
        m.id for m in french() if m.id and all(m.string if m.pluralizable else (m.string,)) and not m.fuzzy
    }
    assert used - translated == set(), "write these in locale/fr/LC_MESSAGES/p4dp_sdk.po"
    assert translated - used == set(), "no longer used: remove them from p4dp_sdk.po"


def test_compiled_catalogue_is_current() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, french())
    assert FRENCH.with_suffix(".mo").read_bytes() == compiled.getvalue(), (
        "run: pybabel compile -d p4dp_sdk/locale -D p4dp_sdk"
    )


def test_blanks_are_the_same_in_both_languages() -> None:
    from p4dp_sdk.wire.messages import Message

    def blanks(text: str | tuple[str, ...]) -> frozenset[str]:
        texts = (text,) if isinstance(text, str) else text
        return frozenset().union(*(Message(each, "", "").blanks for each in texts))

    assert not [m.id for m in french() if m.id and blanks(m.id) != blanks(m.string)]


@pytest.mark.parametrize(
    ("p4dp_lang", "lang", "expected"),
    [
        ("", "", "fr"),
        ("", "C.UTF-8", "fr"),
        ("", "en_GB.UTF-8", "en"),
        ("", "fr_FR.UTF-8", "fr"),
        ("fr", "en_GB.UTF-8", "fr"),
        ("en", "fr_FR.UTF-8", "en"),
    ],
)
def test_language_follows_the_person(
    monkeypatch: pytest.MonkeyPatch, p4dp_lang: str, lang: str, expected: str
) -> None:
    monkeypatch.setenv("P4DP_LANG", p4dp_lang)
    monkeypatch.setenv("LANG", lang)
    assert p4dp.language() == expected


def test_language_can_be_chosen_and_no_other() -> None:
    assert p4dp.language("en") is Language.ENGLISH
    assert translate("Purpose") == "Purpose"
    assert p4dp.language("fr") is Language.FRENCH
    assert translate("Purpose") == "Finalité"
    with pytest.raises(ValueError, match="de"):
        p4dp.language("de")


def test_one_and_many() -> None:
    counted = [translate_count("{count} withheld cell", "{count} withheld cells", n) for n in (0, 1, 2)]
    assert counted == ["{count} cellule masquée", "{count} cellule masquée", "{count} cellules masquées"]
