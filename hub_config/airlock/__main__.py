"""The airlock as a process: `python -m hub_config.airlock`. Started by the hub."""

from __future__ import annotations

import sys

from hub_config.airlock.app import create_app
from hub_config.web.serving import serve

if __name__ == "__main__":
    sys.exit(serve(create_app, lambda settings: settings.airlock_port))
