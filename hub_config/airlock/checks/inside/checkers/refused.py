"""Files that never leave as they are: archives, serialised objects, office documents that no check reads.

None of them is opened. The refusal names what to send in its place.
"""

from __future__ import annotations

from hub_config.airlock.checks.inside.found import Found, Order
from hub_config.airlock.checks.inside.preview import NoteBlock
from hub_config.governance.releases.findings import Finding, Rule, Severity


def check(content: bytes, order: Order) -> Found:
    finding = Finding(Rule.REFUSED_KIND, Severity.BLOCKING, None, {"kind": order.kind.value})
    return Found((finding,), (NoteBlock(finding),))
