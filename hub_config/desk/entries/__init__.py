from hub_config.desk.entries.pages import router

__all__ = ["router"]
