"""How the checks did on files of somebody who had not read them, run once before anything was mended.

Recorded, never computed again: the files are in the corpus now, and the checks have learnt from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True)
class Unseen:
    """`missed`: unsafe files that would have left. `alarmed`: safe files that were stopped."""

    on: date
    unsafe: int
    safe: int
    missed: tuple[str, ...]
    alarmed: tuple[str, ...]

    @property
    def stopped(self) -> int:
        return self.unsafe - len(self.missed)


UNSEEN: Final = (
    Unseen(
        on=date(2026, 11, 22),
        unsafe=33,
        safe=32,
        missed=(
            "effectifs-par-sexe.csv",
            "couverture-vaccinale.csv",
            "complications.csv",
            "figure.docx",
            "suivi_….csv (a pseudonym as its name)",
            "residus.svg",
            "listes.parquet",
        ),
        alarmed=("cox-lifelines.csv", "dictionnaire.csv", "parametres.json", "serie.svg"),
    ),
)
