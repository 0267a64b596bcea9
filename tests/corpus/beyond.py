"""What no check here sees, kept so that nobody thinks otherwise. Most of it a person can't see either."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial

from tests.corpus.cases import Case, beyond
from tests.corpus.safe import saved
from tests.corpus.smuggled import inserted
from tests.corpus.tables import PSEUDONYMS, SAFE, Table, as_csv, as_xlsx, page_of

_ONE = PSEUDONYMS[31]
_SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'
_DIGITS = ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"]


def cases() -> tuple[Case, ...]:
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    words = " ".join(_DIGITS[int(digit)] for digit in str(_ONE))
    yield beyond("mots.txt", partial(bytes, f"Voir {words}.\n".encode()), "a pseudonym spelled out in words")
    small = "Une poignée de femmes, deux ou trois tout au plus, vivaient à Evreux.\n"
    yield beyond("phrase.txt", partial(bytes, small.encode()), "a small count in words")
    turned = f"Référence {str(_ONE)[::-1]}.\n"
    yield beyond("renverse.txt", partial(bytes, turned.encode()), "a pseudonym written backwards")
    masked = f"Référence {_ONE ^ 0x5DEECE66D1234567}.\n"
    yield beyond(
        "chiffre.txt", partial(bytes, masked.encode()), "a pseudonym, encrypted by a key of one's own"
    )
    base36 = "".join("0123456789abcdefghijklmnopqrstuvwxyz"[_ONE // 36**n % 36] for n in range(12, -1, -1))
    yield beyond("base36.txt", partial(bytes, f"Code {base36}.\n".encode()), "a pseudonym in base 36")
    split = Table(
        "x", ("haut", "bas"), tuple((f"a{n // 10**10}", f"b{n % 10**10:010d}") for n in PSEUDONYMS[:2])
    )
    yield beyond("coupe.csv", partial(as_csv, split), "pseudonyms cut over two columns")
    yield beyond("pixels.png", _steganography, "a pseudonym in the lowest bits of an image")
    yield beyond("dessin.png", _drawn_small, "a small count drawn in an image")
    yield beyond("couleurs.html", _colours, "values as the colours of a table's cells")
    bars = "".join(f'<rect fill="#{value:06x}" width="9"/>' for value in (3, 17, 401))
    yield beyond(
        "teintes.svg", partial(bytes, _SVG.format(bars).encode()), "values as the colours of a drawing"
    )
    few = "".join(f'<circle cx="{20 + 7 * n % 60}" cy="{n * n % 97}" r="1"/>' for n in range(29))
    yield beyond("vingt-neuf.svg", partial(bytes, _SVG.format(few).encode()), "29 people, a point each")
    digits = f"{_ONE:016x}"
    marks = f'<w:p w:rsidR="{digits[:8]}" w:rsidP="{digits[8:]}"/>'
    yield beyond(
        "revisions-hexa.docx", partial(inserted, marks), "a pseudonym as two of Word's marks of revision"
    )
    yield beyond("espaces.txt", _spaces, "a number as spaces at the ends of lines")
    decimals = Table(
        "Moyennes", ("classe", "moyenne"), (("a", f"61.{str(_ONE)[:9]}"), ("b", f"59.{str(_ONE)[9:]}"))
    )
    yield beyond("decimales.csv", partial(as_csv, decimals), "a pseudonym in the decimals of two means")
    order = Table("Codes", ("code",), tuple((f"K{n:02d}",) for n in _permutation(_ONE)))
    yield beyond("ordre.csv", partial(as_csv, order), "a number as the order of a list")
    shifted = Table("Motifs", ("cisp2", "patients"), (("N74", "13"), ("K86", "3944"), ("R74", "3563")))
    yield beyond("decale.xlsx", partial(as_xlsx, shifted), "small counts, ten added to each")
    lie = Table("Motifs", ("cisp2", "effectif attendu x 100"), (("N74", "300"), ("K86", "393400")))
    yield beyond("multiplie.csv", partial(as_csv, lie), "small counts, multiplied by a hundred")


def _steganography() -> bytes:
    from PIL import Image

    image = Image.new("RGB", (64, 64), (200, 200, 200))
    for at, bit in enumerate(f"{_ONE:064b}"):
        image.putpixel((at, 0), (200 + int(bit), 200, 200))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _drawn_small() -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    figure.text(0.2, 0.5, "N74 : 3 patients")
    return saved(figure, "png")


def _colours() -> bytes:
    cells = "".join(f'<td style="background:#{value:06x}">+</td>' for value in (3, 17, 401))
    return page_of(f"<table><tr><th>a</th><th>b</th><th>c</th></tr><tr>{cells}</tr></table>")


def _spaces() -> bytes:
    lines = SAFE["motifs"].rows
    return "".join(
        f"{row[1]}{' ' * (int(digit) + 1)}\n" for row, digit in zip(lines, str(_ONE), strict=False)
    ).encode()


def _permutation(number: int) -> list[int]:
    left, order = list(range(10, 30)), []
    while left:
        number, at = divmod(number, len(left))
        order.append(left.pop(at))
    return order
