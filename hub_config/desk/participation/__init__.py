"""Participation and withdrawals: practices, objections, receipts; and for the DPO, which workspaces held the
rows of whoever objected."""

from hub_config.desk.participation.pages import router
from hub_config.desk.participation.tracing import router as tracing

router.include_router(tracing)

__all__ = ["router"]
