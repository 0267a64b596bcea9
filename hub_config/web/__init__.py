"""What the pages of the airlock and of the register stand on: log-in by the hub, sessions, forms, layout.

Knows no service and no project. Whoever serves pages makes a `Site` of them (`site.create_site`); every
request then passes the gate: own host, own origin, bounded body, known session, synchroniser token.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).with_name("static")
"""Style and icon; the hub serves the same files."""
