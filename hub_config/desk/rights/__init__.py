"""The log of rights requests, for the DPO: deadlines, steps, reminders, export."""

from hub_config.desk.rights.pages import router

__all__ = ["router"]
