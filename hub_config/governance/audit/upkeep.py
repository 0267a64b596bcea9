"""What the log needs from time to time: its end noted outside each day, what is too old dropped each month.

The register's process calls `keep_up` for as long as it runs; operators may do either at once. What fails is
logged and tried again the next hour: the log itself goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime

from hub_config.governance.audit.anchors import append_line, line_of, note
from hub_config.governance.audit.chain import AuditChain
from hub_config.governance.audit.event import AuditEvent, Decision
from hub_config.governance.audit.failures import AuditFailure
from hub_config.governance.audit.posting import mail_line
from hub_config.governance.audit.reading import Wanted, newest
from hub_config.governance.audit.retention import Dropped
from hub_config.governance.audit.retention import prune as prune_chain
from hub_config.settings import Settings

HOUR = 3600.0
_log = logging.getLogger(__name__)


def anchor(settings: Settings, *, who: str) -> str:
    """Note the chain's end wherever the settings say; the anchor's line. Raises AuditFailure for a place that
    could not be reached, once the others have it."""
    chain = chain_of(settings)
    line = line_of(chain, note(chain, who=who))
    failures = []
    if settings.audit.anchor_file is not None:
        failures += _tried(lambda: append_line(settings.audit.anchor_file or settings.home, line))
    if settings.audit.anchor_mail:
        failures += _tried(lambda: mail_line(settings, line))
    if failures:
        chain.append(AuditEvent(who, "audit.anchor", None, Decision.FAILED, {"places": len(failures)}))
        raise AuditFailure(" ".join(failures))
    return line


def prune(settings: Settings, *, who: str) -> Dropped | None:
    """Drop what is older than the settings keep."""
    return prune_chain(chain_of(settings), months=settings.audit.keep_months, who=who)


def chain_of(settings: Settings) -> AuditChain:
    return AuditChain(settings.audit_dir, settings.keys_dir)


async def keep_up(settings: Settings, *, who: str = "enclave") -> None:
    """Look every hour whether the day's anchor and the month's pruning are due. Ends when cancelled."""
    while True:
        try:
            await asyncio.to_thread(due, settings, who=who)
        except (AuditFailure, OSError) as failure:
            _log.error("The audit log's upkeep: %s", failure)
        await asyncio.sleep(HOUR)


def due(settings: Settings, *, who: str, now: datetime | None = None) -> list[str]:
    """Do what is due today (UTC); what was done. What the chain itself says decides, so a restart repeats
    nothing, and what failed is due again."""
    day = (now or datetime.now(UTC)).date()
    done = []
    outside = settings.audit.anchor_file is not None or bool(settings.audit.anchor_mail)
    if outside and not _was_done(settings, "audit.anchor", since=day):
        anchor(settings, who=who)
        done.append("anchor")
    if not _was_done(settings, "audit.prune", since=day.replace(day=1)) and prune(settings, who=who):
        done.append("prune")
    return done


def _was_done(settings: Settings, what: str, *, since: date) -> bool:
    wanted = Wanted(what=(what,), first=since)
    found = newest(settings.audit_dir, settings.keys_dir, wanted, limit=1).records
    return bool(found) and found[0].decision == Decision.ALLOWED.value


def _tried(work: Callable[[], None]) -> list[str]:
    try:
        work()
    except AuditFailure as failure:
        return [str(failure)]
    return []
