"""What the hostile files carry: one pseudonym, one harmless table, and any file packed beside them."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from tests.corpus.tables import PSEUDONYMS, SAFE

ONE: Final = PSEUDONYMS[23]
MOTIFS: Final = SAFE["motifs"]


def zipped(members: dict[str, bytes], *, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
        archive.comment = comment
    return out.getvalue()
