"""Protects publication tables: τ-ARGUS and our own solver in a worker process, the proof checked here.

A worker serves one table. Its memory and processor time are bounded by itself, its wall time by us: when its
time is over, or nobody waits for the table any more, it is killed, and the next table has another. τ-ARGUS
gets a part of the time; if it fails, crashes or takes longer, our own solver starts afresh without it. What
is not proved in time is refused. Safe to use from several threads.
"""

from hub_config.gateway.suppression.suppressor import Bounds, Suppressor

__all__ = ["Bounds", "Suppressor"]
