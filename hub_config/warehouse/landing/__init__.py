"""What was loaded so far, by source: typed, judged, pseudonymised rows, and the journal of the loads.

`$P4DP_HOME/landing/<source>/` holds `landing.duckdb`, the lock, and under `loads/<n>/` the work and the
report of load `n`. No identifier of the source is in any of them. Snapshots are frozen from here.
"""

from hub_config.warehouse.landing.store import Busy, Landing, LandingProblem, landings

__all__ = ["Busy", "Landing", "LandingProblem", "landings"]
