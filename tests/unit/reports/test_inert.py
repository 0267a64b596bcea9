"""The page of a report: what a box wrote, with nothing left in it that runs, loads or leads elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.reports.inert import POLICY, inert, page

PNG = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("<p>un <b>mot</b></p>", "<p>un <b>mot</b></p>"),
        (
            f'<img src="{PNG}" alt="courbe" onload="x()">',
            f'<img alt="" src="{PNG}"><small class="legende">courbe</small>',
        ),
        (
            f'<img src="{PNG}" alt="No description has been provided for this image">',
            f'<img alt="" src="{PNG}">',
        ),
        ('<td colspan="2" style="text-align: right; position: fixed">1</td>', None),
        ("<script>alert(1)</script>après", "après"),
        ("<style>p{}</style><p>x</p>", "<p>x</p>"),
        ('<a href="https://ailleurs">lien</a>', "lien"),
        ('<img src="https://ailleurs/x.png">', ""),
        ('<img src="data:text/html;base64,AAAA">', ""),
        ('<p style="background: url(//ailleurs)">x</p>', "<p>x</p>"),
        ('<meta http-equiv="refresh" content="0;url=//ailleurs">x', "x"),
        ("<svg><a href=x>y</a></svg>z", "z"),
        ("</div></main></body>dedans", "dedans"),
        ("<div><b>ouvert", "<div><b>ouvert</b></div>"),
        ("<b><i>croisés</b></i>", "<b><i>croisés</i></b>"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("<scr<script>ipt>alert(1)</script>", None),
        ("<!-- <p>x</p> --><p>y</p>", "<p>y</p>"),
        ("<![CDATA[<script>]]>x", None),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", None),
        ("<iframe srcdoc='<script>alert(1)</script>'></iframe>x", "x"),
        ("<object data=x><p>y</p></object>z", "z"),
    ],
)
def test_what_is_kept(given: str, kept: str | None) -> None:
    found = inert(given)
    assert kept is None or found == kept
    assert_inert(found)


class Reader(HTMLParser):
    """What a page asks of a browser."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loads = [value for name, value in attrs if name in ("href", "action", "srcdoc", "srcset", "data")]
        runs = [name for name, _ in attrs if name.startswith("on")]
        fetched = [v for name, v in attrs if name == "src" and not (v or "").startswith("data:image/")]
        if tag in ("script", "iframe", "object", "embed", "form", "meta", "link", "base", "svg", "style"):
            self.asked.append(tag)
        self.asked += [*filter(None, loads), *runs, *filter(None, fetched)]


def assert_inert(text: str) -> None:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.asked


PIECES = st.sampled_from(
    [
        "<script>", "</script>", "<p ", "onclick='x'", ">", "<", "</p>", '"', "'", "<svg", "/>", "<img src=",
        "javascript:x", "<!--", "-->", "<style>", "</style>", "<![CDATA[", "]]>", "<a href=x>", "<textarea>",
        "</textarea>", "<title>", "&lt;", "<math>", "<plaintext>", "<template>", "</template>",
        " style=", "a",
        "<iframe srcdoc=", "<table><td>", "</table>", "<?x", "<!DOCTYPE", "\0", "<meta ",
        "http-equiv=refresh",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=400, deadline=None)
def test_whatever_is_given_nothing_of_it_acts(fragment: str) -> None:
    found = inert(fragment)
    assert_inert(found)
    assert inert(found) == found, "what is inert stays as it is"


def test_undefended_a_browser_would_be_asked() -> None:
    with pytest.raises(AssertionError):
        assert_inert("<img src=x onerror=alert(1)>")


def test_a_page_says_what_it_is_first_and_forbids_the_rest() -> None:
    text = page("Titre <b>", (("Projet", "a & b"),), "<p>x</p><script>y</script>", "fr")
    assert text.startswith('<!DOCTYPE html>\n<html lang="fr">')
    assert "<title>Titre &lt;b&gt;</title>" in text and "a &amp; b" in text and "script" not in text
    assert text.index(POLICY) < text.index("<body>") and "default-src 'none'" in POLICY
    assert "http:" not in text.replace("http-equiv", "") and "https:" not in text
