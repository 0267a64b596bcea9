"""A list of names that a person reads and a program uses: its columns keep their names, its display has
titles in the person's language.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_

TITLES: Mapping[str, str] = {
    "kind": N_("kind"),
    "where": N_("where"),
    "name": N_("name"),
    "label": N_("label"),
    "code": N_("code"),
    "parent": N_("parent"),
    "system": N_("system"),
    "codes": N_("codes"),
    "version": N_("version"),
    "source": N_("source"),
}


class Listing(pd.DataFrame):
    """What is made of it (a selection, a merge) is an ordinary frame."""

    def _repr_html_(self) -> str | None:
        return self._titled()._repr_html_()  # type: ignore[operator,no-any-return]

    def __repr__(self) -> str:
        return repr(self._titled())

    def _titled(self) -> pd.DataFrame:
        return pd.DataFrame(self).rename(columns={name: _(title) for name, title in TITLES.items()})
