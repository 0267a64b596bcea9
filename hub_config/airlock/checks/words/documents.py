"""What is found in documents, images, models and archives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.airlock.checks.words.words import Language, Words
from hub_config.governance.releases.findings import Rule

WORDS: Final[Mapping[Rule, Mapping[Language, Words]]] = {}
