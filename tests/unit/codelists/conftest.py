"""English texts, whatever the machine's language is, and no site's own tables or lists."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "en")
    monkeypatch.delenv("P4DP_CODES", raising=False)
    monkeypatch.delenv("P4DP_CODELISTS", raising=False)
