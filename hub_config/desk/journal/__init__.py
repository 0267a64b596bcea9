"""The log for the DPO: who saw what, releases, refusals, objections, log-ins; the chain's state; exports."""

from hub_config.desk.journal.pages import router

__all__ = ["router"]
