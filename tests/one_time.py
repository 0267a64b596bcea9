"""One-time codes as people type them."""

from __future__ import annotations

import time

from hub_config.identity.accounts import Secrets
from hub_config.identity.commands import PERIOD_SECONDS

MARGIN_SECONDS = 14  # a browser on a busy machine


def code(secrets: Secrets) -> str:
    """A code with time left to be sent: the provider takes those of the running period only."""
    left = PERIOD_SECONDS - time.time() % PERIOD_SECONDS
    if left < MARGIN_SECONDS:
        time.sleep(left)
    return secrets.code(int(time.time()))
