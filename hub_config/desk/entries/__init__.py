"""The inbound airlock (sas d'entrée): code lists, small tables, notebooks and scripts come into a workspace
by a checked, logged request."""

from hub_config.desk.entries.pages import router

__all__ = ["router"]
