"""What the cells of a draft are, whatever the data: the definitions that published cells have, under names of
their own and without the snapshot. Pure.

Tables, conditions, keys and labels are those of the graph as the gateway decoded it; titles, names of columns
and their order make no difference, and nothing that a notebook says of its question is read. What can't be
put into a definition has none: it is settled as a question that nobody asked before.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from hub_config.gateway.rules.earlier.definitions import Definitions, Setting, Words, words
from hub_config.gateway.rules.plan import Release


def drafted(
    release: Release, labels: Sequence[Sequence[Hashable]], setting: Setting | None
) -> Mapping[str, Words]:
    """Of each measure of `release`, by its name, a definition a cell; empty where there are none."""
    if setting is None:
        return {}
    try:
        definitions = Definitions(release, setting)
        return {each.name: words(definitions.cells(each, labels)) for each in release.measures}
    except Exception:  # an expression of a kind that definitions don't know: it may be asked all the same
        return {}
