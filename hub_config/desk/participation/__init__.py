"""Participation and withdrawals: practices, objections, receipts; for the DPO, which workspaces held the rows
of whoever objected; for those who hold them, what to erase."""

from hub_config.desk.participation.erasing import router as erasing
from hub_config.desk.participation.pages import router
from hub_config.desk.participation.tracing import router as tracing

router.include_router(tracing)
router.include_router(erasing)

__all__ = ["router"]
