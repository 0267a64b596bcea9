"""Whether each workspace can run under its own uid: the one predicate behind the "synthetic data only" rule.

The spawner obeys it, `up` says it, `warehouse load` refuses by it. Anything but a clear yes is a no.
"""

from __future__ import annotations

import os
from pathlib import Path


def own_uid_per_workspace() -> bool:
    """True when this process, as root, starts every workspace under a uid of its own."""
    return os.geteuid() == 0


def workspaces_have_own_uid(home: Path) -> bool:
    """True when the enclave whose state is in `home` runs as root, and so gives every workspace its own uid.

    A home that belongs to somebody else will be run by somebody else: root's own uid proves nothing about it.
    """
    return own_uid_per_workspace() and (not home.exists() or home.stat().st_uid == 0)
